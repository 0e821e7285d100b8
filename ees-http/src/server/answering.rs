//! Answers the requests of one connection with a router.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::body::Body;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request, Version};
use axum::response::Response;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::Service;
use tower::ServiceExt;

use crate::clients::{Client, Receiving};

/// A router that answers one client.
pub(super) struct Answering {
    pub(super) router: Router,
    pub(super) client: Client,
}

impl Service<Request<Incoming>> for Answering {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let router = self.router.clone();
        let running = self.client.runs();
        request.extensions_mut().insert(self.client.clone());
        let version = request.version();
        let is_read = Arc::new(AtomicBool::new(request.body().is_end_stream()));
        let client = &self.client;
        let request = request.map(|body| {
            let is_read = Arc::clone(&is_read);
            let receiving = (!body.is_end_stream()).then(|| client.receives());
            Body::new(Told {
                body,
                is_read,
                receiving,
            })
        });
        async move {
            let mut response = router.oneshot(request).await?;
            // What is left of the body stands before the next request.
            if version < Version::HTTP_2 && !is_read.load(Ordering::Relaxed) {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(CONNECTION, close);
            }
            drop(running);
            Ok(response)
        }
        .boxed()
    }
}

/// A body that tells when it was read to its end.
struct Told {
    body: Incoming,
    is_read: Arc<AtomicBool>,
    receiving: Option<Receiving>,
}

impl HttpBody for Told {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || self.body.is_end_stream() {
            self.is_read.store(true, Ordering::Relaxed);
            self.receiving = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
