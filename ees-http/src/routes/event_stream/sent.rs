//! The items of pages, as events.

use ees_core::{Changeset, Checkpoint, EventCheckpoint, GlobalEvent, GlobalEventPage, GlobalPage};

use crate::answer::{ChangesetItem, GlobalEventItem};
use crate::event_stream::write;
use crate::long_work::{Payload, bytes_of};
use crate::routes::pages::GlobalItems;

/// What an event takes beside its payload, about.
const ITEM_BYTES: usize = 200;

/// Pages whose items can be sent as events.
pub(in crate::routes) trait Sent: GlobalItems<Item: Payload> {
    /// Writes an item with its position.
    fn write(text: &mut Vec<u8>, item: &Self::Item, position: Self::Position, details: bool);

    /// The position behind an item.
    fn behind(position: Self::Position) -> Self::Position;

    /// How many changesets were passed from a position to where the next page begins, and the last
    /// position of them; `None` if there are none.
    fn passed(from: Self::Position, next: Self::Position) -> Option<(u64, Self::Position)>;
}

impl Sent for GlobalPage {
    fn write(text: &mut Vec<u8>, item: &Changeset, position: Checkpoint, details: bool) {
        write(
            text,
            "changeset",
            position,
            &ChangesetItem::of_all(item, details),
        );
    }

    fn behind(position: Checkpoint) -> Checkpoint {
        position.plus(1)
    }

    fn passed(from: Checkpoint, next: Checkpoint) -> Option<(u64, Checkpoint)> {
        let stretch = next
            .get()
            .checked_sub(from.get())
            .filter(|passed| *passed > 0)?;
        Some((stretch, from.plus(stretch - 1)))
    }
}

impl Sent for GlobalEventPage {
    fn write(text: &mut Vec<u8>, item: &GlobalEvent, position: EventCheckpoint, details: bool) {
        write(
            text,
            "event",
            position,
            &GlobalEventItem::new(item, details),
        );
    }

    fn behind(position: EventCheckpoint) -> EventCheckpoint {
        EventCheckpoint {
            index: position.index.saturating_add(1),
            ..position
        }
    }

    /// Nothing of the last changeset was sent, so its first event stands for it.
    fn passed(from: EventCheckpoint, next: EventCheckpoint) -> Option<(u64, EventCheckpoint)> {
        let whole = from.changeset.plus(u64::from(from.index > 0));
        let (stretch, last) = GlobalPage::passed(whole, next.changeset)?;
        Some((stretch, last.into()))
    }
}

/// How many bytes a page takes as events, about.
pub(super) fn size_of(page: &impl Sent) -> usize {
    bytes_of(page.items()) + ITEM_BYTES * page.items().len()
}
