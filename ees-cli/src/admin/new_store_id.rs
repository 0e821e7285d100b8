//! Gives a store a new id.

use ees_core::{Error, Identity};
use ees_storage::{Adapter, open};
use serde_json::json;

use super::told::Told;
use crate::Failure;

pub(super) async fn make(adapter: Adapter, storage: &str) -> Result<Told, Failure> {
    check_exists(adapter, storage)?;
    let opened = open(storage).await.map_err(Failure::of_storage)?;
    let renewed = opened.store.renew_identity().await;
    opened.store.close().await;
    let failed = |error: Error| Failure::Run(format!("the store has no new id: {error}"));
    let identity = renewed.map_err(failed)?;
    Ok(told(&identity))
}

/// Refuses what has no id that lasts, and a file that would be made only to get an id.
#[cfg_attr(not(feature = "sqlite"), allow(unused_variables))] // only a file is looked for
fn check_exists(adapter: Adapter, storage: &str) -> Result<(), Failure> {
    match adapter {
        Adapter::Memory => Err(Failure::Usage(
            "a store in memory gets a new id at each start".to_owned(),
        )),
        #[cfg(feature = "sqlite")]
        Adapter::Sqlite => check_file(storage),
        _ => Ok(()),
    }
}

#[cfg(feature = "sqlite")]
fn check_file(storage: &str) -> Result<(), Failure> {
    let config: Result<ees_sqlite::SqliteConfig, _> = storage.parse();
    let config = config.map_err(|error| Failure::wrong_storage(storage, error))?;
    if config.path.exists() {
        return Ok(());
    }
    let missing = ees_sqlite::OpenError::Missing(config.path);
    Err(Failure::Storage(missing.to_string()))
}

fn told(identity: &Identity) -> Told {
    let id = identity.id;
    let Some(former) = identity.former.last() else {
        return Told {
            text: format!("the store had no id; it is {id} now"),
            json: json!({ "store": id.to_string() }),
        };
    };
    Told {
        text: format!(
            "the store's id is {id} now; it was {}. Readers that name the old id and are beyond \
             checkpoint {head} go back to {head}. Restart all servers of the store",
            former.id,
            head = former.head
        ),
        json: json!({
            "store": id.to_string(),
            "former": former.id.to_string(),
            "same_below": former.head.get(),
        }),
    }
}
