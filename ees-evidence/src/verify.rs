//! Verifying a store: everything is read once, and compared with its log.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use ees_core::{
    Changeset, Checkpoint, Error, EventStore, Filter, GlobalPage, PageLimit, Statistics,
    StorageError, StoreId,
};
use futures_timer::Delay;

use crate::ahead::Ahead;
use crate::error::LogError;
use crate::finding::{Finding, Findings};
use crate::hash::{Hash, leaf_of, void_leaf};
use crate::key::SignedHead;
use crate::saved_head::SavedHead;
use crate::sealed::Sealed;
use crate::streams::Streams;
use crate::tree::Tree;

/// The changesets that are read at once.
const PAGE_ITEMS: usize = 1000;

/// How often a page without anything is read again, although the order goes on, and the pause between.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// What a verification has found.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// The store's id.
    pub store: StoreId,
    /// The end of what was read.
    pub size: u64,
    /// The root of the tree over it.
    pub root: Hash,
    /// The number of changesets in it.
    pub changesets: u64,
    /// The number of void positions in it.
    pub voids: u64,
    /// The size up to which the log is sealed; 0 if there is none.
    pub sealed: u64,
    /// The newest signed head, if there is one.
    pub signed: Option<String>,
    /// How many ends of streams were looked up, since only the last million streams is remembered.
    pub looked_up: u64,
    /// What is not as it should be: the first ones.
    pub findings: Vec<Finding>,
    /// How many these are.
    pub findings_count: u64,
}

impl Verified {
    /// Whether something is changed.
    pub fn is_altered(&self) -> bool {
        self.findings.iter().any(|finding| !finding.is_missing)
    }

    /// Whether something is gone.
    pub fn is_missing(&self) -> bool {
        self.findings.iter().any(|finding| finding.is_missing)
    }
}

/// A verification of a store.
///
/// It reads the whole order up to its end at the beginning, and recomputes each leaf and the root. It
/// compares them with the log as far as it is sealed, with signed heads, and with a head that somebody
/// has kept. It checks that no position is missing, that each changeset follows the one before it in its
/// stream, and the statistics.
///
/// It remembers the ends of the million streams that were seen last, in about 70 MB. A changeset of
/// another stream costs one read.
pub struct Verification {
    store: EventStore,
    ahead: Ahead,
    key: Option<String>,
    since: Option<SavedHead>,
    streams: Streams,
    findings: Findings,
    sealed: Option<Sealed>,
    tree: Tree,
    /// Roots that the tree has at these sizes, each with what says so.
    roots: BTreeMap<u64, Vec<(Hash, String)>>,
    counted: Statistics,
    saved: Statistics,
    voids: u64,
}

impl Verification {
    /// A verification of a store.
    pub fn new(store: &EventStore) -> Self {
        Self {
            store: store.with_filter(Filter::default()),
            ahead: Ahead::default(),
            key: None,
            since: None,
            streams: Streams::new(),
            findings: Findings::default(),
            sealed: None,
            tree: Tree::default(),
            roots: BTreeMap::new(),
            counted: Statistics::default(),
            saved: Statistics::default(),
            voids: 0,
        }
    }

    /// The same verification, with the verifier key that has signed the heads of the log.
    #[must_use]
    pub fn with_key(mut self, verifier_key: impl Into<String>) -> Self {
        self.key = Some(verifier_key.into());
        self
    }

    /// The same verification, which also compares with a head that was kept.
    #[must_use]
    pub fn since(mut self, head: SavedHead) -> Self {
        self.since = Some(head);
        self
    }

    /// The same verification, which remembers the ends of fewer streams.
    #[must_use]
    pub fn remembering(mut self, streams: usize) -> Self {
        self.streams = Streams::of_half(streams.div_ceil(2).max(1));
        self
    }

