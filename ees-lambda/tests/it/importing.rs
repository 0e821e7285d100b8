//! What an import writes is neither indexed nor published: it has its position from the start.

use ees_core::adapter::{Import, ImportOutcome, Storage};
use ees_core::{Checkpoint, PageLimit};
use serde_json::json;

use crate::stack::Resting;
use crate::stream::{batch, numbers};
use crate::test_store::{TestStore, metric};

/// Imports two changesets of another store, and commits one behind them.
async fn import(into: &TestStore) {
    let from = TestStore::new().await;
    for last in 0..2 {
        from.commit("a", last).await;
    }
    let mut indexer = ees_core::indexer::Indexer::new(from.storage.clone());
    indexer.sweep_page(None).await.unwrap();
    let page = from
        .storage
        .read_global(Checkpoint::FIRST, PageLimit::items(10));
    let page = page.await.unwrap();
    assert_eq!(page.changesets.len(), 2);
    let storage = &into.storage;
    let begun = storage.begin_import().await.unwrap();
    let imported = storage.import(begun, &page).await.unwrap();
    assert_eq!(imported, ImportOutcome::Imported);
    storage.finish_import().await.unwrap();
    into.commit("a", 2).await;
}

#[tokio::test]
async fn an_import_is_not_indexed() {
    let store = TestStore::new().await;
    import(&store).await;
    let records = batch(&store).await;
    assert_eq!(numbers(&records).len(), 3);
    let function = store.function("indexer");
    let done = json!({"batchItemFailures": []});
    assert_eq!(function.invoke(&records).await, Ok(done));
    assert_eq!(store.order().await, ["a/1", "a/2", "a/3"]);
    assert_eq!(metric(&function, "IndexedChangesets"), [1]);
    assert_eq!(metric(&function, "RefusedChangesets"), [0]);
}

#[tokio::test]
async fn an_import_is_not_published() {
    let stack = Resting::start().await;
    stack.subscribe("ChangesetsTopic", "changesets.fifo").await;
    import(&stack.store).await;
    let publisher = stack.function("PublisherFunction");
    let records = batch(&stack.store).await;
    let done = json!({"batchItemFailures": []});
    assert_eq!(publisher.invoke(&records).await, Ok(done));
    assert_eq!(stack.received("changesets.fifo").await, ["a/3"]);
    assert_eq!(metric(publisher, "PublishedChangesets"), [1]);
    assert_eq!(metric(publisher, "PublishLag").len(), 1);
}
