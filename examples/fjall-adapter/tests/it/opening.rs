use std::fs;
use std::path::Path;

use ees_core::{Checkpoint, CheckpointStore};
use fjall::{Database, KeyspaceCreateOptions};
use fjall_adapter::{FjallStorage, OpenError};
use tempfile::TempDir;

const NAME: &str = "subscription";

async fn open(folder: &Path) -> Result<FjallStorage, OpenError> {
    FjallStorage::open(folder, 1024).await
}

fn checkpoint() -> Checkpoint {
    Checkpoint::new(7).expect("a checkpoint")
}

/// Copies a folder that is open, as a killed process leaves it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a copy");
        }
    }
}

#[tokio::test]
async fn what_was_answered_has_left_the_process() {
    let (folder, killed) = (
        TempDir::new().expect("one"),
        TempDir::new().expect("another"),
    );
    let storage = open(folder.path()).await.expect("a store");
    storage
        .save_checkpoint(NAME, checkpoint())
        .await
        .expect("saved");
    copy(folder.path(), killed.path());

    let storage = open(killed.path()).await.expect("a store after a kill");
    let saved = storage.load_checkpoint(NAME).await.expect("loaded");
    assert_eq!(saved, Some(checkpoint()));
}

#[tokio::test]
async fn names_of_any_length_are_kept() {
    let folder = TempDir::new().expect("a folder");
    let storage = open(folder.path()).await.expect("a store");
    for name in ["", &"n".repeat(70_000)] {
        storage
            .save_checkpoint(name, checkpoint())
            .await
            .expect("saved");
        let saved = storage.load_checkpoint(name).await.expect("loaded");
        assert_eq!(saved, Some(checkpoint()));
    }
}

#[tokio::test]
async fn a_store_is_opened_once() {
    let folder = TempDir::new().expect("a folder");
    let _storage = open(folder.path()).await.expect("a store");
    assert!(matches!(
        open(folder.path()).await,
        Err(OpenError::Locked(_))
    ));
}

#[tokio::test]
async fn a_folder_of_something_else_is_refused_and_stays_as_it_is() {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("notes"), "mine").expect("a file");
    assert!(matches!(
        open(folder.path()).await,
        Err(OpenError::Foreign(_))
    ));
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
}

#[tokio::test]
async fn a_database_of_something_else_is_refused() {
    let folder = TempDir::new().expect("a folder");
    drop(Database::builder(folder.path()).open().expect("a database"));
    assert!(matches!(
        open(folder.path()).await,
        Err(OpenError::Foreign(_))
    ));

    let folder = TempDir::new().expect("a folder");
    let inside = folder.path().join("store");
    drop(Database::builder(inside).open().expect("a database"));
    assert!(matches!(
        open(folder.path()).await,
        Err(OpenError::OtherVersion(_))
    ));
}

#[tokio::test]
async fn a_newer_version_is_refused() {
    let folder = TempDir::new().expect("a folder");
    ees_core::adapter::Storage::close(&open(folder.path()).await.expect("a store")).await;
    let database = Database::builder(folder.path().join("store"))
        .open()
        .expect("a database");
    let single = database
        .keyspace("single", KeyspaceCreateOptions::default)
        .expect("a keyspace");
    assert!(single.contains_key("version").expect("read"));
    single
        .insert("version", "fjall-adapter 3")
        .expect("written");
    drop((database, single));
    assert!(matches!(
        open(folder.path()).await,
        Err(OpenError::OtherVersion(_))
    ));
}

#[tokio::test]
async fn a_first_start_that_was_killed_opens_again() {
    let folder = TempDir::new().expect("a folder");
    // Fjall itself opens no such database: its journal exists, and its version does not.
    fs::create_dir_all(folder.path().join("new/keyspaces")).expect("folders");
    fs::write(folder.path().join("new/0.jnl"), "").expect("a file");
    fs::write(folder.path().join("lock"), "").expect("a file");
    let storage = open(folder.path()).await.expect("a store");
    storage
        .save_checkpoint(NAME, checkpoint())
        .await
        .expect("saved");
    assert!(!folder.path().join("new").exists());
}
