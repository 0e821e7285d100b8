//! G2, G3, G5, G10: random commits and reads, on the store and on the model.

use std::time::Instant;

use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::Harness;
use crate::model::{Model, Refusal, bare, bare_page};
use crate::schedule::{Operation, STREAMS, operation};
use crate::subject::{Changeset, Committed, Subject, unique};
use crate::support::{GLOBAL_LIMIT, end_of_log, log, of_streams};

/// How often a schedule that fails is made smaller.
const CUTS: usize = 200;

/// How much of a case's time goes into that, at most.
const SHARE: u32 = 4;

/// Any mixture of commits and reads is answered as the model answers it.
pub async fn the_store_answers_as_the_model(harness: &mut dyn Harness) {
    let schedules: Vec<_> = {
        let mut random = TestRunner::default();
        let one = vec(operation(), 60);
        let schedules = (0..12).map(|_| one.new_tree(&mut random).expect("random"));
        schedules.collect()
    };
    for schedule in schedules {
        if let Err(first) = play(harness, &schedule.current()).await {
            let (operations, difference) = smallest(harness, schedule, first).await;
            let last = operations.get(..=difference.at).unwrap_or(&operations);
            let lines: Vec<_> = last.iter().map(|done| format!("    {done}")).collect();
            let Difference {
                guarantee,
                found,
                expected,
                ..
            } = difference;
            panic!(
                "{guarantee}: the last answer of this schedule is that of the model\n{}\n  found:    {found}\n  expected: {expected}",
                lines.join("\n")
            );
        }
    }
}

/// The smallest schedule that still fails, as far as there is time to find it.
async fn smallest(
    harness: &dyn Harness,
    mut schedule: impl ValueTree<Value = Vec<Operation>>,
    first: Difference,
) -> (Vec<Operation>, Difference) {
    let begun = Instant::now();
    let mut found = (schedule.current(), first);
    // What comes after the first difference cannot be its cause.
    found.0.truncate(found.1.at + 1);
    for _ in 0..CUTS {
        if begun.elapsed() > harness.time_limit() / SHARE || !schedule.simplify() {
            break;
        }
        loop {
            let operations = schedule.current();
            match play(harness, &operations).await {
                Err(difference) => {
                    found = (operations, difference);
                    break;
                }
                Ok(()) if schedule.complicate() => {}
                Ok(()) => return found,
            }
        }
    }
    found
}

/// Where the store's answers first differ from the model's.
struct Difference {
    /// The operation.
    at: usize,
    guarantee: &'static str,
    found: String,
    expected: String,
}

async fn play(harness: &dyn Harness, operations: &[Operation]) -> Result<(), Difference> {
    let subject = harness.subject();
    let start = end_of_log(&*subject).await;
    let names: Vec<String> = (0..STREAMS).map(|_| unique("random-walk")).collect();
    let mut model = Model::default();
    for (at, operation) in operations.iter().enumerate() {
        let (found, expected) = ask_both(&*subject, &mut model, &names, operation).await;
        let guarantee = match operation {
            Operation::Commit(commit) if commit.key.is_some() => "G10",
            Operation::Commit(_) => "G2",
            _ => "G5",
        };
        differ(at, guarantee, found, expected)?;
    }
    harness.settle().await;
    let at = operations.len().saturating_sub(1);
    let found = of_streams(&log(&*subject, start, GLOBAL_LIMIT).await, &names);
    let found: Vec<Changeset> = found.into_iter().map(bare).collect();
    let differ = |guarantee, found: &[Changeset], expected: &[Changeset]| {
        differ(at, guarantee, in_short(found), in_short(expected))
    };
    if harness.capabilities().orders_at_commit {
        differ("G6", &found, &model.log())?;
    }
    for name in names {
        let of_stream = of_streams(&found, std::slice::from_ref(&name));
        differ("G7", &of_stream, &model.stream(&name))?;
    }
    Ok(())
}

fn differ(
    at: usize,
    guarantee: &'static str,
    found: String,
    expected: String,
) -> Result<(), Difference> {
    if found == expected {
        return Ok(());
    }
    Err(Difference {
        at,
        guarantee,
        found,
        expected,
    })
}

/// The global order, for people.
fn in_short(changesets: &[Changeset]) -> String {
    let one = |c: &Changeset| {
        format!(
            "{}/{} {} {}",
            c.stream, c.changeset_id, c.events, c.metadata
        )
    };
    let all: Vec<_> = changesets.iter().map(one).collect();
    format!("in the global order: {}", all.join(", "))
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
