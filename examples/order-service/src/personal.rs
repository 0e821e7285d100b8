//! Personal data in events: readable while the person's key exists.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

/// The keys of all persons. A service keeps them in a table of its own database.
#[derive(Debug, Default)]
pub struct Keys(HashMap<String, [u8; 32]>);

/// A text that only the key of a person opens, as a field of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    person: String,
    nonce: [u8; NONCE_LEN],
    text: String,
}

impl Keys {
    /// Encrypts a text under the key of a person. Makes the key if there is none.
    ///
    /// # Errors
    /// [`Unspecified`] if the system has no random numbers.
    pub fn seal(&mut self, person: &str, text: &str) -> Result<Sealed, Unspecified> {
        let (random, mut fresh, mut nonce) = (SystemRandom::new(), [0; 32], [0; NONCE_LEN]);
        random.fill(&mut fresh)?;
        random.fill(&mut nonce)?;
        let key = self.0.entry(person.to_owned()).or_insert(fresh);
        let mut bytes = text.as_bytes().to_vec();
        let (unique, owner) = (Nonce::assume_unique_for_key(nonce), Aad::from(person));
        cipher(key)?.seal_in_place_append_tag(unique, owner, &mut bytes)?;
        Ok(Sealed {
            person: person.to_owned(),
            nonce,
            text: STANDARD.encode(bytes),
        })
    }

    /// The text; `None` if the person was forgotten or the text was changed.
    pub fn open(&self, sealed: &Sealed) -> Option<String> {
        let key = self.0.get(&sealed.person)?;
        let mut bytes = STANDARD.decode(&sealed.text).ok()?;
        let (nonce, owner) = (
            Nonce::assume_unique_for_key(sealed.nonce),
            Aad::from(&sealed.person),
        );
        let text = cipher(key).ok()?.open_in_place(nonce, owner, &mut bytes);
        String::from_utf8(text.ok()?.to_vec()).ok()
    }

    /// Deletes the key of a person: no text of this person can be read again.
    pub fn forget(&mut self, person: &str) {
        self.0.remove(person);
    }
}

fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, Unspecified> {
    UnboundKey::new(&CHACHA20_POLY1305, key).map(LessSafeKey::new)
}
