//! `pp=true`.

use hyper::Method;

use crate::HttpHarness;
use crate::subject::{Remote, Response, unique};
use crate::wire::tokens::tokens;
use crate::wire::{BODY, append, assert_untouched, end_of_log, path};

/// Payloads that a careless printer would change.
const NASTY: &[&str] = &[
    r#""{ \"a\" : [ 1 , 2 ] }""#,
    r#""\\""#,
    r#""\\\" , : \\\\""#,
    r#""\u0022 \u005c\n\t / \/""#,
    r#"{"":{"a b":[{},[],[[]],{"c":{}}]}}"#,
    r#"{"z":1,"a":2,"z":3}"#,
    "[1E400,-0,-0.0,1.10,123456789012345678901234567890,0.1e-7]",
    r#"[true,false,null,"true","null"]"#,
    "[ [ ] , { } , [ 1 , 2 ] ,\t{ \"a\" :\n1 } ]",
    "\"\u{e9}\u{2028}\u{1f600}\u{7f}\"",
];

/// Gets an answer plain and laid out; both.
async fn both(remote: &Remote, method: Method, path: &str) -> (Response, Response) {
    let sign = if path.contains('?') { '&' } else { '?' };
    let plain = remote.send(method.clone(), path, &[], "").await;
    let laid_out = format!("{path}{sign}pp=true");
    let laid_out = remote.send(method, &laid_out, &[], "").await;
    (plain, laid_out)
}

/// The same tokens, over lines.
fn assert_same(plain: &Response, laid_out: &Response) {
    assert_eq!(plain.status, laid_out.status, "G11: the same answer");
    let kind = laid_out.header("content-type");
    assert_eq!(kind, plain.header("content-type"), "G11: the same type");
    let (plain, laid_out) = (plain.text(), laid_out.text());
    assert_eq!(tokens(plain), tokens(laid_out), "G11: the same tokens");
    assert!(laid_out.lines().count() > 2, "over lines, not {laid_out}");
    assert!(
        !plain.trim_end().contains('\n') || plain.contains("1 }"),
        "plain is plain"
    );
}

/// Payloads keep their bytes, white space between tokens apart.
pub async fn only_white_space_is_added(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("layout \" \\ { , :");
    let begin = end_of_log(&remote).await;
    for (last, payload) in (0..).zip(NASTY) {
        let body = format!(r#"{{"metadata":{payload},"events":[{payload},[{payload}]]}}"#);
        append(&remote, &stream, last, body).await;
    }
    harness.settle().await;
    let path = path(&stream);
    let paths = ["", "/changesets", "/events", "/changesets?details=true"];
    for part in paths {
        let (plain, laid_out) = both(&remote, Method::GET, &format!("{path}{part}")).await;
        assert_same(&plain, &laid_out);
    }
    // The limit is the current count, so that concurrent writers do not change the answer.
    let (changesets, events) = (NASTY.len(), 2 * NASTY.len());
    for part in [
        &*format!("/changesets?checkpoint={begin}&limit={changesets}"),
        &*format!("/events?checkpoint={begin}&limit={events}"),
        "/version",
        "/openapi.json",
    ] {
        let (plain, laid_out) = both(&remote, Method::GET, part).await;
        assert_same(&plain, &laid_out);
    }
    let events = remote.get(&format!("{path}/events")).await;
    for payload in NASTY {
        assert!(events.text().contains(payload), "G11: {payload} as it came");
    }
    let query = format!("{path}?pp=true&expected_last_changeset={}", NASTY.len());
    let committed = remote.post(&query, BODY).await;
    assert_eq!(committed.status, 200, "{}", committed.text());
    assert!(
        committed.text().lines().count() > 2,
        "a commit's answer too"
    );
}

/// Errors too, those of the router as well, and conflicts.
pub async fn errors_are_laid_out_too(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let missing = unique("layout");
    for (method, path) in [
        (Method::GET, "/nowhere".to_owned()),
        (Method::GET, path(&missing)),
        (Method::GET, format!("{}/changesets?from=x", path(&missing))),
        (Method::GET, "/streams//changesets".to_owned()),
        (Method::GET, "/events?limit=0".to_owned()),
        (Method::PUT, path(&missing)),
        (Method::DELETE, "/version".to_owned()),
        (Method::POST, path(&missing)),
    ] {
        let (plain, laid_out) = both(&remote, method, &path).await;
        assert_same(&plain, &laid_out);
        let allow = |response: &Response| response.header("allow").map(str::to_owned);
        assert_eq!(allow(&plain), allow(&laid_out), "{path}");
    }
    assert_untouched(&remote, &missing).await;
    let stream = unique("layout");
    for (last, payload) in (0..).zip(NASTY) {
        append(
            &remote,
            &stream,
            last,
            format!(r#"{{"events":[{payload}]}}"#),
        )
        .await;
    }
    let plain = remote.post(&path(&stream), BODY).await;
    let laid_out = remote
        .post(&format!("{}?pp=true", path(&stream)), BODY)
        .await;
    assert_eq!(plain.status, 409, "G2: a conflict");
    assert_same(&plain, &laid_out);
}
