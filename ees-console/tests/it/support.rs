//! A console over a store in memory, without a network.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use ees_console::{Console, Settings};
use ees_core::{EventStore, Events, Expectation, NewChangeset};
use ees_http::{Authorizer, Caller, Options, RequestParts, Right, Unauthorized};
use ees_memory::MemoryStorage;
use tower::ServiceExt;

pub(crate) const HOST: &str = "localhost:8080";
pub(crate) const ORIGIN: &str = "http://localhost:8080";

/// Keys by their secrets, which a test can take away.
#[derive(Debug, Default)]
pub(crate) struct Keys(Mutex<Vec<(String, Caller)>>);

impl Keys {
    pub(crate) fn add(&self, secret: &str, caller: Caller) {
        self.0.lock().unwrap().push((secret.to_owned(), caller));
    }

    pub(crate) fn revoke(&self, secret: &str) {
        self.0.lock().unwrap().retain(|(found, _)| found != secret);
    }
}

#[async_trait]
impl Authorizer for Keys {
    async fn authenticate(&self, request: &RequestParts) -> Result<Caller, Unauthorized> {
        let header = request.headers.get("authorization");
        let secret = header.and_then(|header| header.to_str().ok()?.strip_prefix("Bearer "));
        let keys = self.0.lock().unwrap();
        let found = keys
            .iter()
            .find(|(known, _)| Some(known.as_str()) == secret);
        let found = found.map(|(_, caller)| caller.clone());
        found.ok_or_else(|| Unauthorized::new("the key is unknown"))
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The cookies that it sets, as a request sends them.
    pub(crate) fn cookies(&self) -> String {
        let set = self.headers.get_all("set-cookie").iter();
        let set = set.filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
        set.collect::<Vec<_>>().join("; ")
    }

    /// The token of its forms.
    pub(crate) fn token(&self) -> String {
        let (_, rest) = self
            .body
            .split_once("name=\"token\" value=\"")
            .expect("a token");
        rest.split('"').next().unwrap_or_default().to_owned()
    }
}

/// A server with a console.
pub(crate) struct Served {
    pub(crate) store: EventStore,
    pub(crate) keys: Arc<Keys>,
    router: Router,
}

impl Served {
    /// A server without keys.
    pub(crate) fn open() -> Self {
        Self::with(false)
    }

    /// A server with keys: of an administrator, and of a shop that only reads its own streams.
    pub(crate) fn guarded() -> Self {
        let served = Self::with(true);
        served
            .keys
            .add("admin-key", Caller::new("admin", Right::ALL));
        let shop = Caller::new("shop", [Right::Read]);
        let shop = shop.with_stream_prefixes(["order-".to_owned()]);
        served.keys.add("shop-key", shop);
        served
    }

    fn with(has_keys: bool) -> Self {
        let storage = Arc::new(MemoryStorage::new());
        let store = EventStore::new(Arc::clone(&storage)).with_consumers(Arc::clone(&storage) as _);
        Self::over(store.with_log(storage), has_keys, |_| {})
    }

    /// A server over a store.
    pub(crate) fn over(store: EventStore, has_keys: bool, set: impl FnOnce(&mut Settings)) -> Self {
        let keys = Arc::new(Keys::default());
        let mut settings = Settings::new("memory:");
        set(&mut settings);
        let mut options = Options::default();
        if has_keys {
            settings.authorizer = Some(Arc::clone(&keys) as _);
            options.authorizer = Some(Arc::clone(&keys) as _);
        }
        let console = Console::new(store.clone(), settings);
        options.pages = Some(console.pages());
        let router = ees_http::self_hosted_router(store.clone(), options);
        Self {
            store,
            keys,
            router,
        }
    }

    /// Appends an event to a new stream.
    pub(crate) async fn commit(&self, stream: &str, events: &str) {
        let stream = stream.parse().unwrap();
        let events = Events::parse(events).unwrap();
        let new = NewChangeset::new(stream, Expectation::NEW_STREAM, events);
        self.store.commit(new).await.expect("a commit");
    }

    /// Makes a request with these headers.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("host", HOST);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    pub(crate) async fn get(&self, path: &str, cookies: &str) -> Answer {
        self.call("GET", path, &[("cookie", cookies)], "").await
    }

    /// Sends a form of a page.
    pub(crate) async fn post(&self, path: &str, cookies: &str, form: &str) -> Answer {
        let headers = [("cookie", cookies), ("origin", ORIGIN)];
        self.call("POST", path, &headers, form).await
    }

    /// Logs in; the cookies of the session.
    pub(crate) async fn log_in(&self, key: &str) -> String {
        let page = self.get("/console/login", "").await;
        let form = format!("token={}&key={key}", page.token());
        let answer = self.post("/console/login", &page.cookies(), &form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        answer.cookies()
    }
}
