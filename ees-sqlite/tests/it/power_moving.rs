//! What a power cut leaves of an import and of a fence (G4, G14).

use std::path::Path;

use ees_core::adapter::{Commit, Fence, Import, ImportOutcome, Storage};
use ees_core::{
    Changeset, Checkpoint, CommitId, Events, Expectation, GlobalPage, Json, PageLimit,
    StorageError, StreamId, Timestamp,
};
use ees_sqlite::{FileFence, SqliteConfig, SqliteStorage};
use ees_sqlite_testkit::{Disk, Keep};
use fastrand::Rng;
use tempfile::TempDir;

/// How many power cuts are tried for each way to keep what was not flushed.
const CUTS: u64 = 20;

/// How many changesets are imported at once.
const PAGE: usize = 23;

async fn open(folder: &Path) -> SqliteStorage {
    let config = SqliteConfig::new(folder.join("ees.db"));
    SqliteStorage::open(&config).await.unwrap()
}

async fn commit(storage: &SqliteStorage, stream: &str, last: u64) -> Result<(), StorageError> {
    let text = format!("[\"{}\"]", "x".repeat(usize::try_from(last).unwrap() * 90));
    let commit = Commit {
        stream_id: StreamId::new(stream).unwrap(),
        expectation: Expectation::LastChangeset(last),
        events: Events::parse(&text).unwrap(),
        metadata: Json::default(),
        commit_id: CommitId::new(&format!("key {last}")).unwrap(),
        set: None,
        timestamp: Timestamp::from_micros(7).unwrap(),
    };
    storage.commit(&commit).await.map(drop)
}

async fn log(storage: &SqliteStorage) -> Vec<Changeset> {
    let limit = PageLimit::items(1000);
    let page = storage.read_global(Checkpoint::FIRST, limit).await;
    page.unwrap().changesets
}

/// The order of a store that is imported.
async fn source() -> Vec<Changeset> {
    let folder = TempDir::new().unwrap();
    let storage = open(folder.path()).await;
    for last in 0..70 {
        for stream in ["a", "b", "c"] {
            commit(&storage, stream, last).await.unwrap();
        }
    }
    let whole = log(&storage).await;
    assert_eq!(whole.len(), 210);
    storage.close().await;
    whole
}

/// Imports what a store does not have; `written` gets the end behind each page that was acknowledged.
async fn import(storage: &SqliteStorage, whole: &[Changeset], mut written: impl FnMut(usize)) {
    let mut at = storage.begin_import().await.unwrap();
    let stands = usize::try_from(at.get()).unwrap();
    for changesets in whole[stands..].chunks(PAGE) {
        let page = GlobalPage {
            changesets: changesets.to_vec(),
            next: at.plus(changesets.len() as u64),
        };
        let outcome = storage.import(at, &page).await.unwrap();
        assert_eq!(outcome, ImportOutcome::Imported);
        at = page.next;
        written(usize::try_from(at.get()).unwrap());
    }
    storage.finish_import().await.unwrap();
}

/// G4, G14: each page that was acknowledged stands, no page stands in part, and the import goes on.
#[tokio::test]
async fn an_import_goes_on_after_a_power_cut() {
    let whole = source().await;
    let folder = TempDir::new().unwrap();
    let disk = Disk::watch(folder.path()).unwrap();
    let storage = open(folder.path()).await;
    // Before it the file itself may not be there.
    let begun = disk.now();
    let mut acknowledged = vec![(0, begun)];
    import(&storage, &whole, |end| acknowledged.push((end, disk.now()))).await;
    storage.close().await;
    let mut rng = Rng::with_seed(1);
    let mut in_the_middle = 0;
    for cut in 0..CUTS {
        let (_, just_after) = *rng.choice(&acknowledged).unwrap();
        for (moment, keep) in [
            (just_after, Keep::Nothing),
            (rng.usize(begun..=disk.now()), Keep::Some(cut)),
        ] {
            let found = TempDir::new().unwrap();
            disk.after_a_cut(moment, keep, found.path()).unwrap();
            let storage = open(found.path()).await;
            let stands = log(&storage).await;
            let before = acknowledged.iter().filter(|(_, at)| *at <= moment);
            let least = before.map(|(end, _)| *end).max().unwrap();
            let ends = &acknowledged;
            assert!(
                stands.len() >= least && ends.iter().any(|(end, _)| *end == stands.len()),
                "{} of at least {least} stand at {moment} ({keep:?})",
                stands.len()
            );
            assert_eq!(stands, whole[..stands.len()], "{keep:?} at {moment}");
            in_the_middle += usize::from((1..whole.len()).contains(&stands.len()));
            import(&storage, &whole, |_| {}).await;
            assert_eq!(log(&storage).await, whole, "{keep:?} at {moment}");
            commit(&storage, "a", 70).await.unwrap();
            storage.close().await;
        }
    }
    assert!(in_the_middle > 0, "an import is cut in the middle");
}

/// G4, G14: a fence that was acknowledged stands, also one from another connection; so does its end.
/// In between there is either none or all of it, and everything acknowledged before it stands.
#[tokio::test]
async fn a_fence_stands_after_a_power_cut() {
    let folder = TempDir::new().unwrap();
    let disk = Disk::watch(folder.path()).unwrap();
    let storage = open(folder.path()).await;
    let config = SqliteConfig::new(folder.path().join("ees.db"));
    let beside = FileFence::of(&config).await.unwrap();
    commit(&storage, "a", 0).await.unwrap();
    // What the fence is from each moment on.
    let mut states = vec![(None, disk.now())];
    for (address, fence) in [
        ("http://one", &storage as &dyn Fence),
        ("http://two", &beside as &dyn Fence),
    ] {
        fence.fence(address).await.unwrap();
        states.push((Some(address.to_owned()), disk.now()));
        commit(&storage, "a", 1).await.unwrap_err();
        fence.lift_fence().await.unwrap();
        states.push((None, disk.now()));
    }
    storage.close().await;
    let mut cuts: Vec<_> = states
        .iter()
        .map(|(_, moment)| (*moment, Keep::Nothing))
        .collect();
    let mut rng = Rng::with_seed(1);
    let some = (0..2 * CUTS).map(|cut| (rng.usize(states[0].1..=disk.now()), Keep::Some(cut)));
    cuts.extend(some);
    for (moment, keep) in cuts {
        let found = TempDir::new().unwrap();
        disk.after_a_cut(moment, keep, found.path()).unwrap();
        let storage = open(found.path()).await;
        let state = storage.fence_state().await.unwrap();
        let reached = states.iter().rposition(|(_, at)| *at <= moment).unwrap();
        // What was not acknowledged yet may stand.
        let mut may_be = states[reached..].iter().take(2);
        assert!(
            may_be.any(|(may_be, _)| *may_be == state),
            "{state:?} at {moment} ({keep:?}) of {states:?}"
        );
        assert_eq!(log(&storage).await.len(), 1, "{keep:?} at {moment}");
        let committed = commit(&storage, "a", 1).await;
        match (state, committed) {
            (None, Ok(())) => {}
            (Some(address), Err(StorageError::Fenced { moved_to })) => {
                assert_eq!(moved_to, address);
            }
            (state, committed) => panic!("{state:?}: {committed:?}"),
        }
        storage.close().await;
    }
}
