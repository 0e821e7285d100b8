//! Storages by their URLs, and what is said of wrong ones.

#![cfg(all(feature = "memory", feature = "sqlite"))]
#![allow(clippy::unwrap_used)]

use ees_core::{Checkpoint, CheckpointStore, Events, Expectation, NewChangeset};
use ees_storage::{OpenError, open, open_publisher};

fn asked() -> NewChangeset {
    let events = Events::parse("[1]").unwrap();
    NewChangeset::new("s".parse().unwrap(), Expectation::NEW_STREAM, events)
}

#[tokio::test]
async fn a_file_is_opened_again_with_what_it_holds() {
    let folder = tempfile::TempDir::new().unwrap();
    let url = format!("sqlite:{}", folder.path().join("ees.db").display());
    let opened = open(&url).await.unwrap();
    opened.store.commit(asked()).await.unwrap();
    let checkpoints: &dyn CheckpointStore = opened.checkpoints.as_ref();
    checkpoints
        .save_checkpoint("r", Checkpoint::FIRST.plus(1))
        .await
        .unwrap();
    let in_use = open(&url).await.unwrap_err();
    assert!(matches!(in_use, OpenError::Storage(_)), "{in_use}");
    opened.store.close().await;

    let opened = open(&url).await.unwrap();
    assert_eq!(opened.store.next_checkpoint().await.unwrap().get(), 1);
    let saved = opened.checkpoints.load_checkpoint("r").await.unwrap();
    assert_eq!(saved, Some(Checkpoint::FIRST.plus(1)));
    assert!(opened.order.is_none(), "SQLite orders at commit time");
    opened.store.close().await;
}

#[tokio::test]
async fn memory_keeps_nothing() {
    let opened = open("memory:").await.unwrap();
    opened.store.commit(asked()).await.unwrap();
    let other = open("memory:").await.unwrap();
    assert_eq!(other.store.next_checkpoint().await.unwrap().get(), 0);
}

#[tokio::test]
async fn a_wrong_url_is_explained() {
    for (url, said) in [
        ("ees.db", "(for the file of that name: `sqlite:ees.db`)"),
        (
            "mysql://u:p@h/d",
            "`mysql://u:***@h/d`: it names no storage",
        ),
        ("memory:x", "expected `memory:` and nothing more"),
        ("sqlite:x?reader=2", "did you mean `readers`?"),
    ] {
        let error = open(url).await.unwrap_err();
        assert!(matches!(error, OpenError::Url { .. }));
        assert!(error.to_string().contains(said), "{error}");
    }
    let Err(error) = open_publisher("kafka:x").await else {
        panic!("there is no such publisher");
    };
    assert!(
        error.to_string().contains("it names no publisher"),
        "{error}"
    );
}

#[cfg(not(feature = "postgres"))]
#[tokio::test]
async fn an_adapter_that_this_build_lacks_is_named() {
    let error = open("postgresql://u:p@h/d").await.unwrap_err();
    let said = "`postgresql://u:***@h/d`: this build leaves `postgres:` out; build it with the cargo \
                feature `postgres`";
    assert_eq!(error.to_string(), said);
}
