//! What the adapter makes of a transaction that fails, and of writes that meet one.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use ees_core::adapter::{Commit, Index, Outcome, PositionWrite, Refusal, SetOutcome, Storage};
use ees_core::{ChangesetId, CommitId, Expectation, StorageError, Written};
use ees_dynamodb_testkit::{Call, Fate, Plan};
use serde_json::Value;

use crate::failing::{Behind, Meets, behind, length};
use crate::order::{at, key};
use crate::sets::{committed, keyed, refused, set};
use crate::store::{asked, commit};

const TRANSACT: &str = "TransactWriteItems";

async fn lengths(store: &Behind) -> (usize, usize) {
    (
        length(&store.plain, "a").await,
        length(&store.plain, "b").await,
    )
}

/// G1, G10: tries are bounded, and what is said about the write is true.
#[tokio::test]
async fn what_fails_for_ever_is_told_after_a_few_tries() {
    for (fate, tries, written, reason) in [
        (
            Fate::Cancelled(1, "TransactionConflict"),
            5,
            Written::None,
            "meets another write",
        ),
        (
            Fate::Cancelled(0, "ThrottlingError"),
            5,
            Written::None,
            "throttles",
        ),
        (
            Fate::Cancelled(2, "ProvisionedThroughputExceeded"),
            5,
            Written::None,
            "throttles",
        ),
        (
            Fate::Refused(400, "ThrottlingException"),
            5,
            Written::None,
            "throttles",
        ),
        (
            Fate::Refused(400, "TransactionInProgressException"),
            5,
            Written::None,
            "failed",
        ),
        (
            Fate::Refused(500, "InternalServerError"),
            5,
            Written::Unknown,
            "failed",
        ),
        (Fate::Lost, 5, Written::Unknown, "cannot be reached"),
        (
            Fate::Cancelled(0, "ValidationError"),
            1,
            Written::None,
            "as planned",
        ),
    ] {
        let meets = Meets::each(TRANSACT, fate);
        let store = behind(Arc::clone(&meets) as _).await;
        let pair = keyed(set(&[("a", 0), ("b", 0)], &[]), "k");
        let error = store.storage.commit_set(&pair).await.unwrap_err();
        assert_eq!(lengths(&store).await, (0, 0), "G1: {fate:?}");
        assert_eq!(error.written(), written, "{fate:?}: {error}");
        assert!(error.to_string().contains(reason), "{fate:?}: {error}");
        let passes = matches!(error, StorageError::Unavailable { .. });
        assert_eq!(passes, tries > 1, "{fate:?}: {error}");
        assert_eq!(meets.tries(), tries, "{fate:?}");
    }
}

/// G10: a lost answer is no conflict, and nothing stands twice.
#[tokio::test]
async fn a_lost_answer_is_recognised() {
    for times in [1, 4] {
        let meets = Meets::some(TRANSACT, Fate::Unanswered, times);
        let store = behind(Arc::clone(&meets) as _).await;
        let pair = keyed(set(&[("a", 0), ("b", 0)], &[]), "k");
        assert_eq!(committed(&store.storage, &pair).await, [1, 1]);
        assert_eq!(meets.tries(), times + 1);
        assert_eq!(lengths(&store).await, (1, 1), "G10: once");
    }
}

/// The same once DynamoDB has forgotten the token of the first attempt.
#[tokio::test]
async fn a_lost_answer_is_recognised_without_its_token() {
    struct Forgetful;
    impl Plan for Forgetful {
        fn begin(&self, call: &mut Call) -> Fate {
            match (call.operation.as_str(), call.attempt) {
                (TRANSACT, 1) => Fate::Unanswered,
                (TRANSACT, _) => {
                    call.asked["ClientRequestToken"] = "another".into();
                    Fate::Through
                }
                _ => Fate::Through,
            }
        }
    }
    let store = behind(Arc::new(Forgetful)).await;
    let pair = set(&[("a", 0), ("b", 0)], &[]);
    assert_eq!(committed(&store.storage, &pair).await, [1, 1]);
    assert_eq!(lengths(&store).await, (1, 1), "G10: once");
    let late = refused(&store.storage, &set(&[("a", 0), ("b", 1)], &[])).await;
    assert_eq!(late.commits, [Some(Refusal::Outdated), None]);
}

