//! G11, G10: reads return the values that a commit passes to the storage port.

use ees_core::adapter::{Commit, CommitSet, Outcome, SetOutcome};
use ees_core::{
    Changeset, Checkpoint, CommitId, Events, Expectation, Json, PageLimit, SetMark, StreamId,
    StreamQuery, Timestamp,
};

use crate::AdapterHarness;
use crate::subject::unique;
use crate::support::{end_of_log, within};

/// Microseconds: those that a column of seconds, of milliseconds or of 32 bits would change.
const MICROS: [i64; 12] = [
    0,
    1,
    999,
    1000,
    1001,
    999_999,
    1_000_000,
    2_147_483_648_000_001,
    1_700_000_000_123_456,
    1_700_000_000_000_009,
    4_294_967_296_999_999,
    253_000_000_000_000_001,
];

fn new_commit(name: &str, last: u64, micros: i64, commit_id: &str) -> Commit {
    Commit {
        stream_id: StreamId::new(name).expect("a stream id"),
        expectation: Expectation::LastChangeset(last),
        events: Events::parse("[1]").expect("events"),
        metadata: Json::default(),
        commit_id: CommitId::new(commit_id).expect("a commit id"),
        set: None,
        timestamp: Timestamp::from_micros(micros).expect("a time"),
    }
}

/// What the storage gives back of a stream, and of the global order.
async fn read(harness: &dyn AdapterHarness, name: &str, start: u64) -> [Vec<Changeset>; 2] {
    harness.settle().await;
    let storage = harness.storage();
    let stream = StreamId::new(name).expect("a stream id");
    let page = storage.read_stream(&StreamQuery::all(stream.clone())).await;
    let start = Checkpoint::new(start).expect("a checkpoint");
    let order = storage.read_global(start, PageLimit::default()).await;
    let mut order = order.expect("G6: a page").changesets;
    order.retain(|changeset| changeset.stream_id == stream);
    [page.expect("G5: a page").items, order]
}

/// All calls return times to the microsecond.
pub async fn times_keep_their_microseconds(harness: &mut dyn AdapterHarness) {
    let (storage, name) = (harness.storage(), unique("times"));
    let start = end_of_log(&*harness.subject()).await;
    for (last, micros) in (0..).zip(MICROS) {
        let commit = new_commit(&name, last, micros, &format!("time {last}"));
        let outcome = within("G11: a commit is answered", storage.commit(&commit)).await;
        let Ok(Outcome::Committed(receipt)) = outcome else {
            panic!("G11: the commit at {micros} microseconds succeeds, but: {outcome:?}");
        };
        let told = receipt.timestamp.as_micros();
        assert_eq!(told, micros, "G11: the time in the answer");
        let head = storage.head(&commit.stream_id).await.expect("G5: the head");
        let told = head.map(|head| head.last_timestamp.as_micros());
        assert_eq!(told, Some(micros), "G11: the time in the head");
    }
    for read in read(harness, &name, start).await {
        let told: Vec<_> = read.iter().map(|c| c.timestamp.as_micros()).collect();
        assert_eq!(told, MICROS, "G11: the times that readers get");
    }
}

/// Commit ids are kept as they are, to 255 characters of printable ASCII.
pub async fn commit_ids_keep_their_characters(harness: &mut dyn AdapterHarness) {
    let (storage, name) = (harness.storage(), unique("commit-ids"));
    let start = end_of_log(&*harness.subject()).await;
    let printable: String = ('!'..='~').collect();
    let ids = [
        "k".to_owned(),
        "K".to_owned(),
        "0".to_owned(),
        "with space".to_owned(),
        "k".repeat(254),
        "k".repeat(255),
        format!("{}K", "k".repeat(254)),
        format!("{printable}{printable}"),
        "00000000-0000-0000-0000-00000000000A".to_owned(),
        "00000000-0000-0000-0000-00000000000a".to_owned(),
    ];
    for (last, id) in (0..).zip(&ids) {
        let outcome = storage.commit(&new_commit(&name, last, 7, id)).await;
        let stands = matches!(outcome, Ok(Outcome::Committed(_)));
        assert!(stands, "G10: the commit `{id}` succeeds, but: {outcome:?}");
    }
    for read in read(harness, &name, start).await {
        let found: Vec<_> = read.iter().map(|c| c.commit_id.to_string()).collect();
        assert_eq!(found, ids, "G10: the commit ids that reads return");
    }
}

/// A changeset keeps its place in the set in which it was committed, also if it is the only one. One
/// that was committed alone has none.
pub async fn places_in_a_set_are_kept(harness: &mut dyn AdapterHarness) {
    let (storage, names) = (harness.storage(), [unique("marked"), unique("marked")]);
    let start = end_of_log(&*harness.subject()).await;
    let mark = |place: &str| -> SetMark {
        let digits = "0123456789abcdef".repeat(4);
        format!("{place}:{digits}").parse().expect("a mark")
    };
    let marks = [
        (mark("1/2"), Some(mark("2/2"))),
        (mark("25/25"), Some(mark("1/1"))),
        (mark("1/1"), None),
    ];
    for (last, (first, second)) in (0..).zip(&marks) {
        let commit = |name: &str, set| Commit {
            set,
            ..new_commit(name, last, 7, &format!("in-a-set {last}"))
        };
        let mut commits = vec![commit(&names[0], Some(*first))];
        commits.extend(second.map(|second| commit(&names[1], Some(second))));
        let set = CommitSet {
            commits,
            checks: Vec::new(),
        };
        let outcome = within("G10: a set is answered", storage.commit_set(&set)).await;
        let is_committed = matches!(outcome, Ok(SetOutcome::Committed(_)));
        assert!(is_committed, "G10: the set is committed, but: {outcome:?}");
    }
    let alone = new_commit(&names[1], 2, 7, "alone");
    let outcome = within("G10: a commit is answered", storage.commit(&alone)).await;
    let is_committed = matches!(outcome, Ok(Outcome::Committed(_)));
    assert!(is_committed, "G10: the commit succeeds, but: {outcome:?}");
    let first: Vec<_> = marks.iter().map(|(first, _)| Some(*first)).collect();
    let second: Vec<_> = marks.iter().map(|(_, second)| *second).collect();
    for (name, expected) in names.iter().zip([first, second]) {
        for read in read(harness, name, start).await {
            let kept: Vec<_> = read.iter().map(|changeset| changeset.set).collect();
            assert_eq!(kept, expected, "G10: the places that readers get");
        }
    }
}
