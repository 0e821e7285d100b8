//! A deployment as AWS offers it: behind TLS, under a path, for signed requests only.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SigningParams, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use ees_core::EventStore;
use ees_http::{Options, self_hosted_router};
use ees_memory::MemoryStorage;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use rcgen::CertifiedKey;
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::binary::run_with;

const ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "session";
const REGION: &str = "eu-central-1";

/// The most bytes that a gateway takes.
const MAX_BODY: usize = 32 * 1024 * 1024;

/// Lets a request pass if its signature is the one that its key makes of it.
async fn authorize(State(authority): State<String>, request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY).await.unwrap();
    let given = text(&head, "authorization").and_then(|value| value.rsplit_once("Signature="));
    let is_genuine = given.is_some_and(|(_, given)| given == signature(&authority, &head, &body));
    if is_genuine && text(&head, "x-amz-security-token") == Some(TOKEN) {
        let path = head.uri.to_string();
        head.uri = path.strip_prefix("/Prod").unwrap().parse().unwrap();
        next.run(Request::from_parts(head, Body::from(body))).await
    } else {
        (StatusCode::FORBIDDEN, r#"{"message":"Forbidden"}"#).into_response()
    }
}

fn text<'a>(head: &'a Parts, name: &str) -> Option<&'a str> {
    head.headers.get(name)?.to_str().ok()
}

/// The signature that the key makes of a request, of the headers and for the time that it names.
fn signature(authority: &str, head: &Parts, body: &[u8]) -> String {
    let identity = Credentials::from_keys(ID, SECRET, Some(TOKEN.to_owned())).into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name("execute-api")
        .time(time(text(head, "x-amz-date").unwrap()))
        .settings(SigningSettings::default())
        .build()
        .unwrap();
    let named = text(head, "authorization").unwrap();
    let (_, named) = named.split_once("SignedHeaders=").unwrap();
    let (named, _) = named.split_once(',').unwrap();
    // Those of AWS's own are added by whoever signs.
    let named: Vec<&str> = named
        .split(';')
        .filter(|name| !name.starts_with("x-amz-"))
        .collect();
    let headers = head.headers.iter();
    let headers = headers.filter(|(name, _)| named.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    let uri = format!("https://{authority}{}", head.uri);
    let body = SignableBody::Bytes(body);
    let signable = SignableRequest::new(head.method.as_str(), uri, headers, body);
    let signed = sign(signable.unwrap(), &SigningParams::V4(params));
    signed.unwrap().signature().to_owned()
}

fn time(date: &str) -> SystemTime {
    let civil = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date).unwrap();
    let instant = civil.to_zoned(jiff::tz::TimeZone::UTC).unwrap();
    instant.timestamp().into()
}

/// Serves the contract under `/Prod`; the URL, and the certificate's authority in PEM.
async fn serve() -> (String, String) {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = format!("localhost:{}", listener.local_addr().unwrap().port());
    let store = EventStore::new(Arc::new(MemoryStorage::new()));
    let mut options = Options::default();
    options.request_timeout = Duration::from_hours(1);
    let contract = self_hosted_router(store, options);
    let router = Router::new()
        .fallback_service(contract)
        .layer(from_fn_with_state(authority.clone(), authorize));
    tokio::spawn(accept(
        listener,
        TlsAcceptor::from(Arc::new(config)),
        router,
    ));
    (format!("https://{authority}/Prod"), cert.pem())
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, router: Router) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, router) = (tls.clone(), router.clone());
        tokio::spawn(async move {
            // Who breaks off has nothing to be told.
            let Ok(stream) = tls.accept(stream).await else {
                return;
            };
            let service = TowerToHyperService::new(router);
            let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
            let _ = builder
                .http1_only()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_behind_a_gateway_passes() {
    let (url, pem) = serve().await;
    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("authority.pem");
    std::fs::write(&trusted, pem).unwrap();
    let trusted = trusted.to_str().unwrap();
    let keys = [
        ("SSL_CERT_FILE", trusted),
        ("AWS_ACCESS_KEY_ID", ID),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_SESSION_TOKEN", TOKEN),
        ("AWS_REGION", REGION),
    ];
    let args = ["--url", &url, "--sigv4", "--json"];
    let groups = ["answers", "keys", "naming", "raw_http", "stream_paths"];
    let filters = groups.iter().flat_map(|group| ["--filter", group]);
    let ended = run_with(&keys, &args.into_iter().chain(filters).collect::<Vec<_>>());
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let report = ended.json();
    let cases = report["cases"].as_array().unwrap();
    let raw = cases
        .iter()
        .filter(|case| case["name"].as_str().unwrap().starts_with("raw_http::"));
    let outcomes: Vec<_> = raw.map(|case| &case["outcome"]).collect();
    assert!(!outcomes.is_empty() && outcomes.iter().all(|outcome| *outcome == "not_run"));

    for (environment, args, said) in [
        (&keys[..1], &args[..2], "--sigv4"),
        (&keys[1..], &args, "certificate"),
        (
            &[&keys[..4], &[("AWS_REGION", "eu-west-1")]].concat(),
            &args,
            "Forbidden",
        ),
    ] {
        let ended = run_with(environment, args);
        assert_eq!(ended.code, Some(3), "{}", ended.stderr);
        assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
    }
}
