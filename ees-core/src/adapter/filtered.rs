//! A filtered read for storages that do not filter: it reads pages and leaves out what the filter
//! does not select.

use crate::adapter::{Look, PageBuilder};
use crate::{Changeset, Checkpoint, Filter, GlobalPage, MAX_PAGE_BYTES, PageLimit, StorageError};

/// The least and the most changesets that are read at once.
const AT_ONCE: std::ops::RangeInclusive<usize> = 64..=1000;

/// Reads a filtered page, with a function that reads pages without a filter, as
/// [`Storage::read_global`](crate::adapter::Storage::read_global) does.
///
/// # Errors
/// Those of the function.
pub async fn read_filtered<R: Future<Output = Result<GlobalPage, StorageError>>>(
    from: Checkpoint,
    limit: PageLimit,
    filter: &Filter,
    read_global: impl Fn(Checkpoint, PageLimit) -> R,
) -> Result<GlobalPage, StorageError> {
    let mut look = Look::begin();
    let mut page = PageBuilder::new(limit);
    let mut next = from;
    while !look.is_over() {
        let read = read_global(next, at_once(&look, &page)).await?;
        let came_from = next;
        for changeset in read.changesets {
            let position = changeset.checkpoint.unwrap_or(next);
            look.read(&changeset);
            if !take(&mut page, changeset, filter) {
                return Ok(ended(page, position));
            }
            next = position.plus(1);
        }
        next = next.max(read.next);
        if next == came_from || page.is_full() {
            break;
        }
    }
    Ok(ended(page, next))
}

/// Adds a changeset to the page if the filter selects it. Returns `false` if it is selected and does
/// not fit.
fn take(page: &mut PageBuilder<Changeset>, changeset: Changeset, filter: &Filter) -> bool {
    !filter.matches(&changeset) || page.push_changeset(changeset)
}

fn ended(page: PageBuilder<Changeset>, next: Checkpoint) -> GlobalPage {
    GlobalPage {
        changesets: page.finish().items,
        next,
    }
}

/// How much to read next: a little at first, then more, within what is left.
fn at_once(look: &Look, page: &PageBuilder<Changeset>) -> PageLimit {
    let looked_at = Look::MAX_CHANGESETS - look.changesets_left();
    let items = page.room().max(looked_at);
    PageLimit {
        items: items
            .clamp(*AT_ONCE.start(), *AT_ONCE.end())
            .min(look.changesets_left()),
        bytes: look.bytes_left().min(MAX_PAGE_BYTES),
    }
}
