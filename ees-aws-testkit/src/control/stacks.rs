//! The answers of `CloudFormation` about the one stack.

use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::stack::Stack;

const NAMESPACE: &str = "http://cloudformation.amazonaws.com/doc/2010-05-15/";

/// Answers a call in the query protocol.
pub(super) fn answer(stack: &Stack, body: &[u8]) -> Response {
    let form = form_urlencoded::parse(body);
    let (mut action, mut name) = (String::new(), None);
    for (key, value) in form {
        match &*key {
            "Action" => action = value.into_owned(),
            "StackName" => name = Some(value.into_owned()),
            _ => {}
        }
    }
    let is_it = name.as_deref().is_none_or(|name| name == stack.name);
    let is_there = is_it && !stack.deleted.load(Ordering::Relaxed);
    match action.as_str() {
        "DescribeStacks" if is_there => xml("DescribeStacks", &description(stack)),
        "DescribeStacks" => missing(&name.unwrap_or_default()),
        "DeleteStack" => {
            if is_it {
                stack.deleted.store(true, Ordering::Relaxed);
            }
            xml("DeleteStack", "")
        }
        _ => StatusCode::NOT_IMPLEMENTED.into_response(),
    }
}

fn description(stack: &Stack) -> String {
    let output = |(key, value): (&String, &String)| {
        let value = value.replace('&', "&amp;").replace('<', "&lt;");
        format!("<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>")
    };
    let outputs: String = stack.outputs.iter().map(output).collect();
    let name = &stack.name;
    format!(
        "<Stacks><member><StackName>{name}</StackName>\
         <StackId>arn:aws:cloudformation:us-east-1:123456789012:stack/{name}/local</StackId>\
         <CreationTime>2026-01-01T00:00:00Z</CreationTime>\
         <StackStatus>CREATE_COMPLETE</StackStatus><Outputs>{outputs}</Outputs></member></Stacks>"
    )
}

fn xml(action: &str, result: &str) -> Response {
    let text = format!(
        "<{action}Response xmlns=\"{NAMESPACE}\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>local</RequestId></ResponseMetadata></{action}Response>"
    );
    ([("content-type", "text/xml")], text).into_response()
}

fn missing(name: &str) -> Response {
    let text = format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type>\
         <Code>ValidationError</Code><Message>Stack with id {name} does not exist</Message>\
         </Error><RequestId>local</RequestId></ErrorResponse>"
    );
    (
        StatusCode::BAD_REQUEST,
        [("content-type", "text/xml")],
        text,
    )
        .into_response()
}
