//! Moves a payment from one order to another: `transfer FROM TO CENTS COMMAND`.

use std::env;

use ees_client::{
    Changeset, Error, EventStore, Events, Expectation, NewChangeset, NewSet, StreamId, StreamRead,
};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    Paid { cents: i64 },
}

/// An order: its last changeset, and what is paid.
struct Order {
    id: StreamId,
    last: u64,
    paid: i64,
}

impl Order {
    async fn load(store: &EventStore, id: StreamId) -> Result<Self, Box<dyn std::error::Error>> {
        let mut changesets = store.read_changesets(&id, StreamRead::default());
        let mut order = Self {
            id,
            last: 0,
            paid: 0,
        };
        while let Some(changeset) = changesets.try_next().await? {
            order.apply(&changeset)?;
        }
        Ok(order)
    }

    fn apply(&mut self, changeset: &Changeset) -> Result<(), serde_json::Error> {
        self.last = changeset.changeset_id.get();
        for event in changeset.read_events() {
            let Event::Paid { cents } = event?;
            self.paid += cents;
        }
        Ok(())
    }

    fn paid(&self, cents: i64) -> Result<NewChangeset, ees_client::PayloadError> {
        let expected = Expectation::LastChangeset(self.last);
        let events = Events::of(&[Event::Paid { cents }])?;
        Ok(NewChangeset::new(self.id.clone(), expected, events))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = env::var("EES_URL").unwrap_or_else(|_| "http://127.0.0.1:8080".to_owned());
    let usage = "transfer FROM TO CENTS COMMAND";
    let mut arguments = env::args().skip(1);
    let mut next = || arguments.next().ok_or(usage);
    let store = EventStore::new(&url)?;
    let mut from = Order::load(&store, next()?.parse()?).await?;
    let mut to = Order::load(&store, next()?.parse()?).await?;
    let cents: i64 = next()?.parse()?;
    let command = next()?;

    while from.paid >= cents {
        let set = NewSet::default()
            .commit(from.paid(-cents)?)
            .commit(to.paid(cents)?)
            .with_idempotency_key(command.parse()?);
        match store.commit_all(&set).await {
            // One of the orders has moved on, or both.
            Err(Error::SetConflict { conflicts, .. }) => {
                for changeset in conflicts.iter().flat_map(|conflict| &conflict.forthcoming) {
                    let is_from = changeset.stream_id == from.id;
                    let order = if is_from { &mut from } else { &mut to };
                    order.apply(changeset)?;
                }
            }
            committed => {
                committed?;
                return Ok(());
            }
        }
    }
    Err("that much is not paid".into())
}
