//! Outages and refusals in simulated time.

use std::sync::Mutex;

use async_trait::async_trait;
use ees_core::adapter::{Message, PublishError, PublishLimits, Publisher, Topic};
use serde_json::{Value, json};

use super::*;
use crate::batch;

const INVOCATION: Duration = Duration::from_mins(15);

/// The messages that arrived: topic, stream and changeset, in order.
type Arrived = Vec<(Topic, String, u64)>;

/// SNS with a rule for each message, which may look at the time since the beginning.
struct Sns<R> {
    begun: Instant,
    rule: R,
    call: Duration,
    arrived: Mutex<Arrived>,
    calls: Mutex<usize>,
}

type Fate = Result<(), PublishError>;

#[async_trait]
impl<R> Publisher for Sns<R>
where
    R: Fn(Duration, Topic, &Message) -> Fate + Send + Sync + 'static,
{
    fn topics(&self) -> &[Topic] {
        &[Topic::Changesets, Topic::Events]
    }

    fn limits(&self) -> PublishLimits {
        PublishLimits {
            messages: 10,
            batch_bytes: 250_000,
            message_bytes: 250_000,
        }
    }

    async fn publish(&self, topic: Topic, messages: &[Message]) -> Vec<Fate> {
        sleep(self.call).await;
        *self.calls.lock().unwrap() += 1;
        let fates = messages.iter().map(|message| {
            (self.rule)(self.begun.elapsed(), topic, message)?;
            let (stream, changeset) = named(message);
            self.arrived
                .lock()
                .unwrap()
                .push((topic, stream, changeset));
            Ok(())
        });
        fates.collect()
    }
}

/// The stream and the changeset of a message.
fn named(message: &Message) -> (String, u64) {
    let body: Value = serde_json::from_str(&message.body).unwrap();
    let stream = body["stream_id"].as_str().unwrap().to_owned();
    (stream, body["changeset_id"].as_u64().unwrap())
}

fn away() -> Fate {
    Err(PublishError::Unavailable {
        reason: "away".to_owned(),
        source: None,
    })
}

fn refused() -> Fate {
    Err(PublishError::Refused {
        reason: "too odd".to_owned(),
        source: None,
    })
}

/// Records of streams `a` and `b` in turns, each with so many events.
fn records(changesets: u64, events: usize) -> Vec<Record> {
    let record = |(number, stream): (u64, &str)| -> Value {
        let last = number * events as u64;
        let body = vec!["1"; events].join(",");
        json!({"dynamodb": {"SequenceNumber": format!("{stream}{number}"), "NewImage": {
            "stream_id": {"S": stream},
            "changeset_id": {"N": number.to_string()},
            "first_event_id": {"N": (last + 1 - events as u64).to_string()},
            "last_event_id": {"N": last.to_string()},
            "events": {"S": format!("[{body}]")},
            "metadata": {"S": "{}"},
            "timestamp": {"S": "2026-11-22T00:00:00.000000Z"},
            "commit_id": {"S": format!("{stream}{number}")},
        }}, "eventName": "INSERT"})
    };
    let all = (1..=changesets).flat_map(|number| [(number, "a"), (number, "b")]);
    let all: Vec<_> = all.map(record).collect();
    batch::read(&json!({ "Records": all })).unwrap()
}

struct Run {
    left: BTreeSet<usize>,
    aside: Vec<usize>,
    arrived: Arrived,
    took: Duration,
    calls: usize,
}

