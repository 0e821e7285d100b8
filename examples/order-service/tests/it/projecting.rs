//! The projection: once, beside another instance, and built again.

use std::path::Path;
use std::time::Duration;

use ees_core::{EventStore, Events, Expectation, NewChangeset, Receipt};
use futures_util::FutureExt;
use order_service::{Command, Totals, TotalsError};
use tempfile::TempDir;

use super::{orders, store};

/// Pays a part of an order.
async fn pay(store: &EventStore, stream: &str, cents: u64) -> Receipt {
    let paid = orders(store).execute(stream, Command::Pay { cents }).await;
    paid.unwrap().receipt.unwrap()
}

/// Three orders of 500 cents, of which one was paid in part.
async fn filled() -> EventStore {
    let store = store();
    for stream in ["order-1", "order-2", "order-3"] {
        let place = Command::Place { cents: 500 };
        orders(&store).execute(stream, place).await.unwrap();
    }
    pay(&store, "order-2", 200).await;
    store
}

fn in_memory() -> Totals {
    Totals::open(Path::new(":memory:")).unwrap()
}

#[tokio::test]
async fn nothing_is_counted_twice() {
    let store = filled().await;
    let mut totals = in_memory();
    for _ in 0..2 {
        totals.catch_up(&store).await.unwrap();
        assert_eq!(totals.open_cents().unwrap(), 1300);
    }
    totals.read_on(&store, Duration::ZERO).await.unwrap();
    assert_eq!(totals.open_cents().unwrap(), 1300);
}

/// Both wait at the end. One of them saves what arrives, before the other does.
#[tokio::test]
async fn of_two_instances_one_saves() {
    let store = filled().await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("totals.db");
    let (mut one, mut other) = (Totals::open(&file).unwrap(), Totals::open(&file).unwrap());
    one.catch_up(&store).await.unwrap();
    let mut late = Box::pin(other.read_on(&store, Duration::from_secs(20)));
    assert!(late.as_mut().now_or_never().is_none(), "it waits");

    pay(&store, "order-3", 500).await;
    one.catch_up(&store).await.unwrap();
    assert!(matches!(late.await, Err(TotalsError::Overtaken)));
    assert_eq!(other.open_cents().unwrap(), 800);
    other.catch_up(&store).await.unwrap();
    assert_eq!(one.open_cents().unwrap(), 800);
}

#[tokio::test]
async fn a_reader_waits_for_its_own_write() {
    let store = filled().await;
    let receipt = pay(&store, "order-3", 500).await;
    let mut totals = in_memory();
    let commit = receipt.checkpoint.unwrap();
    totals.wait_for(&store, commit).await.unwrap();
    assert_eq!(totals.open_cents().unwrap(), 800);
}

#[tokio::test]
async fn an_event_of_unknown_form_stops_it_and_loses_nothing() {
    let store = filled().await;
    let mut totals = in_memory();
    totals.catch_up(&store).await.unwrap();
    let saved = totals.checkpoint().unwrap();
    let events = Events::parse(r#"[{"type": "paid", "cents": 1}, {"type": "melted"}]"#).unwrap();
    let asked = NewChangeset::new("order-9".parse().unwrap(), Expectation::NEW_STREAM, events);
    store.commit(asked).await.unwrap();
    let stopped = totals.catch_up(&store).await;
    assert!(matches!(stopped, Err(TotalsError::Event(_))));
    assert_eq!(totals.checkpoint().unwrap(), saved);
    assert_eq!(totals.open_cents().unwrap(), 1300);
}
