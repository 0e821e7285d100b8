#![doc = include_str!("../README.md")]

use std::error::Error;
use std::sync::Arc;

use ees_core::adapter::Storage;
use ees_core::{Checkpoint, EventStore, Events, Expectation, NewChangeset, Subscription};
use ees_dynamodb::{Admin, DynamoConfig, DynamoStorage};
use ees_workers::{CancellationToken, Indexing};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(order)) = (arguments.next(), arguments.next()) else {
        return Err("usage: embedded-dynamodb dynamodb://TABLE ORDER".into());
    };
    let config: DynamoConfig = url.parse()?;
    let sdk = config.endpoint.sdk_from_environment().await;
    // Tables that are there already are only checked.
    Admin::new(&config, &sdk).await?.create_tables().await?;
    let storage = Arc::new(DynamoStorage::open(&config, &sdk).await?);
    let store = EventStore::new(Arc::clone(&storage));

    // Without an indexer, here or elsewhere, no subscription would see what is committed.
    let closing = CancellationToken::new();
    let indexing = Indexing::new(storage.deferred_order(&sdk));
    let indexing = tokio::spawn(indexing.run(closing.clone()));

    let events = Events::parse(r#"[{"type": "order_placed", "amount": 20}]"#)?;
    let asked = NewChangeset::new(order.parse()?, Expectation::NEW_STREAM, events);
    let receipt = store.commit(asked).await?;
    println!("{} was placed", receipt.stream_id);

    let mut subscription = Subscription::new(&store, Checkpoint::FIRST);
    loop {
        let changeset = subscription.next().await?;
        if let Some(checkpoint) = changeset.checkpoint {
            println!("checkpoint {checkpoint} is {}", changeset.stream_id);
        }
        if changeset.stream_id == receipt.stream_id {
            break;
        }
    }

    closing.cancel();
    indexing.await?;
    storage.close().await;
    Ok(())
}
