//! What a verification compares at certain sizes: roots, and the statistics.

use std::collections::BTreeMap;

use ees_core::{Changeset, Checkpoint, Statistics};

use crate::finding::Findings;
use crate::hash::Hash;
use crate::key::SignedHead;
use crate::line::hash;
use crate::saved_head::SavedHead;
use crate::source::SealedLog;
use crate::tree::Tree;

/// The roots that the tree has to have, and the counts of its changesets.
#[derive(Default)]
pub(crate) struct Expected {
    /// By size, each with what says so.
    roots: BTreeMap<u64, Vec<(Hash, String)>>,
    pub(crate) counted: Statistics,
    saved: Statistics,
}

impl Expected {
    /// Nothing but the statistics that were saved.
    pub(crate) fn of(saved: Statistics) -> Self {
        Self {
            saved,
            ..Self::default()
        }
    }

    /// A head that somebody has kept.
    pub(crate) fn kept(&mut self, head: &SavedHead) {
        self.root(head.size, head.root, "the head that was kept");
    }

    /// The heads of a log, of which those that are signed have to be signed with the key.
    pub(crate) fn sealed(&mut self, log: &SealedLog, key: Option<&str>, findings: &mut Findings) {
        self.root(log.size, log.root, "the head of the log");
        for note in &log.signed {
            match SignedHead::open(&note.note, key) {
                Ok(signed) => self.root(signed.size, signed.root, "a signed head"),
                Err(error) => {
                    let what = format!("the signed head of size {}: {error}", note.size);
                    findings.altered(None, what);
                }
            }
        }
        let Some(parent) = &log.parent else { return };
        match hash(&parent.root) {
            Ok(root) => {
                let store = parent.store;
                let what = format!("the log of store {store}, from which this one goes on");
                self.root(parent.size, root, what);
            }
            Err(error) => findings.altered(None, format!("the parent of the log: {error}")),
        }
    }

    fn root(&mut self, size: u64, root: Hash, what: impl Into<String>) {
        self.roots
            .entry(size)
            .or_default()
            .push((root, what.into()));
    }

    /// Tells what reaches beyond the end.
    pub(crate) fn check_end(&self, end: Checkpoint, findings: &mut Findings) {
        for (size, roots) in self.roots.range(end.get() + 1..) {
            for (_, what) in roots {
                let what = format!("the store ends at {end}, and {what} has size {size}");
                findings.missing(None, what);
            }
        }
        if self.saved.version > end {
            let version = self.saved.version;
            let what = format!("the store ends at {end}, and its statistics count up to {version}");
            findings.missing(None, what);
        }
    }

    /// Counts the next changeset.
    pub(crate) fn count(&mut self, changeset: &Changeset) {
        self.counted = self.counted.counting(changeset);
    }

    /// Compares what has to be true at the size of the tree.
    pub(crate) fn reached(&mut self, tree: &Tree, findings: &mut Findings) {
        let size = tree.size;
        for (root, what) in self.roots.remove(&size).unwrap_or_default() {
            if root != tree.root() {
                let what = format!("the changesets below {size} do not have the root of {what}");
                findings.altered(None, what);
            }
        }
        if self.saved.version.get() == size && !findings.is_data_altered {
            self.counted.version = self.saved.version;
            if self.counted != self.saved {
                let what = format!(
                    "the statistics are {:?}, and counted are {:?}",
                    self.saved, self.counted
                );
                findings.altered(None, what);
            }
        }
    }
}
