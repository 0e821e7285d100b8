//! The layer that asks an [`Authorizer`] who calls, and whether he may.

use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::authorizer::Authorizer;
use super::caller::{Caller, Right};
use super::failures::Failures;
use super::needs::{Need, Scope, need};
use crate::codes;
use crate::context::RequestContext;
use crate::error::ApiError;
use crate::params::Params;
use crate::request::{StreamPath, refused};

/// What the layer asks, and where it counts.
#[derive(Clone)]
pub(crate) struct Access {
    authorizer: Arc<dyn Authorizer>,
    failures: Arc<Failures>,
    /// The calls of the contract whose needs are not stated: there should be none.
    unlisted: Arc<[(Method, String)]>,
}

impl Access {
    /// Asks the authorizer for the calls of a router.
    pub(crate) fn new(authorizer: Arc<dyn Authorizer>, calls: &[(Method, String)]) -> Self {
        let unlisted = calls
            .iter()
            .filter(|(method, path)| need(method, path).is_none());
        Self {
            authorizer,
            failures: Arc::default(),
            unlisted: unlisted.cloned().collect(),
        }
    }
}

/// Lets a request pass if its caller is recognised and has what the call needs.
///
/// A waiting call ends when its caller is no longer allowed to call. A commit runs to its end.
pub(crate) async fn authorize(
    State(access): State<Access>,
    context: RequestContext,
    request: Request,
    next: Next,
) -> Response {
    let call = match access.call(request.extensions(), request.method()) {
        Ok(Call::Known(Need::Public)) => return next.run(request).await,
        Ok(call) => call,
        Err(error) => return refuse(error, request).await,
    };
    let (mut parts, body) = request.into_parts();
    let checked = access.check(&call, &mut parts, &context.params).await;
    let request = Request::from_parts(parts, body);
    let caller = match checked {
        Ok(caller) => caller,
        Err(error) => return refuse(error, request).await,
    };
    // The layer runs once for each request.
    let caller = context.caller.get_or_init(|| caller);
    let waits = may_wait(&call, request.method(), &context.params);
    let mut response = tokio::select! {
        response = next.run(request) => response,
        () = caller.ended(), if waits => {
            let message = "the key was revoked or has expired while the call was waiting";
            return challenge(unauthorized(message.to_owned()).into_response());
        }
    };
    if let Some(error) = response.extensions_mut().get_mut::<ApiError>() {
        access.told(caller, error);
    }
    response
}

/// Whether a call may wait for something to happen. A call of a consumer says so in its body.
fn may_wait(call: &Call, method: &Method, params: &Params) -> bool {
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    match call {
        Call::Known(Need::Right(Right::Append, _)) => false,
        _ => !is_read || params.waits(),
    }
}

/// What a request calls.
enum Call {
    /// A call of the contract.
    Known(Need),
    /// No call of the contract: the router refuses it.
    Unmatched,
}

impl Access {
    /// What a request calls. A call whose needs nobody has stated answers nobody.
    fn call(&self, extensions: &Extensions, method: &Method) -> Result<Call, ApiError> {
        let Some(path) = extensions.get::<MatchedPath>() else {
            return Ok(Call::Unmatched);
        };
        if let Some(need) = need(method, path.as_str()) {
            return Ok(Call::Known(need));
        }
        let is_it = |(of, known): &(Method, String)| of == method && known == path.as_str();
        if self.unlisted.iter().any(is_it) {
            let cause = format!("no right is stated for {method} {}", path.as_str());
            return Err(ApiError::internal(cause));
        }
        Ok(Call::Unmatched)
    }

    /// Completes the error of a handler, for its caller.
    fn told(&self, caller: &Caller, error: &mut ApiError) {
        if !caller.has(Right::Read) {
            error.hide_changesets();
        }
        if error.code == codes::FORBIDDEN {
            let limit = limited(caller.stream_prefixes().unwrap_or_default());
            let message = format!("{limit}: {}", error.message);
            *error = self.forbidden(caller, &message);
        }
    }

    /// Counts and makes the error of a call that its caller may not make.
    fn forbidden(&self, caller: &Caller, lack: &str) -> ApiError {
        let name = caller.name();
        let reason = "its key lacks a right or a prefix";
        self.failures
            .count(StatusCode::FORBIDDEN, Some(name), reason);
        let message = format!("the key `{name}` {lack}");
        ApiError::new(StatusCode::FORBIDDEN, codes::FORBIDDEN, message)
    }

    /// The caller of a request, if he may make it.
    async fn check(
        &self,
        call: &Call,
        parts: &mut Parts,
        params: &Params,
    ) -> Result<Caller, ApiError> {
        let caller = match self.authorizer.authenticate(parts).await {
            Ok(caller) => caller,
            Err(refusal) => {
                self.failures.count(
                    StatusCode::UNAUTHORIZED,
                    refusal.key.as_deref(),
                    &refusal.message,
                );
                return Err(unauthorized(refusal.message));
            }
        };
        let Call::Known(Need::Right(right, scope)) = *call else {
            return Ok(caller);
        };
        let allowed = if caller.has(right) {
            within(&caller, scope, parts, params).await
        } else {
            Err(format!("lacks the right `{right}`"))
        };
        match allowed {
            Ok(()) => Ok(caller),
            Err(lack) => Err(self.forbidden(&caller, &lack)),
        }
    }
}

/// Whether what a call reaches is within the caller's prefixes; if not, what is missing.
async fn within(
    caller: &Caller,
    scope: Scope,
    parts: &mut Parts,
    params: &Params,
) -> Result<(), String> {
    let Some(prefixes) = caller.stream_prefixes() else {
        return Ok(());
    };
    let limited = limited(prefixes);
    match scope {
        Scope::Nothing | Scope::Consumer | Scope::Body => Ok(()),
        Scope::Filter => {
            let is_within = params
                .filter()
                .is_ok_and(|filter| caller.reaches(filter.stream_prefixes()));
            is_within
                .then_some(())
                .ok_or_else(|| format!("{limited}: give each `stream_prefix` within it"))
        }
        Scope::Whole => Err(format!("{limited}, and this call reaches all streams")),
        Scope::Stream => {
            let Ok(path) = StreamPath::from_request_parts(parts, &()).await;
            // The handler refuses what is no stream id.
            let is_within = path.text().is_none_or(|stream| caller.reaches(&[stream]));
            is_within
                .then_some(())
                .ok_or_else(|| format!("{limited}, and this stream has another"))
        }
    }
}

/// What a caller is limited to.
fn limited(prefixes: &[String]) -> String {
    let prefixes = prefixes.join("`, `");
    format!("is limited to streams with the prefix `{prefixes}`")
}

/// The error of a request whose caller is not recognised.
fn unauthorized(message: String) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, codes::UNAUTHORIZED, message)
}

/// Refuses a request. A 401 says how to authenticate.
async fn refuse(error: ApiError, request: Request) -> Response {
    challenge(refused(error, request).await.into_response())
}

/// Adds to a 401 how to authenticate.
fn challenge(mut response: Response) -> Response {
    if response.status() == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static("Bearer realm=\"ees\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    }
    response
}
