//! The REST contract, by events as API Gateway makes them.

use ees_aws_testkit::Function;
use serde_json::{Value, json};

use crate::test_store::{SECRET, TestStore, log};

/// A request to a REST API, whose stage is `Prod`: it keeps paths as they are encoded.
fn rest(method: &str, path: &str) -> Value {
    let mut event: Value = serde_json::from_str(include_str!("events/rest.json")).unwrap();
    event["httpMethod"] = method.into();
    event["path"] = path.into();
    event["requestContext"]["path"] = format!("/Prod{path}").into();
    event
}

/// A request to an HTTP API.
fn http(method: &str, stage: &str, path: &str, query: &str) -> Value {
    let mut event: Value = serde_json::from_str(include_str!("events/http.json")).unwrap();
    event["requestContext"]["http"]["method"] = method.into();
    event["requestContext"]["http"]["path"] = path.into();
    event["requestContext"]["stage"] = stage.into();
    event["rawPath"] = path.into();
    event["rawQueryString"] = query.into();
    event
}

/// An answer, as API Gateway reads it: its status and body. DynamoDB may be too late for a function
/// on a machine under load, which is asked again then.
async fn answer(function: &Function, event: &Value) -> (u64, Value) {
    for _ in 0..20 {
        let answer = first_answer(function, event).await;
        if answer.0 != 503 {
            return answer;
        }
    }
    first_answer(function, event).await
}

async fn first_answer(function: &Function, event: &Value) -> (u64, Value) {
    let answer = function.invoke(event).await.unwrap();
    assert_eq!(answer["isBase64Encoded"], false);
    let headers = match answer["multiValueHeaders"].as_object() {
        Some(headers) if !headers.is_empty() => headers,
        _ => answer["headers"].as_object().unwrap(),
    };
    let kind = headers["content-type"].to_string();
    assert!(kind.contains("application/json"), "{kind}");
    let body = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    (answer["statusCode"].as_u64().unwrap(), body)
}

fn commit(mut event: Value) -> Value {
    event["body"] = json!({"events": [SECRET], "metadata": {"by": SECRET}})
        .to_string()
        .into();
    event
}

#[tokio::test]
async fn every_stream_id_arrives_as_it_was_encoded() {
    let store = TestStore::new().await;
    let api = store.function("api");
    let ids = [
        ("cart", "cart"),
        ("a%2Fb", "a/b"),
        ("100%25%3Fx%23y", "100%?x#y"),
        ("%C3%A9%20%F0%9F%9B%92", "é 🛒"),
        ("%2E%2E", ".."),
        (".%2e", ".."),
        ("%2E", "."),
        ("a%5Cb", "a\\b"),
        ("%252F", "%2F"),
        ("Prod", "Prod"),
        ("a+b", "a+b"),
    ];
    for (at, (encoded, id)) in ids.into_iter().enumerate() {
        let mut committing = commit(rest("POST", &format!("/streams/{encoded}")));
        // The second one of the same stream.
        let last = if encoded == ".%2e" { "1" } else { "0" };
        committing["queryStringParameters"] = json!({"expected_last_changeset": last});
        committing["multiValueQueryStringParameters"] = json!({"expected_last_changeset": [last]});
        let (status, body) = answer(&api, &committing).await;
        assert_eq!(
            (status, &body["stream_id"]),
            (200, &json!(id)),
            "{at}: {body}"
        );
        let reading = rest("GET", &format!("/streams/{encoded}/changesets"));
        let (status, body) = answer(&api, &reading).await;
        assert_eq!(
            (status, &body["stream_id"]),
            (200, &json!(id)),
            "{at}: {body}"
        );
        assert_eq!(body["changesets"][0]["events"], json!([SECRET]));
    }
    assert!(!log(&api).is_empty());
}

#[tokio::test]
async fn a_stage_is_no_part_of_the_path() {
    let store = TestStore::new().await;
    let api = store.function("api");
    // A REST API tells the path without it: what looks like it is not.
    let mut event = rest("GET", "/streams/Prod");
    event["requestContext"]["stage"] = "streams".into();
    let (status, body) = answer(&api, &event).await;
    assert_eq!(
        (status, &body["stream_id"]),
        (404, &json!("Prod")),
        "{body}"
    );
    for (stage, path, status) in [
        ("Prod", "/Prod/version", 200),
        ("Prod", "/version", 200),
        ("Prod", "/Production/version", 404),
        ("$default", "/version", 200),
        ("$default", "/Prod/version", 404),
    ] {
        let (found, body) = answer(&api, &http("GET", stage, path, "")).await;
        assert_eq!(found, status, "{path} of {stage}: {body}");
    }
    let (status, body) = answer(&api, &http("GET", "Prod", "/Prod", "")).await;
    let (_, root) = answer(&api, &rest("GET", "/")).await;
    assert_eq!((status, &body), (200, &root));
    // An HTTP API has decoded it.
    let (status, body) = answer(
        &api,
        &commit(http("POST", "Prod", "/Prod/streams/é \"x\"", "")),
    )
    .await;
    assert_eq!(
        (status, &body["stream_id"]),
        (200, &json!("é \"x\"")),
        "{body}"
    );
}

