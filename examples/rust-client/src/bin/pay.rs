//! Pays an order: `pay ORDER CENTS COMMAND`.

use std::env;

use ees_client::{
    Changeset, Error, EventStore, Events, Expectation, NewChangeset, StreamId, StreamRead,
};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    Paid { cents: i64 },
}

/// An order: its last changeset, and what is paid.
#[derive(Default)]
struct Order {
    last: u64,
    paid: i64,
}

impl Order {
    fn apply(&mut self, changeset: &Changeset) -> Result<(), serde_json::Error> {
        self.last = changeset.changeset_id.get();
        for event in changeset.read_events() {
            let Event::Paid { cents } = event?;
            self.paid += cents;
        }
        Ok(())
    }

    /// Loads the order. A new one has nothing.
    async fn load(store: &EventStore, id: &StreamId) -> Result<Self, Box<dyn std::error::Error>> {
        let mut order = Self::default();
        let mut changesets = store.read_changesets(id, StreamRead::default());
        loop {
            match changesets.try_next().await {
                Ok(Some(changeset)) => order.apply(&changeset)?,
                Ok(None) | Err(Error::StreamNotFound(_)) => return Ok(order),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = env::var("EES_URL").unwrap_or_else(|_| "http://127.0.0.1:8080".to_owned());
    let usage = "pay ORDER CENTS COMMAND";
    let mut arguments = env::args().skip(1);
    let id: StreamId = arguments.next().ok_or(usage)?.parse()?;
    let cents: i64 = arguments.next().ok_or(usage)?.parse()?;
    let command = arguments.next().ok_or(usage)?;

    let store = EventStore::new(&url)?;
    let mut order = Order::load(&store, &id).await?;
    while order.paid + cents <= 1000 {
        let expected = Expectation::LastChangeset(order.last);
        let commit = NewChangeset::new(id.clone(), expected, Events::of(&[Event::Paid { cents }])?)
            .with_idempotency_key(command.parse()?);
        match store.commit(&commit).await {
            // Somebody else was faster. Apply what was missed, and decide anew.
            Err(Error::Conflict { conflict, .. }) => {
                for changeset in &conflict.forthcoming {
                    order.apply(changeset)?;
                }
            }
            committed => {
                println!("changeset {}", committed?.changeset_id);
                return Ok(());
            }
        }
    }
    Err("the order would be paid too much".into())
}
