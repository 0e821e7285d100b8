use proptest::prelude::*;

use super::*;
use crate::{ChangesetId, CommitId, EventId, Events, Timestamp};

fn changeset(stream: &str, events: Events) -> Changeset {
    Changeset {
        stream_id: stream.parse().unwrap(),
        changeset_id: ChangesetId::new(1).unwrap(),
        first_event_id: EventId::new(1).unwrap(),
        last_event_id: EventId::new(events.count()).unwrap(),
        timestamp: Timestamp::from_micros(0).unwrap(),
        commit_id: CommitId::generate(),
        set: None,
        events,
        metadata: Json::default(),
        checkpoint: None,
    }
}

fn of(stream: &str, events: &str) -> Changeset {
    changeset(stream, Events::parse(events).unwrap())
}

#[test]
fn a_changeset_needs_a_prefix_and_a_type() {
    let filter = Filter::default().stream_prefix("order-").event_type("paid");
    assert!(filter.matches(&of("order-1", r#"[{"type":"sent"},{"type":"paid"}]"#)));
    assert!(!filter.matches(&of("order-1", r#"[{"type":"sent"},1]"#)));
    assert!(!filter.matches(&of("orders", r#"[{"type":"paid"}]"#)));
    assert!(!filter.matches(&of("a-order-1", r#"[{"type":"paid"}]"#)));
}

#[test]
fn what_is_not_given_does_not_limit() {
    let other = of("cart-1", "[1]");
    assert!(Filter::default().matches(&other));
    assert!(Filter::default().is_unlimited());
    let every_stream = Filter::default().stream_prefix("order-").stream_prefix("");
    assert!(every_stream.matches(&other) && every_stream.is_unlimited());
    assert!(!every_stream.event_type("paid").is_unlimited());
    assert!(!Filter::default().stream_prefix("order-").is_unlimited());
    assert!(Filter::default().stream_prefix("cart").matches(&other));
    assert!(!Filter::default().event_type("paid").matches(&other));
}

#[test]
fn a_prefix_is_one_of_bytes() {
    let filter = Filter::default().stream_prefix("größe-");
    assert!(filter.matches_stream("größe-1"));
    assert!(!filter.matches_stream("grösse-1"));
    assert!(
        Filter::default()
            .stream_prefix("order-1")
            .matches_stream("order-1")
    );
    assert!(
        !Filter::default()
            .stream_prefix("order-1")
            .matches_stream("order-")
    );
}

#[test]
fn it_passes_through_serde() {
    let filter = Filter::default().stream_prefix("order-").event_type("paid");
    let json = serde_json::to_string(&filter).unwrap();
    assert_eq!(
        json,
        r#"{"stream_prefixes":["order-"],"event_types":["paid"]}"#
    );
    assert_eq!(serde_json::from_str::<Filter>(&json).unwrap(), filter);
    assert_eq!(
        serde_json::from_str::<Filter>("{}").unwrap(),
        Filter::default()
    );
    assert!(serde_json::from_str::<Filter>(r#"{"types":[]}"#).is_err());
}

/// An event, and its type as this test knows it.
fn event() -> impl Strategy<Value = (String, Option<String>)> {
    let kind = prop_oneof!["[a-c]{0,2}", any::<String>()];
    prop_oneof![
        kind.prop_map(|kind| {
            let json = serde_json::json!({"n": {"type": "a"}, "type": kind});
            (json.to_string(), Some(kind))
        }),
        Just((r#"{"type":7}"#.to_owned(), None)),
        Just((r#""a""#.to_owned(), None)),
    ]
}

proptest! {
    #[test]
    fn a_filter_selects_what_its_words_say(
        stream in "[a-c-]{1,4}",
        events in prop::collection::vec(event(), 1..5),
        prefixes in prop::collection::vec("[a-c-]{0,3}", 0..3),
        types in prop::collection::vec("[a-c]{0,2}", 0..3),
    ) {
        let mut filter = Filter::default();
        for prefix in &prefixes {
            filter = filter.stream_prefix(prefix);
        }
        for found in &types {
            filter = filter.event_type(found);
        }
        let has = |found: &Option<String>| found.as_ref().is_some_and(|t| types.contains(t));
        let by_stream = prefixes.is_empty() || prefixes.iter().any(|p| stream.get(..p.len()) == Some(p));
        let by_type = types.is_empty() || events.iter().any(|(_, found)| has(found));
        let array: Vec<&str> = events.iter().map(|(json, _)| json.as_str()).collect();
        let changeset = of(&stream, &format!("[{}]", array.join(", ")));
        prop_assert_eq!(filter.matches(&changeset), by_stream && by_type);
        for (json, found) in &events {
            let json = Json::parse(json).unwrap();
            prop_assert_eq!(filter.matches_event(&json), types.is_empty() || has(found));
        }
        // The kept types decide as the events do.
        if let Some(kept) = changeset.events.types() {
            prop_assert_eq!(filter.matches_types(&kept), by_type);
        }
        if filter.is_unlimited() {
            prop_assert!(by_stream && by_type);
        }
    }
}
