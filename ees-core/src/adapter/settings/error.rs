//! The errors of the URL that configures an adapter. Each names the valid values.

use std::fmt::Display;

/// How similar a known name must be to be suggested, from 0 (not at all) to 1 (the same).
const SIMILAR: f64 = 0.8;

/// An error in the URL that configures an adapter. No message shows a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The URL does not begin with a scheme that the adapter accepts.
    #[error("the URL does not begin with {}", list(expected, "or"))]
    Scheme {
        /// The schemes that the adapter accepts.
        expected: &'static [&'static str],
    },
    /// The URL has an unknown setting.
    #[error(
        "unknown setting{}The known settings are {}",
        described(name.as_deref(), *nearest),
        list(known, "and")
    )]
    Unknown {
        /// The name found; `None` if it may be a part of a password.
        name: Option<String>,
        /// The known setting that is probably meant.
        nearest: Option<&'static str>,
        /// All known settings.
        known: &'static [&'static str],
    },
    /// The URL gives a setting twice.
    #[error("the setting `{0}` is given twice; give it once")]
    Twice(&'static str),
    /// The URL gives a setting an invalid value.
    #[error("`{name}={value}`: expected {expected}")]
    Value {
        /// The setting.
        name: &'static str,
        /// The value found.
        value: String,
        /// The valid values.
        expected: String,
    },
}

impl SettingsError {
    /// A setting that is not among the known ones.
    pub(super) fn unknown(name: Option<&str>, known: &'static [&'static str]) -> Self {
        Self::Unknown {
            name: name.map(str::to_owned),
            nearest: name.and_then(|name| nearest(name, known)),
            known,
        }
    }

    /// An invalid value. The text before an `@` in it may be a part of a password that is not
    /// encoded, so it is left out.
    pub(super) fn value(name: &'static str, value: &str, expected: &dyn Display) -> Self {
        let value = value
            .rsplit_once('@')
            .map_or_else(|| value.to_owned(), |(_, behind)| format!("***@{behind}"));
        Self::Value {
            name,
            value,
            expected: expected.to_string(),
        }
    }
}

/// The known name that is most similar to a name, ignoring case and treating `-` as `_`.
fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let name = name.to_lowercase().replace('-', "_");
    let similar = known.iter().map(|known| {
        let similarity = strsim::jaro_winkler(&name, known);
        (similarity, *known)
    });
    let nearest = similar.max_by(|(one, _), (other, _)| one.total_cmp(other));
    nearest
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .map(|(_, known)| known)
}

fn described(name: Option<&str>, nearest: Option<&str>) -> String {
    match (name, nearest) {
        (Some(name), Some(nearest)) => format!(" `{name}`: did you mean `{nearest}`? "),
        (Some(name), None) => format!(" `{name}`. "),
        (None, _) => " (its name is not shown, as it may be part of a password; `?`, `&` and `@` \
                      in a password are written `%3F`, `%26` and `%40`). "
            .to_owned(),
    }
}

/// `a`, `b` and `c`
fn list(names: &[&str], and: &str) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} {and} {last}", others.join(", ")),
        None => "none".to_owned(),
    }
}
