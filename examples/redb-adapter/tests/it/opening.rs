//! What may be opened, and what is left as it is.

use redb::{Database, ReadableDatabase, TableDefinition};
use redb_adapter::{OpenError, RedbStorage};
use tempfile::TempDir;

const LIMIT: usize = 1024;

#[tokio::test]
async fn a_file_has_one_writer() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("ees.redb");
    let _first = RedbStorage::open(&path, LIMIT).await.expect("a store");
    let second = RedbStorage::open(&path, LIMIT).await.err();
    assert!(matches!(second, Some(OpenError::Redb { .. })), "{second:?}");
}

#[tokio::test]
async fn what_is_not_ours_is_left_as_it_is() {
    const THEIRS: TableDefinition<u64, u64> = TableDefinition::new("theirs");
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("theirs.redb");
    let theirs = Database::create(&path).expect("a database");
    let transaction = theirs.begin_write().expect("a transaction");
    transaction.open_table(THEIRS).expect("a table");
    transaction.commit().expect("a commit");
    drop(theirs);
    let refused = RedbStorage::open(&path, LIMIT).await.err();
    assert!(
        matches!(refused, Some(OpenError::NotOurs { .. })),
        "{refused:?}"
    );
    let theirs = Database::open(&path).expect("a database");
    let transaction = theirs.begin_read().expect("a transaction");
    let tables = transaction.list_tables().expect("tables");
    assert_eq!(tables.count(), 1);
}
