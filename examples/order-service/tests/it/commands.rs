//! Commands that are repeated, that race, and that the store fails.

use ees_core::{Error, EventStore, Events, Expectation, NewChangeset};
use order_service::{Failure, Order, OrderEvent, Refused, handle, pay, place};

use super::lossy::Lossy;
use super::store;

async fn orders(store: &EventStore) -> Order {
    let stream = "order-17".parse().unwrap();
    let apply = |order: Order, event: OrderEvent| order.apply(&event);
    store
        .fold(&stream, Order::default(), apply)
        .await
        .unwrap()
        .0
}

#[tokio::test]
async fn a_command_is_executed_once() -> Result<(), Failure> {
    let store = store();
    let stream = "order-17".parse().unwrap();
    let (first, second) = ("place-1".parse().unwrap(), "pay-1".parse().unwrap());
    let placed = handle(&store, &stream, &first, |order| place(order, 500)).await?;
    let paid = handle(&store, &stream, &second, |order| pay(order, 200)).await?;

    // The caller did not get the answer, and sends the command again.
    let again = handle(&store, &stream, &second, |order| pay(order, 200)).await?;
    assert_eq!(again, paid);
    let again = handle(&store, &stream, &first, |order| place(order, 500)).await?;
    assert_eq!(again, placed);
    assert_eq!(orders(&store).await.open_cents, 300);
    Ok(())
}

#[tokio::test]
async fn rules_are_checked_on_the_latest_state() {
    let store = store();
    let stream = "order-17".parse().unwrap();
    let command = "pay-1".parse().unwrap();
    let refused = handle(&store, &stream, &command, |order| pay(order, 1)).await;
    let expected = Refused("more than what remains to be paid");
    assert!(matches!(refused, Err(Failure::Refused(reason)) if reason == expected));
}

/// Another instance commits after the order was loaded, the first time that a decision is made.
#[tokio::test]
async fn a_conflict_is_decided_again() {
    let store = store();
    let stream: ees_core::StreamId = "order-17".parse().unwrap();
    let command = "place-1".parse().unwrap();
    handle(&store, &stream, &command, |order| place(order, 500))
        .await
        .unwrap();

    let seen = std::sync::Mutex::new(Vec::new());
    let command = "pay-1".parse().unwrap();
    handle(&store, &stream, &command, |order| {
        let mut seen = seen.lock().unwrap();
        seen.push(order.open_cents);
        if seen.len() == 1 {
            let paid = Events::of(&[OrderEvent::Paid { cents: 100 }]).unwrap();
            let asked = NewChangeset::new(stream.clone(), Expectation::LastChangeset(1), paid);
            futures_util::FutureExt::now_or_never(store.commit(asked))
                .unwrap()
                .unwrap();
        }
        pay(order, 200)
    })
    .await
    .unwrap();
    assert_eq!(*seen.lock().unwrap(), [500, 400]);
    assert_eq!(orders(&store).await.open_cents, 200);
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again() {
    let storage = Lossy::new(2);
    let store = storage.store();
    let (stream, command) = ("order-17".parse().unwrap(), "place-1".parse().unwrap());
    let done = handle(&store, &stream, &command, |order| place(order, 500)).await;
    assert_eq!(done.unwrap().changeset_id.get(), 1);
    assert_eq!(
        storage.commits(),
        3,
        "the same commit, until it was answered"
    );
    assert_eq!(orders(&store).await.open_cents, 500);
}

/// The caller sends the command again later, and another instance receives it.
#[tokio::test]
async fn a_service_that_gives_up_leaves_a_command_that_may_be_sent_again() {
    let storage = Lossy::new(3);
    let store = storage.store();
    let (stream, command) = ("order-17".parse().unwrap(), "place-1".parse().unwrap());
    let failed = handle(&store, &stream, &command, |order| place(order, 500)).await;
    assert!(matches!(failed, Err(Failure::Store(Error::Storage(_)))));
    let done = handle(&store, &stream, &command, |order| place(order, 500)).await;
    assert_eq!(done.unwrap().changeset_id.get(), 1);
    assert_eq!(storage.commits(), 3, "it was found in the stream");
}
