//! The settings of a store: its database, its schema and its limits.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use ees_core::adapter::DEFAULT_MAX_CHANGESET_BYTES;
use ees_core::adapter::settings::{Settings, SettingsError, encode, strip_scheme};
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

/// The settings of a store, parsed from a URL:
/// `postgres://USER:PASSWORD@HOST:PORT/DATABASE?schema=S&readers=N&max_changeset_bytes=N`. The URL
/// may also have connection parameters of PostgreSQL (`sslmode`, `connect_timeout`, ...).
///
/// Parameters that the URL omits come from the environment variables of PostgreSQL (`PGPASSWORD`,
/// ...) and `.pgpass`, as in every client of PostgreSQL.
///
/// ```
/// use ees_postgres::PostgresConfig;
/// let config: PostgresConfig = "postgres://ees@db.internal/shop?readers=8".parse()?;
/// assert_eq!(config.schema, "ees");
/// assert_eq!(config.readers, 8);
/// # Ok::<(), ees_postgres::ConfigError>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct PostgresConfig {
    /// The schema of the store's tables. It is created if it is missing. Default: `ees`.
    pub schema: String,
    /// The maximum size of a changeset, as bytes of events and metadata. Default: 16 MiB.
    pub max_changeset_bytes: usize,
    /// The maximum number of concurrent reads. Default: 8.
    pub readers: u32,
    /// How long to wait for a new connection, or for a connection that other reads use. Default: 5
    /// seconds.
    pub connect_timeout: Duration,
    /// Accepts a server that runs with `fsync=off`, which loses acknowledged changesets if it or
    /// its machine crashes. For tests only. Default: `false`.
    pub allow_fsync_off: bool,
    pub(crate) connect: PgConnectOptions,
}

/// The text is not a URL of a PostgreSQL store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The scheme or one of the settings is wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The URL names no database.
    #[error("the URL names no database; expected `postgres://USER@HOST/DATABASE`")]
    NoDatabase,
    /// The part that PostgreSQL's driver reads is wrong.
    #[error("the URL cannot be read: {0}")]
    Url(String),
}

/// The settings of the store, followed by the connection parameters that the driver knows.
const KNOWN: &[&str] = &[
    "schema",
    "readers",
    "max_changeset_bytes",
    "connect_timeout",
    "allow_fsync_off",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
];

const OF_THE_STORE: &[&str] = KNOWN.split_at(5).0;

/// The maximum length of a schema name. The notification channel has the name as a suffix, and
/// names in PostgreSQL have up to 63 bytes.
const MAX_SCHEMA_CHARS: usize = 59;

impl PostgresConfig {
    /// The default of [`max_changeset_bytes`](Self::max_changeset_bytes): 16 MiB.
    pub const MAX_CHANGESET_BYTES: usize = DEFAULT_MAX_CHANGESET_BYTES;

    /// The highest value of `max_changeset_bytes`. PostgreSQL stores values of up to 1 GB, and a
    /// server needs memory for several copies of a changeset.
    const GREATEST_LIMIT: usize = 256 * 1024 * 1024;

    /// The database as a URL without the password, for messages.
    pub(crate) fn target(&self) -> String {
        let (user, host) = (self.connect.get_username(), self.connect.get_host());
        let database = self.connect.get_database().unwrap_or_default();
        let place = self.connect.get_socket().map_or_else(
            || format!("{host}:{}", self.connect.get_port()),
            |socket| socket.display().to_string(),
        );
        format!("postgres://{user}@{place}/{database}")
    }
}

impl fmt::Debug for PostgresConfig {
    /// Omits the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConfig")
            .field("target", &self.target())
            .field("schema", &self.schema)
            .field("max_changeset_bytes", &self.max_changeset_bytes)
            .field("readers", &self.readers)
            .field("connect_timeout", &self.connect_timeout)
            .field("allow_fsync_off", &self.allow_fsync_off)
            .finish_non_exhaustive()
    }
}

impl FromStr for PostgresConfig {
    type Err = ConfigError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let rest = strip_scheme(url, &["postgres://", "postgresql://"])?;
        let (target, settings) = Settings::split(rest, KNOWN)?;
        let connect = connect_options(target, &settings)?;
        let expected = format!(
            "up to {MAX_SCHEMA_CHARS} of a-z, 0-9 and _, not beginning with a digit or with pg_"
        );
        let schema = settings.read("schema", expected, schema)?;
        let bytes = settings.number("max_changeset_bytes", 1024..=Self::GREATEST_LIMIT)?;
        let seconds = settings.number("connect_timeout", 1..=600)?;
        Ok(Self {
            schema: schema.unwrap_or("ees").to_owned(),
            max_changeset_bytes: bytes.unwrap_or(Self::MAX_CHANGESET_BYTES),
            readers: settings.number("readers", 1..=256)?.unwrap_or(8),
            connect_timeout: Duration::from_secs(seconds.unwrap_or(5)),
            allow_fsync_off: settings.flag("allow_fsync_off")?.unwrap_or(false),
            connect,
        })
    }
}

