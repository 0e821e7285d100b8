//! The way in: who a request comes from, and the headers of every answer.

use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, REFERRER_POLICY, SET_COOKIE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use ees_http::Caller;

use crate::app::App;
use crate::fields::query;
use crate::sessions::{LIFETIME, is_id};
use crate::viewer::Viewer;

/// The cookie of a session that a key has opened.
pub(crate) const SESSION: &str = "ees_console";

/// The cookie to which the tokens of forms belong before there is a session, or without keys.
const FORMS: &str = "ees_console_forms";

/// What a page may do: run and show the program's own files, and call its own server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'self'; \
                      frame-ancestors 'none'";

/// Adds the headers of every answer.
pub(crate) async fn protect(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name, value| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    set(CONTENT_SECURITY_POLICY, POLICY);
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    // A browser that tells no referrer tells no origin of a form either.
    set(REFERRER_POLICY, "same-origin");
    set(CACHE_CONTROL, "no-store");
    response
}

/// Lets a request pass if its session is open, or if the server has no keys. A page of a session whose
/// key is revoked leads to the login.
pub(crate) async fn enter(State(app): State<App>, mut request: Request, next: Next) -> Response {
    if app.settings.authorizer.is_none() {
        return with_forms(&app, request, next).await;
    }
    let Some((id, caller)) = session(&app, request.headers()).await else {
        return leave(&request);
    };
    request.extensions_mut().insert(Viewer {
        token: app.sessions.token(&id),
        id,
        caller: Some(caller.clone()),
    });
    // An action runs to its end.
    let is_read = request.method().is_safe();
    let left = leave(&request);
    tokio::select! {
        response = next.run(request) => response,
        () = caller.ended(), if is_read => left,
    }
}

/// Gives a browser without a session what its forms need.
pub(crate) async fn with_forms(app: &App, mut request: Request, next: Next) -> Response {
    let known = cookie(request.headers(), FORMS).map(str::to_owned);
    let id = known.clone().or_else(|| app.sessions.new_id());
    let id = id.unwrap_or_default();
    request.extensions_mut().insert(Viewer {
        token: app.sessions.token(&id),
        id: id.clone(),
        caller: None,
    });
    let mut response = next.run(request).await;
    if known.is_none() {
        set_cookie(&mut response, &written(FORMS, &id, "", app.settings.is_tls));
    }
    response
}

/// The session of a request and its caller, while its key is accepted.
pub(crate) async fn session(app: &App, headers: &HeaderMap) -> Option<(String, Caller)> {
    let id = cookie(headers, SESSION)?;
    let key = app.sessions.key(id, Instant::now())?;
    let Ok(caller) = caller(app, key).await else {
        app.sessions.close(id);
        return None;
    };
    Some((id.to_owned(), caller))
}

/// Asks who has a key, given as the value of `Authorization`.
pub(crate) async fn caller(app: &App, key: HeaderValue) -> Result<Caller, ees_http::Unauthorized> {
    let unknown = || ees_http::Unauthorized::new("the server has no keys");
    let authorizer = app.settings.authorizer.clone().ok_or_else(unknown)?;
    let request = axum::http::Request::builder().header("authorization", key);
    let request = request.body(()).map_err(|_| unknown())?;
    authorizer.authenticate(&request.into_parts().0).await
}

/// Leads a page to the login, and back after it. What a page loads by itself gets 401.
fn leave(request: &Request) -> Response {
    if request.uri().path() == "/console/tail" {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let path = request.uri().path_and_query().map(ToString::to_string);
    let next = path.filter(|_| request.method().is_safe());
    let next = next.unwrap_or_else(|| "/console".to_owned());
    Redirect::to(&format!("/console/login{}", query(&[("next", &next)]))).into_response()
}

/// The id in a cookie of a request, if it has the form of one.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let given = headers.get_all(COOKIE).iter();
    let given = given.filter_map(|cookies| cookies.to_str().ok());
    let mut given = given.flat_map(|cookies| cookies.split(';'));
    given.find_map(|cookie| {
        let (found, id) = cookie.trim().split_once('=')?;
        (found == name && is_id(id)).then_some(id)
    })
}

/// The cookie of a new session.
pub(crate) fn session_cookie(id: &str, is_tls: bool) -> String {
    let ends = format!("; Max-Age={}", LIFETIME.as_secs());
    written(SESSION, id, &ends, is_tls)
}

/// The cookie that ends a session in the browser.
pub(crate) fn no_session(is_tls: bool) -> String {
    written(SESSION, "", "; Max-Age=0", is_tls)
}

fn written(name: &str, id: &str, ends: &str, is_tls: bool) -> String {
    let secure = if is_tls { "; Secure" } else { "" };
    format!("{name}={id}; Path=/console; HttpOnly; SameSite=Strict{ends}{secure}")
}

pub(crate) fn set_cookie(response: &mut Response, cookie: &str) {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}
