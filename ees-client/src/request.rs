//! A request, repeated while that can help.

use std::time::Duration;

use ees_core::{CommitId, StoreId, Written};

use crate::Error;
use crate::answers::{check_store, error_of, unexpected};
use crate::settings::Settings;
use crate::transport::{Answer, Send, send};

/// How the answers to a request are judged.
#[derive(Debug, Default, Clone)]
pub(crate) struct Judging {
    /// The idempotency key of a commit, whose errors tell it.
    pub(crate) key: Option<CommitId>,
    /// The store that must answer, if it is not the one of the client.
    pub(crate) store: Option<StoreId>,
    /// For loops without an end.
    pub(crate) forever: bool,
}

/// Sends a request until it has an answer that counts, and reads that.
pub(crate) async fn request<T>(
    settings: &Settings,
    asked: &Send,
    judging: &Judging,
    read: impl Fn(&Answer) -> Result<T, serde_json::Error>,
) -> Result<T, Error> {
    let store = judging.store.or(settings.store);
    let mut written = Written::None;
    let mut tries = 1;
    loop {
        let answered = send(settings, asked).await;
        let result = answered.and_then(|answer| result(&answer, store, &read));
        let mut error = match result {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let Some(unfinished) = error.unfinished() else {
            return Err(error);
        };
        if unfinished.written == Written::Unknown {
            written = Written::Unknown;
        }
        unfinished.written = written;
        unfinished.idempotency_key.clone_from(&judging.key);
        unfinished.tries = tries;
        let ends = tries >= settings.retry.attempts || is_too_long(settings, &error);
        if ends && !judging.forever {
            return Err(error);
        }
        settings.pause(&error, tries).await;
        tries = tries.saturating_add(1);
    }
}

fn is_too_long(settings: &Settings, error: &Error) -> bool {
    error.retry_after().unwrap_or(Duration::ZERO) > settings.retry.longest_retry_after
}

fn result<T>(
    answer: &Answer,
    store: Option<StoreId>,
    read: impl Fn(&Answer) -> Result<T, serde_json::Error>,
) -> Result<T, Error> {
    if !matches!(answer.status, 200 | 201 | 204) {
        return Err(error_of(answer, store));
    }
    check_store(&answer.headers, store)?;
    read(answer).map_err(|error| {
        // JSON that does not end is an answer that was cut off.
        if answer.is_json() && !error.is_data() {
            Error::lost("its JSON is cut off", Written::Unknown)
        } else {
            unexpected(answer)
        }
    })
}
