//! The parts of an import behind the changesets, which are kept until a check follows them.

use crate::digest::LinesDigest;
use crate::hash::Hash;
use crate::part::{BLOCK_ITEMS, Header, Part};

/// The most bytes of parts between two checks.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The parts that no check has followed yet.
#[derive(Default)]
pub(crate) struct Kept {
    parts: Vec<Part>,
    bytes: usize,
    digest: LinesDigest,
}

impl Kept {
    /// Begins with the first part of the export, which checks are made over, too.
    pub(crate) fn begin(&mut self, header: &Header) {
        self.digest.add(&Part::Header(header.clone()));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Keeps a part; `false` if there are too many of them.
    #[must_use]
    pub(crate) fn keep(&mut self, part: Part) -> bool {
        self.bytes += part.to_line().len();
        if self.bytes > MAX_BYTES || self.parts.len() >= 10 * BLOCK_ITEMS {
            return false;
        }
        self.digest.add(&part);
        self.parts.push(part);
        true
    }

    /// Whether a check is the one over all parts so far.
    pub(crate) fn fits(&self, check: Hash) -> bool {
        check == self.digest.check()
    }

    /// The kept parts, which are no longer kept.
    pub(crate) fn take(&mut self) -> Vec<Part> {
        self.bytes = 0;
        std::mem::take(&mut self.parts)
    }
}
