//! The key that signs heads, and the key that verifies them.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::SigningKey;
use ees_core::StoreId;
use signed_note::{Note, StandardSigner, StandardVerifier, VerifierList};

use crate::error::KeyError;
use crate::hash::Hash;

/// The algorithm of a key, in signed notes: Ed25519.
const ED25519: u8 = 1;

/// The key that signs the heads of logs, in the form of a private key of
/// [c2sp.org/signed-note](https://c2sp.org/signed-note). Its name is the beginning of the origins that it
/// signs for: the log of a store has the origin `<name>/<store id>`.
#[derive(Clone)]
pub struct LogKey {
    name: String,
    key: SigningKey,
}

impl LogKey {
    /// A new key. `name` is usually a domain, with a path: `example.com/shop`.
    ///
    /// # Errors
    /// [`KeyError`] if the name is empty or contains spaces, control characters or `+`, or if the
    /// machine has no random bytes.
    pub fn generate(name: &str) -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| KeyError(error.to_string()))?;
        Self::new(name, seed)
    }

    /// Reads a key: `PRIVATE+KEY+<name>+<hash>+<key>`.
    ///
    /// # Errors
    /// [`KeyError`] if the text is not such a key. It does not contain the text.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        StandardSigner::new(text)
            .map_err(|error| KeyError(format!("not a key of a log: {error}")))?;
        let wrong = || KeyError("not a key of a log".to_owned());
        let mut parts = text.splitn(5, '+').skip(2);
        let (name, _, key) = (parts.next(), parts.next(), parts.next());
        let bytes = BASE64_STANDARD.decode(key.ok_or_else(wrong)?);
        let bytes = bytes.map_err(|_| wrong())?;
        let seed = bytes.get(1..).and_then(|seed| seed.try_into().ok());
        Self::new(name.ok_or_else(wrong)?, seed.ok_or_else(wrong)?)
    }

    fn new(name: &str, seed: [u8; 32]) -> Result<Self, KeyError> {
        let is_control = name.chars().any(char::is_control);
        if is_control || !signed_note::is_key_name_valid(name) {
            return Err(KeyError(format!(
                "`{}` cannot be the name of a key: it needs characters other than spaces and `+`",
                name.escape_debug()
            )));
        }
        Ok(Self {
            name: name.to_owned(),
            key: SigningKey::from_bytes(&seed),
        })
    }

    /// The key as text, which is secret.
    pub fn to_secret_text(&self) -> String {
        self.secret_text(&self.name)
    }

    /// The origin of the log of a store: what its heads are signed as.
    pub fn origin(&self, store: StoreId) -> String {
        format!("{}/{store}", self.name)
    }

    /// The key that verifies the heads of a store's log, in the form of a verifier key of
    /// [c2sp.org/signed-note](https://c2sp.org/signed-note).
    pub fn verifier_key(&self, store: StoreId) -> String {
        signed_note::new_ed25519_verifier_key(&self.origin(store), &self.key.verifying_key())
    }

    /// The signed head of a store's log: a checkpoint of
    /// [c2sp.org/tlog-checkpoint](https://c2sp.org/tlog-checkpoint).
    pub(crate) fn sign(&self, store: StoreId, size: u64, root: Hash) -> Result<String, KeyError> {
        let origin = self.origin(store);
        let failed = |error: &dyn fmt::Display| KeyError(error.to_string());
        let signer = StandardSigner::new(&self.secret_text(&origin)).map_err(|e| failed(&e))?;
        let text = format!("{origin}\n{size}\n{root}\n");
        let mut note = Note::new(text.as_bytes(), &[]).map_err(|e| failed(&e))?;
        note.add_sigs(&[&signer]).map_err(|e| failed(&e))?;
        String::from_utf8(note.to_bytes()).map_err(|e| failed(&e))
    }

    fn secret_text(&self, name: &str) -> String {
        let public = self.key.verifying_key().to_bytes();
        let id = signed_note::key_id(name, &[&[ED25519], &public[..]].concat());
        let secret = BASE64_STANDARD.encode([&[ED25519], &self.key.to_bytes()[..]].concat());
        format!("PRIVATE+KEY+{name}+{id:08x}+{secret}")
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogKey")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A head that somebody has signed: the origin of a log, its size and its root.
#[derive(Debug, Clone, PartialEq)]
pub struct SignedHead {
    /// The origin.
    pub origin: String,
    /// The number of leaves.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
}

impl SignedHead {
    /// Reads a signed note. `key` is the verifier key that must have signed it; `None` accepts it without
    /// a look at its signatures.
    ///
    /// # Errors
    /// [`KeyError`] if the text is not a signed head, or the key has not signed it.
    pub fn open(note: &str, key: Option<&str>) -> Result<Self, KeyError> {
        let wrong = |error: &dyn fmt::Display| KeyError(format!("not a signed head: {error}"));
        let note = Note::from_bytes(note.as_bytes()).map_err(|e| wrong(&e))?;
        let checkpoint = tlog_tiles::Checkpoint::from_bytes(note.text()).map_err(|e| wrong(&e))?;
        if let Some(key) = key {
            let verifier = StandardVerifier::new(key)
                .map_err(|error| KeyError(format!("not a verifier key: {error}")))?;
            let unsigned = |error| KeyError(format!("the key has not signed this head: {error}"));
            let known = VerifierList::new(vec![Box::new(verifier)]);
            let (signed, _) = note.verify(&known).map_err(unsigned)?;
            // A key signs for its own log alone.
            if signed.iter().all(|by| by.name() != checkpoint.origin()) {
                return Err(KeyError(format!(
                    "the head is one of `{}`, and the key belongs to another log",
                    checkpoint.origin()
                )));
            }
        }
        Ok(Self {
            origin: checkpoint.origin().to_owned(),
            size: checkpoint.size(),
            root: *checkpoint.hash(),
        })
    }
}
