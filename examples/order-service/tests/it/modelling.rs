//! Old events, snapshots, and persons who are forgotten.

use ees_core::Json;
use ees_model::MemorySnapshots;
use ees_model::testing::golden;
use order_service::{Command, Keys, OrderEvent, Sealed, UPCASTS};

use super::{orders, store};

#[test]
fn events_of_every_form_are_read() {
    golden::<OrderEvent>(
        UPCASTS,
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/events"),
    );
    let unknown = Json::parse(r#"{"type": "placed_v3"}"#).unwrap();
    assert!(UPCASTS.read::<OrderEvent>(&unknown).is_err());
}

#[tokio::test]
async fn a_snapshot_changes_nothing() {
    let orders = orders(&store());
    let place = Command::Place { cents: 500 };
    orders.execute("order-17", place).await.unwrap();

    let snapshots = MemorySnapshots::new(64 * 1024 * 1024);
    let quick = orders.clone().with_snapshots(snapshots, 100);

    for _ in 0..250 {
        let pay = Command::Pay { cents: 1 };
        quick.execute("order-17", pay).await.unwrap();
    }
    let read = orders.load("order-17").await.unwrap();
    assert_eq!(quick.load("order-17").await.unwrap(), read);
    assert_eq!((read.state.open_cents, read.last_changeset), (250, 251));
}

#[test]
fn a_person_is_forgotten_and_others_are_not() {
    let mut keys = Keys::default();
    let ada = keys.seal("customer-1", "Ada, 1 Analytical Row").unwrap();
    let bob = keys.seal("customer-2", "Bob").unwrap();
    let json = serde_json::to_string(&ada).unwrap();
    assert!(!json.contains("Ada"), "{json}");
    let stored: Sealed = serde_json::from_str(&json).unwrap();
    assert_eq!(keys.open(&stored).as_deref(), Some("Ada, 1 Analytical Row"));

    keys.forget("customer-1");
    assert_eq!(keys.open(&stored), None);
    assert_eq!(keys.open(&bob).as_deref(), Some("Bob"));
    // A new key of the same person does not open what the old one closed.
    keys.seal("customer-1", "Ada").unwrap();
    assert_eq!(keys.open(&stored), None);
}

#[test]
fn a_text_belongs_to_its_person() {
    let mut keys = Keys::default();
    let ada = keys.seal("customer-1", "Ada").unwrap();
    keys.seal("customer-2", "Bob").unwrap();
    let moved = serde_json::to_string(&ada)
        .unwrap()
        .replace("customer-1", "customer-2");
    assert_eq!(keys.open(&serde_json::from_str(&moved).unwrap()), None);
}
