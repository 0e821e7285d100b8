//! The options of a host.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::access::Authorizer;
use crate::browser::BrowserPages;
use crate::hosts::Hosts;
use crate::measure::MetricsText;

/// The limits of the contract's router, and its shutdown signal.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The longest time that a storage call may take. Reading the body of a commit may take as long
    /// again. It has to be longer than the longest `wait` of a long poll, which is 20 seconds.
    pub request_timeout: Duration,
    /// The number of requests that may run at the same time. As many wait up to 500 ms for their turn;
    /// further requests get 503 `OVERLOADED`.
    /// An eighth of it is for commits of up to 64 KiB and for reads of one thing alone.
    ///
    /// As many long polls and event streams again may read at the same time. Further ones queue.
    pub max_requests: usize,
    /// The number of long polls that may be open at the same time, in addition to `max_requests`.
    /// Further long polls get 503 `OVERLOADED`.
    pub max_waiting: usize,
    /// The number of event streams that may be open at the same time, in addition to `max_requests`.
    /// Further ones get 503 `OVERLOADED`. With 0 the host has none and answers 406 `NOT_ACCEPTABLE`,
    /// as a host must that cannot send an answer while it is made.
    pub max_event_streams: usize,
    /// The number of bytes of request bodies that may be in memory at the same time. Commits beyond
    /// it get 503 `OVERLOADED`. An eighth of it is for bodies of up to 64 KiB alone.
    pub max_buffered_bytes: usize,
    /// The number of bytes of answers that may be in memory at the same time, until their clients
    /// have received them. Beyond it requests get 503 `OVERLOADED` after a second. At most `max_waiting`
    /// refusals are held back for that second; the others are sent at once. An eighth of the bytes is for
    /// answers of up to 64 KiB alone. An answer of up to 8 KiB does not count.
    pub max_answer_bytes: usize,
    /// The size that the body of a page may reach when the host embeds it in a JSON string, in
    /// percent of [`MAX_PAGE_BYTES`](ees_core::MAX_PAGE_BYTES). In a string, each quote, backslash
    /// and line break takes two bytes.
    ///
    /// A Lambda function embeds its answer and can answer 6 MB, which the default of 140 respects.
    pub embedded_body_percent: usize,
    /// Ends event streams, and waiting long polls with an empty page, when it is cancelled. Cancel it on shutdown.
    pub closing: CancellationToken,
    /// Recognises callers, and limits each to its rights. `None`: every caller may do everything.
    pub authorizer: Option<Arc<dyn Authorizer>>,
    /// The hosts that a self-hosted router serves. A request for another host gets 421
    /// `MISDIRECTED_REQUEST`. `None`: it serves every host.
    pub hosts: Option<Hosts>,
    /// Writes the answer of `/metrics` of a self-hosted router. `None`: it answers 404. Install a recorder
    /// before the router answers: it looks its own metrics up at their first use.
    pub metrics: Option<MetricsText>,
    /// Pages for browsers that a self-hosted router has beside the contract.
    pub pages: Option<BrowserPages>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(30),
            max_requests: 512,
            max_waiting: 4096,
            max_event_streams: 1024,
            max_buffered_bytes: 256 * 1024 * 1024,
            max_answer_bytes: 256 * 1024 * 1024,
            embedded_body_percent: 140,
            closing: CancellationToken::new(),
            authorizer: None,
            hosts: None,
            metrics: None,
            pages: None,
        }
    }
}
