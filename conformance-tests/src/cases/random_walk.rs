//! G2, G3, G5, G10: random commits and reads, on the store and on the model.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::Harness;
use crate::model::{Model, Refusal, bare, bare_page};
use crate::subject::{Ask, Changeset, Committed, Expect, Read, Subject, unique};
use crate::support::{GLOBAL_LIMIT, end_of_log, log, of_streams};

const STREAMS: usize = 3;

/// Something to ask of both.
#[derive(Debug, Clone)]
enum Operation {
    Commit(Commit),
    Head(usize),
    Changesets(usize, Read),
    Events(usize, Read),
}

/// A commit so far from the end of its stream.
#[derive(Debug, Clone)]
struct Commit {
    stream: usize,
    by_event: bool,
    off: i64,
    events: u64,
    metadata: Option<&'static str>,
    key: Option<&'static str>,
}

/// Any mixture of commits and reads is answered as the model answers it.
pub async fn the_store_answers_as_the_model<H: Harness>(harness: &mut H) {
    let sequences = {
        let mut random = TestRunner::default();
        let sequences = prop::collection::vec(prop::collection::vec(operation(), 60), 12);
        sequences.new_tree(&mut random).expect("random").current()
    };
    for sequence in sequences {
        play(harness, &sequence).await;
    }
}

async fn play<H: Harness>(harness: &H, operations: &[Operation]) {
    let subject = harness.subject();
    let start = end_of_log(&*subject).await;
    let names: Vec<String> = (0..STREAMS).map(|_| unique("random-walk")).collect();
    let mut model = Model::default();
    for (at, operation) in operations.iter().enumerate() {
        let (found, expected) = ask_both(&*subject, &mut model, &names, operation).await;
        assert_eq!(
            found,
            expected,
            "G5: the last answer of {:#?}",
            &operations[..=at]
        );
    }
    harness.settle().await;
    let found = of_streams(&log(&*subject, start, GLOBAL_LIMIT).await, &names);
    let found: Vec<Changeset> = found.into_iter().map(bare).collect();
    if harness.capabilities().orders_at_commit {
        assert_eq!(found, model.log(), "G6: the order of the commits");
    }
    for name in names {
        let of_stream = of_streams(&found, std::slice::from_ref(&name));
        assert_eq!(of_stream, model.stream(&name), "G7: the stream's order");
    }
}

/// Both answers, written out: what the store said and what the model says.
async fn ask_both(
    subject: &dyn Subject,
    model: &mut Model,
    names: &[String],
    operation: &Operation,
) -> (String, String) {
    match operation {
        Operation::Commit(commit) => {
            let ask = commit.ask(model, names);
            let found = subject.commit(&ask).await;
            let found = found
                .as_ref()
                .map(ids)
                .map_err(|failure| Refusal::from(failure.clone()));
            let expected = model.commit(&ask);
            let expected = expected.map(|c| (c.changeset_id, c.first_event_id, c.last_event_id));
            (format!("{found:?}"), format!("{expected:?}"))
        }
        Operation::Head(stream) => {
            let found = subject.head(&names[*stream]).await.ok();
            let found = found.map(|end| (end.last_changeset, end.last_event));
            let end = model.end(&names[*stream]);
            let expected = end.map(|end| (end.changeset, end.event));
            (format!("{found:?}"), format!("{expected:?}"))
        }
        Operation::Changesets(stream, read) => {
            let found = subject.changesets(&names[*stream], read).await;
            let found = found.map(bare_page).map_err(Refusal::from);
            let expected = model.changesets(&names[*stream], read);
            (format!("{found:?}"), format!("{expected:?}"))
        }
        Operation::Events(stream, read) => {
            let found = subject.events(&names[*stream], read).await;
            let found = found.map_err(Refusal::from);
            let expected = model.events(&names[*stream], read);
            (format!("{found:?}"), format!("{expected:?}"))
        }
    }
}

fn ids(committed: &Committed) -> (u64, u64, u64) {
    (
        committed.changeset_id,
        committed.first_event_id,
        committed.last_event_id,
    )
}

impl Commit {
    fn ask(&self, model: &Model, names: &[String]) -> Ask {
        let name = &names[self.stream];
        let end = model.end(name).unwrap_or_default();
        let last = |end: u64| end.saturating_add_signed(self.off);
        let expect = if self.by_event {
            Expect::Event(last(end.event))
        } else {
            Expect::Changeset(last(end.changeset))
        };
        let events: Vec<String> = (0..self.events).map(|n| n.to_string()).collect();
        Ask {
            stream: name.clone(),
            expect,
            events: format!("[{}]", events.join(",")),
            metadata: self.metadata.map(str::to_owned),
            key: self.key.map(str::to_owned),
        }
    }
}

fn operation() -> impl Strategy<Value = Operation> {
    let stream = 0..STREAMS;
    prop_oneof![
        5 => commit().prop_map(Operation::Commit),
        1 => stream.clone().prop_map(Operation::Head),
        2 => (stream.clone(), read()).prop_map(|(s, read)| Operation::Changesets(s, read)),
        2 => (stream, read()).prop_map(|(s, read)| Operation::Events(s, read)),
    ]
}

/// Few contents and few keys, so that repeats and reused keys come about.
fn commit() -> impl Strategy<Value = Commit> {
    let off = prop_oneof![3 => Just(0), 3 => -4..0_i64, 1 => 1..3_i64];
    let metadata = prop::option::of(prop::sample::select(vec!["{}", "null"]));
    let key = prop::option::of(prop::sample::select(vec!["k", "l"]));
    let what = (0..STREAMS, any::<bool>(), off, 1..4_u64, metadata, key);
    what.prop_map(|(stream, by_event, off, events, metadata, key)| Commit {
        stream,
        by_event,
        off,
        events,
        metadata,
        key,
    })
}

fn read() -> impl Strategy<Value = Read> {
    let bound = || prop::option::of(0..25_u64);
    let limit = prop::option::of(1..6_u64);
    (bound(), bound(), limit, any::<bool>()).prop_map(|(from, to, limit, backward)| {
        // A range that ends before it begins is refused over HTTP; the wire's cases see to that.
        let (from, to) = match (from, to) {
            (Some(from), Some(to)) => (Some(from.min(to)), Some(from.max(to))),
            other => other,
        };
        Read {
            from,
            to,
            limit,
            backward,
        }
    })
}
