//! Publishing with slow reads and refused messages at the same time.

use async_trait::async_trait;
use ees_conformance::Adapter;
use ees_conformance::faults::{Fault, Faulty};
use ees_core::adapter::{Message, PublishError, PublishLimits, Topic};
use ees_core::{Events, Expectation, GlobalPage, NewChangeset, PageLimit, StorageError};
use ees_memory::MemoryStorage;
use tokio::sync::{mpsc, watch};

use super::*;

const LIMITS: PublishLimits = PublishLimits {
    messages: 10,
    batch_bytes: 1 << 18,
    message_bytes: 1 << 18,
};

/// After a message was refused, it is refused three more times before a page has been read.
struct Slow(watch::Receiver<u32>);

#[async_trait]
impl Fault for Slow {
    async fn read_global(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        let mut refused = self.0.clone();
        let before = *refused.borrow();
        if before > 0 {
            let later = refused.wait_for(|refused| *refused >= before + 3);
            later.await.unwrap();
        }
        inner.read_global(from, limit).await
    }
}

/// Refuses the messages of one stream, and signals when another arrives.
struct Refusing {
    refused: watch::Sender<u32>,
    arrived: mpsc::UnboundedSender<()>,
}

#[async_trait]
impl Publisher for Refusing {
    fn topics(&self) -> &[Topic] {
        &[Topic::Changesets]
    }

    fn limits(&self) -> PublishLimits {
        LIMITS
    }

    async fn publish(&self, _: Topic, batch: &[Message]) -> Vec<Result<(), PublishError>> {
        let answers = batch.iter().map(|message| {
            if message.body.contains("refused-stream") {
                self.refused.send_modify(|refused| *refused += 1);
                let reason = "not this one".to_owned();
                Err(PublishError::Refused {
                    reason,
                    source: None,
                })
            } else {
                self.arrived.send(()).unwrap();
                Ok(())
            }
        });
        answers.collect()
    }
}

async fn commit(store: &EventStore, stream: &str, last: u64) {
    let events = Events::parse("[1]").unwrap();
    let stream = stream.parse().unwrap();
    let asked = NewChangeset::new(stream, Expectation::LastChangeset(last), events);
    store.commit(asked).await.unwrap();
}

/// G9: a refused message does not hold back other streams, whatever the duration of a page's read.
#[tokio::test]
async fn a_slow_page_arrives_while_a_message_is_refused() {
    let storage = Arc::new(MemoryStorage::new());
    let (refused, mut refusals) = watch::channel(0);
    let store = EventStore::new(Faulty::new(
        Arc::clone(&storage) as _,
        Slow(refusals.clone()),
    ));
    let (arrived, mut arrivals) = mpsc::unbounded_channel();
    let publishing = Publishing {
        store: store.clone(),
        checkpoints: Arc::clone(&storage) as _,
        publisher: Arc::new(Refusing { refused, arrived }),
        from: PublishFrom::Start,
    };
    let closing = CancellationToken::new();
    let running = tokio::spawn(publishing.run(closing.clone()));
    commit(&store, "refused-stream", 0).await;
    refusals.wait_for(|refused| *refused > 0).await.unwrap();
    commit(&store, "other-stream", 0).await;
    tokio::select! {
        arrived = arrivals.recv() => assert_eq!(arrived, Some(())),
        _ = refusals.wait_for(|refused| *refused > 12) => panic!("G9: the other stream waits"),
    }
    closing.cancel();
    running.await.unwrap();
    let saved = storage.load_checkpoint(NAME).await.unwrap();
    assert!(
        saved.is_none_or(|saved| saved == Checkpoint::FIRST),
        "the refused one is next"
    );
}

/// Answers only with a permit. Records the sent messages by their deduplication ids.
struct Waiting {
    sent: mpsc::UnboundedSender<String>,
    may_answer: watch::Receiver<bool>,
}

#[async_trait]
impl Publisher for Waiting {
    fn topics(&self) -> &[Topic] {
        &[Topic::Changesets]
    }

    fn limits(&self) -> PublishLimits {
        LIMITS
    }

    async fn publish(&self, _: Topic, batch: &[Message]) -> Vec<Result<(), PublishError>> {
        for message in batch {
            self.sent.send(message.deduplication_id.clone()).unwrap();
        }
        let mut may_answer = self.may_answer.clone();
        may_answer.wait_for(|may| *may).await.unwrap();
        batch.iter().map(|_| Ok(())).collect()
    }
}

/// The changesets taken before the server closes are delivered, and are not sent again.
#[tokio::test]
async fn a_stop_repeats_nothing() {
    let storage = Arc::new(MemoryStorage::new());
    let store = EventStore::new(Arc::clone(&storage) as _);
    let (sent, mut messages) = mpsc::unbounded_channel();
    let (answer, may_answer) = watch::channel(false);
    let publisher = Arc::new(Waiting { sent, may_answer });
    let publishing = || Publishing {
        store: store.clone(),
        checkpoints: Arc::clone(&storage) as _,
        publisher: Arc::clone(&publisher) as _,
        from: PublishFrom::Start,
    };
    commit(&store, "s", 0).await;
    commit(&store, "s", 1).await;
    let closing = CancellationToken::new();
    let running = tokio::spawn(publishing().run(closing.clone()));
    let mut got = vec![messages.recv().await.unwrap()];
    closing.cancel();
    answer.send(true).unwrap();
    running.await.unwrap();
    let saved = storage.load_checkpoint(NAME).await.unwrap();
    assert_eq!(saved, Some(Checkpoint::FIRST.plus(2)));

    commit(&store, "s", 2).await;
    let closing = CancellationToken::new();
    let running = tokio::spawn(publishing().run(closing.clone()));
    while got.len() < 3 {
        got.push(messages.recv().await.unwrap());
    }
    closing.cancel();
    running.await.unwrap();
    assert!(messages.is_empty(), "more than three");
    got.sort_unstable();
    got.dedup();
    assert_eq!(got.len(), 3, "each once");
}
