//! The sessions of browsers, and the tokens of their forms.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::HeaderValue;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

/// How long a session lasts; a key that ends takes it with it.
pub(crate) const LIFETIME: Duration = Duration::from_hours(12);

/// How many sessions there may be; a further one takes the place of the oldest.
const MOST: usize = 1000;

/// The bytes of a session's id.
const ID_BYTES: usize = 32;

/// The sessions of browsers, in memory alone: each is one that logged in with a key.
pub(crate) struct Sessions {
    random: SystemRandom,
    /// Signs the tokens of forms. It is new with each start. `None`: the system had no randomness, and
    /// no form is accepted.
    secret: Option<hmac::Key>,
    open: Mutex<HashMap<String, Session>>,
}

/// A session: the header with the key that it was opened with, so that the key can be asked for its
/// rights each time.
struct Session {
    key: HeaderValue,
    begun: Instant,
}

impl Default for Sessions {
    fn default() -> Self {
        let random = SystemRandom::new();
        Self {
            secret: hmac::Key::generate(hmac::HMAC_SHA256, &random).ok(),
            random,
            open: Mutex::default(),
        }
    }
}

impl Sessions {
    /// A new id; `None` if the system has no randomness.
    pub(crate) fn new_id(&self) -> Option<String> {
        let mut id = [0; ID_BYTES];
        self.random.fill(&mut id).ok()?;
        Some(hex(&id))
    }

    /// Opens a session for a key; its id.
    pub(crate) fn open(&self, key: HeaderValue, now: Instant) -> Option<String> {
        let id = self.new_id()?;
        let mut open = self.lock();
        open.retain(|_, session| now.saturating_duration_since(session.begun) < LIFETIME);
        if open.len() >= MOST {
            let oldest = open.iter().min_by_key(|(_, session)| session.begun);
            let oldest = oldest.map(|(id, _)| id.clone());
            oldest.and_then(|id| open.remove(&id));
        }
        open.insert(id.clone(), Session { key, begun: now });
        Some(id)
    }

    /// The key of a session; `None` if it is over.
    pub(crate) fn key(&self, id: &str, now: Instant) -> Option<HeaderValue> {
        let open = self.lock();
        let session = open.get(id)?;
        let is_open = now.saturating_duration_since(session.begun) < LIFETIME;
        is_open.then(|| session.key.clone())
    }

    /// Ends a session.
    pub(crate) fn close(&self, id: &str) {
        self.lock().remove(id);
    }

    /// The token of the forms of a browser that has an id.
    pub(crate) fn token(&self, id: &str) -> String {
        let signed = self
            .secret
            .as_ref()
            .map(|secret| hmac::sign(secret, id.as_bytes()));
        signed.map_or_else(String::new, |token| hex(token.as_ref()))
    }

    /// Whether a token is that of a browser's id. The time does not tell how near it came.
    pub(crate) fn is_token(&self, id: &str, token: &str) -> bool {
        let (Some(secret), Some(token)) = (&self.secret, bytes(token)) else {
            return false;
        };
        hmac::verify(secret, id.as_bytes(), &token).is_ok()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}

/// Whether a text has the form of an id.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == ID_BYTES * 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = hex.chars().map(|digit| digit.to_digit(16)).collect();
    let pairs = digits?;
    let pairs = pairs.chunks(2);
    pairs
        .map(|pair| u8::try_from(pair.first()? * 16 + pair.get(1)?).ok())
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_token_belongs_to_one_id_and_one_start() {
        let sessions = Sessions::default();
        let id = sessions.new_id().unwrap();
        assert!(is_id(&id));
        let token = sessions.token(&id);
        assert!(sessions.is_token(&id, &token));
        let other = sessions.new_id().unwrap();
        assert!(!sessions.is_token(&other, &token));
        assert!(!Sessions::default().is_token(&id, &token));
        for wrong in ["", "0", "zz", &token[2..], &format!("{token}00"), "é"] {
            assert!(!sessions.is_token(&id, wrong), "{wrong}");
        }
    }

    #[test]
    fn a_session_ends_with_its_time_and_with_a_logout() {
        let sessions = Sessions::default();
        let now = Instant::now();
        let key = HeaderValue::from_static("Bearer k");
        let id = sessions.open(key.clone(), now).unwrap();
        assert_eq!(sessions.key(&id, now), Some(key.clone()));
        assert_eq!(sessions.key(&id, now + LIFETIME), None);
        sessions.close(&id);
        assert_eq!(sessions.key(&id, now), None);
    }

    #[test]
    fn the_oldest_session_gives_way() {
        let sessions = Sessions::default();
        let now = Instant::now();
        let key = || HeaderValue::from_static("Bearer k");
        let first = sessions.open(key(), now).unwrap();
        let later = now + Duration::from_secs(1);
        let second = sessions.open(key(), later).unwrap();
        for _ in 1..MOST {
            sessions
                .open(key(), later + Duration::from_secs(1))
                .unwrap();
        }
        assert_eq!(sessions.key(&first, later), None);
        assert!(sessions.key(&second, later).is_some());
    }
}
