//! The context of a request, for the layers and the handlers.

use std::sync::{Arc, OnceLock};

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;

use crate::access::Caller;
use crate::error::ApiError;
use crate::options::Options;
use crate::page::Layout;
use crate::params::Params;
use crate::permit::Permit;

/// The context of a request, for the layers and the handlers: its parsed query, its permit, and the
/// layout of its answer.
///
/// The outermost layer, `finish`, creates it, keeps a clone and puts another into the request.
/// Every layer and handler that extracts it must be inside `finish`. Outside, the extraction fails
/// with `INTERNAL`. The layer `admit` fills the permit. A handler may give the permit back and take
/// it again. `finish` holds it until the client has received the answer.
///
/// A handler returns its [`ApiError`] to `finish` in the extensions of the response, because the
/// error's body needs the request's id and layout, which only `finish` knows.
#[derive(Debug, Clone)]
pub(crate) struct RequestContext {
    pub(crate) params: Arc<Params>,
    pub(crate) permit: Permit,
    pub(crate) layout: Layout,
    /// The caller, if the host authenticates callers. The layer `authorize` sets it.
    pub(crate) caller: Arc<OnceLock<Caller>>,
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
            permit: Permit::of(request.extensions().get().cloned()),
            caller: Arc::default(),
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
