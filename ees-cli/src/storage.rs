//! Chooses the adapter by the storage's URL.

use std::sync::Arc;

use ees_core::adapter::{DeferredOrder, StatisticsStore, Storage};
use ees_core::{CheckpointStore, EventStore};

use crate::Failure;

/// The schemes of all adapters, and the features that they are in.
const ADAPTERS: [&str; 4] = ["dynamodb", "memory", "postgres", "sqlite"];

/// A store that is open.
#[derive(Clone)]
pub struct OpenStore {
    /// The use cases over it.
    pub store: EventStore,
    /// What to close in the end.
    pub storage: Arc<dyn Storage>,
    /// What keeps how far subscriptions came.
    pub(crate) checkpoints: Arc<dyn CheckpointStore>,
    /// What an indexer needs to give changesets their positions, if commits do not.
    pub(crate) order: Option<DeferredOrder>,
}

impl OpenStore {
    /// The use cases over an adapter.
    #[cfg_attr(
        not(any(
            feature = "dynamodb",
            feature = "memory",
            feature = "postgres",
            feature = "sqlite"
        )),
        allow(dead_code)
    )]
    fn over<S: Storage + StatisticsStore + CheckpointStore>(adapter: Arc<S>) -> Self {
        Self {
            store: EventStore::new(Arc::clone(&adapter)),
            checkpoints: Arc::clone(&adapter) as _,
            storage: adapter,
            order: None,
        }
    }
}

/// Opens the storage that a URL names.
///
/// # Errors
/// [`Failure::Usage`] if the URL names none that this build knows, [`Failure::Storage`] if it
/// cannot be opened.
#[cfg_attr(
    not(any(feature = "dynamodb", feature = "postgres", feature = "sqlite")),
    allow(clippy::unused_async)
)]
pub async fn open(url: &str) -> Result<OpenStore, Failure> {
    match scheme(url) {
        #[cfg(feature = "dynamodb")]
        "dynamodb" => dynamodb(url).await,
        #[cfg(feature = "memory")]
        "memory" => memory(url),
        #[cfg(feature = "postgres")]
        "postgres" => postgres(url).await,
        #[cfg(feature = "sqlite")]
        "sqlite" => sqlite(url).await,
        _ => Err(unknown(url)),
    }
}

/// The part before the first colon, where adapters agree on one name.
pub(crate) fn scheme(url: &str) -> &str {
    match url.split_once(':') {
        Some(("postgresql", _)) => "postgres",
        Some((scheme, _)) => scheme,
        None => "",
    }
}

/// A storage's URL as everyone may see it: without passwords, also where it is written wrongly.
pub(crate) fn shown(url: &str) -> String {
    if scheme(url) == "sqlite" {
        return url.to_owned();
    }
    let (scheme, place) = url.split_at(url.find("://").map_or(0, |at| at + 3));
    // `USER:PASSWORD@HOST`; a password may hold whatever else parts a URL.
    let (user, place) = place.rsplit_once('@').unwrap_or(("", place));
    let user = match user.split_once([':', '/', '?']) {
        Some((name, _)) => format!("{name}:***@"),
        None if user.is_empty() => String::new(),
        None => format!("{user}@"),
    };
    let (place, settings) = place.split_once('?').unwrap_or((place, ""));
    let settings = settings
        .split('&')
        .map(|setting| match setting.split_once('=') {
            Some((name, _)) if name.eq_ignore_ascii_case("password") => format!("{name}=***"),
            _ => setting.to_owned(),
        });
    let settings = settings.collect::<Vec<_>>().join("&");
    let shown = format!("{scheme}{user}{place}?{settings}");
    shown.trim_end_matches('?').to_owned()
}

/// What is said of a URL that no adapter in this build takes.
pub(crate) fn unknown(url: &str) -> Failure {
    let scheme = scheme(url);
    if ADAPTERS.contains(&scheme) {
        return Failure::Usage(format!(
            "this build of ees leaves `{scheme}:` out; build it with `--features {scheme}`"
        ));
    }
    let file = if url.is_empty() || url.contains(':') {
        String::new()
    } else {
        format!(" (for the file of that name, `sqlite:{url}`)")
    };
    Failure::Usage(format!(
        "`--storage {}` names no storage{file}; known are `sqlite:PATH`, \
         `postgres://USER@HOST/DATABASE`, `dynamodb://TABLE` and `memory:`",
        shown(url)
    ))
}