/// Parses the part of the URL that PostgreSQL's driver reads.
fn connect_options(target: &str, settings: &Settings) -> Result<PgConnectOptions, ConfigError> {
    let parameters = settings
        .given()
        .filter(|(name, _)| !OF_THE_STORE.contains(name));
    let url = format!("postgres://{target}?{}", encode(parameters));
    let connect: PgConnectOptions = url
        .parse()
        .map_err(|error: sqlx::Error| ConfigError::Url(error.to_string()))?;
    if connect.get_database().is_none_or(str::is_empty) {
        return Err(ConfigError::NoDatabase);
    }
    let name = connect.get_application_name().unwrap_or("ees").to_owned();
    Ok(connect.application_name(&name).disable_statement_logging())
}

/// Accepts a schema name that needs no quotes in any program.
fn schema(value: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let is_name = value.starts_with(|c: char| plain(c) && !c.is_ascii_digit())
        && value.chars().all(plain)
        && value.len() <= MAX_SCHEMA_CHARS
        && !value.starts_with("pg_");
    is_name.then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<PostgresConfig, String> {
        url.parse().map_err(|error: ConfigError| error.to_string())
    }

    #[test]
    fn a_url_names_a_database() {
        let config = parse("postgres://u:secret@h:5433/d?schema=shop&readers=3").unwrap();
        assert_eq!(config.target(), "postgres://u@h:5433/d");
        assert_eq!((config.schema.as_str(), config.readers), ("shop", 3));
        assert!(!format!("{config:?}").contains("secret"));
        assert!(parse("postgresql:///d?host=/run/postgresql").is_ok());
        assert!(
            parse("postgres://u@h/")
                .unwrap_err()
                .contains("no database")
        );
        assert!(parse("mysql://u@h/d").unwrap_err().contains("postgres://"));
    }

    #[test]
    fn a_wrong_setting_is_named() {
        let error = |settings: &str| parse(&format!("postgres://u@h/d?{settings}")).unwrap_err();
        assert!(error("reader=1").starts_with("unknown setting `reader`: did you mean `readers`?"));
        assert!(error("connect-timeout=1").contains("did you mean `connect_timeout`?"));
        assert!(error("SSLMode=off").contains("did you mean `sslmode`?"));
        assert_eq!(
            error("readers=0"),
            "`readers=0`: expected an integer from 1 to 256"
        );
        assert_eq!(
            error("connect_timeout=0"),
            "`connect_timeout=0`: expected an integer from 1 to 600"
        );
        assert!(error("allow_fsync_off=1").contains("`true` or `false`"));
        for name in ["", "Ees", "1a", "a-b", "pg_x", "a\"b", &"x".repeat(60)] {
            assert!(
                error(&format!("schema={name}")).contains("schema="),
                "{name}"
            );
        }
        assert!(error("sslmode=loud").contains("loud"));
    }

    #[test]
    fn a_setting_given_twice_is_refused() {
        let error = |settings: &str| parse(&format!("postgres://u@h/d?{settings}")).unwrap_err();
        assert_eq!(
            error("schema=a&readers=1&schema=b"),
            "the setting `schema` is given twice; give it once"
        );
        assert!(error("host=a&host=a").contains("`host` is given twice"));
        let password = error("password=first&password=second");
        assert!(password.contains("`password` is given twice"), "{password}");
        assert!(!password.contains("first") && !password.contains("second"));
    }

    /// Also where the URL is written wrongly.
    #[test]
    fn no_error_tells_a_password() {
        for url in [
            "mysql://u:secret@h/d",
            "postgres://u:secret@h:port/d",
            "postgres://u:secret@h/",
            "postgres://u:secret@h/d?reader=1",
            "postgres://u:1?secret&secret=secret@h/d",
            "postgres://u:1/d?secret&secret@h/d",
            "postgres://u:1/d?readers=secret@h/d",
            "postgres://h/d?pasword=secret",
            "postgres://h/d?password=x&secret",
            "postgres://h/d?password=secret&readers=0",
        ] {
            let error = url.parse::<PostgresConfig>().unwrap_err();
            assert!(!error.to_string().contains("secret"), "{url}: {error}");
            assert!(!format!("{error:?}").contains("secret"), "{url}: {error:?}");
        }
    }
}
