//! The port that stores durable consumers.

use ees_core::adapter::{ConsumerStore, ParkedWrite, StoredPartition};
use futures_util::future::join_all;

use crate::ConsumerHarness;

const ID: &str = "billing@1";

fn document(revision: u64) -> StoredPartition {
    StoredPartition {
        revision,
        document: format!(r#"{{"revision":{revision},"é":"\u0000"}}"#),
    }
}

fn write(slot: u16, document: Option<&str>) -> ParkedWrite {
    ParkedWrite {
        slot,
        document: document.map(str::to_owned),
    }
}

async fn swap(
    store: &dyn ConsumerStore,
    previous: Option<u64>,
    next: u64,
    parked: &[ParkedWrite],
) -> bool {
    let next = document(next);
    let swapped = store.swap_partition(ID, 3, previous, &next, parked);
    swapped.await.expect("G16: to swap")
}

async fn partition(store: &dyn ConsumerStore) -> Option<StoredPartition> {
    let mut loaded = store.load_partitions(ID, 3..4).await.expect("G16: to load");
    assert_eq!(loaded.len(), 1, "G16: a place for each partition");
    loaded.pop().flatten()
}

async fn parked(store: &dyn ConsumerStore, slots: &[u16]) -> Vec<String> {
    let mut parked = store.load_parked(ID, 3, slots).await.expect("G16: to load");
    parked.sort();
    parked
}

/// The first definition of a name stands.
pub async fn a_name_has_one_definition(harness: &mut dyn ConsumerHarness) {
    let store = harness.consumers();
    assert_eq!(store.load_consumer("a").await.expect("to load"), None);
    let first = store.define_consumer("a", "{\"x\": 1}").await;
    assert_eq!(first.expect("to define"), None, "G16: new");
    for other in ["{\"x\": 1}", "{}"] {
        let stands = store.define_consumer("a", other).await.expect("to define");
        assert_eq!(stands.as_deref(), Some("{\"x\": 1}"), "G16: it stands");
    }
    let loaded = store.load_consumer("a").await.expect("to load");
    assert_eq!(loaded.as_deref(), Some("{\"x\": 1}"), "G16: unchanged");
    assert_eq!(store.load_consumer("A").await.expect("to load"), None);
}

/// All names are listed, by their bytes.
pub async fn names_are_listed_in_order(harness: &mut dyn ConsumerHarness) {
    let store = harness.consumers();
    for name in ["b", "a", "Z", "a.b", "a-b", "a_b", "0"] {
        store.define_consumer(name, "{}").await.expect("to define");
    }
    let names = store.consumer_names().await.expect("to list");
    assert_eq!(names, ["0", "Z", "a", "a-b", "a.b", "a_b", "b"], "G16: all");
}

/// A swap that expects another revision changes nothing.
pub async fn a_partition_is_swapped_by_its_revision(harness: &mut dyn ConsumerHarness) {
    let store = harness.consumers();
    assert_eq!(partition(&*store).await, None, "G16: none yet");
    assert!(!swap(&*store, Some(1), 2, &[]).await, "G16: there is none");
    assert!(swap(&*store, None, 7, &[]).await, "G16: the first");
    for wrong in [None, Some(6), Some(8)] {
        assert!(!swap(&*store, wrong, 9, &[]).await, "G16: {wrong:?}");
        assert_eq!(
            partition(&*store).await,
            Some(document(7)),
            "G16: unchanged"
        );
    }
    let large = i64::MAX.cast_unsigned();
    assert!(
        swap(&*store, Some(7), large, &[]).await,
        "G16: the right one"
    );
    assert_eq!(
        partition(&*store).await,
        Some(document(large)),
        "G16: swapped"
    );
    let all = store.load_partitions(ID, 0..64).await.expect("to load");
    let places: Vec<_> = all.iter().map(Option::is_some).collect();
    let expected: Vec<_> = (0..64).map(|number| number == 3).collect();
    assert_eq!(places, expected, "G16: each at its place");
}

/// Parked streams change together with the document, or not at all.
pub async fn parked_streams_change_with_their_partition(harness: &mut dyn ConsumerHarness) {
    let store = harness.consumers();
    let many: Vec<_> = (0..64).map(|slot| write(slot, Some("{}"))).collect();
    assert!(
        !swap(&*store, Some(1), 2, &many).await,
        "G16: there is none"
    );
    assert_eq!(parked(&*store, &[0, 63]).await.len(), 0, "G16: nothing");
    assert!(swap(&*store, None, 1, &many).await, "G16: 64 at once");
    let all: Vec<u16> = (0..1000).collect();
    assert_eq!(parked(&*store, &all).await.len(), 64, "G16: all of them");
    let changes = [write(0, None), write(1, Some("1")), write(999, Some("2"))];
    for wrong in [None, Some(2)] {
        assert!(!swap(&*store, wrong, 3, &changes).await, "G16: {wrong:?}");
        assert_eq!(parked(&*store, &[0, 1, 999]).await, ["{}", "{}"], "G16");
    }
    assert!(swap(&*store, Some(1), 2, &changes).await, "G16: changed");
    assert_eq!(parked(&*store, &[0, 1, 999]).await, ["1", "2"], "G16: both");
    let other = store.load_parked(ID, 2, &[1]).await.expect("to load");
    assert_eq!(other.len(), 0, "G16: another partition");
}

/// Of any number of swaps of one revision one succeeds.
pub async fn one_of_racing_swaps_wins(harness: &mut dyn ConsumerHarness) {
    let store = harness.consumers();
    for round in 0..5_u64 {
        let previous = round.checked_sub(1).map(|last| last * 100 + 50);
        let racing = (0..8).map(|racer| {
            let store = store.clone();
            async move {
                let slot = write(racer, Some("{}"));
                // The winner's revision is known: all write the same.
                swap(&*store, previous, round * 100 + 50, &[slot]).await
            }
        });
        let won = join_all(racing).await.into_iter().filter(|won| *won);
        assert_eq!(won.count(), 1, "G16: one of them");
    }
}

/// What belongs to a removed consumer is gone, and the rest stays.
pub async fn a_consumer_is_removed_with_everything(harness: &mut dyn ConsumerHarness) {
    let store = harness.consumers();
    store
        .define_consumer("billing", "{}")
        .await
        .expect("to define");
    store
        .define_consumer("other", "{}")
        .await
        .expect("to define");
    assert!(swap(&*store, None, 1, &[write(5, Some("{}"))]).await);
    let first = document(1);
    let kept = store.swap_partition("other@1", 3, None, &first, &[]);
    assert!(kept.await.expect("to swap"));
    let slots = [vec![], vec![], vec![], vec![5]];
    let removed = store.remove_consumer("billing", "{} ", ID, &slots).await;
    assert!(!removed.expect("to remove"), "G16: another definition");
    let removed = store.remove_consumer("billing", "{}", ID, &slots).await;
    assert!(removed.expect("to remove"), "G16: removed");
    let again = store.remove_consumer("billing", "{}", ID, &slots).await;
    assert!(!again.expect("to remove"), "G16: once");
    assert_eq!(store.consumer_names().await.expect("to list"), ["other"]);
    assert_eq!(partition(&*store).await, None, "G16: no partition");
    assert_eq!(parked(&*store, &[5]).await.len(), 0, "G16: nothing parked");
    let other = store
        .load_partitions("other@1", 3..4)
        .await
        .expect("to load");
    assert_eq!(other, [Some(document(1))], "G16: the other stays");
}

/// Consumers survive a restart if anything does.
pub async fn consumers_survive_a_restart(harness: &mut dyn ConsumerHarness) {
    let store = harness.consumers();
    store
        .define_consumer("billing", "{}")
        .await
        .expect("to define");
    assert!(swap(&*store, None, 1, &[write(5, Some("{}"))]).await);
    drop(store);
    harness.restart().await;
    let store = harness.consumers();
    let durable = harness.capabilities().durable;
    let kept = durable.then(|| document(1));
    assert_eq!(partition(&*store).await, kept, "G4: as declared");
    let names = store.consumer_names().await.expect("to list");
    assert_eq!(names.len(), usize::from(durable), "G4: as declared");
    let parked = parked(&*store, &[5]).await;
    assert_eq!(parked.len(), usize::from(durable), "G4: as declared");
}
