//! The group-commit writer over a database that fails at any statement. It may report a failure
//! although the commit took effect.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use ees_core::adapter::group_commit::{BatchLimit, BatchStore, GroupCommit, Snapshot};
use ees_core::adapter::{ClientKey, Commit, Outcome, Refusal};
use ees_core::{
    Changeset, Checkpoint, CommitId, Events, Expectation, Json, StorageError, StreamId, Timestamp,
    Written,
};
use futures_util::future::join_all;
use proptest::prelude::*;

/// The fault of one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Turn,
    Begin,
    /// The same, but a retry cannot succeed.
    BeginForGood,
    /// The head of stream `s0` cannot be read.
    Unreadable,
    /// The transaction fails and is known to be rolled back.
    Commit,
    /// The answer to COMMIT is lost, and nothing was committed.
    LostBefore,
    /// The answer to COMMIT is lost, but the transaction was committed.
    LostAfter,
}

#[derive(Default)]
struct Database {
    log: Vec<Changeset>,
    faults: Vec<Fault>,
    transactions: usize,
    largest: usize,
}

/// A database with transactions over a log in memory.
struct Faulty {
    database: Arc<Mutex<Database>>,
    open: bool,
    fault: Fault,
}

fn failed(written: Written) -> StorageError {
    StorageError::unavailable("injected", written)
}

#[async_trait]
impl BatchStore for Faulty {
    async fn await_turn(&mut self, _first: &Commit) -> Result<(), StorageError> {
        // Commits arrive meanwhile, so that batches form.
        tokio::task::yield_now().await;
        assert!(!self.open, "the last transaction was left open");
        let mut database = self.database.lock().unwrap();
        database.transactions += 1;
        self.fault = database.faults.pop().unwrap_or(Fault::None);
        match self.fault {
            Fault::Turn => Err(failed(Written::None)),
            _ => Ok(()),
        }
    }

    async fn begin(
        &mut self,
        streams: &[StreamId],
        keys: &[ClientKey],
    ) -> Result<Snapshot, StorageError> {
        let unreadable = streams.iter().any(|stream| stream.as_str() == "s0");
        match self.fault {
            Fault::Begin => return Err(failed(Written::None)),
            Fault::BeginForGood => {
                return Err(StorageError::Backend(Arc::new(std::fmt::Error)));
            }
            Fault::Unreadable if unreadable => {
                return Err(StorageError::Corrupt("injected".to_owned()));
            }
            _ => {}
        }
        let database = self.database.lock().unwrap();
        self.open = true;
        let heads = database
            .log
            .iter()
            .filter(|c| streams.contains(&c.stream_id));
        let keys = keys.iter().filter_map(|key| {
            let mut log = database.log.iter();
            let has =
                |c: &&Changeset| (&c.stream_id, &c.commit_id) == (&key.stream_id, &key.commit_id);
            Some((key.clone(), log.find(has)?.changeset_id))
        });
        Ok(Snapshot {
            keys: keys.collect(),
            heads: heads.map(|c| (c.stream_id.clone(), c.head())).collect(),
            next_checkpoint: Checkpoint::FIRST.plus(database.log.len() as u64),
        })
    }

    async fn commit(&mut self, changesets: &[Changeset]) -> Result<(), StorageError> {
        assert!(std::mem::take(&mut self.open), "an open transaction");
        let mut database = self.database.lock().unwrap();
        database.largest = database.largest.max(changesets.len());
        match self.fault {
            Fault::Commit => return Err(failed(Written::None)),
            Fault::LostBefore => return Err(failed(Written::Unknown)),
            _ => database.log.extend_from_slice(changesets),
        }
        match self.fault {
            Fault::LostAfter => Err(failed(Written::Unknown)),
            _ => Ok(()),
        }
    }

    async fn rollback(&mut self) {
        self.open = false;
    }
}

fn commit(stream: usize, last: u64) -> Commit {
    Commit {
        stream_id: StreamId::new(&format!("s{stream}")).unwrap(),
        expectation: Expectation::LastChangeset(last),
        events: Events::parse("[1]").unwrap(),
        metadata: Json::default(),
        commit_id: CommitId::generate(),
        set: None,
        timestamp: Timestamp::now(),
    }
}

/// Runs commits concurrently over a database with these faults.
fn run(
    commits: &[Commit],
    faults: Vec<Fault>,
    limit: BatchLimit,
) -> (Vec<Result<Outcome, StorageError>>, Database) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let database = Database {
            faults,
            ..Database::default()
        };
        let database = Arc::new(Mutex::new(database));
        let store = Faulty {
            database: Arc::clone(&database),
            open: false,
            fault: Fault::None,
        };
        let (group, writer) = GroupCommit::new(store, limit);
        let writer = tokio::spawn(writer);
        let results = join_all(commits.iter().map(|commit| group.commit(commit))).await;
        group.close();
        assert!(group.commit(&commits[0]).await.is_err(), "closed");
        drop(writer.await.unwrap());
        let database = Arc::into_inner(database).unwrap();
        (results, database.into_inner().unwrap())
    })
}

/// The number of times that a commit is in the log.
fn stands(log: &[Changeset], commit: &Commit) -> usize {
    log.iter()
        .filter(|c| c.commit_id == commit.commit_id)
        .count()
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        3 => Just(Fault::None),
        1 => Just(Fault::Turn),
        1 => Just(Fault::Begin),
        1 => Just(Fault::BeginForGood),
        1 => Just(Fault::Unreadable),
        1 => Just(Fault::Commit),
        1 => Just(Fault::LostBefore),
        1 => Just(Fault::LostAfter),
    ]
}

