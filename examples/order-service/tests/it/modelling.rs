//! Old events, snapshots, and persons who are forgotten.

use ees_core::{Error, Events, Expectation, NewChangeset, StreamId};
use order_service::{Keys, Order, OrderEvent, Sealed, Snapshot};

use super::store;

#[test]
fn events_of_every_form_are_read() {
    let read = |json: &str| serde_json::from_str::<OrderEvent>(json).unwrap();
    let placed = |cents, channel: Option<&str>| OrderEvent::Placed {
        cents,
        channel: channel.map(str::to_owned),
    };
    assert_eq!(read(r#"{"type": "placed", "euros": 5}"#), placed(500, None));
    assert_eq!(
        read(r#"{"type": "placed_v2", "cents": 5}"#),
        placed(5, None)
    );
    let newer = r#"{"type": "placed_v2", "cents": 5, "channel": "web", "colour": "red"}"#;
    assert_eq!(read(newer), placed(5, Some("web")));
    assert!(serde_json::from_str::<OrderEvent>(r#"{"type": "placed_v3"}"#).is_err());
}

#[test]
fn what_is_written_is_read_again() {
    let events = [
        OrderEvent::Placed {
            cents: 5,
            channel: Some("web".to_owned()),
        },
        OrderEvent::Paid { cents: 5 },
    ];
    for event in events {
        let json = serde_json::to_string(&event).unwrap();
        assert_eq!(
            serde_json::from_str::<OrderEvent>(&json).unwrap(),
            event,
            "{json}"
        );
    }
}

#[tokio::test]
async fn a_snapshot_saves_reading_and_is_checked_by_the_next_commit() {
    let (store, stream): (_, StreamId) = (store(), "order-17".parse().unwrap());
    let commit = async |state: &Snapshot, json: &str| {
        let events = Events::parse(json).unwrap();
        store
            .commit(NewChangeset::new(
                stream.clone(),
                state.expectation(),
                events,
            ))
            .await
    };
    let none = Snapshot::load(&store, &stream, None).await.unwrap();
    assert_eq!(none.expectation(), Expectation::NEW_STREAM);
    commit(&none, r#"[{"type": "placed", "euros": 5}]"#)
        .await
        .unwrap();
    let saved = Snapshot::load(&store, &stream, None).await.unwrap();
    commit(&saved, r#"[{"type": "paid", "cents": 100}]"#)
        .await
        .unwrap();

    // Another instance has committed since: the commit conflicts, and the rest is read.
    let outdated = commit(&saved, r#"[{"type": "paid", "cents": 1}]"#).await;
    assert!(matches!(outdated, Err(Error::Conflict(_))));
    let loaded = Snapshot::load(&store, &stream, Some(saved)).await.unwrap();
    assert_eq!(loaded, Snapshot::load(&store, &stream, None).await.unwrap());
    assert_eq!(
        loaded.order,
        Order {
            is_placed: true,
            open_cents: 400
        }
    );

    // What is in the snapshot is not read: a wrong one shows.
    let mut wrong = saved;
    wrong.order = Order::default();
    let loaded = Snapshot::load(&store, &stream, Some(wrong)).await.unwrap();
    assert_eq!(loaded.order, Order::default());
}

#[tokio::test]
async fn a_snapshot_of_another_form_is_not_used() {
    let (store, stream): (_, StreamId) = (store(), "order-17".parse().unwrap());
    let events = Events::parse(r#"[{"type": "placed_v2", "cents": 500}]"#).unwrap();
    store
        .commit(NewChangeset::new(
            stream.clone(),
            Expectation::NEW_STREAM,
            events,
        ))
        .await
        .unwrap();
    let old = r#"{"form": 1, "changeset": 1, "order": {"is_placed": false, "open_cents": 7}}"#;
    let old = serde_json::from_str(old).unwrap();
    let loaded = Snapshot::load(&store, &stream, Some(old)).await.unwrap();
    assert_eq!(loaded.order.open_cents, 500);
}

/// As after a restore of the store, which lost the last changesets.
#[tokio::test]
async fn a_snapshot_that_is_ahead_of_the_store_is_refused_by_the_commit() {
    let (store, stream): (_, StreamId) = (store(), "order-17".parse().unwrap());
    let ahead = r#"{"form": 2, "changeset": 9, "order": {"is_placed": true, "open_cents": 7}}"#;
    let ahead = serde_json::from_str(ahead).unwrap();
    let loaded = Snapshot::load(&store, &stream, Some(ahead)).await.unwrap();
    let events = Events::of(&[OrderEvent::Paid { cents: 7 }]).unwrap();
    let refused = store
        .commit(NewChangeset::new(stream, loaded.expectation(), events))
        .await;
    assert!(matches!(refused, Err(Error::ExpectationAhead { .. })));
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
