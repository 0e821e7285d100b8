//! Where the file is, and the few things one may want to set.

use std::collections::HashSet;
use std::path::PathBuf;
use std::str::FromStr;

/// How to open a store, written as a URL: `sqlite:PATH?max_changeset_bytes=N&readers=N`.
///
/// ```
/// use ees_sqlite::SqliteConfig;
/// let config: SqliteConfig = "sqlite:./ees.db?readers=8".parse()?;
/// assert_eq!(config.path.to_str(), Some("./ees.db"));
/// assert_eq!(config.readers, 8);
/// # Ok::<(), ees_sqlite::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteConfig {
    /// The database file; it is made if it is missing, its folder is not.
    pub path: PathBuf,
    /// The most bytes of events and metadata that a changeset may have; 16 MiB unless set.
    pub max_changeset_bytes: usize,
    /// How many reads run at the same time; 4 unless set.
    pub readers: u32,
}

/// The text is not such a URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It does not begin with `sqlite:`.
    #[error("`{0}` does not begin with `sqlite:`")]
    Scheme(String),
    /// It names no file.
    #[error("`{0}` names no file; expected `sqlite:PATH` (for a store in memory use `memory:`)")]
    NoFile(String),
    /// It sets something that does not exist.
    #[error("unknown setting `{0}`; known are `max_changeset_bytes` and `readers`")]
    Unknown(String),
    /// It sets something twice.
    #[error("`{0}` is set twice; set it once")]
    Twice(String),
    /// It sets something to a value that is not possible.
    #[error("`{name}={value}`: expected an integer from {min} to {max}")]
    Value {
        /// The setting.
        name: &'static str,
        /// The value found.
        value: String,
        /// The least possible.
        min: usize,
        /// The greatest possible.
        max: usize,
    },
}

impl SqliteConfig {
    /// The most bytes a changeset may have unless told otherwise: 16 MiB.
    pub const MAX_CHANGESET_BYTES: usize = 16 * 1024 * 1024;

    /// The greatest limit that can be set: SQLite keeps a text of up to 1 GB, and a server needs
    /// memory for several copies of it.
    const GREATEST_LIMIT: usize = 256 * 1024 * 1024;

    /// Opens a file with nothing else set.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            max_changeset_bytes: Self::MAX_CHANGESET_BYTES,
            readers: 4,
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), ConfigError> {
        match name {
            "max_changeset_bytes" => {
                let name = "max_changeset_bytes";
                self.max_changeset_bytes = number(name, value, 1024, Self::GREATEST_LIMIT)?;
            }
            "readers" => {
                let readers = number("readers", value, 1, 64)?;
                self.readers = u32::try_from(readers).unwrap_or(u32::MAX);
            }
            _ => return Err(ConfigError::Unknown(name.to_owned())),
        }
        Ok(())
    }
}

fn number(name: &'static str, value: &str, min: usize, max: usize) -> Result<usize, ConfigError> {
    let found = value.parse().ok().filter(|n| (min..=max).contains(n));
    found.ok_or_else(|| ConfigError::Value {
        name,
        value: value.to_owned(),
        min,
        max,
    })
}

impl FromStr for SqliteConfig {
    type Err = ConfigError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let rest = url.strip_prefix("sqlite:");
        let rest = rest.ok_or_else(|| ConfigError::Scheme(url.to_owned()))?;
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (path, settings) = rest.split_once('?').unwrap_or((rest, ""));
        if path.is_empty() || path == ":memory:" {
            return Err(ConfigError::NoFile(url.to_owned()));
        }
        let mut config = Self::new(path);
        let mut names = HashSet::new();
        for (name, value) in form_urlencoded::parse(settings.as_bytes()) {
            if !names.insert(name.clone()) {
                return Err(ConfigError::Twice(name.into_owned()));
            }
            config.set(&name, &value)?;
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_file() {
        let path = |url: &str| url.parse::<SqliteConfig>().map(|config| config.path);
        assert_eq!(path("sqlite:./ees.db"), Ok("./ees.db".into()));
        assert_eq!(
            path("sqlite:///var/lib/ees.db"),
            Ok("/var/lib/ees.db".into())
        );
        for none in [
            "sqlite:",
            "sqlite://",
            "sqlite::memory:",
            "sqlite:?readers=1",
        ] {
            assert!(matches!(path(none), Err(ConfigError::NoFile(_))), "{none}");
        }
        assert!(matches!(path("ees.db"), Err(ConfigError::Scheme(_))));
    }

    #[test]
    fn a_wrong_setting_is_named() {
        let error = |url: &str| url.parse::<SqliteConfig>().unwrap_err().to_string();
        assert_eq!(
            error("sqlite:x?reader=1"),
            "unknown setting `reader`; known are `max_changeset_bytes` and `readers`"
        );
        assert_eq!(
            error("sqlite:x?readers=0"),
            "`readers=0`: expected an integer from 1 to 64"
        );
        assert_eq!(
            error("sqlite:x?readers=1&readers=1"),
            "`readers` is set twice; set it once"
        );
    }
}
