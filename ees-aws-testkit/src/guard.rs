//! A proxy between functions and services that enforces the functions' roles.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::policies::Policies;
use crate::template::Template;
use crate::{Endpoints, Error, Services};

mod asked;

pub use asked::Call;

/// The maximum size of a call in bytes.
const MAX_BODY: usize = 32 * 1024 * 1024;

/// Enforces the functions' roles: it refuses calls that a role does not allow, as AWS does, and
/// records all calls. The key of a call is the name of the function that made it.
#[derive(Debug)]
pub struct Guard {
    endpoints: Endpoints,
    calls: Arc<Calls>,
    _serving: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Calls {
    allowed: Mutex<BTreeSet<Call>>,
    refused: Mutex<BTreeSet<Call>>,
}

/// One service, or several behind one address.
#[derive(Clone)]
struct Service {
    endpoint: String,
    client: Client<HttpConnector, Body>,
    policies: Arc<Policies>,
    calls: Arc<Calls>,
}

impl Guard {
    /// Starts a guard in front of these services, for the functions of this template.
    ///
    /// # Errors
    /// [`Error::Start`] if it cannot listen.
    pub async fn before(services: &Services, template: &Template) -> Result<Self, Error> {
        let behind = services.endpoints();
        let policies = Arc::new(Policies::of(template));
        let calls = Arc::new(Calls::default());
        let mut serving = JoinSet::new();
        let mut guarded = Vec::new();
        for endpoint in [&behind.dynamodb, &behind.sns, &behind.sqs, &behind.s3] {
            let service = Service {
                endpoint: endpoint.clone(),
                client: Client::builder(TokioExecutor::new()).build_http(),
                policies: Arc::clone(&policies),
                calls: Arc::clone(&calls),
            };
            guarded.push(listen(service, &mut serving).await?);
        }
        let mut guarded = guarded.into_iter();
        let mut next = || guarded.next().unwrap_or_default();
        Ok(Self {
            endpoints: Endpoints {
                dynamodb: next(),
                sns: next(),
                sqs: next(),
                s3: next(),
            },
            calls,
            _serving: serving,
        })
    }

    /// The endpoints of the guard, for the functions.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The calls that were allowed.
    pub fn allowed(&self) -> BTreeSet<Call> {
        let allowed = self.calls.allowed.lock();
        allowed.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The calls that were refused.
    pub fn refused(&self) -> BTreeSet<Call> {
        let refused = self.calls.refused.lock();
        refused.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn listen(service: Service, serving: &mut JoinSet<()>) -> Result<String, Error> {
    let failed = |error| Error::start("a guard")(error);
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let router = Router::new().fallback(handle).with_state(service);
    serving.spawn(async move {
        // The server ends with the task.
        let _ = axum::serve(listener, router).await;
    });
    Ok(format!("http://{address}"))
}

async fn handle(State(service): State<Service>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    for call in asked::calls(&head, &body) {
        if !service.admit(call) {
            return asked::refusal(&head);
        }
    }
    let answer = service.pass(Request::from_parts(head, body.into())).await;
    answer.unwrap_or_else(|| StatusCode::BAD_GATEWAY.into_response())
}

impl Service {
    fn admit(&self, call: Call) -> bool {
        let Call {
            function,
            action,
            resource,
        } = &call;
        let allowed = self.policies.allow(function, action, resource);
        let kept = if allowed {
            &self.calls.allowed
        } else {
            &self.calls.refused
        };
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(call);
        allowed
    }

    async fn pass(&self, mut request: Request) -> Option<Response> {
        let path = request.uri().path_and_query()?.as_str();
        let uri: Uri = format!("{}{path}", self.endpoint).parse().ok()?;
        *request.uri_mut() = uri;
        let answer = self.client.request(request).await.ok()?;
        let (head, body) = answer.into_parts();
        Some(Response::from_parts(head, Body::new(body)))
    }
}
