//! The client of commands that ask a server: one connection for each request, and an end to each wait.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::uri::{Authority, Scheme};
use axum::http::{Method, Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::args::RemoteArgs;

/// The longest time that one request may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest answer that is read.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    body: Value,
}

impl Answer {
    /// A field of the body.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name)?.as_str()
    }

    /// The body of an answer that is none of an error.
    pub(crate) fn accepted(self) -> Result<Value, String> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        let (status, code) = (self.status, self.text("error").unwrap_or("no code"));
        let why = self.text("message").unwrap_or("the answer has no message");
        Err(format!("{status} {code}: {why}"))
    }
}

/// A server and how to reach it.
pub(crate) struct Client {
    url: String,
    authority: Authority,
    tls: Option<TlsConnector>,
    key: Option<String>,
}

impl Client {
    pub(crate) fn new(args: &RemoteArgs) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`--url {}`: expected http://HOST:PORT or https://HOST:PORT",
                args.url
            )
        };
        let url: Uri = args.url.parse().map_err(|_| wrong())?;
        let is_whole = matches!(url.path(), "" | "/") && url.query().is_none();
        let tls = match url.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => Some(connector(args)?),
            Some(scheme) if *scheme == Scheme::HTTP => None,
            _ => return Err(wrong()),
        };
        Ok(Self {
            url: args.url.clone(),
            authority: url
                .authority()
                .cloned()
                .filter(|_| is_whole)
                .ok_or_else(wrong)?,
            tls,
            key: args.key.clone(),
        })
    }

    /// Asks for a path.
    pub(crate) async fn get(&self, path: &str) -> Result<Answer, String> {
        self.send(Method::GET, path, Bytes::new()).await
    }

    /// Sends JSON to a path.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Answer, String> {
        self.send(Method::POST, path, body.to_string().into()).await
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> Result<Answer, String> {
        let request = self.request(method, path, body)?;
        let asked = tokio::time::timeout(PATIENCE, Box::pin(self.ask(request))).await;
        let late = || format!("no answer within {} s", PATIENCE.as_secs());
        let answer = asked.unwrap_or_else(|_| Err(late()));
        answer.map_err(|error| format!("{}: {error}", self.url))
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(HOST, self.authority.as_str());
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, format!("Bearer {key}"));
        }
        // The error would show the key.
        let request = request.body(Full::new(body));
        request.map_err(|_| "the key cannot be sent in a header".to_owned())
    }

    async fn ask(&self, request: Request<Full<Bytes>>) -> Result<Answer, String> {
        let host = self.authority.host();
        let port = self.authority.port_u16();
        let port = port.unwrap_or(if self.tls.is_some() { 443 } else { 80 });
        let plain = host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((plain, port)).await;
        let stream = stream.map_err(|error| format!("it cannot be reached: {error}"))?;
        let Some(tls) = &self.tls else {
            return exchange(stream, request).await;
        };
        let name = ServerName::try_from(plain.to_owned()).map_err(|error| error.to_string())?;
        let stream = tls.connect(name, stream).await;
        let stream = stream.map_err(|error| format!("TLS fails: {error}"))?;
        exchange(stream, request).await
    }
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Answer, String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let broken = |error: hyper::Error| format!("the connection broke: {error}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(broken)?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), MAX_BYTES)
        .collect()
        .await;
    let body = body.map_err(|error| format!("the answer broke: {error}"))?;
    Ok(Answer {
        status,
        body: serde_json::from_slice(&body.to_bytes()).unwrap_or_default(),
    })
}

/// TLS that trusts the roots of `--ca`, or those of the system.
fn connector(args: &RemoteArgs) -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = &args.ca {
        let wrong = |error: String| format!("`--ca {}`: {error}", file.display());
        let pem = fs::read(file).map_err(|error| wrong(error.to_string()))?;
        for root in CertificateDer::pem_slice_iter(&pem) {
            let root = root.map_err(|error| wrong(error.to_string()))?;
            roots.add(root).map_err(|error| wrong(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(wrong("no certificate was found in PEM".to_owned()));
        }
    } else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions();
    let config = config.map_err(|error| error.to_string())?;
    let config = config.with_root_certificates(roots).with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
