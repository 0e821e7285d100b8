//! What the layers and the handlers know of a request.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;

use crate::error::ApiError;
use crate::options::Options;
use crate::page::Layout;
use crate::params::Params;
use crate::permit::Permit;

/// What the layers and the handlers know of a request: its parsed query, its permit, and how its
/// answer is laid out.
///
/// The outermost layer, `finish`, makes it, keeps a clone and puts another into the request. So
/// every layer and handler that extracts it has to be inside of `finish`: outside, the extraction
/// fails with `INTERNAL`. The layer `admit` fills the permit, a handler may give it back and take it
/// again, and `finish` holds it until the client has received the answer.
///
/// In the other direction one thing travels: a handler's [`ApiError`], in the extensions of the
/// response, because its body depends on what only `finish` knows.
#[derive(Debug, Clone)]
pub(crate) struct RequestContext {
    pub(crate) params: Arc<Params>,
    pub(crate) permit: Permit,
    pub(crate) layout: Layout,
}

impl RequestContext {
    /// Makes the context of a request and puts it into the request.
    pub(crate) fn begin(request: &mut Request, options: &Options) -> Self {
        let params = Params::of(request.uri());
        let common = params.common();
        let context = Self {
            layout: Layout {
                is_pretty: common.is_ok_and(|common| common.pretty),
                embedded_percent: options.embedded_body_percent,
            },
            params: Arc::new(params),
            permit: Permit::default(),
        };
        request.extensions_mut().insert(context.clone());
        context
    }
}

impl<S: Sync> FromRequestParts<S> for RequestContext {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let context = parts.extensions.get().cloned();
        context.ok_or_else(|| ApiError::internal("the layer `finish` is missing".to_owned()))
    }
}
