//! G10: an answer that was lost on its way from the storage.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use ees_core::adapter::{Commit, Outcome};
use ees_core::{
    CommitId, Error, EventStore, Events, Expectation, Json, NewChangeset, StorageError, StreamId,
    Timestamp, Written,
};
use futures_util::FutureExt;

use crate::faults::{Fault, Faulty};
use crate::subject::unique;
use crate::support::{store_over, stream, within};
use crate::{Adapter, AdapterHarness};

/// Commits, and then says of the first so many that it does not know whether it did.
struct LosesAnswers(AtomicU64);

#[async_trait]
impl Fault for LosesAnswers {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        let outcome = inner.commit(commit).await?;
        let left = self
            .0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        match left {
            Ok(_) => Err(StorageError::unavailable("no answer", Written::Unknown)),
            Err(_) => Ok(outcome),
        }
    }
}

fn store(harness: &dyn AdapterHarness, lost: u64) -> EventStore {
    EventStore::new(Faulty::new(
        harness.storage(),
        LosesAnswers(AtomicU64::new(lost)),
    ))
}

fn asked(name: &str, expectation: Expectation, key: &str) -> NewChangeset {
    let stream = StreamId::new(name).expect("a stream id");
    let events = Events::parse("[1,2]").expect("events");
    let key = CommitId::new(key).expect("a key");
    NewChangeset::new(stream, expectation, events).with_idempotency_key(key)
}

/// A commit with an expectation, as a storage gets it.
pub(super) fn new_commit(name: &str, last_changeset: u64) -> Commit {
    Commit {
        stream_id: StreamId::new(name).expect("a stream id"),
        expectation: Expectation::LastChangeset(last_changeset),
        events: Events::parse("[1,2]").expect("events"),
        metadata: Json::default(),
        commit_id: CommitId::generate(),
        set: None,
        timestamp: Timestamp::now(),
    }
}

/// Asked again with the same key, the store answers what it would have answered, and the commit
/// stands once.
pub async fn a_lost_answer_can_be_asked_for_again(harness: &mut dyn AdapterHarness) {
    for expectation in [Expectation::LastChangeset(0), Expectation::LastEvent(0)] {
        let (store, name) = (store(harness, 3), unique("lost"));
        for _ in 0..3 {
            let failed = store.commit(asked(&name, expectation, "lost")).await;
            let Err(Error::Storage(error)) = failed else {
                panic!("G10: {failed:?}, but no answer came");
            };
            assert_eq!(
                error.written(),
                Written::Unknown,
                "G10: the outcome is unknown"
            );
        }
        let receipt = store.commit(asked(&name, expectation, "lost")).await;
        let receipt = receipt.expect("G10: the repeat succeeds");
        assert_eq!(
            receipt.changeset_id.get(),
            1,
            "G10: the repeat gets the first changeset"
        );
        let stands = stream(&*harness.subject(), &name).await;
        assert_eq!(stands.len(), 1, "G10: the commit is stored once");
        let told = receipt.timestamp.to_string();
        assert_eq!(
            stands[0].timestamp, told,
            "G10: the answer has the stored time"
        );
    }
}

/// Also if others have committed since; and a commit that lost to them is told so.
pub async fn a_lost_answer_never_turns_into_a_conflict(harness: &mut dyn AdapterHarness) {
    let (store, name) = (store(harness, 1), unique("overtaken"));
    let first = || asked(&name, Expectation::NEW_STREAM, "first");
    assert!(store.commit(first()).await.is_err(), "G10: no answer");
    for last in 1..5 {
        let key = format!("further {last}");
        let further = asked(&name, Expectation::LastChangeset(last), &key);
        store.commit(further).await.expect("G2: the next");
    }
    let receipt = store
        .commit(first())
        .await
        .expect("G10: the repeat succeeds");
    assert_eq!(
        receipt.changeset_id.get(),
        1,
        "G10: the repeat gets the first changeset"
    );
    let other = store.commit(asked(&name, Expectation::NEW_STREAM, "other"));
    let conflict = matches!(other.await, Err(Error::Conflict(_)));
    assert!(conflict, "G2: another commit conflicts");
    let stands = stream(&*harness.subject(), &name).await.len();
    assert_eq!(stands, 5, "G10: each commit is stored once");
}

/// The answer to a commit that was refused may be lost as well.
pub async fn a_refusal_can_be_asked_for_again(harness: &mut dyn AdapterHarness) {
    let name = unique("refused");
    let storage = harness.storage();
    let placed = store_over(Arc::clone(&storage));
    let first = asked(&name, Expectation::NEW_STREAM, "first");
    placed.commit(first).await.expect("G2: a new stream");
    let store = store(harness, 1);
    let late = || asked(&name, Expectation::NEW_STREAM, "late");
    assert!(store.commit(late()).await.is_err(), "G10: no answer");
    let again = store.commit(late()).await;
    assert!(matches!(again, Err(Error::Conflict(_))), "G2: {again:?}");
    let stands = stream(&*harness.subject(), &name).await.len();
    assert_eq!(stands, 1, "G10: nothing was written");
}

/// A call may be dropped at any point. Asked again with the same key, its commit stands once, and
/// the next one succeeds.
pub async fn a_caller_who_goes_away_may_ask_again(harness: &mut dyn AdapterHarness) {
    let store = store_over(harness.storage());
    for polls in 0..30 {
        let name = unique("gone");
        let first = || asked(&name, Expectation::NEW_STREAM, &name);
        {
            let mut call = std::pin::pin!(store.commit(first()));
            for _ in 0..polls {
                if call.as_mut().now_or_never().is_some() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        let again = within("G10: a repeat is answered", store.commit(first())).await;
        let again = again.map(|receipt| receipt.changeset_id.get());
        let told = again.unwrap_or_else(|error| panic!("G10: a repeat succeeds, but: {error}"));
        assert_eq!(
            told, 1,
            "G10: a repeat gets the changeset id of the first try"
        );
        let next = asked(&name, Expectation::LastChangeset(1), "next");
        let next = within("G10: the next commit is answered", store.commit(next)).await;
        let next = next.map(|receipt| receipt.changeset_id.get());
        let told = next.unwrap_or_else(|error| panic!("G10: the next succeeds, but: {error}"));
        assert_eq!(told, 2, "G10: the next commit gets the next changeset id");
        let stands = stream(&*harness.subject(), &name).await.len();
        assert_eq!(stands, 2, "G10: each commit is stored once");
    }
}
