//! Sets of commits: one transaction, its checks, its keys and its races.

use std::sync::Arc;

use ees_core::adapter::{
    Commit, CommitSet, Index, Outcome, Refusal, SetOutcome, SetRefusal, Storage,
};
use ees_core::{ChangesetId, Check, CommitId, Expectation, SetMark, StreamQuery};
use ees_dynamodb::{DynamoConfig, DynamoStorage};
use ees_dynamodb_testkit::Emulator;

use crate::failing::length;
use crate::store::{asked, commit, config, create, open, sweep};

/// A set of commits behind these ends of streams, with marks as the use case makes them.
pub(crate) fn set(commits: &[(&str, u64)], checks: &[(&str, Expectation)]) -> CommitSet {
    let count = commits.len();
    let commit_id = CommitId::generate();
    let commits = (1..).zip(commits).map(|(place, (stream, last))| Commit {
        commit_id: commit_id.clone(),
        set: Some(mark(place, count)),
        ..asked(stream, *last)
    });
    let checks = checks.iter().map(|(stream, expectation)| Check {
        stream_id: stream.parse().unwrap(),
        expectation: *expectation,
    });
    CommitSet {
        commits: commits.collect(),
        checks: checks.collect(),
    }
}

pub(crate) fn mark(place: usize, count: usize) -> SetMark {
    format!("{place}/{count}:{}", "5e".repeat(32))
        .parse()
        .unwrap()
}

/// The same set with a client's key.
pub(crate) fn keyed(mut set: CommitSet, key: &str) -> CommitSet {
    for commit in &mut set.commits {
        commit.commit_id = CommitId::new(key).unwrap();
    }
    set
}

/// The ids that a set got, which must be committed.
pub(crate) async fn committed(storage: &DynamoStorage, set: &CommitSet) -> Vec<u64> {
    match storage.commit_set(set).await.unwrap() {
        SetOutcome::Committed(receipts) => {
            receipts.iter().map(|one| one.changeset_id.get()).collect()
        }
        SetOutcome::Refused(refusal) => panic!("{refusal:?}"),
    }
}

pub(crate) async fn refused(storage: &DynamoStorage, set: &CommitSet) -> SetRefusal {
    match storage.commit_set(set).await.unwrap() {
        SetOutcome::Committed(receipts) => panic!("{receipts:?}"),
        SetOutcome::Refused(refusal) => refusal,
    }
}

fn stands(id: u64) -> Refusal {
    Refusal::KeyStands(ChangesetId::new(id).unwrap())
}

struct Fixture {
    config: DynamoConfig,
    storage: Arc<DynamoStorage>,
    _emulator: Emulator,
}

async fn fixture() -> Fixture {
    let emulator = Emulator::start().expect("an emulator");
    let config = config(emulator.endpoint());
    create(&config).await;
    Fixture {
        storage: open(&config).await,
        config,
        _emulator: emulator,
    }
}

/// As many actions as a transaction takes: 25 changesets, 25 markers and 50 checks.
#[tokio::test]
async fn the_largest_set_is_one_transaction() {
    let store = fixture().await;
    commit(&store.storage, "c0", 0).await;
    let streams: Vec<String> = (0..25).map(|at| format!("s{at}")).collect();
    let checked: Vec<String> = (0..50).map(|at| format!("c{at}")).collect();
    let commits: Vec<_> = streams.iter().map(|stream| (stream.as_str(), 0)).collect();
    let mut checks: Vec<_> = checked
        .iter()
        .map(|stream| (stream.as_str(), Expectation::NEW_STREAM))
        .collect();
    checks[0].1 = Expectation::LastEvent(1);
    let largest = || keyed(set(&commits, &checks), "k");
    assert_eq!(committed(&store.storage, &largest()).await, [1; 25]);
    let last = StreamQuery::all("s24".parse().unwrap());
    let found = store.storage.read_stream(&last).await.unwrap().items;
    assert_eq!(found[0].set, Some(mark(25, 25)));
    let again = refused(&store.storage, &largest()).await;
    assert_eq!(again.commits, vec![Some(stands(1)); 25]);
    assert_eq!(again.checks, vec![None; 50]);
}