#[tokio::test]
async fn queries_and_bodies_arrive_whole() {
    let store = TestStore::new().await;
    let api = store.function("api");
    let mut encoded = rest("POST", "/streams/a");
    // {"events":[1,"ü"]}
    encoded["body"] = "eyJldmVudHMiOlsxLCLDvCJdfQ==".into();
    encoded["isBase64Encoded"] = true.into();
    assert_eq!(answer(&api, &encoded).await.0, 200);
    let mut reading = rest("GET", "/streams/a/changesets");
    reading["queryStringParameters"] = json!({"details": "true", "from": ""});
    reading["multiValueQueryStringParameters"] = json!({"details": ["true"], "from": [""]});
    let (status, body) = answer(&api, &reading).await;
    assert_eq!(
        (status, &body["changesets"][0]["events"]),
        (200, &json!([1, "ü"]))
    );
    assert_eq!(body["changesets"][0]["last_event_id"], 2);
    reading["queryStringParameters"] = json!({"from": "2"});
    reading["multiValueQueryStringParameters"] = json!({"from": ["1", "2"]});
    let (status, body) = answer(&api, &reading).await;
    assert_eq!((status, &body["error"]), (400, &json!("INVALID_PARAMETER")));
    let twice = http("GET", "$default", "/streams/a/changesets", "from=1&from=2");
    assert_eq!(answer(&api, &twice).await.1["error"], "INVALID_PARAMETER");
    let once = http("GET", "$default", "/streams/a/changesets", "from=1&pp=true");
    assert_eq!(answer(&api, &once).await.0, 200);
    let nothing = answer(&api, &rest("POST", "/streams/b")).await;
    assert_eq!(
        (nothing.0, &nothing.1["error"]),
        (400, &json!("INVALID_BODY"))
    );
}

#[tokio::test]
async fn no_page_is_larger_than_lambda_can_answer() {
    let store = TestStore::new().await;
    // Each quote has four bytes inside the answer's string.
    let quotes = format!("[\"{}\"]", "\\\"".repeat(195_000));
    for last in 0..10 {
        store.commit_events("quotes", last, &quotes).await;
    }
    let api = store.function("api");
    let mut changesets = 0;
    while changesets < 10 {
        let query = format!("from={}", changesets + 1);
        let event = http("GET", "$default", "/streams/quotes/changesets", &query);
        let (status, body) = answer(&api, &event).await;
        assert_eq!(status, 200);
        let found = body["changesets"].as_array().unwrap().len();
        assert!(found > 1);
        changesets += found;
        assert_eq!(body.get("next").is_none(), changesets == 10);
    }
}

#[tokio::test]
async fn without_dynamodb_it_answers_as_the_contract_says() {
    let store = TestStore::new().await;
    let (warm, cold) = (store.function("api"), store.function("api"));
    assert_eq!(answer(&warm, &rest("GET", "/version")).await.0, 200);
    store.without_dynamodb();
    for api in [warm, cold] {
        let (status, body) = first_answer(&api, &commit(rest("POST", "/streams/a"))).await;
        assert_eq!(
            (status, &body["error"]),
            (503, &json!("STORAGE_UNAVAILABLE"))
        );
        log(&api);
    }
}

#[tokio::test]
async fn a_request_is_logged_by_the_id_that_lambda_gives_it() {
    let store = TestStore::new().await;
    let api = store.function("api");
    assert_eq!(answer(&api, &rest("GET", "/version")).await.0, 200);
    let lines = log(&api);
    let line = lines
        .iter()
        .find(|line| line["message"] == "answered")
        .unwrap();
    assert_eq!(line["request_id"], line["span"]["requestId"]);
    assert_eq!(line["route"], "/version");
}

/// G12: a REST API tells headers with all their values, and with the last one besides.
#[tokio::test]
async fn a_header_that_comes_twice_is_seen_twice() {
    let store = TestStore::new().await;
    let api = store.function("api");
    for (keys, status) in [(vec!["a", "b"], 400), (vec!["a"], 200)] {
        let mut committing = commit(rest("POST", "/streams/twice"));
        committing["multiValueQueryStringParameters"] = json!({"expected_last_changeset": ["0"]});
        committing["multiValueHeaders"]["Idempotency-Key"] = json!(keys);
        committing["headers"]["Idempotency-Key"] = json!(keys.last());
        let (found, body) = answer(&api, &committing).await;
        assert_eq!(found, status, "{keys:?}: {body}");
    }
}
