//! The hash of the lines of an export that its root does not cover.

use sha2::{Digest, Sha256};

use crate::hash::Hash;
use crate::part::Part;

/// The hash of the first line, and of those behind the changesets.
#[derive(Debug, Clone, Default)]
pub(crate) struct LinesDigest(Sha256);

impl LinesDigest {
    pub(crate) fn add(&mut self, part: &Part) {
        self.0.update(part.to_line());
        self.0.update(b"\n");
    }

    pub(crate) fn check(&self) -> Hash {
        Hash(self.0.clone().finalize().into())
    }
}
