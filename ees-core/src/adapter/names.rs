//! Names that are not known, and the known name that was probably meant.

use std::borrow::Cow;

/// How similar a known name must be to be suggested, from 0 (not at all) to 1 (the same).
const SIMILAR: f64 = 0.8;

/// The longest name that a message shows whole, in characters.
const MAX_SHOWN: usize = 64;

/// The message for a name that is not known: with the known name that is probably meant, and with
/// all known names. `kind` is what the names stand for, in the singular.
///
/// ```
/// let message = ees_core::adapter::unknown_name("parameter", "limt", &["from", "limit"]);
/// let expected = "unknown parameter `limt`: did you mean `limit`? \
///                 The known parameters are `from` and `limit`";
/// assert_eq!(message, expected);
/// ```
pub fn unknown_name(kind: &str, name: &str, known: &[&'static str]) -> String {
    let meant = described(Some(&shortened(name)), nearest(name, known));
    format!(
        "unknown {kind}{meant}The known {kind}s are {}",
        list(known, "and")
    )
}

fn shortened(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}...", name.get(..end).unwrap_or_default()).into(),
        None => name.into(),
    }
}

/// The known name that is most similar to a name, ignoring case and treating `-` as `_`. A name that
/// is too long to be shown has none.
pub(super) fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    if name.chars().nth(MAX_SHOWN).is_some() {
        return None;
    }
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

/// A name that is not known, and the known name that is probably meant. `name` is `None` if it may be
/// a part of a password.
pub(super) fn described(name: Option<&str>, nearest: Option<&str>) -> String {
    match (name, nearest) {
        (Some(name), Some(nearest)) => format!(" `{name}`: did you mean `{nearest}`? "),
        (Some(name), None) => format!(" `{name}`. "),
        (None, _) => " (its name is not shown, as it may be part of a password; `?`, `&` and `@` \
                      in a password are written `%3F`, `%26` and `%40`). "
            .to_owned(),
    }
}

/// `a`, `b` and `c`
pub(super) fn list(names: &[&str], and: &str) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} {and} {last}", others.join(", ")),
        None => "none".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_shown_in_part() {
        let name = "\u{e9}".repeat(100_000);
        let message = unknown_name("parameter", &name, &["limit"]);
        let shown = "\u{e9}".repeat(MAX_SHOWN);
        let expected = format!("unknown parameter `{shown}...`. The known parameters are `limit`");
        assert_eq!(message, expected);
    }
}