    /// Verifies the store. `watch` gets the position that was reached, and the end.
    ///
    /// # Errors
    /// [`LogError::Store`] if the store cannot be read; that its data is damaged is a finding.
    pub async fn run(
        mut self,
        mut watch: impl FnMut(Checkpoint, Checkpoint),
    ) -> Result<Verified, LogError> {
        let store = self.store.identity().await?.id;
        // What is compared is older than the end that is read.
        self.sealed = Sealed::of(&self.store, &mut self.findings).await?;
        self.saved = self.store.statistics().await?;
        let end = self.end().await?;
        self.collect_roots();
        self.check_ends(end);
        self.reached();
        while self.tree.next() < end && !self.findings.is_full() {
            let page = self.read(end).await?;
            self.take(page, end).await?;
            watch(self.tree.next(), end);
        }
        let head = self.sealed.as_ref().map(|sealed| &sealed.head);
        let signed = head.and_then(|head| head.signed.last());
        Ok(Verified {
            store,
            size: self.tree.size,
            root: self.tree.root(),
            changesets: self.counted.total_changesets,
            voids: self.voids,
            sealed: head.map_or(0, |head| head.size),
            signed: signed.map(|signed| signed.note.clone()),
            looked_up: self.streams.looked_up,
            findings: self.findings.list,
            findings_count: self.findings.count,
        })
    }

    /// The end of the order. If the storage tells that it is lost, the end that others know of.
    async fn end(&mut self) -> Result<Checkpoint, LogError> {
        match self.store.next_checkpoint().await {
            Err(Error::Storage(error)) if is_damage(&error) => {
                self.findings.missing(None, error.to_string());
                let sealed = self.sealed.as_ref().map_or(0, |sealed| sealed.head.size);
                Ok(self.saved.version.max(Checkpoint::FIRST.plus(sealed)))
            }
            end => Ok(end?),
        }
    }

    /// Collects the roots that the tree must have.
    fn collect_roots(&mut self) {
        let mut roots = Vec::new();
        if let Some(since) = &self.since {
            roots.push((since.size, since.root, "the head that was kept".to_owned()));
        }
        if let Some(sealed) = &self.sealed {
            let head = &sealed.head;
            roots.push((head.size, head.root, "the head of the log".to_owned()));
            for note in &head.signed {
                let size = note.size;
                match SignedHead::open(&note.note, self.key.as_deref()) {
                    Ok(signed) => {
                        roots.push((signed.size, signed.root, "a signed head".to_owned()));
                    }
                    Err(error) => {
                        let what = format!("the signed head of size {size}: {error}");
                        self.findings.altered(None, what);
                    }
                }
            }
            if let Some(parent) = &head.parent {
                match crate::line::hash(&parent.root) {
                    Ok(root) => roots.push((
                        parent.size,
                        root,
                        format!(
                            "the log of store {}, from which this one goes on",
                            parent.store
                        ),
                    )),
                    Err(error) => {
                        self.findings
                            .altered(None, format!("the parent of the log: {error}"));
                    }
                }
            }
        }
        for (size, root, what) in roots {
            self.roots.entry(size).or_default().push((root, what));
        }
        let is_signed = self
            .sealed
            .as_ref()
            .is_some_and(|s| !s.head.signed.is_empty());
        if self.key.is_some() && !is_signed {
            self.findings
                .missing(None, "a signed head: nobody has signed the log");
        }
    }

    /// Tells what reaches beyond the end.
    fn check_ends(&mut self, end: Checkpoint) {
        for (size, roots) in self.roots.range(end.get() + 1..) {
            for (_, what) in roots {
                let what = format!("the store ends at {end}, and {what} has size {size}");
                self.findings.missing(None, what);
            }
        }
        if self.saved.version > end {
            let version = self.saved.version;
            let what = format!("the store ends at {end}, and its statistics count up to {version}");
            self.findings.missing(None, what);
        }
    }

    /// The next page: a changeset at the next position, or behind void positions.
    async fn read(&mut self, end: Checkpoint) -> Result<GlobalPage, LogError> {
        let mut limit = PageLimit::items(PAGE_ITEMS);
        let mut tries = 0;
        loop {
            let from = self.tree.next();
            match self.ahead.page(&self.store, from, limit).await {
                Ok(page) if page.next > from => {
                    if page.next < end {
                        let limit = PageLimit::items(PAGE_ITEMS);
                        self.ahead.begin(&self.store, page.next, limit);
                    }
                    return Ok(page);
                }
                Ok(_) if tries < TRIES => {
                    tries += 1;
                    Delay::new(PAUSE).await;
                }
                Ok(_) => {
                    self.pass(true, "nothing is stored at this position")
                        .await?;
                }
                Err(Error::Storage(error)) if is_damage(&error) => {
                    if limit.items == 1 {
                        let is_missing = GlobalPage::is_hole(&error);
                        self.pass(is_missing, &error.to_string()).await?;
                    }
                    // Which position it is.
                    limit = PageLimit::items(1);
                }
                Err(error) => return Err(error.into()),
            }
            if self.tree.next() >= end || self.findings.is_full() {
                let next = self.tree.next();
                let changesets = Vec::new();
                return Ok(GlobalPage { changesets, next });
            }
        }
    }

