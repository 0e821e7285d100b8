//! What pages tell: of others' text, of large changesets, and of a storage that does not answer.

use axum::http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::support::Served;

#[tokio::test]
async fn every_answer_has_its_policy() {
    let served = Served::open();
    for path in [
        "/console",
        "/console/log",
        "/console/console.js",
        "/console/log?before=x",
    ] {
        let answer = served.get(path, "").await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'"),
            "{path}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(
            !answer.body.contains("<script>") && !answer.body.contains(" style="),
            "{path}"
        );
    }
}

#[tokio::test]
async fn text_of_others_stays_text() {
    let served = Served::open();
    let id = "</title><script>alert(1)</script>\"'&\u{202e}";
    let events = r#"[{"type": "<img src=x onerror=alert(2)>", "</pre><b>": "\u0000</script>"}]"#;
    served.commit(id, events).await;
    let encoded = utf8_percent_encode(id, NON_ALPHANUMERIC);
    let stream = format!("/console/stream?id={encoded}");
    let prefix = format!("/console/log?prefix={encoded}");
    for path in [
        "/console",
        "/console/log",
        "/console/tail?after=0",
        &stream,
        &prefix,
    ] {
        let answer = served.get(path, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(
            answer.body.contains("&lt;img src=x"),
            "{path}: {}",
            answer.body
        );
        for markup in ["<script>", "<img", "<b>", "\u{202e}<", "onerror=alert(2)>"] {
            assert!(!answer.body.contains(markup), "{path}: {markup}");
        }
    }
    for wrong in [
        "/console/log?at=<b>",
        "/console/log?before=<b>",
        "/console/consumer?name=<b>",
        "/console/evidence?checkpoint=<b>",
    ] {
        let wrong = wrong.replace('<', "%3C").replace('>', "%3E");
        let answer = served.get(&wrong, "").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
        assert!(!answer.body.contains("<b>"), "{wrong}");
    }
}

#[tokio::test]
async fn a_large_changeset_costs_a_page_little_and_the_page_says_so() {
    let served = Served::open();
    let large = format!(
        r#"[{{"type": "large", "text": "{}"}}]"#,
        "é".repeat(2 << 20)
    );
    served.commit("large", &large).await;
    let many = format!("[{}0]", "1,".repeat(20_000));
    served.commit("many", &many).await;
    for path in ["/console", "/console/log", "/console/stream?id=large"] {
        let answer = served.get(path, "").await;
        assert!(answer.body.contains("of 4.0 MiB"), "{path}");
        assert!(answer.body.len() < 100_000, "{path}: {}", answer.body.len());
    }
    let answer = served.get("/console/stream?id=many&changeset=1", "").await;
    assert!(
        answer.body.contains("And 19,951 more."),
        "{}",
        answer.body.len()
    );
}

#[tokio::test]
async fn a_storage_that_does_not_answer_is_told() {
    let served = Served::open();
    served.store.close().await;
    let overview = served.get("/console", "").await;
    assert_eq!(overview.status, StatusCode::OK);
    assert!(overview.body.contains("Not ready"), "{}", overview.body);
    assert!(
        overview.body.contains("it has been closed"),
        "{}",
        overview.body
    );
    for path in [
        "/console/log",
        "/console/stream?id=a",
        "/console/consumer?name=a",
        "/console/evidence",
    ] {
        let answer = served.get(path, "").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(
            answer.body.contains("The storage does not answer"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_empty_store_says_what_comes_first_and_then_what_comes_next() {
    let served = Served::open();
    for path in ["/console", "/console/log", "/console/evidence"] {
        let answer = served.get(path, "").await;
        let command = "curl &#39;http://localhost:8080/streams/order-17&#39; -d";
        let command = command.replace("&#39;", "'");
        assert!(answer.body.contains(&command), "{path}: {}", answer.body);
    }
    served.commit("it's", r#"[{"type": "placed"}]"#).await;
    let answer = served.get("/console/log", "").await;
    let next = "/streams/it%27s?expected_last_changeset=1";
    assert!(answer.body.contains(next), "{}", answer.body);
}
