//! Online backup.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ees_core::adapter::Storage;
use ees_core::{Checkpoint, EventStore, Events, Expectation, NewChangeset, PageLimit};
use ees_sqlite::{BackupError, OpenError, SqliteConfig, SqliteStorage, backup};
use tempfile::TempDir;

async fn open(folder: &TempDir, name: &str) -> (Arc<SqliteStorage>, EventStore) {
    let config = SqliteConfig::new(folder.path().join(name));
    let storage = Arc::new(SqliteStorage::open(&config).await.unwrap());
    (Arc::clone(&storage), EventStore::new(storage))
}

async fn append(store: &EventStore, last: u64) {
    let events = Events::parse(r#"[{"type":"tested"}]"#).unwrap();
    let expectation = Expectation::LastChangeset(last);
    let asked = NewChangeset::new("s".parse().unwrap(), expectation, events);
    store.commit(asked).await.unwrap();
}

/// G4: a backup taken while commits go on holds all that was acknowledged before it, and is a
/// store like any other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_in_use_is_copied() {
    let folder = TempDir::new().unwrap();
    let (storage, store) = open(&folder, "ees.db").await;
    for last in 0..20 {
        append(&store, last).await;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn({
        let (store, stop) = (store.clone(), Arc::clone(&stop));
        async move {
            let mut last = 20;
            while !stop.load(Ordering::Relaxed) {
                append(&store, last).await;
                last += 1;
            }
            last
        }
    });
    let target = folder.path().join("copy.db");
    let copied = backup(&folder.path().join("ees.db"), &target)
        .await
        .unwrap();
    stop.store(true, Ordering::Relaxed);
    let written = writer.await.unwrap();
    assert!((20..=written).contains(&copied.changesets), "{copied:?}");
    assert_eq!(copied.bytes, fs::metadata(&target).unwrap().len());

    let (_, restored) = open(&folder, "copy.db").await;
    assert_eq!(
        restored.next_checkpoint().await.unwrap().get(),
        copied.changesets
    );
    let limit = PageLimit::default();
    let copy = restored
        .global_changesets(Checkpoint::FIRST, limit)
        .await
        .unwrap();
    let original = store
        .global_changesets(Checkpoint::FIRST, limit)
        .await
        .unwrap();
    assert_eq!(
        copy.changesets[..],
        original.changesets[..copy.changesets.len()]
    );
    append(&restored, copied.changesets).await;
    storage.close().await;
}

#[tokio::test]
async fn a_store_that_no_server_uses_is_copied_too() {
    let folder = TempDir::new().unwrap();
    let (storage, store) = open(&folder, "ees.db").await;
    append(&store, 0).await;
    storage.close().await;
    let copied = backup(
        &folder.path().join("ees.db"),
        &folder.path().join("copy.db"),
    )
    .await;
    assert_eq!(copied.unwrap().changesets, 1);
}

#[tokio::test]
async fn what_cannot_be_copied_leaves_nothing_behind() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let error = backup(&path("none.db"), &path("copy.db"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, BackupError::Source(OpenError::Missing(_))),
        "{error}"
    );

    fs::write(path("diary"), "Dear diary, ".repeat(1000)).unwrap();
    let error = backup(&path("diary"), &path("copy.db")).await.unwrap_err();
    assert!(matches!(error, BackupError::Source(_)), "{error}");

    let (_storage, store) = open(&folder, "ees.db").await;
    append(&store, 0).await;
    let error = backup(&path("ees.db"), &path("diary")).await.unwrap_err();
    assert!(matches!(error, BackupError::Exists(_)), "{error}");
    let error = backup(&path("ees.db"), &path("nowhere/copy.db"))
        .await
        .unwrap_err();
    assert!(matches!(error, BackupError::Write { .. }), "{error}");
    let names = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert!(
        names
            .iter()
            .all(|name| !name.to_string_lossy().contains("copy")),
        "{names:?}"
    );
}
