#![doc = include_str!("../README.md")]

mod order_event;
mod projection;
mod totals;

use std::path::Path;
use std::sync::Arc;

use ees_core::{Error, EventStore, Events, Expectation, NewChangeset, Receipt, StreamId};
use ees_sqlite::{SqliteConfig, SqliteStorage};

use crate::order_event::OrderEvent;
use crate::projection::{Failure, Projection};
use crate::totals::Progress;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let folder = std::env::args()
        .nth(1)
        .ok_or("usage: embedded-projection FOLDER")?;
    let folder = Path::new(&folder);
    let storage = SqliteStorage::open(&SqliteConfig::new(folder.join("ees.db"))).await?;
    let store = EventStore::new(Arc::new(storage));

    let mut projection = Projection::start(&store, folder).await?;
    println!("resumed at checkpoint {}", projection.progress().checkpoint);
    let last = take_orders(&store).await?;
    // To read its own write, a caller waits until the projection has counted it.
    let reached = match last.checkpoint {
        Some(checkpoint) => projection.wait_for(checkpoint.plus(1)).await,
        None => Ok(()),
    };
    print_totals(&projection);

    projection.stop().await;
    store.close().await;
    reached
}

/// Three customers order, one of them pays.
async fn take_orders(store: &EventStore) -> Result<Receipt, Failure> {
    let first = place(store, 20).await?;
    place(store, 30).await?;
    place(store, 50).await?;
    let paid = pay(store, &first, 20).await?;
    println!("{} was paid", paid.stream_id);
    Ok(paid)
}

/// Places an order under the first number that nobody has taken.
async fn place(store: &EventStore, amount: u64) -> Result<Receipt, Failure> {
    for number in 1_u64.. {
        let stream: StreamId = format!("order-{number}").parse()?;
        let events = Events::of(&[OrderEvent::OrderPlaced { amount }])?;
        let asked = NewChangeset::new(stream, Expectation::NEW_STREAM, events);
        match store.commit(asked).await {
            Ok(receipt) => {
                println!("{} was placed: {amount}", receipt.stream_id);
                return Ok(receipt);
            }
            Err(Error::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err("every number is taken".into())
}

/// Pays an order that nothing has happened to since it was placed.
async fn pay(store: &EventStore, placed: &Receipt, amount: u64) -> Result<Receipt, Failure> {
    let events = Events::of(&[OrderEvent::OrderPaid { amount }])?;
    let asked = NewChangeset::new(placed.stream_id.clone(), placed.into(), events);
    Ok(store.commit(asked).await?)
}

fn print_totals(projection: &Projection) {
    let Progress { checkpoint, totals } = projection.progress();
    println!(
        "up to checkpoint {checkpoint}: {} orders over {}, of which {} is paid",
        totals.orders, totals.amount, totals.paid
    );
}
