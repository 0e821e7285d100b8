//! Reads the parts of a request outside its query and its body: the stream and the idempotency key.

use std::convert::Infallible;

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use ees_core::{CommitId, CommitIdError, StreamId};

use crate::codes;
use crate::error::ApiError;

/// The header that makes a commit safe to repeat.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The header of an answer to a commit that was recognised by its key.
pub(crate) const IDEMPOTENCY_REPLAYED: &str = "idempotency-replayed";

/// The decoded stream id of the path, which may break the rules of stream ids; or what is wrong
/// with the path.
pub(crate) struct StreamPath(Result<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for StreamPath {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        if let Some(escape) = bad_escape(parts.uri.path()) {
            let wrong = format!(
                "`{escape}` is not a percent sign and two hexadecimal digits; a percent sign is \
                 written `%25`"
            );
            return Ok(Self(Err(wrong)));
        }
        let path: Result<Path<String>, PathRejection> =
            Path::from_request_parts(parts, state).await;
        let text = path.map(|Path(text)| text);
        Ok(Self(text.map_err(|rejection| rejection.to_string())))
    }
}

impl StreamPath {
    /// Names the stream in an error, if the path has one.
    pub(crate) fn name(&self, error: ApiError) -> ApiError {
        match &self.0 {
            Ok(text) => error.on_stream(text),
            Err(_) => error,
        }
    }

    /// The decoded stream id, which may break the rules of stream ids.
    pub(crate) fn text(&self) -> Option<&str> {
        self.0.as_deref().ok()
    }

    /// Checks the stream id before anything else, and names the stream in every error that follows.
    pub(crate) async fn answer(
        self,
        act: impl AsyncFnOnce(StreamId) -> Result<Response, ApiError>,
    ) -> Result<Response, ApiError> {
        let text = self.0.map_err(|wrong| {
            let message = format!("the stream id is not percent-encoded UTF-8: {wrong}");
            ApiError::bad_request(codes::INVALID_STREAM_ID, message)
        })?;
        let answer = match StreamId::new(&text) {
            Ok(stream_id) => act(stream_id).await,
            Err(error) => Err(error.into()),
        };
        answer.map_err(|error| error.on_stream(&text))
    }
}

/// The first `%` without two hexadecimal digits after it. If it were decoded as itself, one stream
/// would have two paths.
fn bad_escape(path: &str) -> Option<&str> {
    let escapes = path.match_indices('%');
    let mut escapes = escapes.map(|(at, percent)| path.get(at..at + 3).unwrap_or(percent));
    escapes.find(|escape| {
        let mut digits = escape.bytes().skip(1);
        escape.len() < 3 || !digits.all(|digit| digit.is_ascii_hexdigit())
    })
}

/// The idempotency key of a commit: the client's, or a generated one.
///
/// The core also generates a key for a caller that gives none. Here it is generated before the call
/// to the storage, because a 503 has to name the key that makes a repeat safe.
pub(crate) fn commit_key(headers: &HeaderMap) -> Result<CommitId, ApiError> {
    let mut given = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = given.next() else {
        return Ok(CommitId::generate());
    };
    if given.next().is_some() {
        return Err(ApiError::in_key(
            " is given more than once",
            &CommitIdError::Malformed,
        ));
    }
    let key = value.to_str().map_err(|_| CommitIdError::Malformed);
    let key = key.and_then(CommitId::of_client);
    key.map_err(|error| ApiError::in_key("", &error))
}

/// Adds to the error of a request that no handler sees: its stream, and the key to repeat a commit
/// with.
pub(crate) async fn refused(error: ApiError, request: Request) -> ApiError {
    let (mut parts, _) = request.into_parts();
    if !parts.uri.path().starts_with("/streams/") {
        return error;
    }
    let Ok(stream) = StreamPath::from_request_parts(&mut parts, &()).await;
    let is_commit = parts.method == Method::POST && stream.0.is_ok();
    let error = stream.name(error);
    if !is_commit {
        return error;
    }
    match commit_key(&parts.headers) {
        Ok(key) => error.repeatable_with(&key),
        Err(_) => error,
    }
}
