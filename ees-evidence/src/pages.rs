//! Reads the pages that a verification takes, around damage.

use std::sync::Arc;
use std::time::Duration;

use ees_core::{Checkpoint, GlobalPage, PageLimit};
use futures_timer::Delay;

use crate::ahead::Ahead;
use crate::error::LogError;
use crate::source::{Source, damage};

/// The changesets that are read at once.
const PAGE_ITEMS: usize = 1000;

/// How often a page without anything is read again, although the order goes on, and the pause between.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// What is at a position.
pub(crate) enum Found {
    /// A page: a changeset at the position, or behind void positions.
    Page(GlobalPage),
    /// Nothing, or something that cannot be read.
    Unreadable {
        /// Whether it is gone, and not changed.
        is_missing: bool,
        /// What it is, for people.
        what: String,
    },
}

/// The pages of a store, one read ahead.
pub(crate) struct Pages {
    source: Arc<dyn Source>,
    ahead: Ahead<Checkpoint, GlobalPage, LogError>,
    /// How many changesets the next page has. Behind damage it is halved, until it is one changeset.
    items: usize,
}

impl Pages {
    pub(crate) fn of(source: &Arc<dyn Source>) -> Self {
        Self {
            source: Arc::clone(source),
            ahead: Ahead::default(),
            items: PAGE_ITEMS,
        }
    }

    /// Reads what is at a position, before the end.
    pub(crate) async fn read(
        &mut self,
        from: Checkpoint,
        end: Checkpoint,
    ) -> Result<Found, LogError> {
        let mut tries = 0;
        loop {
            match self.ahead.read(from, self.reading(from)).await {
                Ok(page) if page.next > from => {
                    if page.next < end {
                        let reading = self.reading(page.next);
                        self.ahead.begin(page.next, reading);
                    }
                    return Ok(Found::Page(page));
                }
                Ok(_) if tries < TRIES => {
                    tries += 1;
                    Delay::new(PAUSE).await;
                }
                Ok(_) => return Ok(unreadable(true, "nothing is stored at this position")),
                Err(error) => {
                    let damage = damage(error)?;
                    if self.items == 1 {
                        self.items = PAGE_ITEMS;
                        let is_missing = GlobalPage::is_hole(&damage);
                        return Ok(unreadable(is_missing, &damage.to_string()));
                    }
                    self.items /= 2;
                }
            }
        }
    }

    fn reading(
        &self,
        from: Checkpoint,
    ) -> impl Future<Output = Result<GlobalPage, LogError>> + Send + 'static {
        let (source, limit) = (Arc::clone(&self.source), PageLimit::items(self.items));
        async move { source.page(from, limit).await }
    }
}

fn unreadable(is_missing: bool, what: &str) -> Found {
    Found::Unreadable {
        is_missing,
        what: what.to_owned(),
    }
}
