//! The settings of a store: its tables, their endpoint, and the names of their indexes.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use ees_aws::Endpoint;
use ees_core::adapter::settings::{Settings, SettingsError, encode, strip_scheme};

/// The settings of a store, parsed from a URL: `dynamodb://TABLE?analysis=TABLE&region=REGION`.
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
    /// The events table, which contains the changesets.
    pub events_table: String,
    /// The analysis table, which contains the index state, the statistics and the checkpoints of
    /// subscriptions. Default: the name of the events table and `_analysis`.
    pub analysis_table: String,
    /// The endpoint of DynamoDB.
    pub endpoint: Endpoint,
    /// The names of the events table's indexes.
    pub indexes: IndexNames,
    /// How many stream heads, and how many written positions, the process caches. They save reads
    /// in commits and in the indexer. Default: 10000.
    pub head_cache: NonZeroUsize,
    /// Whether this process accepts commits. Default: yes. It says nothing of other processes.
    pub commits: bool,
}

/// The names of the events table's indexes. A table of the Python original may have other names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexNames {
    /// The global index, by `page` and `page_item`.
    pub enumeration: String,
    /// The local index by `first_event_id`.
    pub first_event: String,
    /// The local index by `last_event_id`.
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

/// The text is not a URL of a DynamoDB store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The scheme or one of the settings is wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The URL names no events table, or the name is not a valid table name.
    #[error("the URL names no events table; expected `dynamodb://TABLE` with {TABLE_NAME}")]
    NoTable,
    /// The events table and the analysis table have the same name.
    #[error(
        "`{0}` is named as the events table and as the analysis table; they must be two tables"
    )]
    OneTable(String),
}

/// All settings.
const KNOWN: &[&str] = &[
    "analysis",
    "endpoint",
    "region",
    "enumeration_index",
    "first_event_index",
    "last_event_index",
    "head_cache",
    "commits",
];

/// The description of a table name in messages.
const TABLE_NAME: &str = "a table name, 3 to 255 of the characters a-z, A-Z, 0-9, `_`, `-` and `.`";

impl DynamoConfig {
    /// The default of [`head_cache`](Self::head_cache). The cache takes at most about 30 MB, if all
    /// stream ids have the maximum length.
    const HEAD_CACHE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(9_999);

    /// The highest value of `head_cache`.
    const MAX_HEAD_CACHE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(999_999);

    /// The default settings for an events table.
    pub fn new(events_table: impl Into<String>) -> Self {
        let events_table = events_table.into();
        Self {
            analysis_table: format!("{events_table}_analysis"),
            events_table,
            endpoint: Endpoint::default(),
            indexes: IndexNames::default(),
            head_cache: Self::HEAD_CACHE,
            commits: true,
        }
    }

    fn set(&mut self, settings: &Settings) -> Result<(), SettingsError> {
        self.endpoint = Endpoint::from_settings(settings)?;
        if let Some(analysis) = settings.read("analysis", TABLE_NAME, table)? {
            self.analysis_table = analysis;
        }
        let index = |name, index: &mut String| {
            if let Some(found) = settings.read(name, "the name of an index", not_empty)? {
                *index = found;
            }
            Ok::<_, SettingsError>(())
        };
        index("enumeration_index", &mut self.indexes.enumeration)?;
        index("first_event_index", &mut self.indexes.first_event)?;
        index("last_event_index", &mut self.indexes.last_event)?;
        let head_cache = settings.number("head_cache", NonZeroUsize::MIN..=Self::MAX_HEAD_CACHE)?;
        self.head_cache = head_cache.unwrap_or(self.head_cache);
        let commits = settings.read("commits", "`on` or `off`", on_or_off)?;
        self.commits = commits.unwrap_or(self.commits);
        Ok(())
    }
}

fn table(value: &str) -> Option<String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let is_name = (3..=255).contains(&value.len()) && value.bytes().all(legal);
    is_name.then(|| value.to_owned())
}

fn not_empty(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

fn on_or_off(value: &str) -> Option<bool> {
    match value {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

impl FromStr for DynamoConfig {
    type Err = ConfigError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let rest = strip_scheme(url, &["dynamodb://"])?;
        let (name, settings) = Settings::split(rest, KNOWN)?;
        let events_table = table(name).ok_or(ConfigError::NoTable)?;
        let mut config = Self::new(events_table);
        config.set(&settings)?;
        if config.analysis_table == config.events_table {
            return Err(ConfigError::OneTable(config.events_table));
        }
        Ok(config)
    }
}

impl fmt::Display for DynamoConfig {
    /// Writes the URL, with the settings that differ from [`DynamoConfig::new`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = Self::new(&self.events_table);
        let (head_cache, plain_cache) = (self.head_cache.to_string(), plain.head_cache.to_string());
        let off = (!self.commits).then(|| "off".to_owned());
        let settings = [
            (
                "analysis",
                Some(&self.analysis_table),
                Some(&plain.analysis_table),
            ),
            ("endpoint", self.endpoint.url.as_ref(), None),
            ("region", self.endpoint.region.as_ref(), None),
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
            ("commits", off.as_ref(), None),
        ];
        let set = settings
            .into_iter()
            .filter(|(_, value, plain)| value != plain);
        let query = encode(set.map(|(name, value, _)| (name, value.map_or("", String::as_str))));
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
                   &region=eu-west-1&enumeration_index=EmumerationIndex&head_cache=7\
                   &commits=off";
        let config: DynamoConfig = url.parse().unwrap();
        assert_eq!(config.analysis_table, "ees_counts");
        assert_eq!(
            config.endpoint.url.as_deref(),
            Some("http://127.0.0.1:8000")
        );
        assert_eq!(config.indexes.enumeration, "EmumerationIndex");
        assert!(config.endpoint.is_emulator());
        assert!(!config.commits);
        assert_eq!(config.to_string(), url, "and it can be written again");
        let plain = DynamoConfig::new("ees_db");
        assert_eq!(plain.to_string(), "dynamodb://ees_db");
    }

    #[test]
    fn a_wrong_url_is_refused() {
        assert!(error("ees_db").contains("does not begin with `dynamodb://`"));
        assert!(
            error("dynamodb://").contains("names no events table; expected `dynamodb://TABLE`")
        );
        assert!(error("dynamodb://a b c").contains("names no events table"));
        assert!(
            error("dynamodb://tab?analysis=x")
                .contains("`analysis=x`: expected a table name, 3 to 255")
        );
        assert!(error("dynamodb://tab?analysis=tab").contains("must be two tables"));
        assert!(error("dynamodb://tab?table=x").contains("unknown setting `table`"));
        assert!(error("dynamodb://tab?region=").contains("`region=`: expected an AWS region"));
        assert!(error("dynamodb://tab?endpoint=localhost:1").contains("begins with `http://`"));
        assert!(error("dynamodb://tab?commits=no").contains("expected `on` or `off`"));
        assert!(error("dynamodb://tab?head_cache=0").contains("from 1 to 1000000"));
    }

    #[test]
    fn a_setting_given_twice_is_refused() {
        assert_eq!(
            error("dynamodb://tab?region=eu-west-1&analysis=tab_a&region=eu-west-1"),
            "the setting `region` is given twice; give it once"
        );
        assert!(error("dynamodb://tab?analysis=abc&analysis=xyz").contains("given twice"));
    }

    #[test]
    fn a_near_miss_is_suggested() {
        assert!(error("dynamodb://tab?Head-Cache=1").contains("did you mean `head_cache`?"));
        assert!(error("dynamodb://tab?regions=x").contains("did you mean `region`?"));
    }
}
