//! Old events, snapshots, and persons who are forgotten.

use ees_core::Json;
use ees_model::testing::golden;
use ees_model::{MemorySnapshots, Snapshots};
use order_service::{Command, KeptOrders, Keys, OrderEvent, Sealed, UPCASTS};
use tempfile::TempDir;

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

/// Each instance opens the database anew, as after a restart.
#[tokio::test]
async fn snapshots_outlive_the_process() {
    let (store, folder) = (store(), TempDir::new().unwrap());
    let file = folder.path().join("kept.db");
    let restarted = || orders(&store).with_snapshots(KeptOrders::open(&file).unwrap(), 1);
    let place = Command::Place { cents: 500 };
    restarted().execute("order-17", place).await.unwrap();
    let pay = Command::Pay { cents: 200 };
    let paid = restarted().execute("order-17", pay).await.unwrap();
    assert_eq!((paid.state.open_cents, paid.last_changeset), (300, 2));

    let kept = KeptOrders::open(&file).unwrap();
    let mut snapshot = kept.load(&"order-17".parse().unwrap()).await;
    let snapshot = snapshot.as_mut().unwrap().as_mut().unwrap();
    assert_eq!((snapshot.version, snapshot.changeset), (2, 2));
    // What is in the snapshot is not read again: a wrong one shows.
    snapshot.state = r#"{"is_placed": true, "open_cents": 7}"#.to_owned();
    kept.save(&"order-17".parse().unwrap(), snapshot.clone())
        .await
        .unwrap();
    let read = restarted().load("order-17").await.unwrap();
    assert_eq!(read.state.open_cents, 7);
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
