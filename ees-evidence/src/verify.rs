//! Verifying a store: everything is read once, and compared with its log.

use std::fmt;
use std::sync::Arc;

use ees_core::{Changeset, Checkpoint, EventStore, Filter, GlobalPage};

use crate::error::LogError;
use crate::expected::Expected;
use crate::finding::Findings;
use crate::hash::{Hash, leaf_of, void_leaf};
use crate::pages::{Found, Pages};
use crate::saved_head::SavedHead;
use crate::sealed::Sealed;
use crate::source::{Source, damage};
use crate::streams::Streams;
use crate::tree::Tree;
use crate::verified::Verified;

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
    source: Arc<dyn Source>,
    key: Option<String>,
    since: Option<SavedHead>,
    streams: Streams,
    findings: Findings,
    sealed: Option<Sealed>,
    tree: Tree,
    expected: Expected,
    voids: u64,
}

impl Verification {
    /// A verification of a store.
    pub fn new(store: &EventStore) -> Self {
        Self::of(Arc::new(store.with_filter(Filter::default())))
    }

    /// A verification of a store that is read in another way.
    pub fn of(source: Arc<dyn Source>) -> Self {
        Self {
            source,
            key: None,
            since: None,
            streams: Streams::new(),
            findings: Findings::default(),
            sealed: None,
            tree: Tree::default(),
            expected: Expected::default(),
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
        let store = self.source.store_id().await?;
        // What is compared is older than the end that is read.
        self.sealed = Sealed::of(&self.source, &mut self.findings).await?;
        let saved = self.source.statistics().await?;
        let counted = saved.version;
        self.expected = Expected::of(saved);
        let end = self.end(counted).await?;
        self.expect();
        if let (Some(since), Some(sealed)) = (&self.since, &self.sealed) {
            sealed.check_growth(since, &mut self.findings).await?;
        }
        self.expected.check_end(end, &mut self.findings);
        self.expected.reached(&self.tree, &mut self.findings);
        let mut pages = Pages::of(&self.source);
        while self.tree.next() < end && !self.findings.is_full() {
            match pages.read(self.tree.next(), end).await? {
                Found::Page(page) => self.take(page, end).await?,
                Found::Unreadable { is_missing, what } => self.pass(is_missing, &what).await?,
            }
            watch(self.tree.next(), end);
        }
        let log = self.sealed.as_ref().map(|sealed| &sealed.log);
        let signed = log.and_then(|log| log.signed.last());
        Ok(Verified {
            store,
            size: self.tree.size,
            root: self.tree.root(),
            changesets: self.expected.counted.total_changesets,
            voids: self.voids,
            sealed: log.map_or(0, |log| log.size),
            signed: signed.map(|signed| signed.note.clone()),
            looked_up: self.streams.looked_up,
            findings: self.findings.list,
            findings_count: self.findings.count,
        })
    }

    /// The end of the order. If the storage tells that it is lost, the end that others know of: the log, and
    /// the statistics.
    async fn end(&mut self, counted: Checkpoint) -> Result<Checkpoint, LogError> {
        let error = match self.source.next_checkpoint().await {
            Ok(end) => return Ok(end),
            Err(error) => damage(error)?,
        };
        self.findings.missing(None, error.to_string());
        let sealed = self.sealed.as_ref().map_or(0, |sealed| sealed.log.size);
        Ok(counted.max(Checkpoint::FIRST.plus(sealed)))
    }

    /// Collects what the tree is compared with.
    fn expect(&mut self) {
        if let Some(since) = &self.since {
            self.expected.kept(since);
        }
        let mut is_signed = false;
        if let Some(sealed) = &self.sealed {
            let key = self.key.as_deref();
            self.expected.sealed(&sealed.log, key, &mut self.findings);
            is_signed = !sealed.log.signed.is_empty();
        }
        if self.key.is_some() && !is_signed {
            let what = "a signed head: nobody has signed the log";
            self.findings.missing(None, what);
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
        let wrong = match self.streams.check(self.source.as_ref(), changeset).await {
            Ok(wrong) => wrong,
            Err(error) => Some(damage(error)?.to_string()),
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
        self.expected.count(changeset);
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
        self.expected.reached(&self.tree, &mut self.findings);
        Ok(())
    }
}

impl fmt::Debug for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verification").finish_non_exhaustive()
    }
}
