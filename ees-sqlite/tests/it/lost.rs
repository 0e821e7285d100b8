//! Files that have lost something since they were served (G19).

use std::fs;
use std::path::Path;
use std::time::Duration;

use ees_core::adapter::{Commit, Storage};
use ees_core::{CommitId, Events, Expectation, Identity, Json, Timestamp};
use ees_sqlite::{OpenError, SqliteConfig, SqliteStorage};
use rusqlite::Connection;

use crate::opening::{execute, folder, open};

/// Looks until something is so.
async fn until(mut is_so: impl FnMut() -> bool) {
    let looking = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let found = tokio::time::timeout(Duration::from_mins(1), looking).await;
    found.expect("it is so after a minute");
}

/// Makes a store with an identity and so many changesets.
async fn store_of(path: &Path, changesets: u64) {
    let storage = open(path).await.unwrap();
    commit(&storage, changesets).await;
    storage
        .swap_identity(None, &Identity::generate(None))
        .await
        .unwrap();
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
                execute(
                    path,
                    "PRAGMA journal_mode = WAL; PRAGMA application_id = 1162171185",
                );
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

/// G19: the log may have held all that a store has.
#[tokio::test]
async fn a_lost_first_log_is_told() {
    let (folder, path) = folder();
    let storage = open(&path).await.unwrap();
    commit(&storage, 2).await;
    let killed = folder.path().join("killed.db");
    for ending in ["", ".lock"] {
        let name = |stem: &str| folder.path().join(format!("{stem}.db{ending}"));
        fs::copy(name("ees"), name("killed")).unwrap();
    }
    storage.close().await;
    let error = open(&killed).await.unwrap_err();
    assert!(error.to_string().contains("has 0 changesets"), "{error}");
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

/// A lone file has what was written soon after the last write, though the store is open.
#[tokio::test]
async fn an_idle_file_is_whole_without_its_log() {
    let (folder, path) = folder();
    let storage = open(&path).await.unwrap();
    commit(&storage, 3).await;
    let lone = folder.path().join("lone.db");
    let copied = || {
        fs::copy(&path, &lone).unwrap();
        let connection = Connection::open(&lone).unwrap();
        let rows = "SELECT count(*) FROM changesets";
        connection.query_row(rows, [], |row| row.get::<_, i64>(0))
    };
    // A copy that is made meanwhile may be torn.
    until(|| copied().ok() == Some(3)).await;
    storage.close().await;
}

/// G19: a file that is lost while it is open is noticed without a read or a commit.
#[tokio::test]
async fn a_loss_is_noticed_while_nothing_happens() {
    let (_folder, path) = folder();
    let storage = open(&path).await.unwrap();
    commit(&storage, 3).await;
    assert!(storage.check_sound().is_ok());
    fs::remove_file(&path).unwrap();
    until(|| storage.check_sound().is_err()).await;
    storage.close().await;
}

/// G19: SQLite would read zeros where a file ends early.
#[tokio::test]
async fn a_cut_file_is_told() {
    let (_folder, path) = folder();
    store_of(&path, 3).await;
    let whole = fs::read(&path).unwrap();
    for bytes in [
        whole.len() - 1,
        whole.len() - 4096,
        whole.len() / 2,
        4096,
        100,
    ] {
        fs::write(&path, &whole[..bytes]).unwrap();
        let error = open(&path).await.unwrap_err();
        assert!(
            matches!(error, OpenError::Damaged { .. }),
            "{bytes}: {error}"
        );
        let config = SqliteConfig::new(&path);
        SqliteStorage::open_to_read(&config).await.unwrap_err();
        assert_eq!(
            fs::metadata(&path).unwrap().len(),
            bytes as u64,
            "unchanged"
        );
    }
}

/// G19: rows that vanished from the end of the table are missed at the start.
#[tokio::test]
async fn a_lost_end_is_told() {
    for (harm, told) in [
        (
            "DELETE FROM changesets WHERE checkpoint = 2",
            "end at checkpoint 2",
        ),
        (
            "UPDATE changesets SET checksum = 5 WHERE checkpoint = 2",
            "not the one",
        ),
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
        assert_eq!(
            fs::read_to_string(&precious).unwrap(),
            "precious",
            "{error}"
        );
        fs::remove_file(&link).unwrap();
    }
    open(&path).await.unwrap();
}