/// One invocation of the publisher. The bucket fails so many times.
async fn run(
    records: &[Record],
    call: Duration,
    bucket_fails: usize,
    rule: impl Fn(Duration, Topic, &Message) -> Fate + Send + Sync + 'static,
) -> Run {
    let sns = Arc::new(Sns {
        begun: Instant::now(),
        rule,
        call,
        arrived: Mutex::default(),
        calls: Mutex::default(),
    });
    let publishing = Publishing::new(Arc::clone(&sns) as _, "t".to_owned());
    let (aside, calls_of_bucket) = (Mutex::new(Vec::new()), Mutex::new(0));
    let set_aside = async |place: usize| {
        let before = { *calls_of_bucket.lock().unwrap() };
        *calls_of_bucket.lock().unwrap() += 1;
        if before < bucket_fails {
            return Err(Failure::Settings("the bucket is away".to_owned()));
        }
        aside.lock().unwrap().push(place);
        Ok(())
    };
    let deadline = Instant::now() + INVOCATION;
    let left = publishing.insist(records, deadline, set_aside).await;
    let took = sns.begun.elapsed();
    let arrived = sns.arrived.lock().unwrap().clone();
    let calls = *sns.calls.lock().unwrap();
    Run {
        left,
        aside: aside.into_inner().unwrap(),
        arrived,
        took,
        calls,
    }
}

/// The changesets of a stream that arrived on a topic.
fn of(arrived: &Arrived, topic: Topic, stream: &str) -> Vec<u64> {
    let of = arrived.iter();
    let of = of.filter(|(on, of, _)| *on == topic && of == stream);
    of.map(|(_, _, changeset)| *changeset).collect()
}

#[tokio::test(start_paused = true)]
async fn six_minutes_without_sns_change_no_order_and_set_nothing_aside() {
    let outage = Duration::from_mins(6);
    // Each topic is away for itself, and messages of stream `b` come through between.
    let five = records(5, 1);
    let ran = run(&five, Duration::ZERO, 0, move |time, topic, message| {
        let passes = topic == Topic::Events && named(message).0 == "b";
        if time < outage && !passes {
            away()
        } else {
            Ok(())
        }
    });
    let ran = ran.await;
    assert_eq!((ran.left.len(), ran.aside.len()), (0, 0));
    for topic in [Topic::Changesets, Topic::Events] {
        for stream in ["a", "b"] {
            let found = of(&ran.arrived, topic, stream);
            assert_eq!(found, [1, 2, 3, 4, 5], "{topic:?} of {stream}");
        }
    }
    assert!(
        (outage..outage + LONGEST_PAUSE).contains(&ran.took),
        "{:?}",
        ran.took
    );
    assert!(ran.calls < 100, "it waits between its calls: {}", ran.calls);
}

#[tokio::test(start_paused = true)]
async fn what_an_invocation_cannot_wait_for_is_delivered_again() {
    let ran = run(&records(2, 1), Duration::ZERO, 0, |_, _, _| away()).await;
    assert_eq!(ran.left.first(), Some(&0));
    assert_eq!((ran.left.len(), ran.aside.len()), (4, 0));
    assert!(ran.took < INVOCATION, "it answers in time: {:?}", ran.took);
}

#[tokio::test(start_paused = true)]
async fn a_refused_message_is_set_aside_and_the_later_ones_go_on() {
    let refuse = |_: Duration, topic, message: &Message| {
        let first = named(message) == ("a".to_owned(), 1);
        if first && topic == Topic::Changesets {
            refused()
        } else {
            Ok(())
        }
    };
    // The bucket is away twice: the record waits for it.
    let ran = run(&records(3, 1), Duration::ZERO, 2, refuse).await;
    assert_eq!(ran.aside, [0]);
    assert_eq!(ran.left.len(), 0);
    assert_eq!(of(&ran.arrived, Topic::Changesets, "a"), [2, 3]);
    assert_eq!(of(&ran.arrived, Topic::Changesets, "b"), [1, 2, 3]);
    // A bucket that stays away keeps the record where it is.
    let ran = run(&records(3, 1), Duration::ZERO, usize::MAX, refuse).await;
    assert_eq!((ran.left, ran.aside.len()), (BTreeSet::from([0]), 0));
}

#[tokio::test(start_paused = true)]
async fn a_changeset_that_takes_a_whole_invocation_does_not_take_the_next_one() {
    let ran = run(&records(1, 2000), Duration::from_secs(1), 0, |_, _, _| {
        Ok(())
    })
    .await;
    assert_eq!(ran.aside, [0]);
    assert_eq!(ran.left, BTreeSet::from([1]), "it comes first next time");
}
