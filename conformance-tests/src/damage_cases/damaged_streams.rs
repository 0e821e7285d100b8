//! G19: reads of a stream tell what is damaged in their range, and give the rest.

use std::ops::RangeInclusive;

use ees_core::{Changeset, Direction, StreamQuery};

use super::scene::{Damaged, Expected, LIMITS, same, stream_of, told};
use crate::subject::unique;
use crate::{Damage, DamageHarness};

/// How many changesets a stream has.
const LENGTH: u64 = 5;

/// A query, for people.
fn described(query: &StreamQuery) -> String {
    let (range, direction, limit) = (&query.range, query.direction, query.limit.items);
    format!("the read of {range:?}, {direction:?}, {limit} at most")
}

/// The changesets of a range, in the order of a read.
fn within(
    whole: &[Changeset],
    direction: Direction,
    is_in: impl Fn(&Changeset) -> bool,
) -> Vec<&Changeset> {
    let mut range: Vec<_> = whole.iter().filter(|one| is_in(one)).collect();
    if direction == Direction::Backward {
        range.reverse();
    }
    range
}

/// Damages changesets of a stream of five for each of these lists, and reads every range of it, also
/// beyond its end.
async fn hold(harness: &dyn DamageHarness, lists: &[&[(usize, Damage)]]) {
    // After the first damage nothing can be written.
    let mut streams = Vec::new();
    for _ in lists {
        streams.push(stream_of(harness, "damaged", LENGTH).await);
    }
    for (whole, changesets) in streams.iter().zip(lists) {
        let mut damaged = Damaged::default();
        for &(id, damage) in *changesets {
            damaged.add(harness, &whole[id - 1], damage).await;
        }
        for from in 1..=LENGTH + 2 {
            for to in (from..=LENGTH + 2).chain([u64::MAX]) {
                hold_range(harness, whole, &damaged, from..=to).await;
            }
        }
    }
}

/// Reads a range both ways, in pages of each limit.
async fn hold_range(
    harness: &dyn DamageHarness,
    whole: &[Changeset],
    damaged: &Damaged,
    ids: RangeInclusive<u64>,
) {
    for direction in [Direction::Forward, Direction::Backward] {
        let range = within(whole, direction, |one| {
            ids.contains(&one.changeset_id.get())
        });
        for limit in LIMITS {
            let query = StreamQuery::all(whole[0].stream_id.clone()).changesets(ids.clone());
            let query = query.direction(direction).limit(limit);
            hold_page(harness, &query, damaged, (whole, &range)).await;
        }
    }
}

/// Asserts what a page is of a query of changesets. One that reaches a lost changeset, or ends before
/// it, may fail as a whole. So may one behind the end of a stream whose last changeset is damaged.
async fn hold_page(
    harness: &dyn DamageHarness,
    query: &StreamQuery,
    damaged: &Damaged,
    (whole, range): (&[Changeset], &[&Changeset]),
) {
    let what = described(query);
    let expected = damaged.expected(range, query.limit.items);
    let Expected { sound, damage, .. } = &expected;
    let is_end_damaged = whole.last().is_some_and(|last| damaged.of(last).is_some());
    let may_fail = match damage {
        Some(damage) => sound.is_empty() || *damage == Damage::Lost,
        None => range.is_empty() && is_end_damaged,
    };
    match harness.storage().read_stream(query).await {
        Err(error) if may_fail => drop(told(Err::<(), _>(error), &what)),
        Err(error) => panic!("G19: {what} gives what is sound, but it fails: {error}"),
        Ok(page) => {
            assert!(
                damage.is_none() || !sound.is_empty(),
                "G19: {what} tells damage, but it is answered"
            );
            same(&page.items, sound, &what);
            assert_eq!(
                page.more, expected.more,
                "G19: {what} tells whether more remains"
            );
        }
    }
}

/// A changeset that vanished is missed by every range that has it. Of the last one only the global
/// order knows.
pub async fn a_lost_changeset_is_told(harness: &mut dyn DamageHarness) {
    use Damage::Lost;
    let lists: [&[_]; 4] = [
        &[(1, Lost)],
        &[(3, Lost)],
        &[(4, Lost)],
        &[(2, Lost), (3, Lost)],
    ];
    hold(harness, &lists).await;
}

/// A changeset whose events differ is not answered.
pub async fn a_changed_payload_is_told(harness: &mut dyn DamageHarness) {
    let lists = [1, 3, 5].map(|changed| [(changed, Damage::Payload)]);
    hold(harness, &lists.each_ref().map(|list| &list[..])).await;
}

