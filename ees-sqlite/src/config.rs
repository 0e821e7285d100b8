//! Where the file is, and the few things one may want to set.

use std::path::PathBuf;
use std::str::FromStr;

use ees_core::adapter::settings::{Settings, SettingsError, strip_scheme};

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
    /// Its scheme or one of its settings is wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// It names no file.
    #[error("the URL names no file; expected `sqlite:PATH` (for a store in memory use `memory:`)")]
    NoFile,
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
