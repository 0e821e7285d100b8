//! The keys that a server accepts.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use ees_http::{Authorizer, Caller, RequestParts, Unauthorized};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::file::{Key, parse};
use super::secret::Secret;

/// The keys that a server accepts. They can be replaced while it runs.
#[derive(Debug)]
pub(crate) struct KeyRing(RwLock<Arc<[Entry]>>);

/// A key with its caller.
#[derive(Debug, Clone)]
struct Entry {
    key: Key,
    caller: Caller,
    ended: CancellationToken,
}

impl KeyRing {
    /// The keys of a file's text; an error is for people.
    pub(crate) fn of(text: &str) -> Result<Self, String> {
        let ring = Self(RwLock::new(Arc::new([])));
        ring.replace(text)?;
        Ok(ring)
    }

    /// Replaces the keys by those of a file's text. A key that is gone or has changed ends the
    /// waiting calls of its caller. If the text is wrong, the keys stay.
    pub(crate) fn replace(&self, text: &str) -> Result<usize, String> {
        let keys = parse(text)?;
        let old = self.entries();
        let new = keys.into_iter().map(|key| {
            let same = old.iter().find(|entry| entry.key == key);
            same.cloned().unwrap_or_else(|| Entry::new(key))
        });
        let new: Arc<[Entry]> = new.collect();
        let count = new.len();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&new);
        let is_gone = |entry: &&Entry| !new.iter().any(|new| new.key == entry.key);
        old.iter()
            .filter(is_gone)
            .for_each(|entry| entry.ended.cancel());
        Ok(count)
    }

    /// Ends the waiting calls of callers whose key has expired.
    pub(crate) fn end_expired(&self) {
        let now = Timestamp::now();
        let entries = self.entries();
        let expired = entries.iter().filter(|entry| entry.is_expired(now));
        expired.for_each(|entry| entry.ended.cancel());
    }

    fn entries(&self) -> Arc<[Entry]> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Entry {
    fn new(key: Key) -> Self {
        let ended = CancellationToken::new();
        let caller = Caller::new(key.name.as_str(), key.rights.as_slice());
        let caller = match &key.stream_prefixes {
            Some(prefixes) => caller.with_stream_prefixes(prefixes.as_slice()),
            None => caller,
        };
        Self {
            key,
            caller: caller.ended_by(ended.clone()),
            ended,
        }
    }

    fn is_expired(&self, now: Timestamp) -> bool {
        self.key.expires.is_some_and(|expires| expires <= now)
    }
}

#[async_trait]
impl Authorizer for KeyRing {
    async fn authenticate(&self, request: &RequestParts) -> Result<Caller, Unauthorized> {
        let secret = secret(request)?;
        let unsound = "this is not a key of `ees keys add`: it was cut or mistyped";
        let secret = Secret::parse(secret).ok_or_else(|| Unauthorized::new(unsound))?;
        let hash = secret.hash();
        let entries = self.entries();
        // Every key is compared, so that the time does not tell which one came near.
        let mut found = None;
        for entry in entries.iter() {
            if bool::from(entry.key.hash.matches(&hash)) {
                found = Some(entry);
            }
        }
        let unknown =
            || Unauthorized::new("the key is unknown: it was revoked, or is of another server");
        let entry = found.ok_or_else(unknown)?;
        if entry.is_expired(Timestamp::now()) {
            let name = &entry.key.name;
            return Err(Unauthorized::new(format!("the key `{name}` has expired")).of_key(name));
        }
        Ok(entry.caller.clone())
    }
}

/// The secret in the headers of a request.
fn secret(request: &RequestParts) -> Result<&str, Unauthorized> {
    let mut given = request.headers.get_all("authorization").iter();
    let expected = "send one header `Authorization: Bearer KEY`";
    let (Some(header), None) = (given.next(), given.next()) else {
        return Err(Unauthorized::new(format!("a key is needed: {expected}")));
    };
    let parts = header.to_str().ok().and_then(|text| text.split_once(' '));
    let bearer = parts.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let (_, secret) = bearer.ok_or_else(|| {
        Unauthorized::new(format!(
            "`Authorization` does not have the expected form: {expected}"
        ))
    })?;
    Ok(secret.trim())
}
