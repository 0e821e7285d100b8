//! A proof that somebody has kept, and its verification without the store.

use crate::error::{KeyError, ProofError};
use crate::hash::Hash;
use crate::key::SignedHead;

/// The first line of a proof, by [c2sp.org/tlog-proof](https://c2sp.org/tlog-proof).
pub(crate) const PROOF: &str = "c2sp.org/tlog-proof@v1";

/// The most hashes of a proof: one for each level of a tree of 2^63 leaves.
const MAX_PATH: usize = 63;

/// The proof that a position is in a log, as [`Log::proof`](crate::Log::proof) makes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Proof {
    index: u64,
    path: Vec<Hash>,
    note: String,
}

impl Proof {
    /// Reads a text of [c2sp.org/tlog-proof](https://c2sp.org/tlog-proof).
    ///
    /// # Errors
    /// [`ProofError::Malformed`] if the text is none.
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let wrong = ProofError::Malformed;
        let (path, note) = text
            .split_once("\n\n")
            .ok_or(wrong("it has no empty line before a signed head"))?;
        let mut lines = path.lines().peekable();
        if lines.next() != Some(PROOF) {
            return Err(wrong("its first line is not `c2sp.org/tlog-proof@v1`"));
        }
        // What a log may add for its own use.
        lines.next_if(|line| line.starts_with("extra "));
        let index = lines.next().and_then(|line| line.strip_prefix("index "));
        let index = index.and_then(|index| index.parse().ok());
        let hashes = lines.map(|line| Hash::parse_hash(line).ok());
        let hashes: Option<Vec<_>> = hashes.collect();
        let path = hashes.filter(|path| path.len() <= MAX_PATH);
        Ok(Self {
            index: index.ok_or(wrong("it has no line `index`"))?,
            path: path.ok_or(wrong("a line between `index` and the head is no hash"))?,
            note: note.to_owned(),
        })
    }

    /// The position that it is for.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Verifies that the leaf is at the proof's position in the log of a verifier key, and returns the
    /// signed head that it is in.
    ///
    /// # Errors
    /// [`ProofError::Key`] if the key has not signed the head, [`ProofError::Differs`] if the proof does
    /// not lead from this leaf to it.
    pub fn verify(&self, leaf: Hash, key: &str) -> Result<SignedHead, ProofError> {
        let head = SignedHead::open(&self.note, Some(key)).map_err(ProofError::Key)?;
        let led = tlog_tiles::check_record(&self.path, head.size, head.root, self.index, leaf);
        led.map_err(|_| ProofError::Differs)?;
        Ok(head)
    }
}

/// Checks that a text is a verifier key of [c2sp.org/signed-note](https://c2sp.org/signed-note).
///
/// # Errors
/// [`KeyError`] if it is none.
pub fn check_verifier_key(text: &str) -> Result<(), KeyError> {
    let read = signed_note::StandardVerifier::new(text);
    read.map(drop)
        .map_err(|error| KeyError(format!("not a verifier key: {error}")))
}
