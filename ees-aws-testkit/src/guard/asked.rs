//! Reads the action and the resource of a call, in the terms of policies.

use std::collections::BTreeSet;

use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

/// A call that a function made to a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// The function's name.
    pub function: String,
    /// `dynamodb:PutItem`.
    pub action: String,
    /// The resource's ARN.
    pub resource: String,
}

/// The scope of a signature: the caller, the region and the service.
struct Scope<'a> {
    function: &'a str,
    region: &'a str,
    service: &'a str,
}

/// `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, ...`
fn scope(head: &Parts) -> Option<Scope<'_>> {
    let signed = head.headers.get("authorization")?.to_str().ok()?;
    let (_, credential) = signed.split_once("Credential=")?;
    let mut parts = credential.split(',').next()?.rsplit('/').skip(1);
    let (service, region) = (parts.next()?, parts.next()?);
    let function = parts.nth(1)?;
    Some(Scope {
        function,
        region,
        service,
    })
}

/// The calls of a request. A request that cannot be read is a call without a function, which no
/// policy allows.
pub(super) fn calls(head: &Parts, body: &[u8]) -> Vec<Call> {
    let Some(scope) = scope(head) else {
        return vec![call("", "unsigned", String::new())];
    };
    let asked = match scope.service {
        "dynamodb" => dynamodb(head, body, scope.region),
        "sns" => vec![sns(body)],
        "s3" => vec![s3(head)],
        other => vec![(format!("{other}:?"), String::new())],
    };
    let asked = asked.into_iter();
    asked
        .map(|(action, resource)| call(scope.function, &action, resource))
        .collect()
}

fn call(function: &str, action: &str, resource: String) -> Call {
    Call {
        function: function.to_owned(),
        action: action.to_owned(),
        resource,
    }
}

/// `X-Amz-Target: DynamoDB_20120810.PutItem`, and the tables in the body. A transaction needs the
/// permissions of its actions.
fn dynamodb(head: &Parts, body: &[u8], region: &str) -> Vec<(String, String)> {
    let target = head.headers.get("x-amz-target");
    let target = target.and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| target.split_once('.'));
    let action = format!(
        "dynamodb:{}",
        operation.map_or("?", |(_, operation)| operation)
    );
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let index = body["IndexName"].as_str();
    let index = index.map_or_else(String::new, |name| format!("/index/{name}"));
    let many = body["RequestItems"].as_object();
    let many = many.into_iter().flatten().map(|(table, _)| table.as_str());
    let tables = body["TableName"].as_str().into_iter().chain(many);
    let arn = |table: &str| {
        let table = format!("table/{table}{index}");
        format!("arn:aws:dynamodb:{region}:{ACCOUNT}:{table}")
    };
    let actions = body["TransactItems"].as_array().into_iter().flatten();
    let actions = actions.filter_map(Value::as_object).flatten();
    let actions = actions.filter_map(|(action, asked)| {
        let table = asked["TableName"].as_str()?;
        Some((format!("dynamodb:{action}Item"), arn(table)))
    });
    let actions: BTreeSet<_> = actions.collect();
    if !actions.is_empty() {
        return actions.into_iter().collect();
    }
    let mut asked: Vec<_> = tables.map(|table| (action.clone(), arn(table))).collect();
    if asked.is_empty() {
        asked.push((action, String::new()));
    }
    asked
}

/// The account of every stack for which none is set.
const ACCOUNT: &str = "123456789012";

