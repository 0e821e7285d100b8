//! Which files are opened, and what is said about the others.

use std::fs;
use std::path::{Path, PathBuf};

use ees_core::adapter::{Commit, Storage};
use ees_core::{CommitId, Events, Expectation, Identity, Json, Timestamp};
use ees_sqlite::{OpenError, SqliteConfig, SqliteStorage};
use rusqlite::Connection;
use tempfile::TempDir;

async fn open(path: &Path) -> Result<SqliteStorage, OpenError> {
    SqliteStorage::open(&SqliteConfig::new(path)).await
}

fn folder() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ees.db");
    (folder, path)
}

/// Runs a statement on a file as another program would.
fn execute(path: &Path, statement: &str) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(statement).unwrap();
    connection.close().unwrap();
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

/// The number of changesets that a store was committed, and what a start then says.
async fn store_of(path: &Path, changesets: u64) {
    let storage = open(path).await.unwrap();
    commit(&storage, changesets).await;
    storage.swap_identity(None, &Identity::generate(None)).await.unwrap();
    storage.close().await;
}

async fn commit(storage: &SqliteStorage, changesets: u64) {
    let stream = "s".parse().unwrap();
    let head = storage.head(&stream).await.unwrap();
    let head = head.map_or(0, |head| head.last_changeset.get());
    for last in head..head + changesets {
        let commit = Commit {
            stream_id: stream.clone(),
            expectation: Expectation::LastChangeset(last),
            events: Events::parse("[1]").unwrap(),
            metadata: Json::default(),
            commit_id: CommitId::generate(),
            set: None,
            timestamp: Timestamp::now(),
        };
        storage.commit(&commit).await.unwrap();
    }
}

/// G19: a store that is not there any more is not begun anew, and nothing is changed.
#[tokio::test]
async fn a_lost_store_is_told() {
    type Harm = fn(&Path);
    let harms: [(Harm, &str); 4] = [
        (|path| fs::remove_file(path).unwrap(), "is missing"),
        (|path| fs::write(path, "").unwrap(), "is empty"),
        (
            |path| {
                fs::remove_file(path).unwrap();
                execute(path, "PRAGMA journal_mode = WAL; PRAGMA application_id = 1162171185");
            },
            "is blank",
        ),
        (
            |path| {
                let fewer = "DELETE FROM changesets WHERE checkpoint > 0;
                             UPDATE state SET next_checkpoint = 1, last_checksum = NULL";
                execute(path, fewer);
            },
            "has 1 changesets",
        ),
    ];
    for (harm, told) in harms {
        let (_folder, path) = folder();
        store_of(&path, 3).await;
        harm(&path);
        let before = fs::read(&path).ok();
        let error = open(&path).await.unwrap_err();
        assert!(matches!(error, OpenError::Lost { .. }), "{error}");
        assert!(error.to_string().contains(told), "{error}");
        assert!(error.to_string().contains("had 3 changesets"), "{error}");
        assert_eq!(fs::read(&path).ok(), before, "unchanged");
    }
    // What the message says: without the lock file the store is begun anew.
    let (_folder, path) = folder();
    store_of(&path, 3).await;
    for name in ["ees.db", "ees.db.lock"] {
        fs::remove_file(path.with_file_name(name)).unwrap();
    }
    open(&path).await.unwrap().close().await;
    // A store without a changeset has nothing to lose.
    fs::remove_file(&path).unwrap();
    open(&path).await.unwrap();
}

/// G19: what a killed process acknowledged stands in the log alone. A lost log is noticed.
#[tokio::test]
async fn a_lost_log_is_told() {
    let (folder, path) = folder();
    store_of(&path, 3).await;
    let storage = open(&path).await.unwrap();
    commit(&storage, 2).await;
    // The files as a kill would leave them.
    let killed = folder.path().join("killed.db");
    for ending in ["", "-wal", ".lock"] {
        let name = |stem: &str| folder.path().join(format!("{stem}.db{ending}"));
        fs::copy(name("ees"), name("killed")).unwrap();
    }
    storage.close().await;
    let log = folder.path().join("killed.db-wal");
    let whole = fs::read(&log).unwrap();
    for part in [&whole[..0], &whole[..whole.len() / 2]] {
        fs::write(&log, part).unwrap();
        let error = open(&killed).await.unwrap_err();
        assert!(error.to_string().contains("had 5 changesets"), "{error}");
        assert_eq!(fs::read(&log).unwrap(), part, "unchanged");
    }
    fs::write(&log, &whole).unwrap();
    let storage = open(&killed).await.unwrap();
    assert_eq!(storage.next_checkpoint().await.unwrap().get(), 5);
}

/// G19: a lone file is never blank, even if the process was killed at once.
#[tokio::test]
async fn a_new_file_is_whole_without_its_log() {
    let (folder, path) = folder();
    let storage = open(&path).await.unwrap();
    let lone = folder.path().join("lone.db");
    fs::copy(&path, &lone).unwrap();
    storage.close().await;
    let tables = "SELECT count(*) FROM changesets";
    let connection = Connection::open(lone).unwrap();
    let found: i64 = connection.query_row(tables, [], |row| row.get(0)).unwrap();
    assert_eq!(found, 0);
}

/// G19: SQLite would read zeros where a file ends early.
#[tokio::test]
async fn a_cut_file_is_told() {
    let (_folder, path) = folder();
    store_of(&path, 3).await;
    let whole = fs::read(&path).unwrap();
    for bytes in [whole.len() - 1, whole.len() - 4096, whole.len() / 2, 4096, 100] {
        fs::write(&path, &whole[..bytes]).unwrap();
        let error = open(&path).await.unwrap_err();
        assert!(matches!(error, OpenError::Damaged { .. }), "{bytes}: {error}");
        let config = SqliteConfig::new(&path);
        SqliteStorage::open_to_read(&config).await.unwrap_err();
        assert_eq!(fs::metadata(&path).unwrap().len(), bytes as u64, "unchanged");
    }
}

/// G19: rows that vanished from the end of the table are missed at the start.
#[tokio::test]
async fn a_lost_end_is_told() {
    for (harm, told) in [
        ("DELETE FROM changesets WHERE checkpoint = 2", "end at checkpoint 2"),
        ("UPDATE changesets SET checksum = 5 WHERE checkpoint = 2", "not the one"),
    ] {
        let (_folder, path) = folder();
        store_of(&path, 3).await;
        execute(&path, harm);
        fs::remove_file(path.with_file_name("ees.db.lock")).unwrap();
        let error = open(&path).await.unwrap_err();
        assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains(told), "{error}");
    }
}

/// G19: events may be secret, and nothing beside the file is followed elsewhere.
#[cfg(unix)]
#[tokio::test]
async fn files_are_the_owners_and_no_links() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let (folder, path) = folder();
    let storage = open(&path).await.unwrap();
    for ending in ["", "-wal", "-shm", ".lock"] {
        let file = folder.path().join(format!("ees.db{ending}"));
        let mode = fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{ending}");
    }
    storage.close().await;
    let precious = folder.path().join("precious");
    fs::write(&precious, "precious").unwrap();
    for ending in [".lock", "-wal", "-shm"] {
        let link = folder.path().join(format!("ees.db{ending}"));
        let _ = fs::remove_file(&link);
        symlink(&precious, &link).unwrap();
        let error = open(&path).await.unwrap_err();
        assert_eq!(fs::read_to_string(&precious).unwrap(), "precious", "{error}");
        fs::remove_file(&link).unwrap();
    }
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
