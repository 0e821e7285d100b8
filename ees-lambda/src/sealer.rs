//! Seals the global order: adds it to the verifiable log.

use std::sync::Arc;

use ees_core::EventStore;
use ees_evidence::{LogError, Sealer};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use tokio::time::timeout_at;

use crate::Failure;
use crate::deadline::deadline;
use crate::store::Store;

pub(crate) async fn run(store: Store) -> Result<(), Error> {
    lambda_runtime::run(service_fn(|event| seal(&store, event))).await
}

/// Seals until the end of the order or of the invocation's time. Each step is saved, and the next run
/// goes on after it. The heads are not signed: no key is in reach of the function.
async fn seal(store: &Store, event: LambdaEvent<Value>) -> Result<Value, Failure> {
    let seal = async {
        let storage = store.get().await?;
        let store = EventStore::new(Arc::clone(&storage)).with_log(storage);
        match Sealer::of(&store, None) {
            Some(sealer) => sealer.catch_up().await.map(|head| head.size),
            None => Ok(0),
        }
    };
    let sealed: Result<Result<u64, LogError>, _> = timeout_at(deadline(&event.context), seal).await;
    let Ok(sealed) = sealed else {
        tracing::info!("the time of the invocation is used up; the next run continues to seal");
        return Ok(json!({"done": false}));
    };
    let size = sealed?;
    tracing::info!(size, "sealed");
    Ok(json!({"done": true, "size": size}))
}
