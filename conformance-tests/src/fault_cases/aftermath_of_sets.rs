//! G1, G10: a set of commits whose write fails is stored whole or not at all.

use ees_core::{
    CommitId, Error, EventStore, Events, Expectation, NewChangeset, NewSet, Receipt, Written,
};

use crate::subject::unique;
use crate::support::{GLOBAL_LIMIT, end_of_log, length, log, of_streams, store_over, within};
use crate::{AdapterHarness, WriteFault};

/// How many commits the set has.
const MEMBERS: usize = 3;

/// Commits a set while the fault is in force: what stands afterwards is the whole set or nothing, as it
/// was told. A repeat is stored once, also after a restart.
pub(super) async fn are_stored_whole(harness: &mut dyn AdapterHarness, fault: WriteFault) {
    let start = end_of_log(&*harness.subject()).await;
    let names: Vec<String> = (0..MEMBERS).map(|_| unique("faulty-set")).collect();
    let faults = harness.faults().expect("G10: a harness that makes faults");
    let store = store_over(harness.storage());
    faults.begin(fault).await;
    let told = commit(&store, &names).await;
    faults.end().await;
    let stands = lengths(harness, &names).await;
    let is_whole = stands == [1; MEMBERS] || stands == [0; MEMBERS];
    assert!(is_whole, "G1: the whole set or nothing stands: {stands:?}");
    match told {
        Ok(_) => assert_eq!(stands, [1; MEMBERS], "G10: a reported set is stored"),
        Err(Error::Storage(error)) if error.written() == Written::Unknown => {}
        Err(error) => assert_eq!(
            stands, [0; MEMBERS],
            "G10: nothing is stored after: {error}"
        ),
    }
    for _ in 0..2 {
        let again = commit(&store, &names).await;
        let again = again.unwrap_or_else(|error| panic!("G10: a repeat is answered, not: {error}"));
        let ids: Vec<u64> = again.iter().map(|one| one.changeset_id.get()).collect();
        assert_eq!(
            ids, [1; MEMBERS],
            "G10: a repeat gets the ids of the first try"
        );
        assert_eq!(
            lengths(harness, &names).await,
            [1; MEMBERS],
            "G10: stored once"
        );
    }
    harness.settle().await;
    let order = log(&*harness.subject(), start, GLOBAL_LIMIT).await;
    let placed = of_streams(&order, &names).len();
    assert_eq!(placed, MEMBERS, "G10: once in the global order");
    harness.restart().await;
    if harness.capabilities().durable {
        let again = commit(&store_over(harness.storage()), &names).await;
        assert!(again.is_ok(), "G10: a repeat after a restart: {again:?}");
        assert_eq!(
            lengths(harness, &names).await,
            [1; MEMBERS],
            "G4: the set stands"
        );
    }
}

async fn commit(store: &EventStore, names: &[String]) -> Result<Vec<Receipt>, Error> {
    let set = names.iter().fold(NewSet::default(), |set, name| {
        let events = Events::of(&[name]).expect("events");
        let stream = name.parse().expect("a stream id");
        set.commit(NewChangeset::new(stream, Expectation::NEW_STREAM, events))
    });
    let set = set.with_idempotency_key(CommitId::new("the set").expect("a key"));
    within(
        "G8: a set whose write fails is answered",
        store.commit_all(set),
    )
    .await
}

async fn lengths(harness: &dyn AdapterHarness, names: &[String]) -> Vec<usize> {
    let subject = harness.subject();
    let mut lengths = Vec::new();
    for name in names {
        lengths.push(length(&*subject, name).await);
    }
    lengths
}
