//! Takes requests for pages, and the forms of actions, out of what a client sends.

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};

use crate::app::App;
use crate::asked::Asked;
use crate::fault::Fault;
use crate::fields::Fields;
use crate::origin::{host, own_scheme};
use crate::view::Refusal;
use crate::viewer::Viewer;

/// The longest form.
const MAX_FORM_BYTES: usize = 16 * 1024;

impl FromRequestParts<App> for Asked {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let viewer = parts.extensions.get::<Viewer>().cloned();
        let viewer = viewer.ok_or(Fault::Foreign("the layer that knows the viewer is missing"))?;
        let query = parts.uri.query().unwrap_or_default();
        let path = parts.uri.path_and_query();
        Ok(Self {
            fields: Fields::parse(query.as_bytes()),
            viewer,
            server: server(&parts.headers, &parts.uri, app.settings.is_tls),
            path: path.map_or_else(String::new, ToString::to_string),
        })
    }
}

/// The address of the server; that of a local one if the request names a host of an unusual form.
fn server(headers: &HeaderMap, uri: &Uri, is_tls: bool) -> String {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
    let host = host(headers, uri).filter(|host| host.bytes().all(fits));
    let scheme = if is_tls { "https" } else { "http" };
    format!("{scheme}://{}", host.unwrap_or("127.0.0.1:8080"))
}

/// A form that a page of the browser's session has sent.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) asked: Asked,
    pub(crate) fields: Fields,
}

impl FromRequest<App> for Form {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refusal> {
        let (mut parts, body) = request.into_parts();
        let asked = Asked::from_request_parts(&mut parts, app).await?;
        if own_scheme(&parts.headers, &parts.uri).is_none() {
            return Err(Fault::Foreign(
                "the form was not sent by a page of this server: its `Origin` is another one. A \
                 proxy in front of the server has to forward `Host`",
            )
            .into());
        }
        let body = to_bytes(body, MAX_FORM_BYTES).await;
        let body = body.map_err(|_| Fault::Wrong("the form is too long".to_owned()))?;
        let fields = Fields::parse(&body);
        let token = fields.get("token").unwrap_or_default();
        if !app.sessions.is_token(&asked.viewer.id, token) {
            return Err(Fault::Foreign(
                "the form belongs to another session: go back, load the page again and repeat it",
            )
            .into());
        }
        Ok(Self { asked, fields })
    }
}
