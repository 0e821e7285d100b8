//! What is remembered is never more than the file says.

use ees_core::{ChangesetId, CommitId, EventId, Events, Json, Timestamp};
use tempfile::TempDir;

use super::*;
use crate::lock::WriterLock;
use crate::opening::open_writer;

fn stream(name: &str) -> StreamId {
    StreamId::new(name).unwrap()
}

fn changeset(name: &str, id: u64, position: u64) -> Changeset {
    Changeset {
        stream_id: stream(name),
        changeset_id: ChangesetId::new(id).unwrap(),
        first_event_id: EventId::new(id).unwrap(),
        last_event_id: EventId::new(id).unwrap(),
        timestamp: Timestamp::from_micros(7).unwrap(),
        commit_id: CommitId::generate(),
        set: None,
        events: Events::of(&[1]).unwrap(),
        metadata: Json::default(),
        checkpoint: Some(Checkpoint::new(position).unwrap()),
    }
}

fn insert(connection: &Connection, position: u64, changeset: u64) {
    crate::writer::insert(connection, &[self::changeset("s", changeset, position)]).unwrap();
}

/// The next checkpoint, and the last changeset of a stream; 0 if it has none.
fn ask(known: &mut Known, connection: &Connection, name: &str) -> (u64, u64) {
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    let snapshot = known.snapshot(connection, &[stream(name)], &[]).unwrap();
    connection.execute_batch("ROLLBACK").unwrap();
    let head = snapshot.heads.get(&stream(name));
    let last = head.map_or(0, |head| head.last_changeset.get());
    (snapshot.next_checkpoint.get(), last)
}

/// G2, G6: the lock keeps other programs of the project out, but nothing else. What another
/// connection commits is seen in the next transaction.
#[test]
fn what_another_connection_commits_is_noticed() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ees.db");
    let connection = open_writer(&path, &WriterLock::acquire(&path).unwrap())
        .unwrap()
        .connection;
    let other = Connection::open(&path).unwrap();
    let mut known = Known::default();
    assert_eq!(ask(&mut known, &connection, "s"), (0, 0));
    insert(&other, 0, 1);
    assert_eq!(ask(&mut known, &connection, "s"), (1, 1));
    insert(&other, 1, 2);
    assert_eq!(ask(&mut known, &connection, "s"), (2, 2));
}

/// What the own connection commits does not void what is known.
#[test]
fn what_is_known_is_not_read_again() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ees.db");
    let connection = open_writer(&path, &WriterLock::acquire(&path).unwrap())
        .unwrap()
        .connection;
    let mut known = Known::default();
    insert(&connection, 0, 1);
    assert_eq!(ask(&mut known, &connection, "s"), (1, 1));
    // The file grows behind the back of what is known. An answer from the file would differ.
    insert(&connection, 1, 2);
    assert_eq!(ask(&mut known, &connection, "s"), (1, 1));
    known.advance(&[changeset("s", 2, 1), changeset("t", 1, 2)]);
    assert_eq!(ask(&mut known, &connection, "s"), (3, 2));
    assert_eq!(ask(&mut known, &connection, "t"), (3, 1));
}

#[test]
fn the_memory_has_a_bound() {
    let mut known = Known::with_limit(10 * (ENTRY_BYTES + 9 + 2 * (KEY_BYTES + 3)));
    let names: Vec<String> = (0..100).map(|n| format!("stream-{n}")).collect();
    for (name, position) in names.iter().zip(0..) {
        for id in 1..3 {
            let commit_id = CommitId::new("key").unwrap();
            let plain = changeset(name, id, position + id);
            known.advance(&[Changeset { commit_id, ..plain }]);
        }
        let weights = known.streams.iter();
        let weights = weights.map(|(stream_id, stream)| weight(stream_id, stream));
        assert_eq!(known.bytes, weights.sum::<usize>());
        assert!(known.bytes <= known.max_bytes);
    }
    assert!(known.streams.contains(&stream("stream-99")), "the last one");
    assert!(!known.streams.contains(&stream("stream-0")), "the oldest");
}
