//! Events of every form that was ever stored.

use std::fs;
use std::panic::catch_unwind;

use ees_core::Json;
use ees_model::testing::golden;
use ees_model::{Decider, Streams, Upcast, Upcasts};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::watched::Watched;

/// What happens to an order, in the newest form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum OrderEvent {
    #[serde(rename = "placed_v3")]
    Placed { cents: u64, channel: String },
    #[serde(rename = "payment_received")]
    Paid { cents: u64 },
}

const ORDERS: Upcasts = Upcasts::new(&[
    Upcast::new("placed", "placed_v2", |event| {
        let euros = event.remove("euros").and_then(|euros| euros.as_u64());
        event.insert("cents".to_owned(), euros.map(|euros| euros * 100).into());
    }),
    Upcast::new("paid", "payment_received", |_| {}),
    Upcast::new("placed_v2", "placed_v3", |event| {
        event.entry("channel").or_insert("unknown".into());
    }),
]);

fn read(json: &str) -> Result<OrderEvent, serde_json::Error> {
    ORDERS.read(&Json::parse(json).unwrap())
}

fn placed(cents: u64, channel: &str) -> OrderEvent {
    let channel = channel.to_owned();
    OrderEvent::Placed { cents, channel }
}

#[test]
fn the_golden_files_are_read_as_they_were() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/events");
    golden::<OrderEvent>(ORDERS, folder);
}

#[test]
fn an_unknown_form_is_not_read() {
    for unknown in [
        r#"{"type": "placed_v4", "cents": 5, "channel": "web"}"#,
        r#"{"type": "placed"}"#,
        r#"{"type": 5}"#,
        r#""placed""#,
        "[]",
    ] {
        assert!(read(unknown).is_err(), "{unknown}");
    }
}

#[test]
fn steps_in_the_wrong_order_are_applied_once_at_most() {
    const CIRCLE: Upcasts = Upcasts::new(&[
        Upcast::new("a", "b", |event| {
            event.insert("a".to_owned(), 1.into());
        }),
        Upcast::new("b", "a", |event| {
            event.insert("b".to_owned(), 1.into());
        }),
    ]);
    let circled: serde_json::Value = CIRCLE
        .read(&Json::parse(r#"{"type": "a"}"#).unwrap())
        .unwrap();
    assert_eq!(circled, serde_json::json!({"type": "a", "a": 1, "b": 1}));
}

#[derive(Debug, Default, PartialEq)]
struct Order(Vec<OrderEvent>);

impl Decider for Order {
    type Command = OrderEvent;
    type Event = OrderEvent;
    type Error = &'static str;

    const UPCASTS: Upcasts = ORDERS;

    fn decide(&self, command: &OrderEvent) -> Result<Vec<OrderEvent>, &'static str> {
        Ok(vec![command.clone()])
    }

    fn evolve(&mut self, event: &OrderEvent) {
        self.0.push(event.clone());
    }
}

#[tokio::test]
async fn a_decider_gets_todays_form() {
    let store = Watched::new();
    let old = [
        r#"{"type": "placed", "euros": 5}"#.to_owned(),
        r#"{"type": "paid", "cents": 5}"#.to_owned(),
    ];
    store.append("order-1", &old).await;
    let orders = Streams::<Order, _>::new(&store);
    let done = orders.execute("order-1", placed(7, "web")).await.unwrap();
    let paid = OrderEvent::Paid { cents: 5 };
    assert_eq!(
        done.state,
        Order(vec![placed(500, "unknown"), paid, placed(7, "web")])
    );
}

#[test]
fn a_golden_file_that_is_missing_or_wrong_fails_the_test() {
    let folder = TempDir::new().unwrap();
    let fails = || {
        let panic = catch_unwind(|| golden::<OrderEvent>(ORDERS, folder.path())).unwrap_err();
        *panic.downcast::<String>().unwrap()
    };
    assert!(fails().ends_with("no event has the type `placed`"));
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("placed.json", r#"{"type": "placed", "euros": 5}"#);
    let missing = fails();
    assert!(
        missing.contains("placed.today.json: it is not there; it would have {"),
        "{missing}"
    );
    write(
        "placed.today.json",
        r#"{"type": "placed_v3", "cents": 5, "channel": "unknown"}"#,
    );
    let wrong = fails();
    assert!(wrong.contains("placed.json: it has become {"), "{wrong}");
    write("placed.json", r#"{"type": "melted"}"#);
    assert!(fails().contains("placed.json: it cannot be read: unknown variant"));
}

proptest! {
    /// From whatever form, the chain leads to the same event, and what is written is read as it was.
    #[test]
    fn every_form_becomes_the_newest_one(euros in 0u64..1_000_000, channel in "[a-z]{1,9}") {
        let cents = euros * 100;
        let v1 = format!(r#"{{"type": "placed", "euros": {euros}}}"#);
        prop_assert_eq!(read(&v1).unwrap(), placed(cents, "unknown"));
        let v2 = format!(r#"{{"cents": {cents}, "type": "placed_v2"}}"#);
        prop_assert_eq!(read(&v2).unwrap(), placed(cents, "unknown"));
        let early = format!(r#"{{"type": "placed_v2", "cents": {cents}, "channel": "{channel}"}}"#);
        prop_assert_eq!(read(&early).unwrap(), placed(cents, &channel));
        let today = serde_json::to_string(&placed(cents, &channel)).unwrap();
        prop_assert_eq!(read(&today).unwrap(), placed(cents, &channel));
    }
}