proptest! {
    /// G1, G2, G3, G6, under any faults: an acknowledged commit is stored once, a commit with
    /// `Written::None` is not stored, and the log is dense.
    #[test]
    fn answers_are_true_whatever_fails(
        asked in prop::collection::vec((0..4_usize, 0..3_u64), 1..24),
        faults in prop::collection::vec(fault(), 0..12),
        commits_per_batch in 1..8_usize,
    ) {
        let commits: Vec<Commit> = asked.iter().map(|(s, last)| commit(*s, *last)).collect();
        let limit = BatchLimit { commits: commits_per_batch, ..BatchLimit::default() };
        let (results, database) = run(&commits, faults, limit);
        let log = database.log;
        let mut heads: HashMap<&StreamId, u64> = HashMap::new();
        for (position, changeset) in (0_u64..).zip(&log) {
            prop_assert_eq!(changeset.checkpoint.unwrap().get(), position);
            let head = heads.entry(&changeset.stream_id).or_default();
            *head += 1;
            prop_assert_eq!(changeset.changeset_id.get(), *head);
        }
        for (commit, result) in commits.iter().zip(results) {
            let stands = stands(&log, commit);
            prop_assert!(stands <= 1, "doubled");
            match result {
                Ok(Outcome::Committed(receipt)) => {
                    let place = usize::try_from(receipt.checkpoint.unwrap().get()).unwrap();
                    prop_assert_eq!(&log[place].commit_id, &commit.commit_id);
                    prop_assert_eq!(log[place].receipt(), receipt);
                }
                // A commit may be outdated by an earlier try of its own; the use case checks that.
                // But the changeset that makes it outdated is stored.
                Ok(Outcome::Refused(refusal)) => {
                    let head = heads.get(&commit.stream_id).copied().unwrap_or(0);
                    let Expectation::LastChangeset(last) = commit.expectation else { panic!() };
                    if refusal == Refusal::Outdated {
                        prop_assert!(last < head);
                    } else {
                        prop_assert_eq!(stands, 0);
                    }
                }
                Err(error) => {
                    prop_assert!(error.written() == Written::Unknown || stands == 0);
                }
            }
        }
    }
}

#[test]
fn waiting_commits_share_transactions() {
    let commits: Vec<Commit> = (0..100).map(|stream| commit(stream, 0)).collect();
    let (results, database) = run(&commits, vec![], BatchLimit::default());
    assert!(
        results
            .iter()
            .all(|r| matches!(r, Ok(Outcome::Committed(_))))
    );
    assert!(
        database.transactions <= 3,
        "{} transactions",
        database.transactions
    );
}

/// A commit that arrives during a write joins the next batch, whichever commit is first in it.
#[test]
fn a_batch_grows_while_it_waits_for_its_turn() {
    let commits: Vec<Commit> = (0..100).map(|stream| commit(stream, 0)).collect();
    let (_, database) = run(&commits, vec![], BatchLimit::default());
    assert_eq!(
        (database.transactions, database.largest),
        (1, 100),
        "the first waits for its turn while all others come"
    );
}

#[test]
fn a_batch_ends_at_its_limits() {
    let commits: Vec<Commit> = (0..100).map(|stream| commit(stream, 0)).collect();
    let bytes = commits[0].payload_bytes();
    let limit = BatchLimit {
        bytes: 10 * bytes,
        ..BatchLimit::default()
    };
    let (_, database) = run(&commits, vec![], limit);
    assert_eq!(database.largest, 10);
    let limit = BatchLimit {
        commits: 7,
        ..BatchLimit::default()
    };
    let (_, database) = run(&commits, vec![], limit);
    assert_eq!(database.largest, 7);
    let limit = BatchLimit {
        bytes: 1,
        queue: 1,
        ..BatchLimit::default()
    };
    let (results, database) = run(&commits, vec![], limit);
    assert_eq!((results.len(), database.largest), (100, 1));
}

#[test]
fn a_failed_batch_is_tried_member_by_member() {
    let commits: Vec<Commit> = (0..3).map(|stream| commit(stream, 0)).collect();
    // The faults are popped from the end: the batch fails, then the second member alone.
    let faults = vec![Fault::None, Fault::Commit, Fault::None, Fault::Commit];
    let (results, database) = run(&commits, faults, BatchLimit::default());
    let stored: Vec<usize> = commits.iter().map(|c| stands(&database.log, c)).collect();
    let acknowledged: Vec<bool> = results.iter().map(Result::is_ok).collect();
    assert_eq!(
        (stored, acknowledged),
        (vec![1, 0, 1], vec![true, false, true])
    );
}

#[test]
fn a_stream_that_cannot_be_read_fails_no_other() {
    let commits: Vec<Commit> = (0..3).map(|stream| commit(stream, 0)).collect();
    let (results, _) = run(&commits, vec![Fault::Unreadable; 9], BatchLimit::default());
    assert!(matches!(results[0], Err(StorageError::Corrupt(_))));
    assert!(results[1..].iter().all(Result::is_ok), "{results:?}");
}

/// After a failed wait for the turn, commits do not wait for it again.
#[test]
fn a_database_that_cannot_be_reached_is_asked_no_more_than_twice_for_a_batch() {
    let commits: Vec<Commit> = (0..50).map(|stream| commit(stream, 0)).collect();
    for (fault, times) in [(Fault::Turn, 1), (Fault::Begin, 2)] {
        let (results, database) = run(&commits, vec![fault; 100], BatchLimit::default());
        assert!(results.iter().all(Result::is_err));
        assert_eq!(database.transactions, times, "{fault:?}");
    }
}
