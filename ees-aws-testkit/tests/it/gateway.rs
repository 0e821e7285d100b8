//! The API in front of a function.

use bytes::Bytes;
use ees_aws_testkit::Services;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::stack::{start, start_with};

pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> Vec<&str> {
        let all = self.headers.iter().filter(|(known, _)| known == name);
        all.map(|(_, value)| value.as_str()).collect()
    }
}

pub(crate) async fn call(method: &str, url: &str, body: impl Into<Bytes>) -> Answer {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::builder()
        .method(method)
        .uri(url)
        .header("x-twice", "1");
    let request = request
        .header("x-twice", "2")
        .body(Full::new(body.into()))
        .unwrap();
    let answer = client.request(request).await.unwrap();
    let headers = answer.headers().iter();
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    Answer {
        status: answer.status().as_u16(),
        headers: headers.collect(),
        body: String::from_utf8(
            answer
                .into_body()
                .collect()
                .await
                .unwrap()
                .to_bytes()
                .to_vec(),
        )
        .unwrap(),
    }
}

#[tokio::test]
async fn a_request_becomes_the_event_of_a_rest_api_and_the_answer_a_response() {
    let aws = start(Services::start().await.unwrap()).await;
    let url = format!(
        "{}/things/a%2Fb%3F%25/c?limit=1&from=&limit=a%20b",
        aws.url()
    );
    let answer = call("POST", &url, "{\"é\": 1}").await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("content-type"), ["text/plain"]);
    assert_eq!(answer.header("x-kept"), ["1"]);
    assert_eq!(answer.header("x-many"), ["a", "b"]);
    let event = answer.json();
    assert_eq!(event["path"], "/things/a%2Fb%3F%25/c");
    assert_eq!(event["resource"], "/things/{proxy+}");
    assert_eq!(event["httpMethod"], "POST");
    assert_eq!(
        event["queryStringParameters"],
        json!({"limit": "a b", "from": ""})
    );
    let all = json!({"limit": ["1", "a b"], "from": [""]});
    assert_eq!(event["multiValueQueryStringParameters"], all);
    assert_eq!(event["headers"]["x-twice"], "2");
    assert_eq!(event["multiValueHeaders"]["x-twice"], json!(["1", "2"]));
    assert_eq!(
        event["requestContext"]["path"],
        "/Prod/things/a%2Fb%3F%25/c"
    );
    assert_eq!(event["requestContext"]["stage"], "Prod");
    assert_eq!(
        (&event["body"], &event["isBase64Encoded"]),
        (&json!("{\"é\": 1}"), &json!(false))
    );

    let event = call("GET", aws.url(), "").await.json();
    assert_eq!(
        (&event["path"], &event["resource"]),
        (&json!("/"), &json!("/"))
    );
    assert_eq!(event["body"], json!(null));
    assert_eq!(event["multiValueQueryStringParameters"], json!(null));
}

#[tokio::test]
async fn what_goes_wrong_before_and_in_the_function_is_answered() {
    let aws = start(Services::start().await.unwrap()).await;
    let under = |path: &str| format!("{}{path}", aws.url());
    let outside = aws.url().replace("/Prod", "/");
    let large = vec![b'x'; 7 * 1024 * 1024];
    let huge = vec![b'x'; 11 * 1024 * 1024];
    for (method, url, body, status, message) in [
        (
            "GET",
            under("/things/fail"),
            vec![],
            502,
            "Internal server error",
        ),
        (
            "GET",
            under("/things/crash"),
            vec![],
            502,
            "Internal server error",
        ),
        (
            "GET",
            under("/things/odd"),
            vec![],
            502,
            "Internal server error",
        ),
        (
            "GET",
            under("/things/long"),
            vec![],
            502,
            "Internal server error",
        ),
        ("POST", under("/things/x"), large, 413, "Request Too Long"),
        ("POST", under("/things/x"), huge, 413, "Request Too Long"),
        (
            "POST",
            under("/"),
            vec![],
            403,
            "Missing Authentication Token",
        ),
        (
            "GET",
            under("/others"),
            vec![],
            403,
            "Missing Authentication Token",
        ),
        ("GET", outside, vec![], 403, "Forbidden"),
    ] {
        let answer = call(method, &url, body).await;
        assert_eq!(
            (answer.status, answer.json()["message"].clone()),
            (status, json!(message)),
            "{method} {url}"
        );
    }
    assert_eq!(
        call("GET", &under("/things/x"), "").await.status,
        201,
        "it goes on"
    );
}

#[tokio::test]
async fn the_gateway_answers_by_itself_what_its_rules_say() {
    let aws = start(Services::start().await.unwrap()).await;
    let under = |path: &str| format!("{}{path}", aws.url());
    for (method, path, status) in [
        ("TRACE", "/things/x", 403),
        ("PURGE", "/things/x", 403),
        ("PATCH", "/things/x", 201),
        ("GET", "/things/50%", 400),
        ("GET", "/things/%zz", 400),
        ("GET", "/things/a%2", 400),
        ("GET", "/things/%ff", 201),
        ("GET", "/things/x?a=%ff", 400),
        ("GET", "/things/x?a=%", 400),
        ("GET", "/things/x?a=%C3%A9", 201),
    ] {
        let answer = call(method, &under(path), "").await;
        assert_eq!(answer.status, status, "{method} {path}");
    }
    let event = call("GET", &under("//things/a//b/"), "").await.json();
    assert_eq!(event["path"], "/things/a//b/", "one slash begins a path");
}

#[tokio::test]
async fn a_request_to_a_function_url_becomes_an_event_of_its_form() {
    let url = "
  Url:
    Type: AWS::Lambda::Url
    Properties: {TargetFunctionArn: !GetAtt Api.Arn, AuthType: NONE}
";
    let aws = start_with(Services::start().await.unwrap(), url, 1).await;
    let url = format!("{}//things/a%2Fb%3F%25/50%?limit=%ff&x", aws.url());
    let answer = call("PURGE", &url, "{\"é\": 1}").await;
    assert_eq!(answer.status, 201);
    let event = answer.json();
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["rawPath"], "//things/a%2Fb%3F%25/50%");
    assert_eq!(event["rawQueryString"], "limit=%ff&x");
    assert_eq!(event["headers"]["x-twice"], "1,2");
    assert_eq!(event["requestContext"]["http"]["method"], "PURGE");
    assert_eq!(event["requestContext"]["stage"], "$default");
    assert_eq!(event["isBase64Encoded"], true, "no media type of text");
}
