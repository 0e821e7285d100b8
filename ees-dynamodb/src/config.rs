//! Which tables, where they are, and the names of their indexes.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use ees_aws::{Expected, Place};

/// Which store to open, written as a URL: `dynamodb://TABLE?analysis=TABLE&region=REGION`.
///
/// ```
/// use ees_dynamodb::DynamoConfig;
/// let config: DynamoConfig = "dynamodb://ees_db_shop?region=eu-west-1".parse()?;
/// assert_eq!(config.events_table, "ees_db_shop");
/// assert_eq!(config.analysis_table, "ees_db_shop_analysis");
/// # Ok::<(), ees_dynamodb::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DynamoConfig {
    /// The table of the changesets.
    pub events_table: String,
    /// The table of the indexer's state, the statistics and subscriptions' checkpoints; the name of
    /// the events table and `_analysis` unless set.
    pub analysis_table: String,
    /// Where DynamoDB is.
    pub place: Place,
    /// The names of the events table's indexes.
    pub indexes: IndexNames,
    /// How many ends of streams, and how many positions that were written here, are remembered, so
    /// that a commit and an indexer need not ask for them.
    pub head_cache: NonZeroUsize,
}

/// The names of the events table's indexes. A table made by the Python original has its own.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexNames {
    /// Global, by `page` and `page_item`.
    pub enumeration: String,
    /// Local, by `first_event_id`.
    pub first_event: String,
    /// Local, by `last_event_id`.
    pub last_event: String,
}

impl Default for IndexNames {
    fn default() -> Self {
        Self {
            enumeration: "EnumerationIndex".to_owned(),
            first_event: "FirstEventId".to_owned(),
            last_event: "LastEventId".to_owned(),
        }
    }
}

/// The text is not such a URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It does not begin with `dynamodb://`.
    #[error("`{0}` does not begin with `dynamodb://`")]
    Scheme(String),
    /// It names no table, or one that cannot be.
    #[error(
        "`{name}={value}` is no table name; expected 3 to 255 of the characters a-z, A-Z, 0-9, `_`, `-` and `.`"
    )]
    Table {
        /// The setting.
        name: &'static str,
        /// The value found.
        value: String,
    },
    /// Both kinds of items cannot be in one table.
    #[error("`{0}` is named as events table and as analysis table; they are two")]
    OneTable(String),
    /// It sets something that does not exist.
    #[error(
        "unknown setting `{0}`; known are `analysis`, `endpoint`, `region`, `enumeration_index`, `first_event_index`, `last_event_index` and `head_cache`"
    )]
    Unknown(String),
    /// It sets something to a value that is not possible.
    #[error("`{name}={value}`: expected {expected}")]
    Value {
        /// The setting.
        name: String,
        /// The value found.
        value: String,
        /// What would be possible.
        expected: &'static str,
    },
}

impl DynamoConfig {
    /// Unless told otherwise; some 30 MB at most, if all stream ids are as long as they can be.
    const HEAD_CACHE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(9_999);

    /// A store in a table, with nothing else set.
    pub fn new(events_table: impl Into<String>) -> Self {
        let events_table = events_table.into();
        Self {
            analysis_table: format!("{events_table}_analysis"),
            events_table,
            place: Place::default(),
            indexes: IndexNames::default(),
            head_cache: Self::HEAD_CACHE,
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), ConfigError> {
        let wrong = |expected| ConfigError::Value {
            name: name.to_owned(),
            value: value.to_owned(),
            expected,
        };
        if self
            .place
            .set(name, value)
            .map_err(|Expected(what)| wrong(what))?
        {
            return Ok(());
        }
        let index = || match value {
            "" => Err(wrong("the name of an index")),
            name => Ok(name.to_owned()),
        };
        match name {
            "analysis" => self.analysis_table = table("analysis", value)?,
            "enumeration_index" => self.indexes.enumeration = index()?,
            "first_event_index" => self.indexes.first_event = index()?,
            "last_event_index" => self.indexes.last_event = index()?,
            "head_cache" => self.head_cache = head_cache(value).map_err(wrong)?,
            _ => return Err(ConfigError::Unknown(name.to_owned())),
        }
        Ok(())
    }
}

fn table(name: &'static str, value: &str) -> Result<String, ConfigError> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let value = value.to_owned();
    if (3..=255).contains(&value.len()) && value.bytes().all(legal) {
        return Ok(value);
    }
    Err(ConfigError::Table { name, value })
}

fn head_cache(value: &str) -> Result<NonZeroUsize, &'static str> {
    let found = value.parse().ok().filter(|n: &usize| *n <= 1_000_000);
    let found = found.and_then(NonZeroUsize::new);
    found.ok_or("an integer from 1 to 1000000")
}

