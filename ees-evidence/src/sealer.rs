//! The sealer: lets the log follow the global order.

use std::fmt;
use std::sync::Arc;

use ees_core::adapter::{LogStore, Tile};
use ees_core::{EventStore, Filter, GlobalPage, MAX_PAGE_BYTES, PageLimit, StoreId};

use crate::ahead::{Ahead, reading};
use crate::error::{LogError, damaged};
use crate::hash::Hash;
use crate::head::{LogHead, Parent, SignedNote, leaves};
use crate::key::LogKey;

/// What is read at once.
const PAGE: PageLimit = PageLimit {
    items: 4096,
    bytes: MAX_PAGE_BYTES,
};

/// The leaves between two heads. They fill at most 16 tiles of the lowest level.
const LEAVES: usize = 4096;

/// Seals the global order: it adds each position to the Merkle tree, once, behind the commits.
///
/// Several sealers of one store, in any processes, are harmless: the head is replaced by
/// compare-and-swap, and they all make the same tiles. A sealer that stopped anywhere goes on from the
/// head.
#[derive(Clone)]
pub struct Sealer {
    store: EventStore,
    log: Arc<dyn LogStore>,
    key: Option<LogKey>,
    kept: usize,
}

impl Sealer {
    /// The sealer of a store; `None` if the store keeps no log. With a key it signs each head.
    pub fn of(store: &EventStore, key: Option<LogKey>) -> Option<Self> {
        Some(Self {
            store: store.with_filter(Filter::default()),
            log: Arc::clone(store.log_store()?),
            key,
            kept: 1,
        })
    }

    /// The same sealer, which keeps this many of the newest signed heads; 1 unless given, and at least 1.
    /// A proof can be made for each of them.
    #[must_use]
    pub fn keeping(mut self, heads: u16) -> Self {
        self.kept = usize::from(heads.clamp(1, Self::MAX_KEPT));
        self
    }

    /// The most signed heads that are kept.
    pub const MAX_KEPT: u16 = 64;

    /// Seals everything up to the end of the global order at its start, and returns the head.
    ///
    /// # Errors
    /// [`LogError`] if the store fails, or the stored log is damaged; what was sealed so far is stored.
    pub async fn catch_up(&self) -> Result<LogHead, LogError> {
        let store = self.store.identity().await?.id;
        let (mut head, is_moved) = self.load(store).await?;
        // Read after the head: another sealer may have gone on since.
        let end = self.store.next_checkpoint().await?;
        let loaded = head.revision;
        if head.next() > end {
            return Err(damaged(format_args!(
                "it is sealed up to size {}, and the global order ends at {end}: the store was \
                 restored without its log, or has lost changesets",
                head.size
            )));
        }
        let mut ahead = Ahead::default();
        while head.next() < end {
            let from = head.next();
            let page = ahead.read(from, reading(&self.store, from, PAGE)).await?;
            if page.next == from {
                break;
            }
            if page.next < end {
                ahead.begin(page.next, reading(&self.store, page.next, PAGE));
            }
            head = self.seal(head, &page).await?;
        }
        if head.revision == loaded && (is_moved || self.has_to_sign(&head)) {
            return self.replace(head, &[]).await.map(Replaced::head);
        }
        Ok(head)
    }

    /// Records that the log goes on from that of another store, which is the same up to `size`. It does
    /// nothing if another sealer is ahead of that size.
    pub(crate) async fn continues(
        &self,
        source: StoreId,
        size: u64,
        root: Hash,
    ) -> Result<(), LogError> {
        let store = self.store.identity().await?.id;
        let parent = Parent {
            store: source,
            size,
            root: root.to_string(),
        };
        loop {
            let (mut head, _) = self.load(store).await?;
            if head.size != size || size == 0 || head.parent.as_ref() == Some(&parent) {
                return Ok(());
            }
            head.parent = Some(parent.clone());
            let next = head.to_stored()?;
            if self.log.seal(head.revision, &next, &[]).await? {
                return Ok(());
            }
        }
    }

    /// The head, and whether the store got another id since it was stored.
    async fn load(&self, store: StoreId) -> Result<(LogHead, bool), LogError> {
        let mut head = match self.log.load_log_head().await? {
            Some(stored) => LogHead::read(&stored)?,
            None => LogHead::empty(store),
        };
        let is_moved = head.belongs_to(store);
        Ok((head, is_moved))
    }

    /// Seals a page that begins where the head ends, in steps. If another sealer is ahead, the head is
    /// the other one's.
    async fn seal(&self, mut head: LogHead, page: &GlobalPage) -> Result<LogHead, LogError> {
        let mut leaves = leaves(head.next(), page).peekable();
        while leaves.peek().is_some() {
            let tiles = head.grow(&mut leaves, LEAVES);
            match self.replace(head, &tiles).await? {
                Replaced::ByThis(replaced) => head = replaced,
                Replaced::ByAnother(head) => return Ok(head),
            }
        }
        Ok(head)
    }

    /// Signs the head and stores it.
    async fn replace(&self, mut head: LogHead, tiles: &[Tile]) -> Result<Replaced, LogError> {
        let previous = head.revision;
        self.sign(&mut head)?;
        let next = head.to_stored()?;
        if !self.log.seal(previous, &next, tiles).await? {
            return Ok(Replaced::ByAnother(self.load(head.store).await?.0));
        }
        head.revision = Some(next.revision);
        Ok(Replaced::ByThis(head))
    }

    /// Whether nobody has signed a head that this sealer can sign.
    fn has_to_sign(&self, head: &LogHead) -> bool {
        let signed = head.signed.last().map_or(0, |signed| signed.size);
        self.key.is_some() && signed < head.size
    }

    /// Signs the head, if there is a key. Without one, the signed heads of another sealer are kept.
    fn sign(&self, head: &mut LogHead) -> Result<(), LogError> {
        let Some(key) = &self.key else { return Ok(()) };
        let note = key.sign(head.store, head.size, head.root)?;
        head.signed.push(SignedNote {
            size: head.size,
            note,
        });
        let excess = head.signed.len().saturating_sub(self.kept);
        head.signed.drain(..excess);
        Ok(())
    }
}

/// What became of a try to replace the head.
enum Replaced {
    /// It is this one now.
    ByThis(LogHead),
    /// Another sealer was first, with this one.
    ByAnother(LogHead),
}

impl Replaced {
    fn head(self) -> LogHead {
        match self {
            Self::ByThis(head) | Self::ByAnother(head) => head,
        }
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
