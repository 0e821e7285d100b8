//! The errors of the URL that configures an adapter. Each names the valid values.

use std::fmt::Display;

use crate::adapter::names::{described, list, nearest};

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