impl FromStr for DynamoConfig {
    type Err = ConfigError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let rest = url.strip_prefix("dynamodb://");
        let rest = rest.ok_or_else(|| ConfigError::Scheme(url.to_owned()))?;
        let (events_table, settings) = rest.split_once('?').unwrap_or((rest, ""));
        let mut config = Self::new(table("table", events_table)?);
        for (name, value) in form_urlencoded::parse(settings.as_bytes()) {
            config.set(&name, &value)?;
        }
        if config.analysis_table == config.events_table {
            return Err(ConfigError::OneTable(config.events_table));
        }
        Ok(config)
    }
}

impl fmt::Display for DynamoConfig {
    /// The URL, with what is set differently from [`DynamoConfig::new`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = Self::new(&self.events_table);
        let (head_cache, plain_cache) = (self.head_cache.to_string(), plain.head_cache.to_string());
        let settings = [
            (
                "analysis",
                Some(&self.analysis_table),
                Some(&plain.analysis_table),
            ),
            ("endpoint", self.place.endpoint.as_ref(), None),
            ("region", self.place.region.as_ref(), None),
            (
                "enumeration_index",
                Some(&self.indexes.enumeration),
                Some(&plain.indexes.enumeration),
            ),
            (
                "first_event_index",
                Some(&self.indexes.first_event),
                Some(&plain.indexes.first_event),
            ),
            (
                "last_event_index",
                Some(&self.indexes.last_event),
                Some(&plain.indexes.last_event),
            ),
            ("head_cache", Some(&head_cache), Some(&plain_cache)),
        ];
        let set = settings
            .into_iter()
            .filter(|(_, value, plain)| value != plain);
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value, _) in set {
            query.append_pair(name, value.map_or("", String::as_str));
        }
        let query = query.finish();
        let mark = if query.is_empty() { "" } else { "?" };
        write!(f, "dynamodb://{}{mark}{query}", self.events_table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(url: &str) -> String {
        url.parse::<DynamoConfig>().unwrap_err().to_string()
    }

    #[test]
    fn a_url_names_a_store() {
        let url = "dynamodb://ees_db?analysis=ees_counts&endpoint=http%3A%2F%2F127.0.0.1%3A8000\
                   &region=eu-west-1&enumeration_index=EmumerationIndex&head_cache=7";
        let config: DynamoConfig = url.parse().unwrap();
        assert_eq!(config.analysis_table, "ees_counts");
        assert_eq!(
            config.place.endpoint.as_deref(),
            Some("http://127.0.0.1:8000")
        );
        assert_eq!(config.indexes.enumeration, "EmumerationIndex");
        assert!(config.place.is_emulator());
        assert_eq!(config.to_string(), url, "and it can be written again");
        let plain = DynamoConfig::new("ees_db");
        assert_eq!(plain.to_string(), "dynamodb://ees_db");
    }

    #[test]
    fn a_wrong_url_is_refused() {
        assert!(error("ees_db").contains("does not begin with `dynamodb://`"));
        assert!(error("dynamodb://").contains("`table=` is no table name"));
        assert!(error("dynamodb://a b c").contains("`table=a b c` is no table name"));
        assert!(error("dynamodb://tab?analysis=x").contains("`analysis=x` is no table name"));
        assert!(error("dynamodb://tab?analysis=tab").contains("they are two"));
        assert!(error("dynamodb://tab?table=x").contains("unknown setting `table`"));
        assert!(error("dynamodb://tab?region=").contains("`region=`: expected an AWS region"));
        assert!(error("dynamodb://tab?endpoint=localhost:1").contains("begins with `http://`"));
        assert!(error("dynamodb://tab?head_cache=0").contains("from 1 to 1000000"));
    }
}
