//! Single rules of the state, and random calls of it. The model in `tests/it/consuming.rs` explores
//! the rest.

use proptest::prelude::*;

use super::parked::cut;
use super::*;
use crate::adapter::trusted_events;
use crate::consumer::{ConsumerDefinition, Share, look_again_in, look_in};
use crate::{Changeset, CommitId, EventId, Json, PageLimit};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000).unwrap()
}

fn changeset(position: u64, stream: &str, id: u64) -> Changeset {
    Changeset {
        stream_id: stream.parse().unwrap(),
        changeset_id: ChangesetId::new(id).unwrap(),
        first_event_id: EventId::new(id).unwrap(),
        last_event_id: EventId::new(id).unwrap(),
        timestamp: at(0),
        commit_id: CommitId::new("c").unwrap(),
        set: None,
        events: trusted_events("[1]", 1),
        metadata: Json::default(),
        checkpoint: Some(Checkpoint::new(position).unwrap()),
    }
}

/// Three streams in turn.
fn order(length: u64) -> Vec<Changeset> {
    let streams = ["a", "b", "c"];
    let stream = |position: u64| streams[usize::try_from(position % 3).unwrap()];
    (0..length)
        .map(|position| changeset(position, stream(position), position / 3 + 1))
        .collect()
}

fn definition() -> ConsumerDefinition {
    ConsumerDefinition {
        retry_seconds: vec![10],
        ..ConsumerDefinition::default()
    }
}

fn take(state: &mut PartitionState, order: &[Changeset], now: i64) -> Option<u64> {
    let share = Share::new(&definition(), 0);
    for work in state.work(at(now)) {
        let found = look_in(state, &share, &work, order, PageLimit::items(4));
        if let Some(generation) = state.take(&found, "w", None, at(now)) {
            return Some(generation);
        }
    }
    None
}

#[test]
fn an_error_is_cut_between_characters() {
    assert_eq!(cut("short"), "short");
    assert_eq!(cut(&"é".repeat(200)).len(), 256);
    assert_eq!(cut(&format!("x{}", "é".repeat(200))).len(), 255);
}

#[test]
fn a_lease_ends_in_time_and_a_wrong_clock_holds_nothing() {
    let mut state = PartitionState::new(Checkpoint::FIRST);
    let lease = Duration::from_secs(30);
    assert!(state.is_free(lease, at(0)));
    take(&mut state, &order(3), 1000).unwrap();
    assert!(!state.is_free(lease, at(1029)));
    assert!(state.is_free(lease, at(1030)));
    // A clock that is a little behind sees the lease, one that is far behind does not wait for it.
    assert!(!state.is_free(lease, at(971)));
    assert!(state.is_free(lease, at(969)));
}

#[test]
fn generations_ascend_also_when_the_clock_goes_back() {
    let mut state = PartitionState::new(Checkpoint::FIRST);
    let first = take(&mut state, &order(3), 1000).unwrap();
    assert_eq!(first, 1_000_000_000);
    assert_eq!(take(&mut state, &order(3), 5), Some(first + 1));
    let mut anew = PartitionState::new(Checkpoint::FIRST);
    assert!(take(&mut anew, &order(3), 1001).unwrap() > first + 1);
}

#[test]
fn a_partition_without_room_stops() {
    let order: Vec<_> = (0..1001)
        .map(|n| changeset(n, &format!("s-{n}"), 1))
        .collect();
    let mut state = PartitionState::new(Checkpoint::FIRST);
    let share = Share::new(&definition(), 0);
    for _ in 0..1000 {
        if state.stopped().is_some() {
            break;
        }
        let found = look_in(&state, &share, &Work::Live, &order, PageLimit::items(50));
        let generation = state.take(&found, "w", None, at(0)).unwrap();
        let failed = found.changesets.iter().map(|c| Failure {
            stream_id: c.stream_id.clone(),
            changeset_id: c.changeset_id,
            error: String::new(),
        });
        let ack = Ack {
            generation,
            checkpoint: found.next,
            failed: failed.collect(),
        };
        let members = &found.changesets;
        state.ack(&ack, members, &definition(), at(0)).unwrap();
    }
    assert_eq!(state.parked().count(), MAX_PARKED);
    let stopped = state.stopped().unwrap();
    assert_eq!(stopped.stream_id.as_str(), "s-1000");
    assert_eq!(state.checkpoint().get(), 1000);
    // Room for it, and it is parked as any other.
    let first = "s-0".parse().unwrap();
    let one = ChangesetId::FIRST;
    state.skip(&first, one, Checkpoint::FIRST, at(0)).unwrap();
    assert_eq!(state.work(at(0)).len(), 1, "the skipped stream is due");
}

