//! Logging in with a key, and out.

use std::time::Instant;

use axum::extract::{FromRequest, Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use crate::app::App;
use crate::asked::Asked;
use crate::entry::{
    SESSION, caller, cookie, no_session, session, session_cookie, set_cookie, with_forms,
};
use crate::extract::Form;
use crate::origin::own_scheme;
use crate::view::{Frame, Refusal, page as framed, shown};

/// The longest key.
const MAX_KEY: usize = 512;

/// Lets everybody pass to the login, and leads those on who need none.
pub(crate) async fn outside(State(app): State<App>, request: Request, next: Next) -> Response {
    if app.settings.authorizer.is_none() {
        return Redirect::to("/console").into_response();
    }
    if request.method().is_safe() && session(&app, request.headers()).await.is_some() {
        return Redirect::to("/console").into_response();
    }
    with_forms(&app, request, next).await
}

/// The form.
pub(crate) async fn page(asked: Asked) -> Response {
    let next = asked.fields.get("next").filter(|next| is_inside(next));
    let told = next.map(|_| "Log in to see this page. If you were logged in, the session is over: its key was revoked or has expired, or the server was started again.");
    form(
        &asked,
        next.unwrap_or("/console"),
        told,
        None,
        StatusCode::OK,
    )
}

/// Opens a session for a key.
pub(crate) async fn login(State(app): State<App>, request: Request) -> Result<Response, Refusal> {
    let scheme = own_scheme(request.headers(), request.uri());
    let Form { asked, fields } = Form::from_request(request, &app).await?;
    let next = fields.get("next").filter(|next| is_inside(next));
    let next = next.unwrap_or("/console");
    let now = Instant::now();
    if let Some(wait) = app.attempts.wait(now) {
        let told = "Too many attempts have failed. Try again in some seconds.";
        let status = StatusCode::TOO_MANY_REQUESTS;
        let mut response = form(&asked, next, None, Some(told), status);
        let seconds = HeaderValue::from(wait.as_secs() + 1);
        response.headers_mut().insert(RETRY_AFTER, seconds);
        return Ok(response);
    }
    let key = fields.get("key").unwrap_or_default();
    match opened(&app, key, now).await {
        Ok(id) => {
            let mut response = Redirect::to(next).into_response();
            let is_tls = app.settings.is_tls || scheme == Some("https");
            set_cookie(&mut response, &session_cookie(&id, is_tls));
            Ok(response)
        }
        Err(reason) => {
            app.attempts.failed(now);
            metrics::counter!("ees_unauthorized_requests_total", "status" => "401").increment(1);
            tracing::warn!("a login to the console failed: {reason}");
            Ok(form(
                &asked,
                next,
                None,
                Some(&reason),
                StatusCode::UNAUTHORIZED,
            ))
        }
    }
}

/// Ends the session.
pub(crate) async fn logout(State(app): State<App>, request: Request) -> Result<Response, Refusal> {
    let id = cookie(request.headers(), SESSION).map(str::to_owned);
    Form::from_request(request, &app).await?;
    if let Some(id) = id {
        app.sessions.close(&id);
    }
    let mut response = Redirect::to("/console/login").into_response();
    set_cookie(&mut response, &no_session(app.settings.is_tls));
    Ok(response)
}

/// A new session of a key; otherwise why there is none.
async fn opened(app: &App, key: &str, now: Instant) -> Result<String, String> {
    let expected = "Give a key that `ees keys add` made.";
    if key.is_empty() || key.len() > MAX_KEY {
        return Err(expected.to_owned());
    }
    let header = HeaderValue::from_str(&format!("Bearer {key}"));
    let mut header = header.map_err(|_| expected.to_owned())?;
    header.set_sensitive(true);
    let caller = caller(app, header.clone()).await;
    caller.map_err(|refused| refused.message().to_owned())?;
    let id = app.sessions.open(header, now);
    id.ok_or_else(|| "The system has no randomness for a session.".to_owned())
}

/// Whether a path is one of the console, so that a login leads nowhere else.
fn is_inside(path: &str) -> bool {
    let rest = path.strip_prefix("/console");
    let begins = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    begins
        && path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

fn form(
    asked: &Asked,
    next: &str,
    told: Option<&str>,
    refused: Option<&str>,
    status: StatusCode,
) -> Response {
    let content: Markup = html! {
        div.login {
            h1 { "Log in" }
            @if let Some(told) = told { p { (told) } }
            form method="post" action="/console/login" {
                input type="hidden" name="token" value=(asked.viewer.token);
                input type="hidden" name="next" value=(next);
                label for="key" { "Key" }
                input #key type="password" name="key" required autocomplete="current-password" autofocus spellcheck="false" maxlength=(MAX_KEY);
                @if let Some(refused) = refused { p.bad-news role="alert" { (shown(refused)) } }
                button type="submit" { "Log in" }
            }
            p.quiet { "The console shows what the key may read, and offers what it may do. `ees keys add` makes a key." }
        }
    };
    let frame = Frame {
        title: "Log in",
        asked: None,
        section: None,
        refresh: None,
        status,
    };
    framed(&frame, &content, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_only_into_the_console() {
        for inside in ["/console", "/console/log?type=a", "/console?x=1"] {
            assert!(is_inside(inside), "{inside}");
        }
        for outside in [
            "",
            "/",
            "/consoles",
            "//evil.example",
            "https://evil.example/console",
            "/console/\\evil",
            "/console/\r\nx",
        ] {
            assert!(!is_inside(outside), "{outside}");
        }
    }
}