/// Every repeat of a cancelled transaction has a token of its own.
#[tokio::test]
async fn a_transaction_that_meets_another_is_tried_again() {
    #[derive(Default)]
    struct Twice(Mutex<HashSet<String>>);
    impl Plan for Twice {
        fn begin(&self, call: &mut Call) -> Fate {
            if call.operation != TRANSACT {
                return Fate::Through;
            }
            let token = call.asked["ClientRequestToken"].as_str().unwrap();
            let mut tokens = self.0.lock().unwrap();
            assert!(tokens.insert(token.to_owned()), "used before");
            match tokens.len() {
                1 => Fate::Cancelled(0, "TransactionConflict"),
                2 => Fate::Cancelled(1, "ThrottlingError"),
                _ => Fate::Through,
            }
        }
    }
    let plan = Arc::new(Twice::default());
    let store = behind(Arc::clone(&plan) as _).await;
    let pair = set(&[("a", 0), ("b", 0)], &[("c", Expectation::NEW_STREAM)]);
    assert_eq!(committed(&store.storage, &pair).await, [1, 1]);
    assert_eq!(plan.0.lock().unwrap().len(), 3);
}

/// A single commit, its marker and a position wait for a transaction on the same item.
#[tokio::test]
async fn single_writes_that_meet_a_transaction_are_tried_again() {
    let conflict = Fate::Refused(400, "TransactionConflictException");
    let meets = Meets::some("PutItem", conflict, 4);
    let store = behind(Arc::clone(&meets) as _).await;
    commit(&store.storage, "a", 0).await;
    assert_eq!(meets.tries(), 5);
    let meets = Meets::some("PutItem", conflict, 3);
    let store = behind(Arc::clone(&meets) as _).await;
    let with_key = Commit {
        commit_id: CommitId::new("k").unwrap(),
        ..asked("a", 0)
    };
    let outcome = store.storage.commit(&with_key).await.unwrap();
    assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    assert_eq!(meets.tries(), 5, "the marker and the changeset");
    let meets = Meets::some("UpdateItem", conflict, 1);
    let store = behind(Arc::clone(&meets) as _).await;
    commit(&store.plain, "a", 0).await;
    let written = store.storage.write_position(&key("a", 1), at(0)).await;
    assert_eq!(written.unwrap(), PositionWrite::Written);

    let meets = Meets::each("PutItem", conflict);
    let store = behind(Arc::clone(&meets) as _).await;
    let error = store.storage.commit(&asked("a", 0)).await.unwrap_err();
    assert_eq!(error.written(), Written::None, "{error}");
    assert!(error.to_string().contains("meets a transaction"), "{error}");
    assert!(matches!(error, StorageError::Unavailable { .. }), "{error}");
    assert_eq!(meets.tries(), 5);
}

#[tokio::test]
async fn a_stream_that_dynamodb_calls_full_refuses_its_set() {
    let full = Fate::Cancelled(1, "ItemCollectionSizeLimitExceeded");
    let store = behind(Meets::each(TRANSACT, full)).await;
    commit(&store.plain, "c", 0).await;
    let checks = [("c", Expectation::LastChangeset(1))];
    let refusal = refused(&store.storage, &set(&[("a", 0), ("b", 0)], &checks)).await;
    assert_eq!(refusal.commits, [None, Some(Refusal::Full)]);
    assert_eq!(refusal.checks, [None]);
}

/// While DynamoDB completes a transaction, some of its items are visible and others are not yet. A
/// repeat of the set does not take this for a part of the set.
#[tokio::test]
async fn a_repeat_waits_until_the_set_is_visible_everywhere() {
    /// Hides the marker of one stream from so many reads.
    struct Hides(AtomicU64);
    impl Plan for Hides {
        fn end(&self, call: &Call, answer: &mut Value) {
            if call.operation != "BatchGetItem" {
                return;
            }
            let tables = answer["Responses"].as_object_mut().unwrap();
            for items in tables.values_mut() {
                let items = items.as_array_mut().unwrap();
                let hidden = |item: &Value| item["projection_id"]["S"] == "ees:key:1:b:k";
                let take = |left: u64| left.checked_sub(1);
                if items.iter().any(hidden)
                    && self
                        .0
                        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take)
                        .is_ok()
                {
                    items.retain(|item| !hidden(item));
                }
            }
        }
    }
    for (hides, is_seen) in [(3, true), (u64::MAX, false)] {
        let store = behind(Arc::new(Hides(AtomicU64::new(hides)))).await;
        let pair = || keyed(set(&[("a", 0), ("b", 0)], &[]), "k");
        committed(&store.plain, &pair()).await;
        let again = store.storage.commit_set(&pair()).await;
        let stands = Some(Refusal::KeyStands(ChangesetId::new(1).unwrap()));
        if is_seen {
            let Ok(SetOutcome::Refused(refusal)) = again else {
                panic!("{again:?}");
            };
            assert_eq!(refusal.commits, [stands, stands]);
        } else {
            let error = again.unwrap_err();
            assert_eq!(error.written(), Written::Unknown, "{error}");
        }
    }
}
