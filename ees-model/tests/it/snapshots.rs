//! Snapshots: less is read, and the state is the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use ees_core::StreamId;
use ees_model::{
    Decider, Error, MemorySnapshots, Snapshot, SnapshotError, Snapshots, Streams, Upcasts,
};
use serde::{Deserialize, Serialize};

use crate::account::{Account, Command, Event, TOO_LOW};
use crate::executing::{deposited, withdrawn};
use crate::watched::{Before, Watched, accounts};

const ID: &str = "account-1";
const MIB: usize = 1024 * 1024;

fn memory() -> Arc<MemorySnapshots> {
    Arc::new(MemorySnapshots::new(MIB))
}

async fn kept(snapshots: &MemorySnapshots) -> Option<Snapshot> {
    snapshots.load(&ID.parse().unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_snapshot_is_taken_after_so_many_changesets() {
    let (store, snapshots) = (Watched::new(), memory());
    let accounts = accounts(&store).with_snapshots(Arc::clone(&snapshots), 10);
    for _ in 0..9 {
        accounts.execute(ID, Command::Deposit(1)).await.unwrap();
    }
    assert_eq!(kept(&snapshots).await, None);
    // What others committed counts when it is read.
    store.append(ID, &[deposited(5)]).await;
    assert_eq!(accounts.load(ID).await.unwrap().state.cents, 14);
    let taken = kept(&snapshots).await.unwrap();
    assert_eq!((taken.changeset, &*taken.state), (10, r#"{"cents":14}"#));
    for _ in 0..12 {
        accounts.execute(ID, Command::Deposit(1)).await.unwrap();
    }
    assert_eq!(kept(&snapshots).await.unwrap().changeset, 20);
}

/// Ten thousand changesets are several pages; with a snapshot one page is read.
#[tokio::test]
async fn a_long_stream_is_read_once() {
    let (store, snapshots) = (Watched::new(), memory());
    store.append_at_once(ID, &deposited(1), 10_000).await;
    let accounts = accounts(&store).with_snapshots(snapshots, 100);
    accounts.load(ID).await.unwrap();
    assert!(store.take_read() >= 10_000);
    for _ in 0..300 {
        accounts.execute(ID, Command::Deposit(1)).await.unwrap();
        let read = store.take_read();
        assert!(read <= 100, "{read} changesets were read for one command");
    }
    assert_eq!(accounts.load(ID).await.unwrap().state.cents, 10_300);
}

/// Each page holds four events of a mebibyte.
#[tokio::test]
async fn a_read_that_is_interrupted_goes_on_from_its_last_page() {
    let (store, snapshots) = (Watched::new(), memory());
    let note = "x".repeat(MIB - 100);
    let large = format!(r#"{{"type": "deposited", "cents": 1, "note": "{note}"}}"#);
    store.append_at_once(ID, &large, 12).await;
    let accounts = accounts(&store).with_snapshots(snapshots, 2);
    store.fail_after(2);
    assert!(matches!(accounts.load(ID).await, Err(Error::Store(_))));
    assert_eq!(store.take_read(), 8);
    store.fail_after(usize::MAX);
    assert_eq!(accounts.load(ID).await.unwrap().state.cents, 12);
    assert_eq!(store.take_read(), 5);
}

/// A wrong state in the snapshot shows that it is used.
#[tokio::test]
async fn the_snapshot_is_what_the_next_command_is_decided_on() {
    let (store, snapshots) = (Watched::new(), memory());
    let accounts = accounts(&store).with_snapshots(Arc::clone(&snapshots), 1);
    accounts.execute(ID, Command::Deposit(5)).await.unwrap();
    let mut wrong = kept(&snapshots).await.unwrap();
    wrong.state = r#"{"cents": 700}"#.to_owned();
    let id: StreamId = ID.parse().unwrap();
    snapshots.save(&id, wrong.clone()).await.unwrap();
    assert_eq!(accounts.load(ID).await.unwrap().state.cents, 700);

    for does_not_fit in [
        // The state has changed.
        Snapshot {
            version: 2,
            ..wrong.clone()
        },
        Snapshot {
            state: "{}".to_owned(),
            ..wrong.clone()
        },
        // The store was restored from a copy, and others have committed since.
        Snapshot {
            commit_id: "other".parse().unwrap(),
            ..wrong.clone()
        },
        Snapshot {
            timestamp: "2020-01-01T00:00:00Z".parse().unwrap(),
            ..wrong.clone()
        },
        // The same, and the stream is shorter than before.
        Snapshot {
            changeset: 9,
            ..wrong.clone()
        },
    ] {
        snapshots.save(&id, does_not_fit.clone()).await.unwrap();
        let loaded = accounts.load(ID).await.unwrap();
        assert_eq!(
            (loaded.state.cents, loaded.last_changeset),
            (5, 1),
            "{does_not_fit:?}"
        );
        let taken = kept(&snapshots).await.unwrap();
        assert_eq!(
            &*taken.state, r#"{"cents":5}"#,
            "a right one has replaced it"
        );
    }
}

/// Also in a stream that is too short for one: otherwise each command would read the stream twice.
#[tokio::test]
async fn a_snapshot_that_does_not_fit_is_replaced_at_once() {
    let (store, snapshots) = (Watched::new(), memory());
    let accounts = accounts(&store).with_snapshots(Arc::clone(&snapshots), 100);
    accounts.execute(ID, Command::Deposit(5)).await.unwrap();
    let other = Snapshot {
        version: 1,
        changeset: 1,
        commit_id: "other".parse().unwrap(),
        timestamp: "2020-01-01T00:00:00Z".parse().unwrap(),
        state: r#"{"cents": 700}"#.to_owned(),
    };
    snapshots.save(&ID.parse().unwrap(), other).await.unwrap();
    store.calls();
    for reads in [2, 1] {
        assert_eq!(accounts.load(ID).await.unwrap().state.cents, 5);
        assert_eq!(store.calls(), (reads, 0));
    }
}

#[tokio::test]
async fn a_command_that_was_done_before_the_snapshot_is_found() {
    let (store, snapshots) = (Watched::new(), memory());
    let accounts = accounts(&store).with_snapshots(snapshots, 1);
    accounts
        .execute_once(ID, "c-1", Command::Deposit(50))
        .await
        .unwrap();
    let done = accounts
        .execute_once(ID, "c-2", Command::Withdraw(40))
        .await;
    let done = done.unwrap().receipt.unwrap();
    accounts.execute(ID, Command::Withdraw(5)).await.unwrap();
    let again = accounts
        .execute_once(ID, "c-2", Command::Withdraw(40))
        .await
        .unwrap();
    assert_eq!(again.state.cents, 5);
    assert_eq!(again.receipt.unwrap().changeset_id, done.changeset_id);
    // It would be decided otherwise now, and is not.
    let again = accounts
        .execute_once(ID, "c-1", Command::Deposit(50))
        .await
        .unwrap();
    assert_eq!((again.state.cents, again.last_changeset), (5, 3));
    let new = accounts
        .execute_once(ID, "c-3", Command::Withdraw(40))
        .await;
    assert!(matches!(new, Err(Error::Refused(TOO_LOW))));

    let transfer = || [(ID, Command::Withdraw(5)), ("b", Command::Deposit(5))];
    accounts.execute_all_once("t-1", transfer()).await.unwrap();
    accounts.execute(ID, Command::Deposit(1)).await.unwrap();
    let again = accounts.execute_all_once("t-1", transfer()).await.unwrap();
    let ids = again
        .iter()
        .map(|one| one.receipt.as_ref().unwrap().changeset_id.get());
    assert_eq!(ids.collect::<Vec<_>>(), [4, 1]);
    assert_eq!(accounts.load("b").await.unwrap().state.cents, 5);
}

/// A place that fails.
struct Broken(Arc<AtomicUsize>);

#[async_trait]
impl Snapshots for Broken {
    async fn load(&self, _: &StreamId) -> Result<Option<Snapshot>, SnapshotError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err("the cache is away".into())
    }

    async fn save(&self, _: &StreamId, _: Snapshot) -> Result<(), SnapshotError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err("the cache is away".into())
    }
}

#[tokio::test]
async fn a_place_that_fails_costs_reading_only() {
    let (store, calls) = (Watched::new(), Arc::default());
    let accounts = accounts(&store).with_snapshots(Broken(Arc::clone(&calls)), 1);
    store.before([Before::Others(ID, vec![deposited(2), withdrawn(1)])]);
    let done = accounts.execute(ID, Command::Deposit(5)).await.unwrap();
    assert_eq!(done.state.cents, 6);
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

/// The account of a later version of the program.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Counted {
    events: u64,
}

impl Decider for Counted {
    type Command = ();
    type Event = Event;
    type Error = &'static str;

    const UPCASTS: Upcasts = Account::UPCASTS;
    const VERSION: u32 = 2;

    fn decide(&self, (): &()) -> Result<Vec<Event>, &'static str> {
        Ok(vec![])
    }

    fn evolve(&mut self, _: &Event) {
        self.events += 1;
    }
}

#[tokio::test]
async fn a_new_version_of_the_state_folds_anew() {
    let (store, snapshots) = (Watched::new(), memory());
    let accounts = accounts(&store).with_snapshots(Arc::clone(&snapshots), 1);
    accounts.execute(ID, Command::Deposit(5)).await.unwrap();
    let counted = Streams::<Counted, _>::new(&store).with_snapshots(Arc::clone(&snapshots), 1);
    assert_eq!(counted.load(ID).await.unwrap().state.events, 1);
    assert_eq!(kept(&snapshots).await.unwrap().version, 2);
    // An instance of the former version still runs during the deployment.
    assert_eq!(accounts.load(ID).await.unwrap().state.cents, 5);
}
