//! What stood in a store before it was damaged, and what its reads may answer afterwards.

use ees_core::{Changeset, Checkpoint, GlobalPage, StorageError, StreamId, StreamQuery};

use crate::subject::{Ask, Expect, unique};
use crate::support::commit;
use crate::{Adapter, Damage, DamageHarness};

/// The limits of the pages.
pub(super) const LIMITS: [usize; 3] = [1, 2, 1000];

/// Commits so many changesets of two events of a type, to the end of a stream.
pub(super) async fn append(harness: &dyn DamageHarness, stream: &str, kind: &str, count: u64) {
    let (subject, storage) = (harness.subject(), harness.storage());
    let stream_id: StreamId = stream.parse().expect("a stream id");
    let head = storage.head(&stream_id).await.expect("G19: a sound head");
    let last = head.map_or(0, |head| head.last_changeset.get());
    for last in last..last + count {
        let event = |n| format!(r#"{{"type":"{kind}","n":{n}}}"#);
        let events = format!("[{},{}]", event(2 * last), event(2 * last + 1));
        let ask = Ask::new(stream, Expect::Changeset(last)).events(events);
        commit(&*subject, &ask).await;
    }
}

/// A new stream of so many changesets, as it is read while it is sound.
pub(super) async fn stream_of(
    harness: &dyn DamageHarness,
    name: &str,
    count: u64,
) -> Vec<Changeset> {
    let stream = unique(name);
    append(harness, &stream, "written", count).await;
    harness.settle().await;
    let query = StreamQuery::all(stream.parse().expect("a stream id"));
    let page = harness.storage().read_stream(&query).await;
    let page = page.expect("G19: a sound stream is read");
    assert_eq!(page.items.len() as u64, count, "G19: a sound stream");
    page.items
}

/// The global order of changesets of two streams in turn, whose events have different types.
pub(super) async fn order_of(harness: &dyn DamageHarness, count: u64) -> Vec<Changeset> {
    let storage = harness.storage();
    let start = storage.next_checkpoint().await.expect("G19: a sound end");
    let streams = [unique("first"), unique("second")];
    for number in 0..count {
        let (stream, kind) = match number % 2 {
            0 => (&streams[0], "opened"),
            _ => (&streams[1], "closed"),
        };
        append(harness, stream, kind, 1).await;
    }
    harness.settle().await;
    let page = storage.read_global(start, 1000.into()).await;
    let page = page.expect("G19: a sound order is read");
    assert_eq!(page.changesets.len() as u64, count, "G19: a sound order");
    page.changesets
}

pub(super) fn position(changeset: &Changeset) -> Checkpoint {
    changeset.checkpoint.expect("a position")
}

/// The position behind the last changeset.
pub(super) fn end(order: &[Changeset]) -> Checkpoint {
    position(order.last().expect("a changeset")).plus(1)
}

/// What was damaged.
#[derive(Debug, Default)]
pub(super) struct Damaged(Vec<(StreamId, u64, Damage)>);

/// What a read of a range has to answer.
#[derive(Debug)]
pub(super) struct Expected<'a> {
    /// What stands in the range, up to the limit or to the first damaged changeset.
    pub(super) sound: Vec<&'a Changeset>,
    /// Whether more of the range stands behind it.
    pub(super) more: bool,
    /// The damage of the changeset behind it.
    pub(super) damage: Option<Damage>,
}

impl Damaged {
    /// Damages a changeset.
    pub(super) async fn add(
        &mut self,
        harness: &dyn DamageHarness,
        changeset: &Changeset,
        damage: Damage,
    ) {
        let (stream, id) = (&changeset.stream_id, changeset.changeset_id.get());
        harness.damage(stream.as_str(), id, damage).await;
        self.0.push((stream.clone(), id, damage));
    }

    /// The damage of a changeset.
    pub(super) fn of(&self, changeset: &Changeset) -> Option<Damage> {
        let mut all = self.0.iter();
        let found = all.find(|(stream, id, _)| {
            *stream == changeset.stream_id && *id == changeset.changeset_id.get()
        });
        found.map(|(_, _, damage)| *damage)
    }

    /// What a read has to answer of these changesets, in its order.
    pub(super) fn expected<'a>(&self, range: &[&'a Changeset], limit: usize) -> Expected<'a> {
        let standing = range.iter().take_while(|one| self.of(one).is_none());
        let sound: Vec<_> = standing.take(limit).copied().collect();
        let behind = range.get(sound.len());
        Expected {
            more: behind.is_some(),
            damage: behind.and_then(|one| self.of(one)),
            sound,
        }
    }
}

/// Asserts that damage is told.
#[track_caller]
pub(super) fn told<T>(answer: Result<T, StorageError>, what: &str) -> StorageError {
    match answer {
        Err(error @ StorageError::Corrupt(_)) => error,
        Err(error) => panic!("G19: {what} tells damage, but it fails otherwise: {error}"),
        Ok(_) => panic!("G19: {what} tells damage, but it is answered"),
    }
}

/// Asserts that changesets are these, in every byte.
#[track_caller]
pub(super) fn same(found: &[Changeset], expected: &[&Changeset], what: &str) {
    let ids = |one: &Changeset| (one.stream_id.to_string(), one.changeset_id.get());
    let found_ids: Vec<_> = found.iter().map(ids).collect();
    let expected_ids: Vec<_> = expected.iter().map(|one| ids(one)).collect();
    assert_eq!(
        found_ids, expected_ids,
        "G19: {what} gives what is sound, up to the first damaged changeset"
    );
    for (found, expected) in found.iter().zip(expected) {
        let texts =
            |one: &Changeset| [one.events.as_str(), one.metadata.as_str()].map(String::from);
        assert_eq!(found, *expected, "G19: {what} gives what was written");
        assert_eq!(texts(found), texts(expected), "G19: {what}, byte for byte");
    }
}

/// Asserts what a page of the global order is that begins at a position. A page that reaches a lost
/// changeset may fail as a whole; one that is full before it may not.
pub(super) async fn hold_order(
    storage: &dyn Adapter,
    order: &[Changeset],
    damaged: &Damaged,
    from: Checkpoint,
) {
    for limit in LIMITS {
        let range: Vec<_> = order.iter().filter(|one| position(one) >= from).collect();
        let Expected { sound, damage, .. } = damaged.expected(&range, limit);
        let what = format!("the read of {limit} changesets from checkpoint {from} on");
        let read = storage.read_global(from, limit.into()).await;
        match (damage, read) {
            (Some(damage), read) if sound.is_empty() => {
                let error = told(read, &what);
                // A verification tells which it is.
                assert_eq!(
                    GlobalPage::is_hole(&error),
                    damage == Damage::Lost,
                    "G19: {what} tells whether something is missing: {error}"
                );
            }
            (Some(Damage::Lost), Err(error)) if sound.len() < limit => {
                told(Err::<(), _>(error), &what);
            }
            (_, read) => {
                let page = read.unwrap_or_else(|error| panic!("G19: {what} is answered: {error}"));
                same(&page.changesets, &sound, &what);
                let next = from.plus(sound.len() as u64);
                assert_eq!(page.next, next, "G19: {what} leads to what it did not give");
            }
        }
    }
}