/// SNS receives a form. A batch needs the permission to publish.
fn sns(body: &[u8]) -> (String, String) {
    let field = |name: &str| {
        let mut fields = form_urlencoded::parse(body);
        let found = fields.find(|(field, _)| field == name);
        found
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    let action = field("Action");
    let action = action.trim_end_matches("Batch");
    (format!("sns:{action}"), field("TopicArn"))
}

/// `METHOD /BUCKET/KEY`.
fn s3(head: &Parts) -> (String, String) {
    let path = percent_decode_str(head.uri.path()).decode_utf8_lossy();
    let path = path.trim_start_matches('/').trim_end_matches('/');
    let action = match (&head.method, path.contains('/')) {
        (&Method::GET | &Method::HEAD, false) => "s3:ListBucket",
        (&Method::GET | &Method::HEAD, true) => "s3:GetObject",
        (&Method::PUT, true) => "s3:PutObject",
        (&Method::DELETE, true) => "s3:DeleteObject",
        _ => "s3:?",
    };
    (action.to_owned(), format!("arn:aws:s3:::{path}"))
}

/// The answer of a service to a forbidden call.
pub(super) fn refusal(head: &Parts) -> Response {
    let is_json = head.headers.contains_key("x-amz-target");
    let what = "not authorized: the function's role does not allow it";
    if is_json {
        let refusal = json!({
            "__type": "com.amazon.coral.service#AccessDeniedException",
            "Message": what,
        });
        let kind = [("content-type", "application/x-amz-json-1.0")];
        return (StatusCode::BAD_REQUEST, kind, refusal.to_string()).into_response();
    }
    let error = format!("<Error><Code>AccessDenied</Code><Message>{what}</Message></Error>");
    let refusal = match scope(head).map(|scope| scope.service) {
        Some("s3") => error,
        _ => format!("<ErrorResponse>{error}</ErrorResponse>"),
    };
    let kind = [("content-type", "text/xml")];
    (StatusCode::FORBIDDEN, kind, refusal).into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn asked(service: &str, request: axum::http::request::Builder, body: &str) -> Vec<String> {
        let key = format!(
            "AWS4-HMAC-SHA256 Credential=shop-api/20260101/eu-west-1/{service}/aws4_request, SignedHeaders=host"
        );
        let (head, ()) = request
            .header("authorization", key)
            .body(())
            .unwrap()
            .into_parts();
        let calls = calls(&head, body.as_bytes()).into_iter();
        calls
            .map(|it| format!("{} {} {}", it.function, it.action, it.resource))
            .collect()
    }

    #[test]
    fn calls_are_told_in_the_words_of_policies() {
        let dynamodb = |operation: &str, body: &str| {
            let target = format!("DynamoDB_20120810.{operation}");
            let request = Request::post("/").header("x-amz-target", target);
            asked("dynamodb", request, body)
        };
        let table = "arn:aws:dynamodb:eu-west-1:123456789012:table/t";
        assert_eq!(
            dynamodb("Query", r#"{"TableName":"t","IndexName":"i"}"#),
            [format!("shop-api dynamodb:Query {table}/index/i")]
        );
        assert_eq!(
            dynamodb("BatchGetItem", r#"{"RequestItems":{"t":{}}}"#),
            [format!("shop-api dynamodb:BatchGetItem {table}")]
        );
        let transaction = r#"{"TransactItems":[{"Put":{"TableName":"t"}},{"Put":{"TableName":"t"}},
            {"ConditionCheck":{"TableName":"t"}},{"Delete":{"TableName":"u"}}]}"#;
        assert_eq!(
            dynamodb("TransactWriteItems", transaction),
            [
                format!("shop-api dynamodb:ConditionCheckItem {table}"),
                "shop-api dynamodb:DeleteItem arn:aws:dynamodb:eu-west-1:123456789012:table/u"
                    .to_owned(),
                format!("shop-api dynamodb:PutItem {table}"),
            ]
        );
        assert_eq!(
            dynamodb("ListTables", "{}"),
            ["shop-api dynamodb:ListTables "]
        );
        assert_eq!(
            asked(
                "sns",
                Request::post("/"),
                "Action=PublishBatch&TopicArn=arn%3At.fifo"
            ),
            ["shop-api sns:Publish arn:t.fifo"]
        );
        assert_eq!(
            asked("s3", Request::delete("/b/aws%2Flambda/x"), ""),
            ["shop-api s3:DeleteObject arn:aws:s3:::b/aws/lambda/x"]
        );
        assert_eq!(
            asked("s3", Request::get("/b/?list-type=2&prefix=a/b"), ""),
            ["shop-api s3:ListBucket arn:aws:s3:::b"]
        );
    }

    #[test]
    fn what_nobody_signed_is_nobodys() {
        let (head, ()) = Request::get("/").body(()).unwrap().into_parts();
        assert_eq!(calls(&head, b"")[0].action, "unsigned");
    }
}
