//! A network that swallows everything, and tells nobody.

use std::time::Duration;

use ees_core::adapter::Storage;
use ees_core::{Checkpoint, StreamId};
use ees_postgres::PostgresStorage;
use ees_postgres_testkit::Database;
use tokio::time::timeout;

use crate::proxy::{Cut, Proxy};
use crate::support::{LONG, commit, open};

/// A store that reads on one connection, through a proxy.
async fn behind_a_proxy(database: &Database) -> (Proxy, PostgresStorage) {
    let mut proxy = Proxy::start(database, Cut::Before).await;
    proxy.config.readers = 1;
    let storage = PostgresStorage::open(&proxy.config).await.unwrap();
    (proxy, storage)
}

/// A read that nobody waits for any more takes no other's connection with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_go_on_after_a_silent_loss() {
    let database = Database::fresh().unwrap();
    let (proxy, storage) = behind_a_proxy(&database).await;
    let stream: StreamId = "s".parse().unwrap();
    // A statement of its own takes as long as nobody answers.
    storage.head(&stream).await.unwrap();
    proxy.silence();
    let read = timeout(Duration::from_millis(100), storage.next_checkpoint()).await;
    assert!(read.is_err(), "nobody answers: {read:?}");
    assert_eq!(storage.next_checkpoint().await.unwrap(), Checkpoint::FIRST);

    // Nor does one that was idle meanwhile.
    proxy.silence();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(storage.next_checkpoint().await.unwrap(), Checkpoint::FIRST);

    // And nobody waits for them in the end.
    proxy.silence();
    let read = timeout(Duration::from_millis(100), storage.next_checkpoint()).await;
    assert!(read.is_err(), "nobody answers: {read:?}");
    timeout(LONG, storage.close()).await.unwrap();
}

/// G8: who listens notices that nobody speaks any more, and listens anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn news_come_again_after_a_silent_loss() {
    let database = Database::fresh().unwrap();
    let (proxy, deaf) = behind_a_proxy(&database).await;
    let other = open(&database).await;
    let news = deaf.news();
    other.commit(&commit("s", 0)).await.unwrap();
    news.await;
    proxy.silence();
    timeout(LONG, deaf.news()).await.unwrap();
    let news = deaf.news();
    other.commit(&commit("s", 1)).await.unwrap();
    timeout(LONG, news).await.unwrap();
}
