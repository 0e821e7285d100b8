//! What becomes of small writes that share a transaction.

use std::pin::pin;

use futures_util::FutureExt;
use futures_util::future::join3;

use super::*;

fn rows() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    let table = "CREATE TABLE rows (number INTEGER PRIMARY KEY)";
    connection.execute_batch(table).unwrap();
    connection
}

fn count(connection: &Connection) -> u64 {
    let count = "SELECT count(*) FROM rows";
    connection.query_row(count, [], |row| row.get(0)).unwrap()
}

fn insert(number: u64) -> impl FnOnce(&Connection) -> rusqlite::Result<usize> + Send {
    move |connection| connection.execute("INSERT INTO rows VALUES (?1)", [number])
}

/// G4: the answer comes after the commit.
#[test]
fn nothing_is_answered_before_the_transaction_has_ended() {
    let connection = rows();
    let (small_writes, waiting) = Jobs::queue(8, &Halt::default());
    let mut written = pin!(small_writes.write(insert(1)));
    assert!(written.as_mut().now_or_never().is_none());
    execute(&connection, "BEGIN").unwrap();
    let answers = along(&connection, &waiting);
    assert!(written.as_mut().now_or_never().is_none());
    commit(&connection, &Halt::default()).unwrap();
    for answer in answers {
        answer(Ok(()));
    }
    assert_eq!(written.now_or_never().unwrap().unwrap(), 1);
}

#[test]
fn a_write_that_fails_is_undone_alone() {
    let connection = rows();
    let (small_writes, waiting) = Jobs::queue(8, &Halt::default());
    let half = |connection: &Connection| {
        connection.execute("INSERT INTO rows VALUES (7)", [])?;
        connection.execute("INSERT INTO rows VALUES (1)", [])
    };
    let mut all = pin!(join3(
        small_writes.write(insert(1)),
        small_writes.write(half),
        small_writes.write(insert(2))
    ));
    assert!(all.as_mut().now_or_never().is_none());
    by_themselves(Ok(&connection), &Halt::default(), None, &waiting);
    let (first, second, third) = all.now_or_never().unwrap();
    assert_eq!((first.unwrap(), third.unwrap()), (1, 1));
    second.unwrap_err();
    assert_eq!(count(&connection), 2, "no half of the second one");
}

/// After some errors SQLite rolls the whole transaction back. Nothing is then written outside of it.
#[test]
fn what_was_rolled_back_with_another_write_is_told() {
    let connection = rows();
    let (small_writes, waiting) = Jobs::queue(8, &Halt::default());
    let rolled_back = |connection: &Connection| {
        connection.execute_batch("ROLLBACK")?;
        connection.execute("no statement", [])
    };
    let mut all = pin!(join3(
        small_writes.write(insert(1)),
        small_writes.write(rolled_back),
        small_writes.write(insert(2))
    ));
    assert!(all.as_mut().now_or_never().is_none());
    by_themselves(Ok(&connection), &Halt::default(), None, &waiting);
    let (first, second, third) = all.now_or_never().unwrap();
    for failed in [first, third] {
        let error = failed.unwrap_err();
        let is_retryable = matches!(
            error,
            StorageError::Unavailable {
                written: Written::None,
                ..
            }
        );
        assert!(is_retryable, "{error}");
    }
    second.unwrap_err();
    assert_eq!(count(&connection), 0);
}

/// Who has gone before his write begins wants it no more.
#[test]
fn a_write_whose_caller_has_gone_is_not_done() {
    let connection = rows();
    let (small_writes, waiting) = Jobs::queue(8, &Halt::default());
    {
        let mut written = pin!(small_writes.write(insert(1)));
        assert!(written.as_mut().now_or_never().is_none());
    }
    by_themselves(Ok(&connection), &Halt::default(), None, &waiting);
    assert_eq!(count(&connection), 0);
}
