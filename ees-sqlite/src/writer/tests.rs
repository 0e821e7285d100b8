//! What goes with a batch.

use std::pin::pin;

use ees_core::adapter::StoredChangeset;
use ees_sqlite_testkit::Disk;
use futures_util::FutureExt;
use tempfile::TempDir;

use super::*;
use crate::jobs::Jobs;
use crate::lock::{WriterLock, real_path};

fn changeset(position: i64) -> Changeset {
    let stored = StoredChangeset {
        stream_id: "s",
        changeset_id: position + 1,
        first_event_id: position + 1,
        last_event_id: position + 1,
        timestamp_micros: 0,
        commit_id: "ees-1",
        set: None,
        events: "[1]",
        metadata: "{}",
        checkpoint: Some(position),
    };
    stored.try_into().unwrap()
}

/// A small write that waits has the flush of the batch, and is answered after it.
#[tokio::test]
async fn a_batch_takes_small_writes_along() {
    let folder = TempDir::new().unwrap();
    let disk = Disk::watch(folder.path()).unwrap();
    let path = real_path(&folder.path().join("ees.db")).unwrap();
    let lock = WriterLock::acquire(&path).unwrap();
    let opened = opening::open_writer(&path, &lock).unwrap();
    let halt = Halt::default();
    let connection = WriteConnection::new(&path, opened, halt.clone(), lock.memory.clone());
    let (_jobs, queue) = Jobs::queue(8, &halt);
    let (small_writes, waiting) = Jobs::queue(8, &halt);
    let news = Arc::new(News::default());
    let queues = (queue, waiting);
    let mut writer = Writer::new(connection.clone(), queues, news, Arrivals::default());
    let stream = [StreamId::new("s").unwrap()];
    // The first batch flushes the header of the log as well.
    writer.begin(&stream, &[]).await.unwrap();
    writer.commit(&[changeset(0)]).await.unwrap();

    let save = "INSERT INTO checkpoints (subscription, checkpoint) VALUES ('x', 1)";
    let write = |connection: &Connection| connection.execute(save, []);
    let mut written = pin!(small_writes.write(write));
    writer.begin(&stream, &[]).await.unwrap();
    assert!(written.as_mut().now_or_never().is_none());
    let before = disk.flushes();
    writer.commit(&[changeset(1)]).await.unwrap();
    assert_eq!(disk.flushes() - before, 1);
    assert_eq!(written.now_or_never().unwrap().unwrap(), 1);

    // A batch that writes nothing leaves them to a transaction of their own.
    let remove = |connection: &Connection| connection.execute("DELETE FROM checkpoints", []);
    let mut removed = pin!(small_writes.write(remove));
    writer.begin(&stream, &[]).await.unwrap();
    assert!(removed.as_mut().now_or_never().is_none());
    writer.rollback().await;
    assert_eq!(removed.now_or_never().unwrap().unwrap(), 1);
}
