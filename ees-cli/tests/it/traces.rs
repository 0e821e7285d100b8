//! Traces, as an OpenTelemetry collector receives them.

use std::net::TcpListener;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tempfile::TempDir;

use crate::collector::{Collector, assert_is_ees, sending};
use crate::http::{receive, request, send};
use crate::process::{Ees, run, sqlite};

/// The trace and the span that a client is in.
const TRACE: u128 = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c;
const PARENT: u64 = 0xb7ad_6b71_6920_3331;

/// The spans that a collector receives, until one satisfies a condition.
fn until(collector: &Collector, is_last: impl Fn(&Span) -> bool) -> Vec<Span> {
    let mut spans = Vec::new();
    loop {
        let message = collector.next("/v1/traces");
        let received = ExportTraceServiceRequest::decode(&message[..]).expect("spans");
        for resource in received.resource_spans {
            assert_is_ees(&format!("{:?}", resource.resource));
            let scopes = resource.scope_spans.into_iter();
            spans.extend(scopes.flat_map(|scope| scope.spans));
        }
        if spans.iter().any(&is_last) {
            return spans;
        }
    }
}

/// The text of an attribute.
fn attribute(span: &Span, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|found| found.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        other => panic!("{key}: {other:?}"),
    }
}

fn found<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let span = spans.iter().find(|span| span.name == name);
    span.unwrap_or_else(|| panic!("`{name}` is among {spans:#?}"))
}

#[test]
fn a_commit_continues_the_trace_of_its_client() {
    let folder = TempDir::new().expect("a folder");
    let collector = Collector::start();
    let ees = sending(&sqlite(&folder.path().join("ees.db")), &collector.address);
    let headers =
        format!("traceparent: 00-{TRACE:032x}-{PARENT:016x}-01\r\nX-Request-Id: asked\r\n");
    let body = r#"{"events":["TELLTALE"],"metadata":"TELLTALE"}"#;
    let path = "/streams/TELLTALE?details=false";
    let sent = send(&ees.address(), "POST", path, &headers, body).expect("a request");
    assert_eq!(receive(sent).expect("an answer").status, 200);
    let name = "POST /streams/{stream_id}";
    let mut spans = until(&collector, |span| span.name == name);
    while !spans.iter().any(|span| span.name == "batch") {
        spans.extend(until(&collector, |_| true));
    }
    let request = found(&spans, name);
    assert_eq!(request.trace_id, TRACE.to_be_bytes());
    assert_eq!(request.parent_span_id, PARENT.to_be_bytes());
    assert_eq!(
        attribute(request, "http.response.status_code").as_deref(),
        Some("200")
    );
    assert_eq!(attribute(request, "request_id").as_deref(), Some("asked"));
    let commit = found(&spans, "commit");
    assert_eq!(commit.parent_span_id, request.span_id);
    assert_eq!(attribute(commit, "outcome").as_deref(), Some("committed"));
    assert_eq!(attribute(commit, "storage").as_deref(), Some("sqlite"));
    let of_storage = |span: &&Span| attribute(span, "call").as_deref() == Some("commit");
    let storage = spans
        .iter()
        .find(of_storage)
        .expect("the call of the storage");
    assert_eq!(storage.parent_span_id, commit.span_id);
    let batch = found(&spans, "batch");
    assert_ne!(batch.trace_id, request.trace_id, "it may serve others too");
    assert_eq!(batch.links.len(), 1, "{batch:?}");
    assert_eq!(batch.links[0].span_id, storage.span_id);
    assert!(!format!("{spans:?}").contains("TELLTALE"), "{spans:#?}");
    // A client that is in no sampled trace is in none here.
    let headers = format!("traceparent: 00-{TRACE:032x}-{PARENT:016x}-00\r\n");
    let sent = send(&ees.address(), "GET", "/streams", &headers, "").expect("a request");
    receive(sent).expect("an answer");
    request_of(&ees, "/nowhere");
    ees.signal("TERM");
    assert_eq!(ees.wait().0, Some(0));
    let spans = until(&collector, |span| span.name == "GET none");
    assert!(
        !spans.iter().any(|span| span.name == "GET /streams"),
        "{spans:#?}"
    );
}

fn request_of(ees: &Ees, path: &str) {
    request(&ees.address(), "GET", path, "").expect("an answer");
}

#[test]
fn a_collector_that_does_not_answer_holds_nothing_up() {
    // It accepts connections, and never reads.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address").to_string();
    let ees = sending("memory:", &address);
    // Each has four spans, and 2048 may wait.
    for n in 0..700 {
        ees.ok("POST", &format!("/streams/s{n}"), r#"{"events":[1]}"#);
    }
    ees.wait_for_log("traces cannot be sent: no answer within 5 s");
    ees.ok("POST", "/streams/last", r#"{"events":[1]}"#);
    ees.signal("TERM");
    let (code, _, log) = ees.wait();
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(log.matches("traces cannot be sent").count(), 1, "{log}");
}

#[test]
fn a_wrong_collector_is_told_at_the_start() {
    for wrong in ["collector:4318", "ftp://collector", "http://"] {
        let (code, _, errors) = run(&["--storage", "memory:", "--otlp-endpoint", wrong]);
        assert_eq!(code, Some(2), "{wrong}: {errors}");
        assert!(errors.contains("--otlp-endpoint"), "{wrong}: {errors}");
    }
}