/// A changeset that differs in anything else is not answered.
pub async fn a_changed_frame_is_told(harness: &mut dyn DamageHarness) {
    let lists = [1, 3, 5].map(|changed| [(changed, Damage::Frame)]);
    hold(harness, &lists.each_ref().map(|list| &list[..])).await;
}

/// Each read tells the damage that it meets first, and reads that begin behind it go on.
pub async fn damage_of_every_kind_is_told(harness: &mut dyn DamageHarness) {
    use Damage::{Frame, Lost, Payload};
    let lists: [&[_]; 4] = [
        &[(1, Frame), (3, Lost)],
        &[(1, Lost), (3, Payload)],
        &[(2, Payload), (4, Lost)],
        &[(2, Lost), (4, Frame), (5, Payload)],
    ];
    hold(harness, &lists).await;
}

/// Ranges of events give what was written, and tell damage before they end. The search for an event may
/// meet damage outside of its range.
pub async fn ranges_of_events_tell(harness: &mut dyn DamageHarness) {
    let mut streams = Vec::new();
    for damage in Damage::ALL {
        streams.push((stream_of(harness, "damaged", LENGTH).await, damage));
    }
    for (whole, damage) in streams {
        let mut damaged = Damaged::default();
        damaged.add(harness, &whole[2], damage).await;
        let all = StreamQuery::all(whole[0].stream_id.clone()).limit(2);
        for from in 1..=11 {
            for to in from..=11 {
                for direction in [Direction::Forward, Direction::Backward] {
                    let query = all.clone().events(from..=to).direction(direction);
                    let range = within(&whole, direction, |one| {
                        one.last_event_id.get() >= from && one.first_event_id.get() <= to
                    });
                    follow(harness, query, &damaged, &range).await;
                }
            }
        }
    }
}

/// Reads a range to its end, or to its damage.
async fn follow(
    harness: &dyn DamageHarness,
    first: StreamQuery,
    damaged: &Damaged,
    range: &[&Changeset],
) {
    let (what, storage) = (described(&first), harness.storage());
    let Expected { sound, damage, .. } = damaged.expected(range, usize::MAX);
    let (mut found, mut next) = (Vec::new(), Some(first));
    while let Some(query) = next {
        let page = match storage.read_stream(&query).await {
            Ok(page) => page,
            Err(error) => {
                told(Err::<(), _>(error), &what);
                let sound = &sound[..found.len().min(sound.len())];
                return same(&found, sound, &what);
            }
        };
        next = query.next_page(&page);
        found.extend(page.items);
    }
    assert_eq!(damage, None, "G19: {what} tells damage, but it ends");
    same(&found, &sound, &what);
}

/// The end of a stream whose last changeset is damaged.
pub async fn a_head_is_true_or_told(harness: &mut dyn DamageHarness) {
    let mut streams = Vec::new();
    for damage in [Damage::Payload, Damage::Frame] {
        streams.push((stream_of(harness, "damaged", LENGTH).await, damage));
    }
    for (whole, damage) in streams {
        let last = &whole[4];
        Damaged::default().add(harness, last, damage).await;
        match harness.storage().head(&last.stream_id).await {
            Ok(head) => assert_eq!(head, Some(last.head()), "G19: the head is as it was"),
            head => drop(told(head, "the read of the head")),
        }
    }
}

/// The streams beside a damaged one are read as before, whatever damage was met.
pub async fn streams_beside_it_are_read(harness: &mut dyn DamageHarness) {
    let name = unique("beside");
    let mut streams = Vec::new();
    for ending in ["", "-1", "-10", "-2"] {
        streams.push(stream_of(harness, &format!("{name}{ending}"), 3).await);
    }
    let harmed = streams.remove(2);
    for (one, damage) in harmed.iter().zip(Damage::ALL) {
        Damaged::default().add(harness, one, damage).await;
        let id = one.changeset_id.get();
        let query = StreamQuery::all(one.stream_id.clone()).changesets(id..=id);
        let read = harness.storage().read_stream(&query).await;
        told(read, "the read of a damaged changeset");
    }
    for whole in &streams {
        let query = StreamQuery::all(whole[0].stream_id.clone());
        let read = harness.storage().read_stream(&query).await;
        let page = read.unwrap_or_else(|error| panic!("G19: a sound stream is read: {error}"));
        let whole: Vec<_> = whole.iter().collect();
        same(&page.items, &whole, "the read of a sound stream");
        assert!(!page.more, "G19: the whole stream");
    }
}
