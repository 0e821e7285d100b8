//! What subscribers of the topics get.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Committed, REDRIVE, Stack};

const CHANGESETS: &str = "changesets.fifo";
const EVENTS: &str = "events.fifo";

/// A FIFO queue behind each topic.
pub(super) struct Subscribers;

impl Subscribers {
    pub(super) async fn of(stack: &Stack) -> Self {
        for (topic, queue) in [("ChangesetsTopic", CHANGESETS), ("EventsTopic", EVENTS)] {
            stack.subscribe(topic, queue).await;
        }
        Self
    }

    /// Stream and id of all changesets that came since the last look.
    pub(super) async fn changesets(stack: &Stack) -> Vec<(String, u64)> {
        Self::ids(stack, CHANGESETS, "changeset_id").await
    }

    /// Stream and id of all messages in a queue.
    async fn ids(stack: &Stack, queue: &str, id: &str) -> Vec<(String, u64)> {
        let messages = stack.messages(queue).await.into_iter();
        let ids = messages.map(|message| {
            let stream = message["stream_id"].as_str().unwrap().to_owned();
            (stream, message[id].as_u64().unwrap())
        });
        ids.collect()
    }

    /// Each changeset and each event came once, each stream's in its order; but what had to go
    /// through redrive may be late.
    pub(super) async fn got_all(&self, stack: &Stack, committed: &Committed) {
        let was_redriven = stack.sum(REDRIVE, "FailuresRedriven") > 0;
        for (queue, id, all) in [
            (CHANGESETS, "changeset_id", committed),
            (EVENTS, "event_id", &committed.events()),
        ] {
            let mut ids = Self::ids(stack, queue, id).await;
            if was_redriven {
                ids.sort();
            }
            all.is_all_of(ids, "G9: the messages");
        }
    }
}

impl Committed {
    /// Streams and how many events each has: two a changeset.
    fn events(&self) -> Self {
        let events = |(stream, changesets): (&String, &u64)| (stream.clone(), 2 * changesets);
        Self(self.0.iter().map(events).collect())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changeset_that_no_message_holds_comes_truncated_and_stops_nobody() {
    let stack = Stack::start().await;
    let _subscribers = Subscribers::of(&stack).await;
    let large = format!(r#"["{}",1]"#, "x".repeat(300 * 1024));
    for (after, events) in [r#"["first"]"#, &large, r#"["last"]"#]
        .into_iter()
        .enumerate()
    {
        stack.commit("large", after as u64, events).await;
        stack.commit("small", after as u64, "[1]").await;
    }
    stack.aws.settle().await;
    let mut changesets: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for message in stack.messages(CHANGESETS).await {
        let stream = message["stream_id"].as_str().unwrap().to_owned();
        changesets.entry(stream).or_default().push(message);
    }
    assert_eq!(changesets["small"].len(), 3);
    let [first, second, third] = &changesets["large"][..] else {
        panic!("G9: three messages, not {:?}", changesets["large"].len());
    };
    assert_eq!(
        (&first["events"][0], &third["events"][0]),
        (&"first".into(), &"last".into())
    );
    assert_eq!(
        (&second["truncated"], &second["changeset_id"]),
        (&true.into(), &2.into())
    );
    assert_eq!(second.get("events"), None);
    let events = stack.messages(EVENTS).await;
    let of_second = events
        .iter()
        .filter(|message| message["stream_id"] == "large" && message["changeset_id"] == 2);
    let of_second: Vec<_> = of_second.collect();
    assert_eq!(of_second[0]["truncated"], true);
    assert_eq!(
        (&of_second[1]["data"], &of_second[1]["event_id"]),
        (&1.into(), &3.into())
    );
    assert_eq!(stack.failures().await, [""; 0]);
}
