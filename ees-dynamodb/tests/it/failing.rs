//! What the adapter makes of DynamoDB's failures, one by one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ees_core::adapter::{
    Entry, Index, IndexState, Outcome, PositionWrite, Refusal, StatisticsStore, Storage,
};
use ees_core::{Statistics, StorageError, StreamQuery, Written};
use ees_dynamodb::{DynamoConfig, DynamoStorage};
use ees_dynamodb_testkit::{Call, Emulator, Fate, Plan, Proxy};

use crate::order::{at, key};
use crate::store::{asked, commit, config, create, open};

/// Does the same to so many tries of one kind of call, and counts all of them.
pub(crate) struct Meets {
    operation: &'static str,
    fate: Fate,
    left: AtomicU64,
    tries: AtomicU64,
}

impl Meets {
    pub(crate) fn each(operation: &'static str, fate: Fate) -> Arc<Self> {
        Self::some(operation, fate, u64::MAX)
    }

    pub(crate) fn some(operation: &'static str, fate: Fate, times: u64) -> Arc<Self> {
        Arc::new(Self {
            operation,
            fate,
            left: AtomicU64::new(times),
            tries: AtomicU64::new(0),
        })
    }

    pub(crate) fn tries(&self) -> u64 {
        self.tries.load(Ordering::SeqCst)
    }
}

impl Plan for Meets {
    fn begin(&self, call: &mut Call) -> Fate {
        if call.operation != self.operation {
            return Fate::Through;
        }
        self.tries.fetch_add(1, Ordering::SeqCst);
        let take = |left: u64| left.checked_sub(1);
        match self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take)
        {
            Ok(_) => self.fate,
            Err(_) => Fate::Through,
        }
    }
}

/// A store, and the same store behind a plan.
pub(crate) struct Behind {
    pub(crate) plain: Arc<DynamoStorage>,
    pub(crate) storage: Arc<DynamoStorage>,
    /// How to open another behind the same plan.
    pub(crate) config: DynamoConfig,
    _proxy: Proxy,
    _emulator: Emulator,
}

pub(crate) async fn behind(plan: Arc<dyn Plan>) -> Behind {
    let emulator = Emulator::start().expect("an emulator");
    let mut config = config(emulator.endpoint());
    create(&config).await;
    let direct = open(&config).await;
    let proxy = Proxy::start(emulator.endpoint(), plan).await.unwrap();
    config.endpoint.url = Some(proxy.endpoint.clone());
    Behind {
        plain: direct,
        storage: open(&config).await,
        config,
        _proxy: proxy,
        _emulator: emulator,
    }
}

pub(crate) async fn length(storage: &DynamoStorage, stream: &str) -> usize {
    let all = StreamQuery::all(stream.parse().unwrap());
    storage.read_stream(&all).await.unwrap().items.len()
}

/// G10: retries are bounded, and what is said about the write is true.
#[tokio::test]
async fn what_fails_for_ever_is_told_after_a_few_tries() {
    for (fate, written, reason) in [
        (
            Fate::Refused(400, "ProvisionedThroughputExceededException"),
            Written::None,
            "throttles",
        ),
        (
            Fate::Refused(400, "ThrottlingException"),
            Written::None,
            "throttles",
        ),
        (
            Fate::Refused(400, "RequestLimitExceeded"),
            Written::None,
            "throttles",
        ),
        (
            Fate::Refused(500, "InternalServerError"),
            Written::Unknown,
            "failed",
        ),
        (
            Fate::Refused(503, "ServiceUnavailable"),
            Written::Unknown,
            "failed",
        ),
        (Fate::Lost, Written::Unknown, "cannot be reached"),
        (Fate::Unanswered, Written::Unknown, "cannot be reached"),
    ] {
        let meets = Meets::each("PutItem", fate);
        let store = behind(Arc::clone(&meets) as _).await;
        let failed = store.storage.commit(&asked("s", 0)).await;
        if fate == Fate::Unanswered {
            assert!(
                matches!(failed, Err(StorageError::Unavailable { .. })),
                "{failed:?}"
            );
            assert_eq!(length(&store.plain, "s").await, 1, "it was done");
        } else {
            assert_eq!(length(&store.plain, "s").await, 0, "it was not done");
        }
        let error = failed.unwrap_err();
        assert_eq!(error.written(), written, "{fate:?}: {error}");
        assert!(error.to_string().contains(reason), "{fate:?}: {error}");
        assert_eq!(meets.tries(), 5, "{fate:?}");
    }
}

