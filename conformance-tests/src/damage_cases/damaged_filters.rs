//! G19: filtered reads tell what is damaged, also of what they would pass.

use ees_core::{Changeset, Checkpoint, Filter};

use super::scene::{Damaged, LIMITS, end, order_of, position, same, told};
use crate::{Adapter, Damage, DamageHarness};

/// Filters that select the changesets of one of the two streams, and one that selects nothing.
fn filters() -> [Filter; 5] {
    let filter = Filter::default;
    [
        filter().stream_prefix("first"),
        filter().stream_prefix("second"),
        filter().event_type("opened"),
        filter().event_type("closed"),
        filter().stream_prefix("third"),
    ]
}

/// Damages places of an order of ten, and reads with each filter from every position.
async fn hold(harness: &dyn DamageHarness, places: &[(usize, Damage)]) {
    let order = order_of(harness, 10).await;
    let mut damaged = Damaged::default();
    for &(place, damage) in places {
        damaged.add(harness, &order[place], damage).await;
    }
    let storage = harness.storage();
    for filter in filters() {
        for from in order.iter().map(position).chain([end(&order)]) {
            for limit in LIMITS {
                hold_page(&*storage, &order, &damaged, (from, limit, &filter)).await;
            }
        }
    }
}

/// Asserts what a filtered page is. One that is not full before a damaged changeset may fail as a whole.
/// A damaged payload that the filter does not select may be passed.
async fn hold_page(
    storage: &dyn Adapter,
    order: &[Changeset],
    damaged: &Damaged,
    (from, limit, filter): (Checkpoint, usize, &Filter),
) {
    let what = format!("the read of {limit} changesets of {filter:?} from checkpoint {from} on");
    let rest = order.iter().filter(|one| position(one) >= from);
    let first = rest.clone().find(|one| damaged.of(one).is_some());
    let first = first.map_or(end(order), position);
    let must_stop = |one: &&Changeset| match damaged.of(one) {
        Some(Damage::Payload) => filter.matches(one),
        damage => damage.is_some(),
    };
    let stop = rest.clone().find(must_stop);
    let selected_below = |past: Checkpoint| -> Vec<&Changeset> {
        let below = rest.clone().filter(|one| position(one) < past);
        below.filter(|one| filter.matches(one)).collect()
    };
    let may_fail = first < end(order) && selected_below(first).len() < limit;
    match storage.read_filtered(from, limit.into(), filter).await {
        Err(error) if may_fail => drop(told(Err::<(), _>(error), &what)),
        Err(error) => panic!("G19: {what} gives what is sound, but it fails: {error}"),
        Ok(page) => {
            let past = stop.map_or(end(order), position);
            assert!(
                page.next <= past && (page.next > from || from == end(order)),
                "G19: {what} leads on, and tells the damage at {past}, but it leads to {}",
                page.next
            );
            same(&page.changesets, &selected_below(page.next), &what);
            assert!(page.changesets.len() <= limit, "G19: {what}: the limit");
        }
    }
}

/// Whatever differs of a changeset that is selected, it is not answered.
pub async fn what_a_filter_selects_is_told(harness: &mut dyn DamageHarness) {
    hold(harness, &[2, 3, 6].map(|place| (place, Damage::Payload))).await;
}

/// What decides whether a changeset is selected, and that there is one, is checked.
pub async fn what_a_filter_passes_is_told(harness: &mut dyn DamageHarness) {
    let places = [
        (1, Damage::Frame),
        (2, Damage::Lost),
        (3, Damage::Frame),
        (5, Damage::Frame),
        (7, Damage::Lost),
    ];
    hold(harness, &places).await;
}

/// A filter reaches the end only if the order ends there.
pub async fn a_lost_end_is_told(harness: &mut dyn DamageHarness) {
    hold(harness, &[8, 9].map(|place| (place, Damage::Lost))).await;
}
