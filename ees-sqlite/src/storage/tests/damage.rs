//! Damage of rows and of the index (G19).

use super::*;

/// What damages a file of three changesets of stream `s`, and whether it is told by reads of the order, of
/// a filtered order and of the stream, and by the head.
const HARMS: &[(&str, [bool; 4])] = &[
    (
        "DELETE FROM changesets WHERE checkpoint = 1",
        [true, true, true, false],
    ),
    (
        "DELETE FROM changesets WHERE checkpoint = 2",
        [true, true, false, false],
    ),
    (
        "UPDATE changesets SET commit_id = 'é' WHERE checkpoint = 1",
        [true, true, true, false],
    ),
    (
        "UPDATE changesets SET events = '[2]' WHERE checkpoint = 1",
        [true, false, true, false],
    ),
    (
        "UPDATE changesets SET metadata = '1' WHERE checkpoint = 1",
        [true, false, true, false],
    ),
    (
        "UPDATE changesets SET event_types = 'x' WHERE checkpoint = 1",
        [true, true, true, false],
    ),
    (
        "UPDATE changesets SET timestamp = 7 WHERE checkpoint = 2",
        [true, true, true, true],
    ),
    (
        "UPDATE changesets SET changeset_id = 9 WHERE checkpoint = 1",
        [true, true, true, true],
    ),
    (
        "UPDATE changesets SET last_event_id = 9 WHERE checkpoint = 2",
        [true, true, true, true],
    ),
    (
        "UPDATE changesets SET checksum = NULL WHERE checkpoint = 2",
        [true, true, true, true],
    ),
    (
        "UPDATE changesets SET checksum = checksum + 1 WHERE checkpoint = 2",
        [true, false, true, false],
    ),
];

/// G3, G6, G19: rows that are not as they were written are told of, not answered, by every call that
/// would answer something of them.
#[tokio::test]
async fn damaged_rows_are_told() {
    for (harm, expected) in HARMS {
        let fixture = Fixture::open().await;
        let storage = &fixture.storage;
        for last in 0..3 {
            storage.commit(&commit("s", last, 10)).await.unwrap();
        }
        fixture.damage(harm);
        let stream = StreamId::new("s").unwrap();
        let all = StreamQuery::all(stream.clone());
        let (first, limit) = (Checkpoint::FIRST, PageLimit::default());
        let elsewhere = Filter::default().stream_prefix("t");
        let global = match storage.read_global(first, limit).await {
            // A lost end is told by the read that should begin with it.
            Ok(page) => storage.read_global(page.next, limit).await,
            told => told,
        };
        let filtered = match storage.read_filtered(first, limit, &elsewhere).await {
            Ok(page) => storage.read_filtered(page.next, limit, &elsewhere).await,
            told => told,
        };
        let read = match storage.read_stream(&all).await {
            Ok(page) if page.more => {
                let next = all.next_page(&page).unwrap();
                storage.read_stream(&next).await
            }
            told => told,
        };
        let head = storage.head(&stream).await;
        let told = [
            told_damage(&global),
            told_damage(&filtered),
            told_damage(&read),
            told_damage(&head),
        ];
        assert_eq!(told, *expected, "{harm}");
        // Nothing is committed any more, and the reason is told.
        let sound = storage.check_sound();
        assert!(told_damage(&sound), "{sound:?}");
        for refused in [
            storage.commit(&commit("t", 0, 10)).await.map(drop),
            storage.check_writable().await,
        ] {
            assert!(told_damage(&refused), "{refused:?}");
        }
    }
}

fn told_damage<T>(result: &Result<T, StorageError>) -> bool {
    matches!(result, Err(StorageError::Corrupt(_)))
}

/// G19: a row that its index has lost is missed by each read of a range that has it.
#[tokio::test]
async fn what_an_index_has_lost_is_missed() {
    let fixture = Fixture::open().await;
    for last in 0..6 {
        fixture
            .storage
            .commit(&commit("s", last, 10))
            .await
            .unwrap();
    }
    // The third row is not where its index says, and its checksum is right.
    let path = fixture.folder.path().join("ees.db");
    let lost = "PRAGMA writable_schema = ON;
        CREATE TABLE kept AS SELECT sql FROM sqlite_schema WHERE name = 'changesets_by_stream';
        DROP INDEX changesets_by_stream;
        CREATE UNIQUE INDEX changesets_by_stream ON changesets (stream_id, changeset_id)
        WHERE changeset_id <> 3;
        UPDATE sqlite_schema SET sql = (SELECT sql FROM kept) WHERE name = 'changesets_by_stream';
        DROP TABLE kept";
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch(lost).unwrap();
    drop(connection);
    let stream = StreamId::new("s").unwrap();
    for (direction, range, limit, is_told) in [
        (Direction::Forward, 1..=u64::MAX, 9, true),
        (Direction::Forward, 1..=2, 9, false),
        (Direction::Forward, 1..=3, 9, true),
        (Direction::Forward, 1..=3, 2, true),
        (Direction::Forward, 3..=3, 9, true),
        (Direction::Forward, 3..=9, 1, true),
        (Direction::Forward, 4..=u64::MAX, 9, false),
        (Direction::Forward, 7..=9, 9, false),
        (Direction::Backward, 1..=u64::MAX, 9, true),
        (Direction::Backward, 4..=u64::MAX, 9, false),
        (Direction::Backward, 3..=6, 9, true),
        (Direction::Backward, 3..=3, 9, true),
        (Direction::Backward, 2..=3, 9, true),
        (Direction::Backward, 1..=2, 9, false),
        (Direction::Backward, 5..=9, 9, false),
        (Direction::Backward, 7..=9, 9, false),
    ] {
        let query = StreamQuery::all(stream.clone());
        let query = query
            .changesets(range.clone())
            .direction(direction)
            .limit(limit);
        let read = fixture.storage.read_stream(&query).await;
        assert_eq!(
            told_damage(&read),
            is_told,
            "{direction:?} {range:?} {limit}: {read:?}"
        );
    }
}
