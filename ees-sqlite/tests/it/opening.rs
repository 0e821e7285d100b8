//! Which files are opened, and what is said about the others.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ees_core::EventStore;
use ees_core::adapter::Storage;
use ees_sqlite::{OpenError, SqliteConfig, SqliteStorage};
use rusqlite::Connection;
use tempfile::TempDir;

pub(crate) async fn open(path: &Path) -> Result<SqliteStorage, OpenError> {
    SqliteStorage::open(&SqliteConfig::new(path)).await
}

pub(crate) fn folder() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ees.db");
    (folder, path)
}

/// Runs a statement on a file as another program would.
pub(crate) fn execute(path: &Path, statement: &str) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(statement).unwrap();
    connection.close().unwrap();
}

/// The file of an embedded store, whose id nobody asked for, has none to read.
#[tokio::test]
async fn a_reader_gives_no_id() {
    let (_folder, path) = folder();
    open(&path).await.unwrap().close().await;
    let config = SqliteConfig::new(&path);
    let reader = SqliteStorage::open_to_read(&config).await.unwrap();
    let error = EventStore::new(Arc::new(reader)).identity().await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("`EventStore::identity`"), "{error}");
    let writer = EventStore::new(Arc::new(open(&path).await.unwrap()));
    let id = writer.identity().await.unwrap().id;
    writer.close().await;
    let reader = SqliteStorage::open_to_read(&config).await.unwrap();
    let reader = EventStore::new(Arc::new(reader));
    assert_eq!(reader.identity().await.unwrap().id, id);
}

#[tokio::test]
async fn a_second_writer_is_refused_until_the_first_has_closed() {
    let (_folder, path) = folder();
    let first = open(&path).await.unwrap();
    let error = open(&path).await.unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    let id = format!("process id {}", std::process::id());
    assert!(error.to_string().contains(&id), "{error}");
    first.close().await;
    open(&path).await.unwrap();
}

/// G4, G6: the lock is the file's, not its name's.
#[cfg(unix)]
#[tokio::test]
async fn a_second_writer_is_refused_by_every_name_of_the_file() {
    use std::os::unix::fs::symlink;

    let (folder, path) = folder();
    let [link, hard, again] = ["link.db", "hard.db", "again"].map(|name| folder.path().join(name));
    symlink(&path, &link).unwrap();
    symlink(folder.path(), &again).unwrap();
    let error = open(&link).await.unwrap_err();
    assert!(
        error.to_string().contains("to a file that does not exist"),
        "{error}"
    );
    assert!(!path.exists(), "nothing is made");

    let first = open(&path).await.unwrap();
    for name in [&link, &again.join("ees.db")] {
        let error = open(name).await.unwrap_err();
        assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    }
    // SQLite would take such a name for a URI, and so for the file's.
    let uri = format!("file:{}", path.display());
    let error = open(Path::new(&uri)).await.unwrap_err();
    assert!(matches!(error, OpenError::NotWritable { .. }), "{error}");

    // Each name of a file has a write-ahead log of its own.
    fs::hard_link(&path, &hard).unwrap();
    let error = open(&hard).await.unwrap_err();
    assert!(
        matches!(error, OpenError::ManyNames { links: 2, .. }),
        "{error}"
    );
    fs::remove_file(&hard).unwrap();
    first.close().await;
    open(&link).await.unwrap();
}

/// G4: a process that was killed while it made the file leaves a rollback journal, as write-ahead
/// comes later.
#[tokio::test]
async fn a_file_that_was_only_begun_is_begun_anew() {
    let (folder, path) = folder();
    let half = folder.path().join("half.db");
    let connection = Connection::open(&half).unwrap();
    // More than fits in the cache, so that a part of it is in the file.
    let begin = "PRAGMA cache_size = 5; BEGIN; CREATE TABLE half (made BLOB);
                 INSERT INTO half VALUES (randomblob(100000))";
    connection.execute_batch(begin).unwrap();
    fs::copy(&half, &path).unwrap();
    fs::copy(
        folder.path().join("half.db-journal"),
        folder.path().join("ees.db-journal"),
    )
    .unwrap();
    assert!(fs::metadata(&path).unwrap().len() > 0);

    let storage = open(&path).await.unwrap();
    assert_eq!(storage.next_checkpoint().await.unwrap().get(), 0);
}

#[tokio::test]
async fn a_folder_is_left_as_it_is() {
    let (folder, _) = folder();
    let place = folder.path().join("place");
    fs::create_dir(&place).unwrap();
    let error = open(&place).await.unwrap_err();
    assert!(error.to_string().contains("it is a folder"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no lock");
}

#[tokio::test]
async fn a_file_of_something_else_is_left_as_it_is() {
    for text in ["x".to_owned(), "Dear diary, ".repeat(1000)] {
        let (_folder, path) = folder();
        fs::write(&path, &text).unwrap();
        let error = open(&path).await.unwrap_err();
        assert!(
            error.to_string().contains("not a SQLite database"),
            "{error}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }

    let (_folder, path) = folder();
    execute(&path, "CREATE TABLE diary (entry TEXT)");
    let before = fs::read(&path).unwrap();
    let error = open(&path).await.unwrap_err();
    assert!(
        error.to_string().contains("database of another program"),
        "{error}"
    );
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let (_folder, path) = folder();
    open(&path).await.unwrap().close().await;
    execute(
        &path,
        "INSERT INTO _sqlx_migrations SELECT 99, 'later', installed_on, success, checksum,
         execution_time FROM _sqlx_migrations LIMIT 1",
    );
    let error = open(&path).await.unwrap_err();
    assert!(
        matches!(error, OpenError::Newer { found: 99, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_start_that_broke_off_is_taken_up() {
    let (_folder, path) = folder();
    fs::write(&path, "").unwrap();
    open(&path).await.unwrap().close().await;
    // The file was made and marked, but its schema was not.
    let (_folder, path) = folder();
    execute(
        &path,
        "PRAGMA journal_mode = WAL; PRAGMA application_id = 1162171185",
    );
    open(&path).await.unwrap();
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let (folder, _) = folder();
    let error = open(&folder.path().join("nowhere/ees.db"))
        .await
        .unwrap_err();
    assert!(matches!(error, OpenError::NotWritable { .. }), "{error}");
    assert!(error.to_string().contains("nowhere/ees.db"), "{error}");
}
