//! A head of a log that somebody keeps, to compare the store with later.

use std::fmt;

use ees_core::StoreId;

use crate::error::KeyError;
use crate::hash::Hash;
use crate::key::SignedHead;
use crate::line::hash;

/// The beginning of the origin in a head that nobody has signed.
const ORIGIN: &str = "ees/";

/// A head that was kept: the size of a log, and its root.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedHead {
    /// The origin of the log.
    pub origin: String,
    /// The number of leaves.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
}

impl SavedHead {
    /// The head of a store's log, which nobody has signed.
    pub fn new(store: StoreId, size: u64, root: Hash) -> Self {
        Self {
            origin: format!("{ORIGIN}{store}"),
            size,
            root,
        }
    }

    /// Reads a signed head, or the text of [`SavedHead`]: the origin, the size and the root, a line
    /// each. With a verifier key it has to be a head that this key has signed.
    ///
    /// # Errors
    /// [`KeyError`] if the text is neither, or the key has not signed it.
    pub fn read(text: &str, key: Option<&str>) -> Result<Self, KeyError> {
        match (SignedHead::open(text, key), key) {
            (Ok(SignedHead { origin, size, root }), _) => Ok(Self { origin, size, root }),
            (Err(error), Some(_)) => Err(error),
            (Err(_), None) => unsigned(text).ok_or_else(|| {
                KeyError("not a head of a log: expected its origin, size and root".to_owned())
            }),
        }
    }
}

fn unsigned(text: &str) -> Option<SavedHead> {
    let mut lines = text.lines();
    let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
    Some(SavedHead {
        origin: origin.to_owned(),
        size: size.parse().ok()?,
        root: hash(root).ok().filter(|_| lines.next().is_none())?,
    })
}

impl fmt::Display for SavedHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root)
    }
}