/// An outage uses up the SDK's quota of retries. It comes back with time, as nothing may succeed:
/// a conflict is an answer like any other.
#[tokio::test]
async fn retries_come_back_after_an_outage() {
    let meets = Meets::each("PutItem", Fate::Refused(400, "ThrottlingException"));
    let store = behind(Arc::clone(&meets) as _).await;
    let commit = asked("s", 0);
    let outage = futures_util::future::join_all((0..60).map(|_| store.storage.commit(&commit)));
    assert!(outage.await.iter().all(Result::is_err));
    for _ in 0..100 {
        let before = meets.tries();
        store.storage.commit(&commit).await.unwrap_err();
        if meets.tries() - before == 5 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("nothing is tried five times any more");
}

/// G10: a refusal after a try that may have written does not say that nothing was.
#[tokio::test]
async fn one_uncertain_try_makes_all_uncertain() {
    struct First(AtomicU64);
    impl Plan for First {
        fn begin(&self, call: &mut Call) -> Fate {
            match call.operation.as_str() {
                "PutItem" if self.0.fetch_add(1, Ordering::SeqCst) == 0 => Fate::Lost,
                "PutItem" => Fate::Refused(400, "ThrottlingException"),
                _ => Fate::Through,
            }
        }
    }
    let store = behind(Arc::new(First(AtomicU64::new(0)))).await;
    let error = store.storage.commit(&asked("s", 0)).await.unwrap_err();
    assert_eq!(error.written(), Written::Unknown, "{error}");
}

/// G10: a lost answer is no conflict, and nothing stands twice.
#[tokio::test]
async fn a_lost_answer_is_recognised() {
    for times in 1..=4 {
        let meets = Meets::some("PutItem", Fate::Unanswered, times);
        let store = behind(Arc::clone(&meets) as _).await;
        let asked = asked("s", 0);
        let Ok(Outcome::Committed(receipt)) = store.storage.commit(&asked).await else {
            panic!("G10: it was committed");
        };
        assert_eq!(receipt.timestamp, asked.timestamp);
        assert_eq!(meets.tries(), times + 1);
        assert_eq!(length(&store.plain, "s").await, 1, "G10: once");
    }
}

/// G2: but somebody else's changeset at the place is.
#[tokio::test]
async fn another_at_the_place_is_a_conflict() {
    let store = behind(Meets::some("PutItem", Fate::Lost, 1)).await;
    commit(&store.plain, "s", 0).await;
    let outcome = store.storage.commit(&asked("s", 0)).await.unwrap();
    assert_eq!(outcome, Outcome::Refused(Refusal::Outdated));
}

/// G6, G13: swaps whose answers were lost have happened, and say so.
#[tokio::test]
async fn lost_answers_to_swaps_are_recognised() {
    let store = behind(Meets::some("PutItem", Fate::Unanswered, 1)).await;
    let next = IndexState::default().reserve(vec![key("s", 1)]);
    assert!(store.storage.swap_state(0, &next).await.unwrap());
    assert_eq!(store.plain.load_state().await.unwrap(), next);
    assert!(
        !store.storage.swap_state(0, &next).await.unwrap(),
        "only once"
    );

    let store = behind(Meets::some("PutItem", Fate::Unanswered, 1)).await;
    let counted = Statistics {
        version: at(3),
        ..Statistics::default()
    };
    assert!(
        store
            .storage
            .swap_statistics(at(0), &counted)
            .await
            .unwrap()
    );
    assert!(
        !store
            .storage
            .swap_statistics(at(0), &counted)
            .await
            .unwrap()
    );
}

/// G6: a position that was written although the answer was lost is the same position.
#[tokio::test]
async fn a_lost_answer_to_a_position_is_recognised() {
    let store = behind(Meets::some("UpdateItem", Fate::Unanswered, 1)).await;
    commit(&store.plain, "s", 0).await;
    let written = store
        .storage
        .write_position(&key("s", 1), at(7))
        .await
        .unwrap();
    assert_eq!(written, PositionWrite::AlreadyThere);
    let other = store
        .storage
        .write_position(&key("s", 1), at(8))
        .await
        .unwrap();
    assert_eq!(other, PositionWrite::Other(at(7)), "G6: never another");
    let missing = store
        .storage
        .write_position(&key("s", 2), at(8))
        .await
        .unwrap();
    assert_eq!(missing, PositionWrite::Missing);
    let found = store
        .plain
        .look_up(&[key("s", 2), key("s", 1)])
        .await
        .unwrap();
    assert_eq!(
        found,
        [Entry::Missing, Entry::At(at(7))],
        "no ghost was made"
    );
}

#[tokio::test]
async fn a_stream_that_dynamodb_calls_full_is_full() {
    let code = "ItemCollectionSizeLimitExceededException";
    let store = behind(Meets::each("PutItem", Fate::Refused(400, code))).await;
    let outcome = store.storage.commit(&asked("s", 0)).await.unwrap();
    assert_eq!(outcome, Outcome::Refused(Refusal::Full));
}