/// A call of the state.
#[derive(Debug, Clone)]
enum Call {
    Take(i64),
    Ack(u64, usize, bool),
    Release(u64),
    Retry(usize),
    Skip(usize, u64),
    Reset(u64),
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        4 => (0..100_i64).prop_map(Call::Take),
        6 => (0..3_u64, 0..6_usize, any::<bool>()).prop_map(|(g, n, f)| Call::Ack(g, n, f)),
        1 => (0..3_u64).prop_map(Call::Release),
        1 => (0..3_usize).prop_map(Call::Retry),
        1 => (0..3_usize, 1..8_u64).prop_map(|(s, id)| Call::Skip(s, id)),
        1 => (0..20_u64).prop_map(Call::Reset),
    ]
}

fn apply(state: &mut PartitionState, call: &Call, order: &[Changeset]) {
    let streams: Vec<StreamId> = ["a", "b", "c"].map(|s| s.parse().unwrap()).into();
    match call {
        Call::Take(now) => drop(take(state, order, *now)),
        Call::Ack(behind, handled, fails) => {
            let generation = state.generation().saturating_sub(*behind);
            let share = Share::new(&definition(), 0);
            let members = look_again_in(state, &share, order).changesets;
            let end = state.batch().map_or(Checkpoint::FIRST, |batch| batch.next);
            let rest = members.get(*handled).and_then(|c| c.checkpoint);
            let failed = members.first().filter(|_| *fails).map(|c| Failure {
                stream_id: c.stream_id.clone(),
                changeset_id: c.changeset_id,
                error: "é".repeat(200),
            });
            let ack = Ack {
                generation,
                checkpoint: rest.unwrap_or(end),
                failed: failed.into_iter().collect(),
            };
            let before = state.clone();
            if state.ack(&ack, &members, &definition(), at(50)).is_err() {
                assert_eq!(*state, before, "a refusal changes nothing");
            }
        }
        Call::Release(behind) => {
            let _ = state.release(state.generation().saturating_sub(*behind));
        }
        Call::Retry(stream) => drop(state.retry(&streams[*stream], at(50))),
        Call::Skip(stream, id) => {
            let id = ChangesetId::new(*id).unwrap();
            let found = order
                .iter()
                .find(|c| c.stream_id == streams[*stream] && c.changeset_id == id);
            if let Some(position) = found.and_then(|c| c.checkpoint) {
                let _ = state.skip(&streams[*stream], id, position, at(50));
            }
        }
        Call::Reset(position) => {
            state.reset(Checkpoint::new(*position).unwrap());
            while state.drop_unreached() {}
        }
    }
}

proptest! {
    #[test]
    fn any_calls_leave_a_state_that_can_be_stored(calls in prop::collection::vec(call(), 0..40)) {
        let order = order(20);
        let mut state = PartitionState::new(Checkpoint::FIRST);
        for call in &calls {
            let before = state.clone();
            apply(&mut state, call, &order);
            prop_assert!(state.generation() >= before.generation());
            let is_reset = matches!(call, Call::Reset(_));
            prop_assert!(is_reset || state.checkpoint() >= before.checkpoint());
            let slots: BTreeSet<u16> = state.parked().map(|parked| parked.slot).collect();
            prop_assert_eq!(&slots, state.slots());
            // What is stored becomes the same state again.
            let document = serde_json::to_string(&state).unwrap();
            let parked = state.parked().map(|p| serde_json::to_string(p).unwrap());
            let parked: Vec<Parked> = parked.map(|p| serde_json::from_str(&p).unwrap()).collect();
            let read: PartitionState = serde_json::from_str(&document).unwrap();
            prop_assert_eq!(read.with_parked(parked), state.clone());
            prop_assert!(state.parked_since(&before).len() <= MAX_PARKED_CHANGES);
        }
    }

    #[test]
    fn who_goes_on_reaches_the_end(calls in prop::collection::vec(call(), 0..30)) {
        let order = order(20);
        let mut state = PartitionState::new(Checkpoint::FIRST);
        for call in &calls {
            apply(&mut state, call, &order);
        }
        let streams: Vec<StreamId> = state.parked().map(|p| p.stream_id.clone()).collect();
        for stream in streams {
            state.retry(&stream, at(0)).unwrap();
        }
        for _ in 0..100 {
            if take(&mut state, &order, 1_000_000).is_none() {
                break;
            }
            apply(&mut state, &Call::Ack(0, usize::MAX, false), &order);
        }
        prop_assert_eq!(state.checkpoint().get(), 20);
        prop_assert_eq!(state.parked().count(), 0);
    }
}