/// G2: everything that does not hold is named, although what was cached let it seem to hold.
#[tokio::test]
async fn a_refusal_names_all_that_do_not_hold() {
    let store = fixture().await;
    let other = open(&store.config).await;
    for stream in ["moved", "checked", "still"] {
        commit(&store.storage, stream, 0).await;
        if stream != "still" {
            commit(&other, stream, 1).await;
        }
    }
    let checks = [
        ("checked", Expectation::LastChangeset(1)),
        ("short", Expectation::LastEvent(3)),
        ("still2", Expectation::NEW_STREAM),
    ];
    let commits = [("moved", 1), ("still", 1), ("new", 2)];
    let refusal = refused(&store.storage, &set(&commits, &checks)).await;
    assert_eq!(
        refusal.commits,
        [Some(Refusal::Outdated), None, Some(Refusal::Ahead(None))]
    );
    assert_eq!(
        refusal.checks,
        [Some(Refusal::Outdated), Some(Refusal::Ahead(None)), None]
    );
    // Only caches say that these hold.
    let refusal = refused(
        &store.storage,
        &set(&[("moved", 1), ("still", 1)], &checks[..1]),
    )
    .await;
    assert_eq!(refusal.commits, [Some(Refusal::Outdated), None]);
    assert_eq!(refusal.checks, [Some(Refusal::Outdated)]);
    assert_eq!(length(&store.storage, "still").await, 1, "G1: nothing");
    // The head in an answer has the time of its changeset.
    let beyond = set(&[("new", 0)], &[("still", Expectation::LastChangeset(9))]);
    let refusal = refused(&store.storage, &beyond).await;
    let head = store.storage.head(&"still".parse().unwrap()).await.unwrap();
    assert_eq!(refusal.checks, [Some(Refusal::Ahead(head))]);
}

/// A set of one without checks is the plain write, and keeps its mark.
#[tokio::test]
async fn a_set_of_one_keeps_its_mark() {
    let store = fixture().await;
    assert_eq!(committed(&store.storage, &set(&[("s", 0)], &[])).await, [1]);
    let all = StreamQuery::all("s".parse().unwrap());
    let found = store.storage.read_stream(&all).await.unwrap().items;
    assert_eq!(found[0].set, Some(mark(1, 1)));
    let late = refused(&store.storage, &set(&[("s", 0)], &[])).await;
    assert_eq!(late.commits, [Some(Refusal::Outdated)]);
}

/// G10: a key belongs to each stream of its set for ever, and to those of single commits too.
#[tokio::test]
async fn keys_of_sets_and_of_commits_are_the_same_keys() {
    let store = fixture().await;
    let storage = &store.storage;
    let pair = |a, b, key| keyed(set(&[("a", a), ("b", b)], &[]), key);
    assert_eq!(committed(storage, &pair(0, 0, "k")).await, [1, 1]);
    assert_eq!(committed(storage, &pair(1, 1, "l")).await, [2, 2]);
    for expected in [0, 1, 2, 9] {
        let again = refused(storage, &pair(expected, 2, "k")).await;
        assert_eq!(again.commits, [Some(stands(1)); 2], "behind {expected}");
    }
    let single = |stream: &str, last, key: &str| Commit {
        commit_id: CommitId::new(key).unwrap(),
        ..asked(stream, last)
    };
    let outcome = storage.commit(&single("b", 2, "k")).await.unwrap();
    assert_eq!(outcome, Outcome::Refused(stands(1)));
    let outcome = storage.commit(&single("a", 2, "m")).await.unwrap();
    assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    let part = refused(storage, &pair(3, 2, "m")).await;
    assert_eq!(part.commits, [Some(stands(3)), None]);
    assert_eq!(length(storage, "b").await, 2, "G1: nothing");
}

/// A commit that stopped before its changeset leaves a marker, which the set takes over.
#[tokio::test]
async fn a_marker_that_was_left_behind_is_moved_by_a_set() {
    let store = fixture().await;
    // The marker names changeset 1 of `a`, and another commit stands there.
    let late = Commit {
        commit_id: CommitId::new("k").unwrap(),
        ..asked("a", 0)
    };
    let other = open(&store.config).await;
    commit(&other, "a", 0).await;
    let outcome = store.storage.commit(&late).await.unwrap();
    assert_eq!(outcome, Outcome::Refused(Refusal::Outdated));
    let moved = || keyed(set(&[("a", 1), ("b", 0)], &[]), "k");
    assert_eq!(committed(&store.storage, &moved()).await, [2, 1]);
    let again = refused(&store.storage, &moved()).await;
    assert_eq!(again.commits, [Some(stands(2)), Some(stands(1))]);
}

