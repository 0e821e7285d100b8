//! The URL that configures an adapter: `SCHEME:REST?NAME=VALUE&NAME=VALUE`.

mod error;

use std::fmt;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

pub use error::SettingsError;

/// The setting whose value is a secret. Errors and `Debug` never show it.
const PASSWORD: &str = "password";

/// The settings of an adapter's URL, each given at most once.
///
/// ```
/// use ees_core::adapter::settings::{Settings, strip_scheme};
/// const KNOWN: &[&str] = &["readers", "schema"];
///
/// let rest = strip_scheme("mydb:./file?readers=8", &["mydb:"])?;
/// let (path, settings) = Settings::split(rest, KNOWN)?;
/// assert_eq!(path, "./file");
/// assert_eq!(settings.number("readers", 1..=64)?, Some(8));
/// assert_eq!(settings.text("schema"), None);
///
/// let error = Settings::parse("reader=8", KNOWN).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "unknown setting `reader`: did you mean `readers`? \
///      The known settings are `readers` and `schema`"
/// );
/// # Ok::<(), ees_core::adapter::settings::SettingsError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    known: &'static [&'static str],
    given: Vec<(&'static str, String)>,
}

impl Settings {
    /// Splits a URL without its scheme at the first `?`, and reads the settings after it.
    ///
    /// # Errors
    /// As [`Settings::parse`].
    pub fn split<'a>(
        rest: &'a str,
        known: &'static [&'static str],
    ) -> Result<(&'a str, Self), SettingsError> {
        let (rest, settings) = rest.split_once('?').unwrap_or((rest, ""));
        Ok((rest, Self::parse(settings, known)?))
    }

    /// Reads settings, `NAME=VALUE&NAME=VALUE`, in which names and values are percent-encoded.
    /// `known` lists the names of all valid settings.
    ///
    /// # Errors
    /// [`SettingsError::Unknown`] if a setting is not among the known ones;
    /// [`SettingsError::Twice`] if one is given twice, even with the same value.
    pub fn parse(settings: &str, known: &'static [&'static str]) -> Result<Self, SettingsError> {
        let mut given: Vec<(&str, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(settings.as_bytes()) {
            let is_given = |name: &str| given.iter().any(|(given, _)| *given == name);
            let Some(known_name) = known.iter().find(|known| **known == name) else {
                // A password that is not encoded is split at `?` and `&`. This may then be a part
                // of it.
                let shown = !settings.contains('@') && !is_given(PASSWORD);
                return Err(SettingsError::unknown(shown.then_some(&*name), known));
            };
            if is_given(known_name) {
                return Err(SettingsError::Twice(known_name));
            }
            given.push((known_name, value.into_owned()));
        }
        Ok(Self { known, given })
    }

    /// The given settings, with their values, in the order of the URL.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.given
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
    }

    /// The value of a setting, if it is given.
    pub fn text(&self, name: &'static str) -> Option<&str> {
        debug_assert!(
            self.known.contains(&name),
            "`{name}` is not a known setting"
        );
        let given = self.given.iter().find(|(given, _)| *given == name);
        given.map(|(_, value)| value.as_str())
    }

    /// The result of `parse` on a setting's value, if the setting is given.
    ///
    /// # Errors
    /// [`SettingsError::Value`] if `parse` answers `None`; it says that `expected` was expected.
    pub fn read<'a, T>(
        &'a self,
        name: &'static str,
        expected: impl Display,
        parse: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<Option<T>, SettingsError> {
        let Some(value) = self.text(name) else {
            return Ok(None);
        };
        let read = parse(value).ok_or_else(|| SettingsError::value(name, value, &expected))?;
        Ok(Some(read))
    }

    /// A number in a range, if the setting is given.
    ///
    /// # Errors
    /// [`SettingsError::Value`] if the value is no such number; it names the range.
    pub fn number<N: FromStr + PartialOrd + Display>(
        &self,
        name: &'static str,
        range: RangeInclusive<N>,
    ) -> Result<Option<N>, SettingsError> {
        let expected = format!("an integer from {} to {}", range.start(), range.end());
        let parse = |value: &str| value.parse().ok().filter(|found| range.contains(found));
        self.read(name, expected, parse)
    }

    /// `true` or `false`, if the setting is given.
    ///
    /// # Errors
    /// [`SettingsError::Value`] if the value is neither.
    pub fn flag(&self, name: &'static str) -> Result<Option<bool>, SettingsError> {
        self.read(name, "`true` or `false`", |value| value.parse().ok())
    }
}

impl fmt::Debug for Settings {
    /// The names of the given settings, without their values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.given.iter().map(|(name, _)| name).collect();
        f.debug_tuple("Settings").field(&names).finish()
    }
}

/// Returns a URL without its scheme. `schemes` are the schemes that the adapter accepts, each with
/// its separator: `postgres://`, `sqlite:`.
///
/// # Errors
/// [`SettingsError::Scheme`] if the URL begins with none of them.
pub fn strip_scheme<'a>(
    url: &'a str,
    schemes: &'static [&'static str],
) -> Result<&'a str, SettingsError> {
    let stripped = schemes.iter().find_map(|scheme| url.strip_prefix(scheme));
    stripped.ok_or(SettingsError::Scheme { expected: schemes })
}

/// Writes settings as [`Settings::parse`] reads them.
pub fn encode<N: AsRef<str>, V: AsRef<str>>(settings: impl IntoIterator<Item = (N, V)>) -> String {
    let mut encoder = form_urlencoded::Serializer::new(String::new());
    encoder.extend_pairs(settings);
    encoder.finish()
}

#[cfg(test)]
mod tests;
