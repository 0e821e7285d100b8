//! A store from which changesets come, and their import.

use std::collections::HashMap;
use std::ops::Range;

use ees_core::adapter::ImportOutcome;
use ees_core::{
    Changeset, ChangesetId, Checkpoint, CommitId, EventId, Events, GlobalPage, Json, Timestamp,
};

use crate::EvidenceHarness;

/// A part of the global order of another store. It is made here, so that it can hold what no commit
/// of this version would make.
#[derive(Debug, Default)]
pub(super) struct Source {
    pub(super) changesets: Vec<Changeset>,
    /// The ends of the streams: their last changesets and events.
    heads: HashMap<String, (u64, u64)>,
    /// The position after the last one.
    end: u64,
}

pub(super) fn at(position: u64) -> Checkpoint {
    Checkpoint::new(position).expect("a checkpoint")
}

impl Source {
    /// Adds a changeset to a stream.
    pub(super) fn add(&mut self, stream: &str, events: &str) -> &mut Changeset {
        let events = Events::parse(events).expect("events");
        let (changeset, event) = self.heads.entry(stream.to_owned()).or_default();
        let first = *event + 1;
        *changeset += 1;
        *event += events.count();
        let id = |id| EventId::new(id).expect("an event id");
        self.changesets.push(Changeset {
            stream_id: stream.parse().expect("a stream id"),
            changeset_id: ChangesetId::new(*changeset).expect("a changeset id"),
            first_event_id: id(first),
            last_event_id: id(*event),
            timestamp: micros(1_600_000_000_000_000 + self.end.cast_signed()),
            commit_id: CommitId::generate(),
            set: None,
            events,
            metadata: Json::default(),
            checkpoint: Some(at(self.end)),
        });
        self.end += 1;
        self.changesets.last_mut().expect("the changeset")
    }

    /// Adds changesets of one event to a stream.
    pub(super) fn fill(&mut self, stream: &str, count: u64) {
        for number in 0..count {
            self.add(stream, &format!(r#"[{{"type":"filled","n":{number}}}]"#));
        }
    }

    /// Leaves positions void.
    pub(super) fn skip(&mut self, positions: u64) {
        self.end += positions;
    }

    /// Takes over what a store has already.
    pub(super) fn take(&mut self, page: &GlobalPage) {
        for changeset in &page.changesets {
            let ids = (changeset.changeset_id.get(), changeset.last_event_id.get());
            self.heads.insert(changeset.stream_id.to_string(), ids);
            self.changesets.push(changeset.clone());
        }
        self.end = page.next.get();
    }

    pub(super) fn end(&self) -> Checkpoint {
        at(self.end)
    }

    /// Those with positions in a range.
    pub(super) fn within(&self, positions: Range<Checkpoint>) -> Vec<Changeset> {
        let all = self.changesets.iter();
        let found = all.filter(|one| one.checkpoint.is_some_and(|at| positions.contains(&at)));
        found.cloned().collect()
    }

    /// Those of a stream.
    pub(super) fn stream(&self, stream: &str) -> Vec<Changeset> {
        let all = self.changesets.iter();
        let found = all.filter(|one| one.stream_id.as_str() == stream);
        found.cloned().collect()
    }

    /// The pages from a position on, of so many changesets.
    pub(super) fn pages(&self, from: Checkpoint, items: usize) -> Vec<GlobalPage> {
        let rest = self.within(from..self.end());
        rest.chunks(items).map(page).collect()
    }
}

pub(super) fn micros(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).expect("a time")
}

/// A page of these changesets, which ends behind the last one.
pub(super) fn page(changesets: &[Changeset]) -> GlobalPage {
    let last = changesets.last().and_then(|last| last.checkpoint);
    GlobalPage {
        changesets: changesets.to_vec(),
        next: last.expect("G14: a page has a changeset").plus(1),
    }
}

/// Imports a page, which must be taken.
pub(super) async fn take(harness: &dyn EvidenceHarness, from: Checkpoint, page: &GlobalPage) {
    let taken = harness.import().import(from, page).await;
    let taken = taken.expect("G14: to import a page");
    assert_eq!(taken, ImportOutcome::Imported, "G14: the page is taken");
}

/// Imports what the store lacks of a source, in pages of so many changesets.
pub(super) async fn import(harness: &dyn EvidenceHarness, source: &Source, items: usize) {
    let import = harness.import();
    let mut from = import.begin_import().await.expect("G14: to begin");
    for page in source.pages(from, items) {
        take(harness, from, &page).await;
        from = page.next;
    }
    assert_eq!(from, source.end(), "G14: all was imported");
    import.finish_import().await.expect("G14: to finish");
    harness.settle().await;
    let end = harness.storage().next_checkpoint().await;
    assert_eq!(end.ok(), Some(source.end()), "G14: where the order ends");
}

/// All changesets of the store, read in pages of so many.
pub(super) async fn stored(harness: &dyn EvidenceHarness, items: usize) -> Vec<Changeset> {
    stored_from(harness, Checkpoint::FIRST, items).await
}

pub(super) async fn stored_from(
    harness: &dyn EvidenceHarness,
    mut from: Checkpoint,
    items: usize,
) -> Vec<Changeset> {
    harness.settle().await;
    let storage = harness.storage();
    let mut all = Vec::new();
    loop {
        let page = storage.read_global(from, items.into()).await;
        let page = page.expect("G14: to read the order");
        if page.changesets.is_empty() {
            return all;
        }
        assert!(page.next > from, "G6: a page leads on");
        from = page.next;
        all.extend(page.changesets);
    }
}

/// Asserts that the store has exactly the changesets of a source, with every field.
pub(super) async fn assert_all(harness: &dyn EvidenceHarness, source: &Source) {
    let found = stored(harness, 1000).await;
    assert_same(&found, &source.changesets);
}

pub(super) fn assert_same(found: &[Changeset], expected: &[Changeset]) {
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected, "G14: it comes back as it was");
        let texts = |one: &Changeset| {
            (
                one.events.as_str().to_owned(),
                one.metadata.as_str().to_owned(),
            )
        };
        assert_eq!(texts(found), texts(expected), "G14: byte for byte");
    }
    assert_eq!(found.len(), expected.len(), "G14: all, and nothing else");
}
