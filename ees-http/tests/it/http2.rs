//! Connections of HTTP/2 that move bytes and make no progress: each answers pings, so that only what
//! it asks for and takes counts.

use std::sync::Arc;
use std::time::Duration;

use ees_http::{ServerLimits, Tls, TlsFiles, self_hosted_router, serve_tls};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::clients::PATIENCE;
use crate::support::{Faulty, patient, post};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The settings of a client; the second ones let nothing of an answer come (RFC 9113, section 6.9.2).
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
const NO_WINDOW: &[u8] = &[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0];

/// A frame with the head of `GET path` on the first stream.
fn get(path: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).unwrap();
    // Of the static table of HPACK: GET, https, and the names of `:authority` and `:path`.
    let mut head = vec![0x82, 0x87, 0x01, length("localhost")];
    head.extend(b"localhost");
    head.extend([0x04, length(path)]);
    head.extend(path.bytes());
    let mut frame = vec![0, 0, u8::try_from(head.len()).unwrap(), 1, 5, 0, 0, 0, 1];
    frame.extend(head);
    frame
}

/// A connection to a server with these limits.
async fn connect(limits: ServerLimits) -> TlsStream<TcpStream> {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    let (pem, key) = (certificate.pem(), key.serialize_pem());
    let tls = Tls::new(TlsFiles::new(&pem, &key)).unwrap();
    let options = patient();
    let closing = options.closing.clone();
    let router = self_hosted_router(Faulty::new().store(), options);
    let body = format!(r#"{{"events":["{}"]}}"#, "x".repeat(90_000));
    assert_eq!(post(&router, "/streams/s", body).await.status, 200);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve_tls(listener, tls, router, limits, closing));
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(name, stream).await.unwrap()
}

/// All that comes until the server closes the connection.
async fn rest(stream: &mut TlsStream<TcpStream>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    let _ = read.expect("the server closes the connection");
    bytes
}

#[tokio::test]
async fn a_connection_that_asks_for_nothing_is_closed() {
    let mut limits = ServerLimits::default();
    limits.header_timeout = Duration::from_millis(300);
    let mut stream = connect(limits).await;
    stream.write_all(PREFACE).await.unwrap();
    stream.write_all(SETTINGS).await.unwrap();
    rest(&mut stream).await;
}

#[tokio::test]
async fn an_answer_that_is_not_taken_is_given_up() {
    let mut limits = ServerLimits::default();
    limits.write_timeout = Duration::from_millis(300);
    let mut stream = connect(limits).await;
    stream.write_all(PREFACE).await.unwrap();
    stream.write_all(NO_WINDOW).await.unwrap();
    let request = get("/streams/s/changesets");
    stream.write_all(&request).await.unwrap();
    let told = rest(&mut stream).await;
    assert!(told.len() < 10_000, "nothing of the body comes");
}
