//! Publications over a publisher that fails, loses answers, and is dropped in the middle.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::future::select;
use proptest::prelude::*;

use super::*;
use crate::ports::PublishLimits;
use crate::{ChangesetId, CommitId, EventId, Events, Json, StreamId, Timestamp};

const LIMITS: PublishLimits = PublishLimits {
    messages: 3,
    batch_bytes: 2 * MIN_MESSAGE_BYTES,
    message_bytes: MIN_MESSAGE_BYTES,
};

/// What happens to a message.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Arrives,
    Fails,
    ArrivesUnheard,
}

/// Records the messages that arrive, and fails as the test requires.
struct Subscriber {
    fates: Mutex<Vec<Fate>>,
    arrived: Mutex<Vec<(Topic, Message)>>,
    calls: Mutex<u64>,
}

impl Subscriber {
    fn new(fates: Vec<Fate>) -> Arc<Self> {
        Arc::new(Self {
            fates: Mutex::new(fates),
            arrived: Mutex::default(),
            calls: Mutex::default(),
        })
    }

    /// The messages, per topic and group, in order, that remain after a subscriber's deduplication.
    fn seen(&self) -> HashMap<(Topic, String), Vec<Message>> {
        let (mut known, mut seen) = (HashSet::new(), HashMap::<_, Vec<_>>::new());
        for (topic, message) in self.arrived.lock().unwrap().iter() {
            if known.insert((*topic, message.deduplication_id.clone())) {
                let group = (*topic, message.group.clone());
                seen.entry(group).or_default().push(message.clone());
            }
        }
        seen
    }
}

#[async_trait]
impl Publisher for Subscriber {
    fn topics(&self) -> &[Topic] {
        &[Topic::Changesets, Topic::Events]
    }

    fn limits(&self) -> PublishLimits {
        LIMITS
    }

    async fn publish(&self, topic: Topic, batch: &[Message]) -> Vec<Result<(), PublishError>> {
        *self.calls.lock().unwrap() += 1;
        let groups: HashSet<_> = batch.iter().map(|message| &message.group).collect();
        assert_eq!(groups.len(), batch.len(), "no group twice in a call");
        assert!((1..=LIMITS.messages).contains(&batch.len()));
        let bytes: usize = batch.iter().map(Message::bytes).sum();
        assert!(bytes <= LIMITS.batch_bytes);
        let mut results = Vec::new();
        for message in batch {
            assert!(message.bytes() <= LIMITS.message_bytes);
            let fate = self.fates.lock().unwrap().pop().unwrap_or(Fate::Arrives);
            if !matches!(fate, Fate::Fails) {
                self.arrived.lock().unwrap().push((topic, message.clone()));
            }
            results.push(match fate {
                Fate::Arrives => Ok(()),
                _ => Err(unanswered()),
            });
        }
        futures_timer::Delay::new(std::time::Duration::from_micros(10)).await;
        results
    }
}

fn changeset(stream: &str, number: u64, first_event: u64, events: &[&str]) -> Changeset {
    let events = Events::parse(&format!("[{}]", events.join(","))).unwrap();
    Changeset {
        stream_id: StreamId::new(stream).unwrap(),
        changeset_id: ChangesetId::new(number).unwrap(),
        first_event_id: EventId::new(first_event).unwrap(),
        last_event_id: EventId::new(first_event + events.count() - 1).unwrap(),
        timestamp: Timestamp::now(),
        commit_id: CommitId::new("c").unwrap(),
        set: None,
        events,
        metadata: Json::parse(r#"{"by":"ü"}"#).unwrap(),
        checkpoint: None,
    }
}

/// Some streams' changesets, mixed: each of so many events.
fn changesets(plan: &[(u8, usize)]) -> Vec<Changeset> {
    let mut ends = HashMap::<u8, (u64, u64)>::new();
    let made = plan.iter().map(|&(stream, events)| {
        let (changesets, last) = ends.entry(stream).or_default();
        let first = *last + 1;
        *changesets += 1;
        *last += events as u64;
        changeset(
            &format!("s{stream}"),
            *changesets,
            first,
            &vec!["1"; events],
        )
    });
    made.collect()
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Arrives),
        1 => Just(Fate::Fails),
        1 => Just(Fate::ArrivesUnheard),
    ]
}

fn number(message: &Message, name: &str) -> u64 {
    let body: serde_json::Value = serde_json::from_str(&message.body).unwrap();
    body[name].as_u64().unwrap()
}

