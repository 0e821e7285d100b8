//! `ees serve --publish`: what is committed reaches subscribers, whatever happens to the server.

use std::collections::{BTreeMap, HashSet};

use ees_aws_testkit::Services;
use ees_aws_testkit::template::{Settings, Template};
use ees_postgres_testkit::Database;
use serde_json::Value;
use tempfile::TempDir;

use super::{Ees, ees, run, sqlite};

/// The queues that subscribe to the topics.
const CHANGESETS: &str = "changesets.fifo";
const EVENTS: &str = "events.fifo";

/// Topics, and a queue on each.
struct Subscribers {
    services: Services,
    changesets: String,
    events: String,
    got: BTreeMap<&'static str, Vec<Value>>,
}

impl Subscribers {
    async fn start() -> Self {
        let services = Services::start().await.unwrap();
        let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../ees-lambda/template.yaml");
        let template = Template::read(template, &Settings::default()).unwrap();
        services.create(&template).await.unwrap();
        let topics = template.of_type("AWS::SNS::Topic");
        let topics: Vec<_> = topics.filter_map(|topic| topic.arn.clone()).collect();
        let named = |part: &str| {
            topics
                .iter()
                .find(|arn| arn.contains(part))
                .unwrap()
                .clone()
        };
        let (changesets, events) = (named("changesets"), named("events"));
        services.subscribe(&changesets, CHANGESETS).await.unwrap();
        services.subscribe(&events, EVENTS).await.unwrap();
        Self {
            services,
            changesets,
            events,
            got: BTreeMap::new(),
        }
    }

    /// What a server is told of them.
    fn url(&self, endpoint: &str) -> String {
        let Self {
            changesets, events, ..
        } = self;
        format!("sns:changesets={changesets}&events={events}&endpoint={endpoint}")
    }

    fn endpoint(&self) -> String {
        self.services.endpoints().sns.clone()
    }

    /// Receives until so many messages have come to a queue that had not come before.
    async fn receive(&mut self, queue: &'static str, count: usize) {
        let begun = std::time::Instant::now();
        loop {
            let got = self.got.entry(queue).or_default();
            let distinct: HashSet<_> = got.iter().map(Value::to_string).collect();
            if distinct.len() >= count {
                return;
            }
            assert!(
                begun.elapsed() < super::LONG,
                "{queue}: {} of {count}",
                distinct.len()
            );
            for message in self.services.receive(queue).await.unwrap() {
                let body = message["Body"].as_str().unwrap();
                got.push(serde_json::from_str(body).unwrap());
            }
        }
    }

    /// Each stream's numbers on a queue, as they came; what came again is left out.
    fn numbers(&self, queue: &str, name: &str) -> BTreeMap<String, Vec<u64>> {
        let mut numbers = BTreeMap::<_, Vec<_>>::new();
        for message in &self.got[queue] {
            let stream = message["stream_id"].as_str().unwrap().to_owned();
            let number = message[name].as_u64().unwrap();
            let known = numbers.entry(stream).or_default();
            if !known.contains(&number) {
                known.push(number);
            }
        }
        numbers
    }
}

fn publishing(storage: &str, publish: &str) -> Ees {
    let args = [
        "--storage",
        storage,
        "--listen",
        "127.0.0.1:0",
        "--publish",
        publish,
    ];
    Ees::spawn(ees(&args))
}

/// Commits changesets of two events each.
fn commit(server: &Ees, stream: &str, changesets: std::ops::Range<u64>) {
    for last in changesets {
        let path = format!("/streams/{stream}?expected_last_changeset={last}");
        server.ok(
            "POST",
            &path,
            r#"{"events":[{"n":1},{"n":2}],"metadata":{"by":"ü"}}"#,
        );
    }
}

