//! Commits that are too large.

use crate::HttpHarness;
use crate::subject::{Remote, unique};
use crate::wire::{BODY, append, assert_untouched, path, refused};

pub(super) const TOO_LARGE: &str = "CHANGESET_TOO_LARGE";

/// A body whose events and metadata together have so many bytes.
fn body_of(payload_bytes: usize) -> String {
    let text = "x".repeat(payload_bytes - r#"[""]{}"#.len());
    format!(r#"{{"events":["{text}"],"metadata":{{}}}}"#)
}

/// The numbers in a message.
fn numbers(message: &str) -> Vec<usize> {
    let words = message.split(|c: char| !c.is_ascii_digit());
    words.filter_map(|word| word.parse().ok()).collect()
}

/// A message with a size of at least that of the request, and with a smaller limit.
pub(super) fn assert_tells_sizes(message: &str, least: usize) {
    let numbers = numbers(message);
    let size = numbers.iter().copied().max().unwrap_or(0);
    assert!(
        size >= least && numbers.iter().any(|limit| *limit < size),
        "G12: `{message}` has a size of {least} or more, and the limit"
    );
}

/// The server is as good as before, on the same connections.
async fn assert_usable(remote: &Remote) {
    append(remote, &unique("sizes"), 0, BODY).await;
}

/// One byte more than the storage takes.
pub async fn a_changeset_over_the_storages_limit_is_refused(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let limit = harness.capabilities().max_changeset_bytes;
    let stream = unique("sizes");
    let response = remote.post(&path(&stream), body_of(limit + 1)).await;
    let message = refused(&response, TOO_LARGE, Some(&stream));
    let told = numbers(&message);
    for size in [limit, limit + 1] {
        assert!(told.contains(&size), "G12: `{message}` has the size {size}");
    }
    assert_untouched(&remote, &stream).await;
    append(&remote, &stream, 0, body_of(limit)).await;
}

/// A body that says that it is far longer than any changeset.
pub async fn a_body_over_the_limit_is_refused(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("sizes");
    let size = harness.capabilities().max_changeset_bytes + 2 * 1024 * 1024;
    let response = remote.post(&path(&stream), body_of(size)).await;
    let message = refused(&response, TOO_LARGE, Some(&stream));
    assert_tells_sizes(&message, size);
    assert_untouched(&remote, &stream).await;
    assert_usable(&remote).await;
}
