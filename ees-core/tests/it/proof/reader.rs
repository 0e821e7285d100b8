//! The readers of the model, around the contiguous reader's step function.

use ees_core::indexer::{ReadAnswer, ReadRequest, Reading, Turn};
use ees_core::{Changeset, Checkpoint, GlobalPage, Page, PageLimit};

use super::Lie;
use super::world::World;

/// A reader that follows the order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Reader {
    from: Checkpoint,
    now: Option<(Reading, ReadRequest)>,
}

/// The page limit of a reader.
const PAGE: PageLimit = PageLimit {
    items: 2,
    bytes: usize::MAX,
};

impl Reader {
    pub(super) fn new() -> Self {
        Self {
            from: Checkpoint::FIRST,
            now: None,
        }
    }

    /// The number of possible answers to its next request: the index may hide any of its entries.
    pub(super) fn choices(&self, world: &World) -> usize {
        match &self.now {
            Some((_, ReadRequest::Index { from, .. })) => 2 << world.index(*from).len(),
            _ => 1,
        }
    }

    /// An undisturbed reader of an index that hides nothing shows the whole order.
    pub(super) fn reads_all(world: &World) -> bool {
        let mut reader = Self::new();
        (0..1000).any(|_| {
            let all = reader.choices(world).saturating_sub(2);
            reader.step(all, world, Lie::None) && reader.from == world.state.next()
        })
    }

    /// A reader of an index that hides everything shows the last intent.
    pub(super) fn reads_intent(world: &World) -> bool {
        let mut reader = Self {
            from: world.state.base,
            now: None,
        };
        reader.from == world.state.next()
            || (0..100)
                .any(|_| reader.step(0, world, Lie::None) && reader.from == world.state.next())
    }

    /// Makes one step. Returns `false` if it shows a wrong order.
    pub(super) fn step(&mut self, choice: usize, world: &World, lie: Lie) -> bool {
        let Some((mut reading, request)) = self.now.take() else {
            self.now = Some(Reading::begin(self.from, PAGE));
            return true;
        };
        let Some(answer) = answer(&request, choice, world) else {
            self.now = Some((reading, request));
            return true;
        };
        let turn = match (answer, lie) {
            (ReadAnswer::Index(page), Lie::MaxPlusOne) => Ok(take_all(page.items, self.from)),
            (answer, _) => reading.answer(answer),
        };
        match turn {
            Ok(Turn::Ask(request)) => {
                self.now = Some((reading, request));
                true
            }
            Ok(Turn::Done(page)) => {
                let shows = world.shows(&page, self.from);
                self.from = page.next;
                shows
            }
            Err(_) => false,
        }
    }
}

/// `None` if the choice does not exist.
fn answer(request: &ReadRequest, choice: usize, world: &World) -> Option<ReadAnswer> {
    Some(match request {
        ReadRequest::Index { from, limit } => {
            let (mut more, visible) = (choice & 1 == 1, choice >> 1);
            let all = world.index(*from).into_iter().enumerate();
            let seen = all.filter(|(bit, _)| visible >> bit & 1 == 1);
            let mut seen: Vec<_> = seen.map(|(_, changeset)| changeset).collect();
            more |= seen.len() > limit.items;
            seen.truncate(limit.items);
            if more && seen.is_empty() {
                return None;
            }
            ReadAnswer::Index(Page { items: seen, more })
        }
        ReadRequest::State => ReadAnswer::State(world.state.clone()),
        ReadRequest::Fetch(keys) => ReadAnswer::Fetched(world.fetch(keys)),
        ReadRequest::PastVoid(position) => ReadAnswer::PastVoid(world.past_void(*position)),
    })
}

/// The faulty reader that the checker must refute.
fn take_all(changesets: Vec<Changeset>, from: Checkpoint) -> Turn {
    let max = changesets.last().and_then(|last| last.checkpoint);
    let next = max.map_or(from, |max| max.plus(1));
    Turn::Done(GlobalPage { changesets, next })
}