/// G1, G2, G6: sets, single commits and the indexer work on the same streams. Each succeeds in the
/// end, and nothing stands twice.
#[tokio::test]
async fn sets_race_with_commits_and_the_indexer() {
    const EACH: usize = 6;
    let store = fixture().await;
    let writer = |name: Option<&'static str>| {
        let config = store.config.clone();
        async move {
            let storage = open(&config).await;
            for at in 0..EACH {
                loop {
                    let ends = [
                        ("a", end(&storage, "a").await),
                        ("b", end(&storage, "b").await),
                    ];
                    let mut both = set(&ends, &[("c", Expectation::NEW_STREAM)]);
                    if let Some(name) = name {
                        both = keyed(both, &format!("{name} {at}"));
                    }
                    match storage.commit_set(&both).await.unwrap() {
                        SetOutcome::Committed(receipts) => break assert_eq!(receipts.len(), 2),
                        SetOutcome::Refused(refusal) => assert_eq!(refusal.checks, [None]),
                    }
                }
            }
        }
    };
    let single = async {
        let storage = open(&store.config).await;
        for _ in 0..EACH {
            while let Outcome::Refused(_) = {
                let next = asked("a", end(&storage, "a").await);
                storage.commit(&next).await.unwrap()
            } {}
        }
    };
    let indexing = async {
        for _ in 0..5 {
            sweep(Arc::clone(&store.storage) as Arc<dyn Index>).await;
        }
    };
    tokio::join!(
        writer(Some("x")),
        writer(None),
        writer(Some("z")),
        single,
        indexing
    );
    assert_eq!(length(&store.storage, "a").await, 4 * EACH);
    assert_eq!(length(&store.storage, "b").await, 3 * EACH);
    sweep(Arc::clone(&store.storage) as Arc<dyn Index>).await;
    let next = store.storage.next_checkpoint().await.unwrap();
    assert_eq!(next.get(), 7 * EACH as u64, "G6: each has a position");
}

async fn end(storage: &DynamoStorage, stream: &str) -> u64 {
    let head = storage.head(&stream.parse().unwrap()).await.unwrap();
    head.map_or(0, |head| head.last_changeset.get())
}

/// G10: of sets and commits with one key at once, the key stands once in each stream.
#[tokio::test]
async fn one_key_at_once_stands_once() {
    let store = fixture().await;
    let storages = [open(&store.config).await, open(&store.config).await];
    let set = |at: usize| {
        let storage = &storages[at];
        async move {
            let both = keyed(set(&[("a", 0), ("b", 0)], &[]), "k");
            storage.commit_set(&both).await.unwrap()
        }
    };
    let single = async {
        let single = Commit {
            commit_id: CommitId::new("k").unwrap(),
            ..asked("b", 0)
        };
        store.storage.commit(&single).await.unwrap()
    };
    let (first, second, single) = tokio::join!(set(0), set(1), single);
    let sets = [first, second];
    let written = sets
        .iter()
        .filter(|one| matches!(one, SetOutcome::Committed(_)))
        .count();
    let alone = matches!(single, Outcome::Committed(_));
    assert_eq!(written + usize::from(alone), 1, "{sets:?} {single:?}");
    assert_eq!(length(&store.storage, "b").await, 1);
    assert_eq!(length(&store.storage, "a").await, written);
}

/// Two processes send the same set at the same moment. Only the one that has stored it says so: to the other
/// one it is a repeat.
#[tokio::test]
async fn a_repeat_at_the_same_moment_is_told_from_an_attempt_whose_answer_was_lost() {
    let Fixture {
        config,
        storage,
        _emulator,
    } = fixture().await;
    let other = open(&config).await;
    let set = keyed(set(&[("a", 0), ("b", 0)], &[]), "move-1");
    assert_eq!(committed(&storage, &set).await, [1, 1]);
    let refusal = refused(&other, &set).await;
    assert_eq!(refusal.commits, [Some(stands(1)), Some(stands(1))]);

    let commit = Commit {
        commit_id: CommitId::new("pay-1").unwrap(),
        ..asked("c", 0)
    };
    let stored = storage.commit(&commit).await.unwrap();
    assert!(matches!(stored, Outcome::Committed(_)), "{stored:?}");
    let repeated = other.commit(&commit).await.unwrap();
    assert!(matches!(repeated, Outcome::Refused(_)), "{repeated:?}");
}
