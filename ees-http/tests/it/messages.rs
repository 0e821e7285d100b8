//! What is said of a mistake: what was found, what was expected, what to do.

use axum::body::Body;
use axum::http::Request;

use crate::support::{Faulty, call, get, post, router};

const BODY: &str = r#"{"events":[1,2]}"#;

#[tokio::test]
async fn a_number_is_told_its_range() {
    let router = router(&Faulty::new());
    for (path, expected) in [
        ("/changesets?limit=x", "from 1 to 1000; a larger"),
        (
            "/streams/s/events?limit=-1",
            "from 1 to 9223372036854775807",
        ),
        ("/events?limit=0", "from 1 to 1000; a larger"),
        ("/changesets?wait=x", "from 0 to 20"),
        ("/events?wait=x", "from 0 to 20"),
        ("/streams/s/events?from=x", "from 0 to 9223372036854775807"),
    ] {
        let answer = get(&router, path).await;
        assert!(
            answer.message().contains(expected),
            "{path}: {}",
            answer.message()
        );
    }
}

#[tokio::test]
async fn a_conflict_tells_where_the_stream_is() {
    let router = router(&Faulty::new());
    for last in 0..2 {
        let path = format!("/streams/s?expected_last_changeset={last}");
        assert_eq!(post(&router, &path, BODY).await.status, 200);
    }
    let forgotten = post(&router, "/streams/s", BODY).await;
    for expected in [
        "no expectation",
        "changeset is 2",
        "event 4",
        "`expected_last_changeset=2`",
    ] {
        assert!(
            forgotten.message().contains(expected),
            "{}",
            forgotten.message()
        );
    }
    // More than goes into one page.
    let large = format!(r#"{{"events":["{}"]}}"#, "x".repeat(90_000));
    for last in 2..60 {
        let path = format!("/streams/s?expected_last_changeset={last}");
        assert_eq!(post(&router, &path, large.clone()).await.status, 200);
    }
    let far = post(&router, "/streams/s?expected_last_changeset=2", BODY).await;
    assert_eq!(far.error(), "OPTIMISTIC_CONCURRENCY_EXCEPTION");
    assert!(
        far.message().contains("last changeset is 60"),
        "{}",
        far.message()
    );
}

#[tokio::test]
async fn a_body_is_told_what_is_wrong_with_it() {
    let router = router(&Faulty::new());
    for (body, expected) in [
        ("", "empty"),
        (" \n", "empty"),
        ("\u{feff}{\"events\":[1]}", "byte order mark"),
        (r#"{"events":[1],"\ud800":1}"#, "lone surrogate \\ud800"),
        (r#"{"events":[1]"#, "line 1"),
    ] {
        let answer = post(&router, "/streams/s", body).await;
        assert_eq!(answer.error(), "INVALID_BODY", "{body}");
        assert!(
            answer.message().contains(expected),
            "{body}: {}",
            answer.message()
        );
    }
    let request = Request::post("/streams/s").header("content-encoding", "gzip");
    let zipped = request.body(Body::from(&b"\x1f\x8b\x08\x00"[..])).unwrap();
    let answer = call(&router, zipped).await;
    assert_eq!(answer.error(), "INVALID_BODY");
    assert!(
        answer.message().contains("`Content-Encoding: gzip`"),
        "{}",
        answer.message()
    );
}