proptest! {
    #[test]
    fn everything_arrives_once_and_in_its_streams_order(
        plan in prop::collection::vec((0..5_u8, 1..4_usize), 0..20),
        fates in prop::collection::vec(fate(), 0..40),
        dropped_after in prop::collection::vec(0..60_u64, 0..4),
    ) {
        let subscriber = Subscriber::new(fates);
        let mut publication = Publication::new(Arc::clone(&subscriber) as Arc<dyn Publisher>);
        let changesets = changesets(&plan);
        let (early, late) = changesets.split_at(changesets.len() / 2);
        for changeset in early {
            publication.add(changeset.clone());
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            for micros in dropped_after {
                let stop = futures_timer::Delay::new(std::time::Duration::from_micros(micros));
                drop(select(stop, pin!(publication.run())).await);
            }
            for changeset in late {
                publication.add(changeset.clone());
            }
            for _ in 0..100 {
                publication.run().await;
                let failed = publication.failures().count();
                prop_assert_eq!(failed == 0, publication.unpublished().len() == 0);
                if failed == 0 {
                    break;
                }
            }
            Ok(())
        })?;
        prop_assert_eq!(publication.unpublished().len(), 0);
        prop_assert_eq!(publication.unpublished_bytes(), 0);
        let seen = subscriber.seen();
        let sent = |topic| seen.iter().filter(move |((of, _), _)| *of == topic).map(|(_, m)| m);
        prop_assert_eq!(sent(Topic::Changesets).flatten().count(), plan.len());
        let events: usize = plan.iter().map(|(_, events)| events).sum();
        prop_assert_eq!(sent(Topic::Events).flatten().count(), events);
        for (topic, name) in [(Topic::Changesets, "changeset_id"), (Topic::Events, "event_id")] {
            for messages in sent(topic) {
                prop_assert!(messages.iter().map(|m| number(m, name)).eq(1..=messages.len() as u64));
            }
        }
    }
}

#[tokio::test]
async fn a_failure_holds_back_its_own_stream_and_topic_alone() {
    // Fates are taken from the end: the first message fails.
    let subscriber = Subscriber::new(vec![Fate::Fails]);
    let mut publication = Publication::new(Arc::clone(&subscriber) as Arc<dyn Publisher>);
    for changeset in changesets(&[(0, 1), (0, 1), (1, 1), (2, 1)]) {
        publication.add(changeset);
    }
    publication.run().await;
    let failed: Vec<_> = publication
        .failures()
        .map(|failure| failure.key.clone())
        .collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    let waiting: Vec<_> = publication.unpublished().collect();
    assert!(
        waiting
            .iter()
            .all(|waiting| waiting.stream_id == failed[0].stream_id)
    );
    assert_eq!(waiting[0].changeset_id, failed[0].changeset_id);
    let all = 8;
    assert_eq!(
        subscriber.arrived.lock().unwrap().len(),
        all - waiting.len()
    );
}

#[tokio::test]
async fn what_is_set_aside_holds_nothing_back() {
    let subscriber = Subscriber::new(vec![Fate::Fails]);
    let mut publication = Publication::new(Arc::clone(&subscriber) as Arc<dyn Publisher>);
    for changeset in changesets(&[(0, 2), (0, 2), (1, 2)]) {
        publication.add(changeset);
    }
    publication.run().await;
    let failed: Vec<_> = publication.failures().collect();
    assert_eq!(failed.len(), 1);
    publication.set_aside(&failed[0].key);
    let is_it = |it: &Changeset| {
        (&it.stream_id, it.changeset_id) == (&failed[0].key.stream_id, failed[0].key.changeset_id)
    };
    assert!(!publication.unpublished().any(is_it));
    assert_eq!(publication.failures().count(), 0);
    publication.run().await;
    assert_eq!(publication.unpublished().len(), 0);
    assert_eq!(publication.unpublished_bytes(), 0);
    // Another one that is not there changes nothing.
    publication.set_aside(&failed[0].key);
    let seen = subscriber.seen();
    let on = |topic| seen.iter().filter(move |((of, _), _)| *of == topic);
    let changesets: usize = on(Topic::Changesets).map(|(_, all)| all.len()).sum();
    assert!(changesets >= 2, "the others arrived: {changesets}");
}