    /// Passes a position that cannot be read.
    async fn pass(&mut self, is_missing: bool, what: &str) -> Result<(), LogError> {
        let at = self.tree.next();
        if is_missing {
            self.findings.missing(Some(at), what);
        } else {
            self.findings.altered(Some(at), what);
        }
        self.findings.is_data_altered = true;
        self.streams.gone += 1;
        let known = match &mut self.sealed {
            Some(sealed) => sealed.leaf(at.get(), &mut self.findings).await?,
            None => None,
        };
        self.push(known.unwrap_or_else(void_leaf)).await
    }

    async fn take(&mut self, page: GlobalPage, end: Checkpoint) -> Result<(), LogError> {
        for changeset in &page.changesets {
            let at = changeset.checkpoint.unwrap_or(self.tree.next());
            if at >= end {
                return Ok(());
            }
            if at < self.tree.next() {
                let what = "it comes behind a changeset with a greater one";
                self.findings.altered(Some(at), what);
                continue;
            }
            self.take_voids(at).await?;
            self.take_changeset(changeset).await?;
        }
        self.take_voids(page.next.min(end)).await
    }

    async fn take_voids(&mut self, until: Checkpoint) -> Result<(), LogError> {
        while self.tree.next() < until && !self.findings.is_full() {
            self.voids += 1;
            let told = self.findings.count;
            self.compare(void_leaf()).await?;
            self.streams.gone += self.findings.count - told;
            self.push(void_leaf()).await?;
        }
        Ok(())
    }

    async fn take_changeset(&mut self, changeset: &Changeset) -> Result<(), LogError> {
        let at = self.tree.next();
        let wrong = match self.streams.check(&self.store, changeset).await {
            Err(Error::Storage(error)) if is_damage(&error) => Some(error.to_string()),
            checked => checked?,
        };
        if let Some(wrong) = wrong {
            self.findings.altered(Some(at), wrong);
        }
        let events = changeset.events.iter().count() as u64;
        if events != changeset.events.count() {
            let what = format!(
                "it has {events} events, and ids for {}",
                changeset.events.count()
            );
            self.findings.altered(Some(at), what);
        }
        self.counted = self.counted.counting(changeset);
        let leaf = leaf_of(changeset);
        self.compare(leaf).await?;
        self.push(leaf).await
    }

    async fn compare(&mut self, leaf: Hash) -> Result<(), LogError> {
        if let Some(sealed) = &mut self.sealed {
            let at = self.tree.size;
            sealed.compare(at, leaf, &mut self.findings).await?;
        }
        Ok(())
    }

    async fn push(&mut self, leaf: Hash) -> Result<(), LogError> {
        let mut full = Vec::new();
        self.tree.push(leaf, &mut full);
        if let Some(sealed) = &self.sealed {
            for tile in &full {
                sealed.compare_tile(tile, &mut self.findings).await?;
            }
        }
        self.reached();
        Ok(())
    }

    /// Compares what has to be true at this size.
    fn reached(&mut self) {
        let size = self.tree.size;
        for (root, what) in self.roots.remove(&size).unwrap_or_default() {
            if root != self.tree.root() {
                let what = format!("the changesets below {size} do not have the root of {what}");
                self.findings.altered(None, what);
            }
        }
        if self.saved.version.get() == size && !self.findings.is_data_altered {
            self.counted.version = self.saved.version;
            if self.counted != self.saved {
                let what = format!(
                    "the statistics are {:?}, and counted are {:?}",
                    self.saved, self.counted
                );
                self.findings.altered(None, what);
            }
        }
    }
}

/// Whether an error says that the stored data is damaged.
fn is_damage(error: &StorageError) -> bool {
    matches!(error, StorageError::Corrupt(_) | StorageError::Backend(_))
}

impl fmt::Debug for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verification").finish_non_exhaustive()
    }
}
