//! Where the database is, and the few things one may want to set.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

/// How to open a store, written as a URL:
/// `postgres://USER:PASSWORD@HOST:PORT/DATABASE?schema=S&readers=N&max_changeset_bytes=N`, with the
/// connection parameters of PostgreSQL besides (`sslmode`, `connect_timeout`, ...).
///
/// What the URL leaves out is taken from PostgreSQL's own environment variables (`PGPASSWORD`,
/// ...) and `.pgpass`, as every client of PostgreSQL does.
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
    /// The schema that holds the store's tables, made if it is missing; `ees` unless set.
    pub schema: String,
    /// The most bytes of events and metadata that a changeset may have; 16 MiB unless set.
    pub max_changeset_bytes: usize,
    /// How many reads run at the same time; 8 unless set.
    pub readers: u32,
    /// How long to wait for a connection, a new one or one that others read on; 5 seconds unless
    /// set.
    pub connect_timeout: Duration,
    /// Takes a server that runs with `fsync=off`, and so loses what was acknowledged when it or
    /// its machine crashes. For tests alone.
    pub allow_fsync_off: bool,
    pub(crate) connect: PgConnectOptions,
}

/// The text is not such a URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It does not begin with `postgres://`.
    #[error("it does not begin with `postgres://` or `postgresql://`")]
    Scheme,
    /// It names no database.
    #[error("it names no database; expected `postgres://USER@HOST/DATABASE`")]
    NoDatabase,
    /// PostgreSQL's part of it cannot be read.
    #[error("it cannot be read: {0}")]
    Url(String),
    /// It sets something that does not exist.
    #[error(
        "unknown setting `{0}`; known are `schema`, `readers`, `max_changeset_bytes`, \
         `connect_timeout`, `allow_fsync_off`, and PostgreSQL's connection parameters: {known}",
        known = CONNECTION.join(", ")
    )]
    Unknown(String),
    /// It sets something to a value that is not possible.
    #[error("`{name}={value}`: expected {expected}")]
    Value {
        /// The setting.
        name: &'static str,
        /// The value found.
        value: String,
        /// What is possible.
        expected: String,
    },
}

/// The connection parameters that the driver knows.
const CONNECTION: [&str; 12] = [
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

/// The longest name of a schema: the notification channel is named after it, and PostgreSQL's
/// names have up to 63 bytes.
const MAX_SCHEMA_CHARS: usize = 59;

impl PostgresConfig {
    /// The most bytes a changeset may have unless told otherwise: 16 MiB.
    pub const MAX_CHANGESET_BYTES: usize = 16 * 1024 * 1024;

    /// The greatest limit that can be set: a value in PostgreSQL has up to 1 GB, and a server needs
    /// memory for several copies of it.
    const GREATEST_LIMIT: usize = 256 * 1024 * 1024;

    fn set(&mut self, name: &str, value: &str) -> Result<(), ConfigError> {
        match name {
            "schema" => self.schema = schema(value)?,
            "max_changeset_bytes" => {
                let name = "max_changeset_bytes";
                self.max_changeset_bytes = number(name, value, 1024, Self::GREATEST_LIMIT)?;
            }
            "readers" => {
                let readers = number("readers", value, 1, 256)?;
                self.readers = u32::try_from(readers).unwrap_or(u32::MAX);
            }
            "connect_timeout" => {
                let seconds = number("connect_timeout", value, 1, 600)?;
                self.connect_timeout = Duration::from_secs(seconds as u64);
            }
            "allow_fsync_off" => {
                let expected = "`true` or `false`";
                let flag = value.parse();
                self.allow_fsync_off =
                    flag.map_err(|_| wrong("allow_fsync_off", value, expected.to_owned()))?;
            }
            _ => return Err(ConfigError::Unknown(name.to_owned())),
        }
        Ok(())
    }

    /// The database in words, without the password.
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
    /// Without the password.
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
        if !["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
        {
            return Err(ConfigError::Scheme);
        }
        let (place, settings) = url.split_once('?').unwrap_or((url, ""));
        let settings: Vec<_> = form_urlencoded::parse(settings.as_bytes()).collect();
        let (theirs, ours): (Vec<_>, Vec<_>) = settings
            .into_iter()
            .partition(|(name, _)| CONNECTION.contains(&name.as_ref()));
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(theirs)
            .finish();
        let connect: PgConnectOptions = format!("{place}?{query}")
            .parse()
            .map_err(|error: sqlx::Error| ConfigError::Url(error.to_string()))?;
        if connect.get_database().is_none_or(str::is_empty) {
            return Err(ConfigError::NoDatabase);
        }
        let name = connect.get_application_name().unwrap_or("ees").to_owned();
        let connect = connect.application_name(&name).disable_statement_logging();
        let mut config = Self {
            schema: "ees".to_owned(),
            max_changeset_bytes: Self::MAX_CHANGESET_BYTES,
            readers: 8,
            connect_timeout: Duration::from_secs(5),
            allow_fsync_off: false,
            connect,
        };
        for (name, value) in ours {
            config.set(&name, &value)?;
        }
        Ok(config)
    }
}

/// A name that needs no quotes in any program.
fn schema(value: &str) -> Result<String, ConfigError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let is_name = value.starts_with(|c: char| plain(c) && !c.is_ascii_digit())
        && value.chars().all(plain)
        && value.len() <= MAX_SCHEMA_CHARS
        && !value.starts_with("pg_");
    is_name.then(|| value.to_owned()).ok_or_else(|| {
        let expected = format!(
            "up to {MAX_SCHEMA_CHARS} of a-z, 0-9 and _, beginning with none of 0-9 and not with pg_"
        );
        wrong("schema", value, expected)
    })
}

fn number(name: &'static str, value: &str, min: usize, max: usize) -> Result<usize, ConfigError> {
    let found = value.parse().ok().filter(|n| (min..=max).contains(n));
    found.ok_or_else(|| wrong(name, value, format!("an integer from {min} to {max}")))
}

fn wrong(name: &'static str, value: &str, expected: String) -> ConfigError {
    ConfigError::Value {
        name,
        value: value.to_owned(),
        expected,
    }
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
        assert!(error("reader=1").starts_with("unknown setting `reader`; known are `schema`"));
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
}