/// Their messages would take a publisher's whole time. One says where they are, and what follows them goes
/// on.
#[tokio::test]
async fn a_changeset_of_too_many_events_is_one_message() {
    let most = usize::try_from(lane::MAX_EVENTS).unwrap();
    for (events, single) in [(most, most), (most + 1, 0)] {
        let subscriber = Subscriber::new(vec![]);
        let mut publication = Publication::new(Arc::clone(&subscriber) as Arc<dyn Publisher>);
        for changeset in changesets(&[(0, 1), (0, events), (0, 1)]) {
            publication.add(changeset);
        }
        publication.run().await;
        assert_eq!(publication.unpublished().len(), 0);
        let seen = subscriber.seen();
        let mut told = seen
            .iter()
            .filter(|((topic, _), _)| *topic == Topic::Events);
        let (_, told) = told.next().unwrap();
        let is_of_one = |message: &&Message| !message.body.contains("first_event_id");
        assert_eq!(told.iter().filter(is_of_one).count(), single + 2);
        let (before, rest) = told.split_first().unwrap();
        let (after, between) = rest.split_last().unwrap();
        let last = events as u64 + 1;
        assert_eq!(
            (number(before, "event_id"), number(after, "event_id")),
            (1, last + 1)
        );
        let many = between.last().unwrap();
        assert_eq!(
            (number(many, "changeset_id"), number(many, "event_id")),
            (2, last)
        );
        assert_eq!(between.len(), single.max(1));
        if single == 0 {
            assert_eq!(number(many, "first_event_id"), 2);
            assert_eq!(many.group, before.group);
        }
    }
}

#[tokio::test]
async fn calls_are_filled() {
    let subscriber = Subscriber::new(vec![]);
    let mut publication = Publication::new(Arc::clone(&subscriber) as Arc<dyn Publisher>);
    for changeset in changesets(&[(0, 1), (1, 1), (2, 1), (3, 1), (4, 1), (5, 1)]) {
        publication.add(changeset);
    }
    publication.run().await;
    assert_eq!(
        *subscriber.calls.lock().unwrap(),
        4,
        "12 messages, 3 a call"
    );
}

fn messages(changeset: &Changeset, limit: usize) -> Vec<serde_json::Value> {
    let event = message::of_event(changeset, changeset.first_event_id, "[2]", limit);
    let changeset = message::of_changeset(changeset, limit);
    let bodies = [changeset.body, event.body];
    assert!(bodies.iter().all(|body| body.len() <= limit));
    bodies
        .map(|body| serde_json::from_str(&body).unwrap())
        .into()
}

#[test]
fn messages_are_those_of_the_contract() {
    let changeset = changeset("a/\"ß\"", 7, 3, &["1.10", "\"ü\""]);
    let message = message::of_changeset(&changeset, 1000);
    assert_eq!(
        message.body,
        r#"{"stream_id":"a/\"ß\"","changeset_id":7,"events":[1.10,"ü"],"metadata":{"by":"ü"}}"#
    );
    // printf 'a/"ß"' | sha224sum; printf 'a/"ß"/7' | sha256sum
    assert_eq!(
        message.group,
        "9846f7842f2e25abe2f630ba934f523c717e55d51e3bfc3b07d55a4e"
    );
    assert_eq!(
        message.deduplication_id,
        "ed7493a0101298847f80f7770865be17d37e565ee39a877d28f3fa0c621d3127"
    );
    let event = message::of_event(&changeset, changeset.last_event_id, "\"ü\"", 1000);
    assert_eq!(
        event.body,
        r#"{"stream_id":"a/\"ß\"","changeset_id":7,"event_id":4,"data":"ü"}"#
    );
    assert_eq!(event.group, message.group);
    // printf 'a/"ß"/7/4' | sha256sum
    assert_eq!(
        event.deduplication_id,
        "2f537a5de6c80ca6c45267de906a6f3da07d4899ce0b97187c51263dfc7fd49d"
    );
}

