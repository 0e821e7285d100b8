//! What readers get: changesets or events.

use ees_core::{Checkpoint, EventCheckpoint};
use serde::de::DeserializeOwned;

use crate::model::{Changeset, Event};
use crate::wire::{self, GlobalPage, WireChangeset, WireEvent, WireItem};

/// What a reader of the global order gets: [`Changeset`] or [`Event`].
pub trait Item: sealed::Sealed + Send + Sync + 'static {
    /// A position in the global order.
    type Position: Copy
        + std::fmt::Debug
        + std::fmt::Display
        + Eq
        + Ord
        + DeserializeOwned
        + Send
        + Sync
        + 'static;

    /// The beginning of the global order.
    const FIRST: Self::Position;
}

pub(crate) mod sealed {
    /// How items are read from answers.
    pub trait Sealed: Sized {
        /// The path of its global order, and the member of a page that lists it.
        const KIND: &'static str;
        /// The name of its event in an event stream.
        const NAME: &'static str;

        /// The items of a page of a stream, and where the next page begins.
        fn of_stream(body: &[u8]) -> Result<(Vec<Self>, Option<u64>), serde_json::Error>;

        /// One item.
        fn of_text(text: &str) -> Result<Self, serde_json::Error>;
    }
}

impl Item for Changeset {
    type Position = Checkpoint;

    const FIRST: Checkpoint = Checkpoint::FIRST;
}

impl sealed::Sealed for Changeset {
    const KIND: &'static str = "changesets";
    const NAME: &'static str = "changeset";

    fn of_stream(body: &[u8]) -> Result<(Vec<Self>, Option<u64>), serde_json::Error> {
        wire::stream_page::<WireChangeset<'_>>(body)
    }

    fn of_text(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<WireChangeset<'_>>(text)?.into_item(None)
    }
}

impl Item for Event {
    type Position = EventCheckpoint;

    const FIRST: EventCheckpoint = EventCheckpoint {
        changeset: Checkpoint::FIRST,
        index: 0,
    };
}

impl sealed::Sealed for Event {
    const KIND: &'static str = "events";
    const NAME: &'static str = "event";

    fn of_stream(body: &[u8]) -> Result<(Vec<Self>, Option<u64>), serde_json::Error> {
        wire::stream_page::<WireEvent<'_>>(body)
    }

    fn of_text(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<WireEvent<'_>>(text)?.into_item(None)
    }
}

/// An item of the global order with the position after it.
pub(crate) trait Placed: Item {
    /// Where it is, and where the next item begins.
    fn place(&self) -> Option<(Self::Position, Self::Position)>;

    /// A page of the global order.
    fn of_global(body: &[u8]) -> Result<GlobalPage<Self, Self::Position>, serde_json::Error>;
}

impl Placed for Changeset {
    fn place(&self) -> Option<(Checkpoint, Checkpoint)> {
        self.checkpoint.map(|at| (at, at.plus(1)))
    }

    fn of_global(body: &[u8]) -> Result<GlobalPage<Self, Checkpoint>, serde_json::Error> {
        wire::global_page::<WireChangeset<'_>, _>(body)
    }
}

impl Placed for Event {
    fn place(&self) -> Option<(EventCheckpoint, EventCheckpoint)> {
        let next = |at: EventCheckpoint| EventCheckpoint {
            index: at.index + 1,
            ..at
        };
        self.checkpoint.map(|at| (at, next(at)))
    }

    fn of_global(body: &[u8]) -> Result<GlobalPage<Self, EventCheckpoint>, serde_json::Error> {
        wire::global_page::<WireEvent<'_>, _>(body)
    }
}
