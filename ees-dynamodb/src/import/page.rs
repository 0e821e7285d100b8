//! A page to import, and what it requires of the store.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use ees_core::adapter::{ChangesetKey, MAX_KEYS, check_import};
use ees_core::{Changeset, Checkpoint, GlobalPage, Head, StorageError, StreamId};
use futures_util::future::try_join_all;

use crate::items::{self, Item};
use crate::tables::{Part, Tables};

/// A page whose checkpoints ascend.
#[derive(Debug)]
pub(super) struct ImportedPage<'a> {
    pub(super) changesets: &'a [Changeset],
    /// The positions of the changesets.
    pub(super) positions: Vec<Checkpoint>,
    /// The positions without a changeset.
    pub(super) voids: Vec<Range<Checkpoint>>,
}

impl<'a> ImportedPage<'a> {
    /// A page that begins at `from`, of changesets that fit into an item.
    ///
    /// # Errors
    /// A text that says what is wrong, for people.
    pub(super) fn of(
        from: Checkpoint,
        page: &'a GlobalPage,
        max_bytes: usize,
    ) -> Result<Self, String> {
        let (mut next, mut positions) = (from, Vec::new());
        for changeset in &page.changesets {
            let key = key(changeset);
            let position = changeset.checkpoint.filter(|position| *position >= next);
            let position =
                position.ok_or_else(|| format!("{key} has no position from {next} on"))?;
            let bytes = changeset.payload_bytes();
            if bytes > max_bytes {
                return Err(format!(
                    "{key} has {bytes} bytes of events and metadata, and this store takes {max_bytes}"
                ));
            }
            positions.push(position);
            next = position.plus(1);
        }
        Ok(Self {
            changesets: &page.changesets,
            positions,
            voids: page.voids(from),
        })
    }

    /// The position after the last one; `None` if the page is empty.
    pub(super) fn next(&self) -> Option<Checkpoint> {
        self.positions.last().map(|last| last.plus(1))
    }

    /// The changesets with their positions.
    pub(super) fn members(&self) -> impl Iterator<Item = (&'a Changeset, Checkpoint)> {
        self.changesets.iter().zip(self.positions.iter().copied())
    }

    /// The first changeset of each stream.
    fn firsts(&self) -> Vec<&'a Changeset> {
        let mut streams = HashSet::new();
        let changesets = self.changesets.iter();
        changesets
            .filter(|changeset| streams.insert(&changeset.stream_id))
            .collect()
    }
}

pub(super) fn key(changeset: &Changeset) -> ChangesetKey {
    ChangesetKey {
        stream_id: changeset.stream_id.clone(),
        changeset_id: changeset.changeset_id,
    }
}

impl Tables {
    /// Whether the changesets of a page follow the ones before them in their streams. Of the store it
    /// reads the changeset before the first one of each stream.
    pub(super) async fn check_page(
        &self,
        page: &ImportedPage<'_>,
    ) -> Result<Result<(), String>, StorageError> {
        let firsts = page.firsts();
        let before: Vec<_> = firsts.iter().filter_map(|first| before(first)).collect();
        let reads = before.chunks(MAX_KEYS);
        let reads = reads.map(|keys| self.batch(keys, Part::Numbers));
        let found: HashMap<ChangesetKey, Item> =
            try_join_all(reads).await?.into_iter().flatten().collect();
        let mut heads: HashMap<StreamId, Head> = HashMap::new();
        for key in before {
            let Some(item) = found.get(&key) else {
                // It is refused, and the refusal says where the stream ends.
                let head = self.head(&key.stream_id).await?;
                heads.extend(head.map(|head| (key.stream_id, head)));
                continue;
            };
            if items::position(item, self.layout.index_page)?.is_none() {
                return Ok(Err(format!("{key} has no position in the global order")));
            }
            heads.insert(key.stream_id.clone(), items::head(item)?);
        }
        Ok(check_import(heads, page.changesets))
    }
}

/// The key of the changeset before this one in its stream; `None` of the first one.
fn before(changeset: &Changeset) -> Option<ChangesetKey> {
    let before = changeset.changeset_id.get() - 1;
    Some(ChangesetKey {
        stream_id: changeset.stream_id.clone(),
        changeset_id: ees_core::ChangesetId::new(before).ok()?,
    })
}
