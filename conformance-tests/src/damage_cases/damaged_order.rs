//! G19: reads of the global order tell what is damaged, and give the rest.

use super::scene::{Damaged, end, hold_order, order_of, position, told};
use crate::{Damage, DamageHarness};

/// Damages places of an order of ten, and reads from every position.
async fn hold(harness: &dyn DamageHarness, places: &[(usize, Damage)]) {
    let order = order_of(harness, 10).await;
    let mut damaged = Damaged::default();
    for &(place, damage) in places {
        damaged.add(harness, &order[place], damage).await;
    }
    let storage = harness.storage();
    for from in order.iter().map(position).chain([end(&order)]) {
        hold_order(&*storage, &order, &damaged, from).await;
    }
}

/// A position whose changeset vanished is told.
pub async fn a_lost_changeset_is_told(harness: &mut dyn DamageHarness) {
    hold(harness, &[0, 3, 4, 8].map(|place| (place, Damage::Lost))).await;
}

/// A changeset whose events differ is not answered.
pub async fn a_changed_payload_is_told(harness: &mut dyn DamageHarness) {
    hold(harness, &[0, 3, 4, 9].map(|place| (place, Damage::Payload))).await;
}

/// A changeset that differs in anything else is not answered.
pub async fn a_changed_frame_is_told(harness: &mut dyn DamageHarness) {
    hold(harness, &[0, 3, 4, 9].map(|place| (place, Damage::Frame))).await;
}

/// Each read tells the damage that it meets first, and reads that begin behind it go on.
pub async fn damage_of_every_kind_is_told(harness: &mut dyn DamageHarness) {
    let places = [(2, Damage::Payload), (4, Damage::Frame), (6, Damage::Lost)];
    hold(harness, &places).await;
}

/// Nothing stands behind the last changeset that would show that it vanished.
pub async fn a_lost_end_is_told(harness: &mut dyn DamageHarness) {
    let order = order_of(harness, 6).await;
    let (storage, mut damaged) = (harness.storage(), Damaged::default());
    for lost in [5, 4] {
        damaged.add(harness, &order[lost], Damage::Lost).await;
        for from in order.iter().map(position).chain([end(&order)]) {
            hold_order(&*storage, &order, &damaged, from).await;
        }
        match storage.next_checkpoint().await {
            Ok(found) => assert_eq!(found, end(&order), "G19: the end is as it was"),
            found => drop(told(found, "the read of the end")),
        }
    }
}
