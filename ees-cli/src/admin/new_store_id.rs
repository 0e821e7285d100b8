//! Gives a store a new id.

use ees_core::{Error, Identity};
use ees_storage::open;
use serde_json::json;

use super::told::Told;
use crate::Failure;
use crate::existing::check_exists;

pub(super) async fn make(storage: &str) -> Result<Told, Failure> {
    check_exists(storage)?;
    let opened = open(storage).await.map_err(Failure::of_storage)?;
    let renewed = opened.store.renew_identity().await;
    opened.store.close().await;
    let failed = |error: Error| Failure::Run(format!("the store has no new id: {error}"));
    let identity = renewed.map_err(failed)?;
    Ok(told(&identity))
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
