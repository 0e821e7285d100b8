//! A worker of the durable consumer `billing`.

use std::env;

use ees_client::{ConsumerDefinition, EventStore};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = env::var("EES_URL").unwrap_or_else(|_| "http://127.0.0.1:8080".to_owned());
    let store = EventStore::new(&url)?;
    let billing = "billing".parse()?;
    let definition = ConsumerDefinition {
        stream_prefixes: vec!["order-".to_owned()],
        partitions: 4,
        ..ConsumerDefinition::default()
    };
    store.define_consumer(&billing, &definition).await?;
    let worker = store.worker(&billing).concurrency(2);
    let bill = async |changeset: ees_client::Changeset| {
        println!("{} {}", changeset.stream_id, changeset.changeset_id);
        Ok::<(), String>(())
    };
    worker.run(bill).await?;
    Ok(())
}
