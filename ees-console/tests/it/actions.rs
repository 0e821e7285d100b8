//! What operators do, and what stands in the way.

use std::time::Duration;

use axum::http::StatusCode;
use ees_core::consumer::{Ack, Claim, ConsumerDefinition, ConsumerName, Failure};

use crate::support::Served;

/// Parks streams of a new consumer.
async fn park(served: &Served, streams: &[&str], error: &str) {
    let consumers = served.store.consumers().expect("consumers");
    let name: ConsumerName = "billing".parse().unwrap();
    let definition = ConsumerDefinition {
        retry_seconds: Vec::new(),
        ..ConsumerDefinition::default()
    };
    consumers
        .define(&name, &definition)
        .await
        .expect("a consumer");
    for stream in streams {
        served.commit(stream, r#"[{"type": "paid"}]"#).await;
    }
    let claim = Claim::new("worker 1");
    let batch = consumers.claim(&name, claim, Duration::ZERO).await;
    let batch = batch.expect("a claim").expect("a batch");
    let failed = batch.changesets.iter().map(|changeset| Failure {
        stream_id: changeset.stream_id.clone(),
        changeset_id: changeset.changeset_id,
        error: error.to_owned(),
    });
    let ack = Ack {
        generation: batch.generation,
        checkpoint: batch.next,
        failed: failed.collect(),
    };
    let acknowledged = consumers.acknowledge(&name, batch.partition, &ack, None);
    acknowledged.await.expect("an acknowledgement");
}

async fn parked(served: &Served) -> Vec<(String, bool)> {
    let consumers = served.store.consumers().expect("consumers");
    let name = "billing".parse().unwrap();
    let page = consumers.parked(&name, None, 10).await.expect("parked");
    let items = page.items.into_iter();
    items
        .map(|parked| (parked.stream_id.to_string(), parked.next_try.is_some()))
        .collect()
}

#[tokio::test]
async fn a_parked_stream_is_retried_and_another_skipped() {
    let served = Served::open();
    park(&served, &["a", "b"], "no <b>rate</b> for \u{202e}EUR").await;
    assert_eq!(
        parked(&served).await,
        [("a".to_owned(), false), ("b".to_owned(), false)]
    );
    let page = served.get("/console/consumer?name=billing", "").await;
    assert!(
        page.body.contains("no &lt;b&gt;rate&lt;/b&gt; for "),
        "{}",
        page.body
    );
    assert!(page.body.contains(r"\u{202e}"), "{}", page.body);
    let (cookies, token) = (page.cookies(), page.token());
    let form = format!("token={token}&name=billing&stream=a");
    let answer = served
        .post("/console/consumer/retry", &cookies, &form)
        .await;
    assert_eq!(
        answer.header("location"),
        "/console/consumer?name=billing&done=retry"
    );
    assert_eq!(
        parked(&served).await.first(),
        Some(&("a".to_owned(), true)),
        "it is due"
    );
    let form = format!("token={token}&name=billing&stream=b&through=1");
    let answer = served.post("/console/consumer/skip", &cookies, &form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert!(
        parked(&served).await.contains(&("b".to_owned(), true)),
        "a worker goes on behind it"
    );
    let again = served.post("/console/consumer/skip", &cookies, &form).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST, "it is skipped");
}

#[tokio::test]
async fn a_consumer_is_reset_within_the_order() {
    let served = Served::open();
    park(&served, &["a", "b"], "x").await;
    let page = served.get("/console/consumer?name=billing", "").await;
    let (cookies, token) = (page.cookies(), page.token());
    for (checkpoint, status) in [
        ("3", StatusCode::BAD_REQUEST),
        ("-1", StatusCode::BAD_REQUEST),
        ("", StatusCode::BAD_REQUEST),
        ("0", StatusCode::SEE_OTHER),
    ] {
        let form = format!("token={token}&name=billing&checkpoint={checkpoint}");
        let answer = served
            .post("/console/consumer/reset", &cookies, &form)
            .await;
        assert_eq!(answer.status, status, "{checkpoint}: {}", answer.body);
    }
    assert_eq!(parked(&served).await, [], "what begins there is dropped");
}

#[tokio::test]
async fn an_action_needs_the_origin_and_the_token_without_keys_too() {
    let served = Served::open();
    park(&served, &["a"], "x").await;
    let page = served.get("/console/consumer?name=billing", "").await;
    let (cookies, token) = (page.cookies(), page.token());
    let form = format!("token={token}&name=billing&stream=a&through=1");
    for act in ["retry", "skip", "reset"] {
        let path = format!("/console/consumer/{act}");
        let foreign = [
            ("cookie", cookies.as_str()),
            ("origin", "http://evil.example"),
        ];
        let answer = served.call("POST", &path, &foreign, &form).await;
        assert_eq!(
            answer.status,
            StatusCode::FORBIDDEN,
            "{act}: another origin"
        );
        let answer = served
            .call("POST", &path, &[("cookie", &cookies)], &form)
            .await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{act}: no origin");
        let answer = served
            .post(&path, &cookies, "name=billing&stream=a&through=1")
            .await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{act}: no token");
        let answer = served.post(&path, "", &form).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{act}: no cookie");
        let answer = served.get(&format!("{path}?{form}"), &cookies).await;
        assert_eq!(
            answer.status,
            StatusCode::METHOD_NOT_ALLOWED,
            "{act}: a link"
        );
    }
    assert_eq!(
        parked(&served).await,
        [("a".to_owned(), false)],
        "nothing was done"
    );
}

#[tokio::test]
async fn an_action_needs_the_right() {
    let served = Served::guarded();
    served.keys.add(
        "worker-key",
        ees_http::Caller::new("worker", [ees_http::Right::Consume]),
    );
    park(&served, &["a"], "x").await;
    let session = served.log_in("worker-key").await;
    let page = served.get("/console/consumer?name=billing", &session).await;
    assert!(
        !page.body.contains("/console/consumer/retry"),
        "it is not offered"
    );
    let form = format!("token={}&name=billing&stream=a", page.token());
    let answer = served
        .post("/console/consumer/retry", &session, &form)
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(parked(&served).await, [("a".to_owned(), false)]);
    let stream = served.get("/console/stream?id=a", &session).await;
    assert_eq!(stream.status, StatusCode::FORBIDDEN, "payloads need `read`");
}
