//! How this program reaches an HTTP server: one connection for each request, over TLS or without.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use axum::http::header::HOST;
use axum::http::uri::{Authority, Scheme};
use axum::http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The longest answer that is read.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// A server and how to reach it.
#[derive(Clone)]
pub(crate) struct Transport {
    authority: Authority,
    tls: Option<TlsConnector>,
}

impl Transport {
    /// The server of a URL; `None` if the URL is not of http or https, or has a password, which this
    /// program would show in errors. `ca` has the roots that are
    /// trusted instead of those of the system.
    pub(crate) fn new(url: &Uri, ca: Option<&Path>) -> Result<Option<Self>, String> {
        let tls = match url.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => Some(connector(ca)?),
            Some(scheme) if *scheme == Scheme::HTTP => None,
            _ => return Ok(None),
        };
        let authority = url.authority().cloned();
        let authority = authority.filter(|authority| !authority.as_str().contains('@'));
        Ok(authority.map(|authority| Self { authority, tls }))
    }

    /// Sends a request to a path; its answer. It waits as long as the server lets it.
    pub(crate) async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, String> {
        let named = HeaderValue::from_str(self.authority.as_str());
        let named = named.map_err(|error| error.to_string())?;
        request.headers_mut().insert(HOST, named);
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

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let broken = |error: hyper::Error| format!("the connection broke: {error}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(broken)?;
    let (head, body) = response.into_parts();
    let body = Limited::new(body, MAX_BYTES).collect().await;
    let body = body.map_err(|error| format!("the answer broke: {error}"))?;
    Ok(Response::from_parts(head, body.to_bytes()))
}

/// TLS that trusts the roots of `--ca`, or those of the system.
fn connector(ca: Option<&Path>) -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = ca {
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