#[test]
fn messages_are_those_of_the_guide() {
    let guide = include_str!("../../../docs/publishing.md");
    let mut changeset = changeset("order-17", 2, 5, &[r#"{"type":"paid"}"#]);
    changeset.metadata = Json::parse(r#"{"by":"ada"}"#).unwrap();
    let event = message::of_event(
        &changeset,
        changeset.first_event_id,
        "{\"type\":\"paid\"}",
        1000,
    );
    let whole = message::of_changeset(&changeset, 1000);
    changeset.changeset_id = ChangesetId::new(3).unwrap();
    changeset.events = Events::parse(&format!("[{}]", "1".repeat(1000))).unwrap();
    let cut = message::of_changeset(&changeset, 1000);
    changeset.changeset_id = ChangesetId::new(4).unwrap();
    changeset.first_event_id = EventId::new(7).unwrap();
    changeset.last_event_id = EventId::new(20_006).unwrap();
    let many = message::of_many_events(&changeset, 1000);
    for message in [whole, event, cut, many] {
        assert!(
            guide.contains(&message.body),
            "{} is not in the guide",
            message.body
        );
    }
}

#[test]
fn what_is_too_large_goes_without_its_payload() {
    let whole = changeset("s", 1, 1, &["[2]", "[3.0]", "\"xxxxxxxxxxxxxxxxxxxxxxxx\""]);
    let full = message::of_changeset(&whole, 1000).body.len();
    assert_eq!(
        messages(&whole, full)[0]["events"],
        serde_json::json!([[2], [3.0], "xxxxxxxxxxxxxxxxxxxxxxxx"])
    );
    let cut = &messages(&whole, full - 1)[0];
    assert_eq!(
        *cut,
        serde_json::json!({"stream_id": "s", "changeset_id": 1, "metadata": {"by": "ü"}, "truncated": true})
    );
    let least = messages(&whole, 60);
    assert_eq!(
        least[0],
        serde_json::json!({"stream_id": "s", "changeset_id": 1, "truncated": true})
    );
    let event = serde_json::json!({"stream_id": "s", "changeset_id": 1, "event_id": 1});
    let mut with_data = event.clone();
    with_data["data"] = serde_json::json!([2]);
    assert_eq!(least[1], with_data);
    let long = "x".repeat(100);
    let cut = message::of_event(&whole, whole.first_event_id, &format!("\"{long}\""), 90).body;
    let mut truncated = event;
    truncated["truncated"] = true.into();
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&cut).unwrap(),
        truncated
    );
}

#[test]
fn the_longest_name_fits_the_least_limit() {
    for name in ["\"", "\u{fffe}"] {
        let name = name.repeat(crate::MAX_STREAM_ID_BYTES / name.len());
        let longest = changeset(&name, crate::MAX_ID, crate::MAX_ID, &["1"]);
        let limit = MIN_MESSAGE_BYTES;
        let event = message::of_event(&longest, longest.first_event_id, &"1".repeat(limit), limit);
        for least in [event, message::of_many_events(&longest, limit)] {
            assert!(!least.body.is_empty() && least.body.len() <= limit);
        }
    }
}

#[test]
fn characters_that_queues_refuse_go_escaped() {
    let odd = changeset("s", 1, 1, &["\"\u{fffe}\u{ffff}\u{fffd}\""]);
    let body = message::of_changeset(&odd, 1000).body;
    assert!(!body.contains(['\u{fffe}', '\u{ffff}']), "{body}");
    let read: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(read["events"][0], "\u{fffe}\u{ffff}\u{fffd}");
}

#[test]
fn attributes_tell_the_prefix_and_the_types() {
    let events = [
        r#"{"type":"b"}"#,
        "1",
        r#"{"type":"a\"\ufffe"}"#,
        r#"{"type":"b"}"#,
    ];
    let found = changeset("order-17-x", 1, 1, &events);
    let whole = message::of_changeset(&found, usize::MAX);
    assert_eq!(whole.stream_prefix.as_deref(), Some("order"));
    assert_eq!(whole.event_types.as_deref(), Some(r#"["a\"\ufffe","b"]"#));
    let of_event = |place: usize| {
        let id = EventId::new(place as u64 + 1).unwrap();
        message::of_event(&found, id, events[place], usize::MAX).event_types
    };
    assert_eq!(of_event(0).as_deref(), Some(r#"["b"]"#));
    assert_eq!(of_event(1), None);
    for (stream, prefix) in [
        ("order", Some("order")),
        ("-order", None),
        ("\u{ffff}-1", None),
    ] {
        let message = message::of_changeset(&changeset(stream, 1, 1, &["1"]), usize::MAX);
        assert_eq!(message.stream_prefix.as_deref(), prefix);
        assert_eq!(message.event_types, None);
    }
}

/// Attributes count, and give way to the body.
#[test]
fn a_message_with_attributes_stays_within_the_limit() {
    for limit in [
        MIN_MESSAGE_BYTES,
        MIN_MESSAGE_BYTES + 100,
        3 * MIN_MESSAGE_BYTES,
    ] {
        for size in [1, 900, MIN_MESSAGE_BYTES - 500, 2 * MIN_MESSAGE_BYTES] {
            let stream = format!("{}-1", "\"".repeat(size.min(1000)));
            let event = format!(r#"{{"type":"t","data":"{}"}}"#, "x".repeat(size));
            let message = message::of_changeset(&changeset(&stream, 1, 1, &[&event]), limit);
            assert!(message.bytes() <= limit && !message.body.is_empty());
            let room = limit > MIN_MESSAGE_BYTES + 1200 || (limit > MIN_MESSAGE_BYTES && size == 1);
            assert_eq!(message.stream_prefix.is_some(), room, "{limit} {size}");
        }
    }
}
