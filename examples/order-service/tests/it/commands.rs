//! Commands that are repeated, that race, and that the store fails.

use ees_core::Error as StoreError;
use ees_model::testing::given;
use ees_model::{Error, Streams};
use order_service::{Command, Order, OrderEvent, Refused};

use super::lossy::Lossy;
use super::{orders, store};

#[test]
fn an_order_is_placed_once() {
    let placed = OrderEvent::Placed {
        cents: 500,
        channel: None,
    };
    given::<Order>([])
        .when(Command::Place { cents: 500 })
        .then([placed])
        .when(Command::Place { cents: 500 })
        .then_refused(Refused("the order was placed before"));
}

#[test]
fn an_order_is_paid_in_parts() {
    let placed = OrderEvent::Placed {
        cents: 500,
        channel: Some("web".to_owned()),
    };
    given::<Order>([placed])
        .when(Command::Pay { cents: 200 })
        .then([OrderEvent::Paid { cents: 200 }])
        .when(Command::Pay { cents: 301 })
        .then_refused(Refused("more than what remains to be paid"));
}

#[tokio::test]
async fn a_command_is_executed_once() -> Result<(), Error<Refused, StoreError>> {
    let orders = Streams::<Order>::new(&store());
    let place = Command::Place { cents: 500 };
    orders.execute_once("order-17", "place-1", place).await?;

    let pay = Command::Pay { cents: 300 };
    let paid = orders
        .execute_once("order-17", "pay-1", pay.clone())
        .await?;
    assert_eq!(paid.state.open_cents, 200);

    // The caller did not get the answer, and sends the command again. It would be refused by now.
    let again = orders.execute_once("order-17", "pay-1", pay).await?;
    assert_eq!(again.state.open_cents, 200);
    assert_eq!(again.last_changeset, 2);
    Ok(())
}

/// Another instance pays at the same time.
#[tokio::test]
async fn a_conflict_is_decided_again() {
    let orders = orders(&store());
    let place = Command::Place { cents: 500 };
    orders.execute("order-17", place).await.unwrap();
    let pay = || orders.execute("order-17", Command::Pay { cents: 200 });
    let (one, other, third) = tokio::join!(pay(), pay(), pay());
    let refused = [one, other, third].into_iter().filter_map(Result::err);
    let refused: Vec<String> = refused.map(|error| error.to_string()).collect();
    assert_eq!(refused, ["more than what remains to be paid"]);
    let order = orders.load("order-17").await.unwrap().state;
    assert_eq!(order.open_cents, 100);
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again() {
    let storage = Lossy::new(2);
    let orders = orders(&storage.store());
    let place = Command::Place { cents: 500 };
    let done = orders.execute("order-17", place).await.unwrap();
    assert_eq!((done.state.open_cents, done.last_changeset), (500, 1));
    assert_eq!(
        storage.commits(),
        3,
        "the same commit, until it was answered"
    );
}

/// The caller sends the command again later, and another instance receives it.
#[tokio::test]
async fn a_service_that_gives_up_leaves_a_command_that_may_be_sent_again() {
    let storage = Lossy::new(3);
    let orders = orders(&storage.store());
    let place = || orders.execute_once("order-17", "place-1", Command::Place { cents: 500 });
    let failed = place().await;
    assert!(matches!(failed, Err(Error::Store(StoreError::Storage(_)))));
    let done = place().await.unwrap();
    assert_eq!(done.receipt.unwrap().changeset_id.get(), 1);
    assert_eq!(storage.commits(), 3, "it was found in the stream");
}
