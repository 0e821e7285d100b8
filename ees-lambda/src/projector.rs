//! Counts what is committed.

use ees_core::{EventStore, Projector};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use tokio::time::timeout_at;

use crate::Failure;
use crate::deadline::deadline;
use crate::store::Store;

pub(crate) async fn run(store: Store) -> Result<(), Error> {
    lambda_runtime::run(service_fn(|event| project(&store, event))).await
}

/// Counts what is there while there is time: each page is saved, the next run goes on.
async fn project(store: &Store, event: LambdaEvent<Value>) -> Result<Value, Failure> {
    let count = async {
        let projector = Projector::new(&EventStore::new(store.get().await?));
        projector.catch_up().await
    };
    let counted = timeout_at(deadline(&event.context), count).await;
    let Ok(counted) = counted else {
        tracing::info!("not all is counted yet: the next run goes on");
        return Ok(json!({"done": false}));
    };
    let version = counted?.version.get();
    tracing::info!(version, "counted");
    Ok(json!({"done": true, "version": version}))
}