#[cfg(feature = "dynamodb")]
async fn dynamodb(url: &str) -> Result<OpenStore, Failure> {
    let config = dynamodb_config(url)?;
    let sdk = crate::aws::sdk(&config.place).await;
    let opened = ees_dynamodb::DynamoStorage::open(&config, &sdk).await;
    let storage = opened.map_err(|error| Failure::Storage(error.to_string()))?;
    let storage = Arc::new(storage);
    let mut opened = OpenStore::over(Arc::clone(&storage));
    opened.order = Some(storage.deferred_order(&sdk));
    Ok(opened)
}

#[cfg(feature = "dynamodb")]
pub(crate) fn dynamodb_config(url: &str) -> Result<ees_dynamodb::DynamoConfig, Failure> {
    let config = url.parse();
    config.map_err(|error| Failure::Usage(format!("`--storage {}`: {error}", shown(url))))
}

#[cfg(feature = "memory")]
fn memory(url: &str) -> Result<OpenStore, Failure> {
    match url {
        "memory:" => Ok(OpenStore::over(Arc::new(ees_memory::MemoryStorage::new()))),
        _ => Err(Failure::Usage(format!(
            "`--storage {url}`: expected `memory:` and nothing more"
        ))),
    }
}

#[cfg(feature = "postgres")]
async fn postgres(url: &str) -> Result<OpenStore, Failure> {
    use ees_postgres::{ConfigError, PostgresConfig, PostgresStorage};

    let wrong = |error: ConfigError| Failure::Usage(format!("`--storage {}`: {error}", shown(url)));
    let config: PostgresConfig = url.parse().map_err(wrong)?;
    let opened = PostgresStorage::open(&config).await;
    let storage = opened.map_err(|error| Failure::Storage(error.to_string()))?;
    Ok(OpenStore::over(Arc::new(storage)))
}

#[cfg(feature = "sqlite")]
async fn sqlite(url: &str) -> Result<OpenStore, Failure> {
    let opened = ees_sqlite::SqliteStorage::open(&sqlite_config(url)?).await;
    let storage = opened.map_err(|error| Failure::Storage(error.to_string()))?;
    Ok(OpenStore::over(Arc::new(storage)))
}

#[cfg(feature = "sqlite")]
pub(crate) fn sqlite_config(url: &str) -> Result<ees_sqlite::SqliteConfig, Failure> {
    let config = url.parse();
    config.map_err(|error| Failure::Usage(format!("`--storage {}`: {error}", shown(url))))
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn nobody_sees_a_password() {
        for (url, seen) in [
            ("sqlite:./a:b@c", "sqlite:./a:b@c"),
            ("postgres://h/d", "postgres://h/d"),
            ("postgres://u@h:5432/d", "postgres://u@h:5432/d"),
            ("postgres://u:p@h:5432/d", "postgres://u:***@h:5432/d"),
            (
                "postgres://u:p@:x@h/d?readers=2",
                "postgres://u:***@h/d?readers=2",
            ),
            ("postgres://u:p?q&r@h/d", "postgres://u:***@h/d"),
            ("postgrse://u:p/q:x@h/d", "postgrse://u:***@h/d"),
            ("postgres:u:p@h/d", "postgres:***@h/d"),
            (
                "postgres://h/d?Password=p?q&sslmode=off",
                "postgres://h/d?Password=***&sslmode=off",
            ),
            ("postgres://h/d?user=u&password=p@x", "postgres://h:***@x"),
            ("dynamodb://t?endpoint=http://u:p@h", "dynamodb://t:***@h"),
            (
                "postgresql://u:p@h/d?schema=s",
                "postgresql://u:***@h/d?schema=s",
            ),
            (
                "postgres:///d?user=u&password=p&host=h",
                "postgres:///d?user=u&password=***&host=h",
            ),
        ] {
            assert_eq!(shown(url), seen);
        }
    }
}
