//! The settings of a store: its file, its limits and its number of readers.

use std::path::PathBuf;
use std::str::FromStr;

use ees_core::adapter::DEFAULT_MAX_CHANGESET_BYTES;
use ees_core::adapter::settings::{Settings, SettingsError, strip_scheme};

/// The settings of a store, parsed from a URL: `sqlite:PATH?max_changeset_bytes=N&readers=N`.
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
    /// The database file. It is created if it is missing; its folder must exist.
    pub path: PathBuf,
    /// The maximum size of a changeset, as bytes of events and metadata. Default: 16 MiB.
    pub max_changeset_bytes: usize,
    /// The maximum number of concurrent reads. Default: 4.
    pub readers: u32,
}

/// The text is not a URL of a SQLite store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The scheme or one of the settings is wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The URL names no file.
    #[error("the URL names no file; expected `sqlite:PATH` (for a store in memory use `memory:`)")]
    NoFile,
}

impl SqliteConfig {
    /// The default of [`max_changeset_bytes`](Self::max_changeset_bytes): 16 MiB.
    pub const MAX_CHANGESET_BYTES: usize = DEFAULT_MAX_CHANGESET_BYTES;

    /// The highest value of `max_changeset_bytes`. SQLite stores texts of up to 1 GB, and a server
    /// needs memory for several copies of a changeset.
    const GREATEST_LIMIT: usize = 256 * 1024 * 1024;

    /// The default settings for a file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            max_changeset_bytes: Self::MAX_CHANGESET_BYTES,
            readers: 4,
        }
    }
}

impl FromStr for SqliteConfig {
    type Err = ConfigError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let rest = strip_scheme(url, &["sqlite:"])?;
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (path, settings) = Settings::split(rest, &["max_changeset_bytes", "readers"])?;
        if path.is_empty() || path == ":memory:" {
            return Err(ConfigError::NoFile);
        }
        let mut config = Self::new(path);
        let bytes = settings.number("max_changeset_bytes", 1024..=Self::GREATEST_LIMIT)?;
        config.max_changeset_bytes = bytes.unwrap_or(config.max_changeset_bytes);
        config.readers = settings
            .number("readers", 1..=64)?
            .unwrap_or(config.readers);
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
            assert_eq!(path(none), Err(ConfigError::NoFile), "{none}");
        }
        let error = path("ees.db").unwrap_err().to_string();
        assert_eq!(error, "the URL does not begin with `sqlite:`");
    }

    #[test]
    fn a_wrong_setting_is_named() {
        let error = |url: &str| url.parse::<SqliteConfig>().unwrap_err().to_string();
        assert_eq!(
            error("sqlite:x?reader=1"),
            "unknown setting `reader`: did you mean `readers`? The known settings are \
             `max_changeset_bytes` and `readers`"
        );
        assert_eq!(
            error("sqlite:x?readers=0"),
            "`readers=0`: expected an integer from 1 to 64"
        );
        assert_eq!(
            error("sqlite:x?readers=1&readers=1"),
            "the setting `readers` is given twice; give it once"
        );
        assert!(error("sqlite:x?Max-Changeset-Bytes=1").contains("mean `max_changeset_bytes`?"));
    }
}
