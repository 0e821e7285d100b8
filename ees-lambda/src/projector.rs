//! Counts the statistics.

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

/// Counts changesets until the end of the order or of the invocation's time. Each page is saved,
/// and the next run continues after it.
async fn project(store: &Store, event: LambdaEvent<Value>) -> Result<Value, Failure> {
    let count = async {
        let projector = Projector::new(&EventStore::new(store.get().await?));
        projector.catch_up().await
    };
    let counted = timeout_at(deadline(&event.context), count).await;
    let Ok(counted) = counted else {
        tracing::info!("the time of the invocation is used up; the next run continues to count");
        return Ok(json!({"done": false}));
    };
    let version = counted?.version.get();
    tracing::info!(version, "counted");
    Ok(json!({"done": true, "version": version}))
}
