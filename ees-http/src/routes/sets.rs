//! Commits to several streams at once.

use axum::extract::{Request, State};
use axum::http::header::CONTENT_ENCODING;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use ees_core::{NewSet, Written};

use super::parameters::CommonParams;
use super::streams::read_body;
use crate::answer::{CommittedSet, answer};
use crate::app::App;
use crate::codes;
use crate::context::RequestContext;
use crate::error::ApiError;
use crate::error_body::ErrorBody;
use crate::long_work::work;
use crate::request::{IDEMPOTENCY_REPLAYED, commit_key};
use crate::set_body::{self, SetBody};

/// Commit to several streams
///
/// Appends changesets to several streams if all expectations of the commits and of the checks hold:
/// all of them, or none. A check is a stream that has to be as it was seen, although nothing is
/// appended to it. The rules of a single commit hold for each commit. A set whose `Idempotency-Key`
/// stands in its streams returns the first answer and stores nothing, if it has the same commits in
/// the same order.
#[utoipa::path(
    post, path = "/commits", tag = "streams", operation_id = "commitAll",
    request_body = SetBody,
    params(
        ("forthcoming" = Option<u64>, Query, description = "The largest number of changesets that a conflict lists of each commit. Default, and at most: 100"),
        ("details" = Option<bool>, Query, description = "Adds event ids, timestamp and checkpoint"),
        CommonParams,
        ("Idempotency-Key" = Option<String>, Header, description = "Makes the command idempotent: 1 to 255 printable ASCII characters. It belongs to the set, in each of its streams, for ever"),
    ),
    responses(
        (status = 200, description = "All changesets are committed", body = CommittedSet, headers(("Idempotency-Replayed" = Option<String>, description = "`true` if the set stood in its streams already, with this key"))),
        (status = 400, description = "`INVALID_BODY`, `NO_EVENTS`, `INVALID_STREAM_ID`, `MISSING_STREAM_ID`, `INVALID_EXPECTED_CHANGESET_ID`, `INVALID_EXPECTED_EVENT_ID`, `BOTH_EXPECTED_CHANGESET_AND_EVENT_ARE_SET`, `INVALID_PARAMETER`, `INVALID_IDEMPOTENCY_KEY`: the message names the commit or the check. If a stream ends before what was expected of it, `conflicts` has all that does not hold", body = ErrorBody),
        (status = 403, description = "`FORBIDDEN`: a browser sends the set for a web page of another site. Not on AWS Lambda", body = ErrorBody),
        (status = 408, description = "`REQUEST_TIMEOUT`: the body did not arrive in time", body = ErrorBody),
        (status = 409, description = "`OPTIMISTIC_CONCURRENCY_EXCEPTION`: a stream has moved on. `conflicts` has every commit and check that does not hold, and what it missed", body = ErrorBody),
        (status = 413, description = "`CHANGESET_TOO_LARGE`, `STREAM_TOO_LARGE`", body = ErrorBody),
        (status = 422, description = "`IDEMPOTENCY_KEY_REUSED`: the key stands in one of the streams for something else. `changeset` has it", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`: repeat the set after `Retry-After` seconds, with the key in `idempotency_key`. `STORE_FENCED`: the store has moved; the message has its address", body = ErrorBody),
    )
)]
pub(super) async fn commit_all(
    State(app): State<App>,
    context: RequestContext,
    request: Request,
) -> Result<Response, ApiError> {
    let params = context.params.commit_all()?;
    let key = commit_key(request.headers())?;
    let encoding = request.headers().get(CONTENT_ENCODING).cloned();
    // The body counts as buffered until the set is answered, because its events are in memory.
    let most = app.max_set_body_bytes();
    let body = read_body(&app, most, &context.permit, request).await;
    let body = body.map_err(|error| error.repeatable_with(&key))?;
    let parse = || set_body::parse(&body.bytes, encoding.as_ref(), params.forthcoming);
    let asked = work(body.bytes.len(), parse).await?;
    check_reach(&context, &asked)?;
    let asked = asked.with_idempotency_key(key.clone());
    let committed = app.in_time(Written::Unknown, app.store.commit_all(asked));
    let receipts = committed.await.map_err(|error| {
        let error = error.repeatable_with(&key);
        error.with_details(params.common.details)
    })?;
    let mut response = answer(&CommittedSet::new(&receipts, params.common.details));
    if receipts.iter().all(|receipt| receipt.replayed) {
        let headers = response.headers_mut();
        headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// Refuses a set with a stream that its caller may not reach.
fn check_reach(context: &RequestContext, asked: &NewSet) -> Result<(), ApiError> {
    let Some(caller) = context.caller.get() else {
        return Ok(());
    };
    let committed = asked.commits.iter().map(|commit| &commit.stream_id);
    let mut streams = committed.chain(asked.checks.iter().map(|check| &check.stream_id));
    match streams.find(|stream| !caller.reaches(&[stream.as_str()])) {
        None => Ok(()),
        Some(stream) => {
            let message = format!("the set has stream `{stream}`");
            Err(ApiError::new(
                StatusCode::FORBIDDEN,
                codes::FORBIDDEN,
                message,
            ))
        }
    }
}
