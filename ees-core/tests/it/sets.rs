//! The sizes of sets of commits, and what their conflicts tell.

use std::sync::Arc;

use ees_core::{
    Error, EventStore, Events, Expectation, NewChangeset, NewSet, SetError, StreamId, Written,
};
use ees_memory::MemoryStorage;

/// The largest changeset, in bytes of events and metadata.
const LARGEST: usize = 100;

fn store() -> EventStore {
    EventStore::new(Arc::new(MemoryStorage::with_max_changeset_bytes(LARGEST)))
}

fn stream(number: usize) -> StreamId {
    format!("s{number}").parse().unwrap()
}

/// A commit of so many bytes to a new stream, `{}` of metadata included.
fn commit(number: usize, bytes: usize) -> NewChangeset {
    let events = format!(r#"["{}"]"#, "x".repeat(bytes - 6));
    let events = Events::parse(&events).unwrap();
    NewChangeset::new(stream(number), Expectation::NEW_STREAM, events)
}

fn set(sizes: &[usize]) -> NewSet {
    let sizes = sizes.iter().enumerate();
    sizes.fold(NewSet::default(), |set, (number, bytes)| {
        set.commit(commit(number, *bytes))
    })
}

async fn assert_empty(store: &EventStore) {
    assert_eq!(store.next_checkpoint().await.unwrap().get(), 0);
}

#[tokio::test]
async fn a_commit_of_a_set_is_as_large_as_a_changeset_at_most() {
    let store = store();
    let error = store.commit_all(set(&[10, LARGEST + 1])).await.unwrap_err();
    assert_eq!(error.written(), Written::None);
    let Error::InSet { stream_id, error } = error else {
        panic!("{error}");
    };
    assert_eq!(stream_id, stream(1), "it names the commit");
    let Error::ChangesetTooLarge { size, limit } = *error else {
        panic!("{error}");
    };
    assert_eq!((size, limit), (LARGEST + 1, LARGEST));
    assert_empty(&store).await;
}

#[tokio::test]
async fn a_set_is_four_times_as_large_at_most() {
    let store = store();
    let error = store.commit_all(set(&[LARGEST; 5])).await.unwrap_err();
    let Error::Set(SetError::TooLarge { size, limit }) = error else {
        panic!("{error}");
    };
    assert_eq!((size, limit), (5 * LARGEST, 4 * LARGEST));
    let one_more = [LARGEST, LARGEST, LARGEST, LARGEST - 10, 11];
    assert!(store.commit_all(set(&one_more)).await.is_err());
    assert_empty(&store).await;
    let as_large = [LARGEST, LARGEST, LARGEST, LARGEST - 10, 10];
    let receipts = store.commit_all(set(&as_large)).await.unwrap();
    assert_eq!(receipts.len(), 5);
}

#[tokio::test]
async fn a_conflict_names_every_stream_in_its_message() {
    let store = store();
    store.commit_all(set(&[10, 10])).await.unwrap();
    let again = set(&[11, 11]).check(stream(7), Expectation::LastEvent(4));
    let error = store.commit_all(again).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the set was not committed: stream `s0`: a new stream (0, or no expectation) was expected, \
         but its last changeset is 1 and its last event 1; stream `s1`: a new stream (0, or no \
         expectation) was expected, but its last changeset is 1 and its last event 1; stream `s7`: \
         last event 4 was expected, but it does not exist"
    );
    let Error::SetConflict(conflict) = error else {
        panic!("{error}");
    };
    let ahead: Vec<bool> = conflict
        .unmet
        .iter()
        .map(ees_core::Unmet::is_ahead)
        .collect();
    assert_eq!(ahead, [false, false, true]);
    assert!(conflict.is_ahead());
}

#[tokio::test]
async fn each_commit_says_how_much_its_conflict_lists() {
    let store = store();
    store.commit_all(set(&[10, 10])).await.unwrap();
    let mut again = set(&[11, 11]);
    again.commits[0].max_forthcoming = 0;
    let error = store.commit_all(again).await.unwrap_err();
    let Error::SetConflict(conflict) = error else {
        panic!("{error}");
    };
    let [first, second] = &conflict.unmet[..] else {
        panic!("{conflict:?}");
    };
    assert_eq!((first.forthcoming.items.len(), first.next()), (0, Some(1)));
    assert_eq!((second.forthcoming.items.len(), second.next()), (1, None));
}

/// The room of a conflict is that of all its streams. Only its first changeset may exceed it.
#[tokio::test]
async fn a_conflict_has_one_changeset_beyond_its_room_at_most() {
    const LARGE: usize = 200 * 1024;
    for (sizes, listed) in [
        ([LARGE, LARGE, 10], [1, 0, 0]),
        ([2 * LARGE, 10, 10], [1, 0, 0]),
        ([10, LARGE, 10], [1, 1, 1]),
        ([10, 2 * LARGE, 10], [1, 0, 0]),
    ] {
        let store = EventStore::new(Arc::new(MemoryStorage::new()));
        store.commit_all(set(&sizes)).await.unwrap();
        let error = store.commit_all(set(&[10, 11, 12])).await.unwrap_err();
        let Error::SetConflict(conflict) = error else {
            panic!("{error}");
        };
        let found = conflict.unmet.iter();
        let found: Vec<usize> = found.map(|unmet| unmet.forthcoming.items.len()).collect();
        assert_eq!(found, listed, "{sizes:?}");
        for unmet in &conflict.unmet {
            let is_listed = !unmet.forthcoming.items.is_empty();
            assert_eq!(unmet.next().is_none(), is_listed, "the rest begins at 1");
        }
    }
}
