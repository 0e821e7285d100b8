//! Helpers of the cases: writing streams, reading to the end, and concurrent tasks.
//!
//! Each helper reports a failure at the source location of the case that called it. Its waits have
//! the limit of a wait.

mod agreement;
mod apart;
mod filtered;
mod global;
mod reading;
mod writing;

use std::sync::Arc;
use std::time::Duration;

use ees_core::EventStore;
use futures_util::future::join_all;
use serde_json::value::RawValue;
use tokio::task::JoinHandle;

use crate::Adapter;
pub(crate) use crate::place::{Place, within};
use crate::running::guarantee;
use crate::subject::Failure;

pub(crate) use agreement::{
    changesets_agree, commit_to_both, events_agree, expectations_agree, head_agrees, read_agrees,
};
pub(crate) use apart::hold_apart;
pub(crate) use filtered::{filtered, filtered_events, selects, selects_event};
pub(crate) use global::{
    end_of_log, event_log, event_log_past, flat, log, log_page, of_streams, unplaced,
};
pub(crate) use reading::{
    assert_fits, event_page, event_pages, head, items, length, page, pages, stream, stream_events,
};
pub(crate) use writing::{
    commit, commit_all, conflict, events, events_of_size, fill, fill_large, refused, refused_all,
};

pub(crate) const CONFLICT: &str = "OPTIMISTIC_CONCURRENCY_EXCEPTION";
pub(crate) const AHEAD: &str = "INVALID_EXPECTED_CHANGESET_ID";
pub(crate) const KEY_REUSED: &str = "IDEMPOTENCY_KEY_REUSED";
pub(crate) const NOT_FOUND: &str = "STREAM_NOT_FOUND";
pub(crate) const TOO_LARGE: &str = "CHANGESET_TOO_LARGE";

/// The store over an adapter.
pub(crate) fn store_over(adapter: Arc<dyn Adapter>) -> EventStore {
    EventStore::from_parts(Arc::clone(&adapter) as _, adapter)
}

/// The largest id there can be.
pub(crate) const MAX_ID: u64 = i64::MAX.cast_unsigned();

/// How much payload an answer may hold.
pub(crate) const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// The largest page of the global order.
pub(crate) const GLOBAL_LIMIT: u64 = 1000;

/// Longer than anything takes that need not be waited for.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// The values of a JSON array, each as it stands there.
pub(crate) fn split(array: &str) -> Vec<String> {
    let values: Vec<&RawValue> = serde_json::from_str(array).expect("events are a JSON array");
    values.iter().map(|value| value.get().to_owned()).collect()
}

/// What a call answers that must not fail; what is broken if it does is what the case is about.
async fn answered<T>(
    place: Place,
    what: &str,
    call: impl Future<Output = Result<T, Failure>>,
) -> T {
    let what = format!("{}: {what}", guarantee());
    let answer = place.wait(&format!("{what} is answered"), call).await;
    answer.unwrap_or_else(|failure| {
        let (code, message) = (&failure.code, &failure.message);
        place.fail(format!("{what} succeeds, but it is {code}: {message}"))
    })
}

/// Runs tasks at the same time, on all threads there are.
#[track_caller]
pub(crate) fn together<T: Send + 'static>(
    tasks: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> impl Future<Output = Vec<T>> {
    let place = Place::here();
    let running: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
    async move { join_all(running.into_iter().map(|task| join(place, task))).await }
}

/// What a task gave. What it says of the store is what the case says.
#[track_caller]
pub(crate) fn joined<T>(task: JoinHandle<T>) -> impl Future<Output = T> {
    join(Place::here(), task)
}

async fn join<T>(place: Place, task: JoinHandle<T>) -> T {
    task.await
        .unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => place.fail(format!("{}: a task of the case: {error}", guarantee())),
        })
}