/// All that is committed arrives, in each stream's order, also where SNS is away for a while and
/// the server is killed.
async fn everything_arrives(storage: &str) {
    let mut subscribers = Subscribers::start().await;
    let nobody = subscribers.url("http://127.0.0.1:9");
    let mut server = publishing(storage, &nobody);
    commit(&server, "a", 0..3);
    server.wait_for_log("no answer from SNS: Connection refused");
    server.kill();

    let mut server = publishing(storage, &subscribers.url(&subscribers.endpoint()));
    commit(&server, "b", 0..4);
    subscribers.receive(CHANGESETS, 7).await;
    commit(&server, "a", 3..5);
    server.kill();
    let server = publishing(storage, &subscribers.url(&subscribers.endpoint()));
    commit(&server, "c", 0..1);
    subscribers.receive(CHANGESETS, 10).await;
    subscribers.receive(EVENTS, 20).await;

    let expected = |each: u64| {
        let ends = [("a", 5), ("b", 4), ("c", 1)].into_iter();
        ends.map(|(stream, end)| (stream.to_owned(), (1..=each * end).collect()))
            .collect()
    };
    let changesets: BTreeMap<String, Vec<u64>> = expected(1);
    assert_eq!(subscribers.numbers(CHANGESETS, "changeset_id"), changesets);
    assert_eq!(subscribers.numbers(EVENTS, "event_id"), expected(2));
    let message = &subscribers.got[CHANGESETS][0];
    assert_eq!(message["metadata"]["by"], "ü");
    server.signal("TERM");
    let (code, _, log) = server.wait();
    assert_eq!(code, Some(0), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_arrives_from_sqlite() {
    let folder = TempDir::new().unwrap();
    everything_arrives(&sqlite(&folder.path().join("ees.db"))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_arrives_from_postgresql() {
    let database = Database::fresh().unwrap();
    let settings = "allow_fsync_off=true&connect_timeout=60";
    everything_arrives(&format!("{}?{settings}", database.url())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_arrives_from_dynamodb() {
    let emulator = ees_dynamodb_testkit::Emulator::start().unwrap();
    let storage = super::dynamodb(&emulator);
    let (code, _, stderr) = run(&["admin", "create-tables", "--storage", &storage]);
    assert_eq!(code, Some(0), "{stderr}");
    everything_arrives(&storage).await;
}

/// What was there before publishing began is published from the start, unless told otherwise; how
/// far it came is kept.
/// A subscription with the filter policy that docs/publishing.md shows gets what the policy selects.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribers_filter_by_prefix_and_type() {
    const FILTERED: &str = "filtered.fifo";
    let mut subscribers = Subscribers::start().await;
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/publishing.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let policy = guide
        .lines()
        .find(|line| line.contains("\"event_types\": ["));
    let policy: Value = serde_json::from_str(policy.unwrap()).unwrap();
    for topic in [&subscribers.changesets, &subscribers.events] {
        let services = &subscribers.services;
        let queue = format!("{}-{FILTERED}", topic.contains("events"));
        services
            .subscribe_filtered(topic, &queue, &policy)
            .await
            .unwrap();
    }
    let folder = TempDir::new().unwrap();
    let storage = sqlite(&folder.path().join("ees.db"));
    let server = publishing(&storage, &subscribers.url(&subscribers.endpoint()));
    let wanted = r#"{"events":[{"type":"sent"},{"type":"p\u0061id"}]}"#;
    server.ok("POST", "/streams/order-1", wanted);
    server.ok("POST", "/streams/orders-1", wanted);
    server.ok("POST", "/streams/order", r#"{"events":[{"n":1}]}"#);
    server.ok(
        "POST",
        "/streams/order-2",
        r#"{"events":[{"type":"sent"}]}"#,
    );
    subscribers.receive("false-filtered.fifo", 2).await;
    subscribers.receive("true-filtered.fifo", 2).await;
    subscribers.receive(EVENTS, 6).await;
    let orders = BTreeMap::from([
        ("order-1".to_owned(), vec![1]),
        ("order".to_owned(), vec![1]),
    ]);
    assert_eq!(
        subscribers.numbers("false-filtered.fifo", "changeset_id"),
        orders
    );
    let orders = BTreeMap::from([
        ("order-1".to_owned(), vec![2]),
        ("order".to_owned(), vec![1]),
    ]);
    assert_eq!(
        subscribers.numbers("true-filtered.fifo", "event_id"),
        orders
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishing_begins_where_it_is_told() {
    let mut subscribers = Subscribers::start().await;
    let folder = TempDir::new().unwrap();
    let storage = sqlite(&folder.path().join("ees.db"));
    let server = Ees::serve(&storage);
    commit(&server, "old", 0..2);
    drop(server);
    let publish = subscribers.url(&subscribers.endpoint());
    let mut command = ees(&["--storage", &storage, "--listen", "127.0.0.1:0"]);
    command.args(["--publish", &publish, "--publish-from", "now"]);
    let server = Ees::spawn(command);
    server.wait_for_log("publishing from=");
    commit(&server, "new", 0..1);
    subscribers.receive(CHANGESETS, 1).await;
    subscribers.receive(EVENTS, 2).await;
    server.signal("TERM");
    server.wait();
    let server = publishing(&storage, &publish);
    commit(&server, "new", 1..2);
    subscribers.receive(CHANGESETS, 2).await;
    let expected = BTreeMap::from([("new".to_owned(), vec![1, 2])]);
    assert_eq!(subscribers.numbers(CHANGESETS, "changeset_id"), expected);
    assert_eq!(
        subscribers.got[CHANGESETS].len(),
        2,
        "an orderly stop repeats nothing"
    );
}

#[test]
fn a_wrong_url_is_told_at_once() {
    for (url, said) in [
        ("kafka:x", "`--publish kafka:x`: it names no publisher"),
        ("sns:", "names no topic"),
        ("sns:events=x&events=x", "`events` is given twice"),
        ("sns:event=x", "did you mean `events`?"),
        (
            "sns:changesets=arn:aws:sns:eu-west-1:1:plain",
            "expected the ARN of a FIFO topic",
        ),
    ] {
        let (code, _, stderr) = run(&["--storage", "memory:", "--publish", url]);
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
}
