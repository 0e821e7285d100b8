//! The calls with which an operator looks at a stack: those of `CloudFormation` and Lambda that the AWS
//! CLI makes.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::Error;

mod shipping;
mod stack;
mod stacks;

pub(crate) use shipping::ship;
pub(crate) use stack::{Invocable, Listed, Stack};

/// The maximum size of a call in bytes.
const MAX_BODY: usize = 6 * 1024 * 1024;

/// Serves the calls; returns the URL.
pub(crate) async fn serve(stack: Stack, tasks: &mut JoinSet<()>) -> Result<String, Error> {
    let failed = |error| Error::start("the control plane")(error);
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let router = Router::new().fallback(answer).with_state(Arc::new(stack));
    tasks.spawn(async move {
        // The server ends with the task.
        let _ = axum::serve(listener, router).await;
    });
    Ok(format!("http://{address}"))
}

async fn answer(State(stack): State<Arc<Stack>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let path = head.uri.path();
    if let Some(rest) = path.strip_prefix("/2015-03-31/functions/") {
        let name = rest.strip_suffix("/invocations").unwrap_or(rest);
        let kind = head.headers.get("x-amz-invocation-type");
        let is_event = kind.is_some_and(|kind| kind == "Event");
        return invoke(&stack, name, &body, is_event).await;
    }
    match path.trim_end_matches('/') {
        "/2015-03-31/event-source-mappings" => json_of(&list(&stack)),
        "/2016-08-19/account-settings" => json_of(&json!({
            "AccountLimit": {"ConcurrentExecutions": stack.concurrency},
            "AccountUsage": {"FunctionCount": stack.functions.len()},
        })),
        "" => stacks::answer(&stack, &body),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn json_of(value: &Value) -> Response {
    ([("content-type", "application/json")], value.to_string()).into_response()
}

async fn invoke(stack: &Stack, name: &str, body: &[u8], is_event: bool) -> Response {
    let Some(invocable) = stack.functions.get(name) else {
        let error = json!({"Type": "User", "Message": format!("Function not found: {name}")});
        return (StatusCode::NOT_FOUND, error.to_string()).into_response();
    };
    let event: Value = serde_json::from_slice(body).unwrap_or_else(|_| json!({}));
    if is_event {
        invocable.queue.push(event).await;
        return StatusCode::ACCEPTED.into_response();
    }
    match invocable.function.invoke(&event).await {
        Ok(answer) => json_of(&answer),
        Err(error) => {
            let failed = [("x-amz-function-error", "Unhandled")];
            let body = json!({"errorMessage": error.to_string()});
            (failed, Body::from(body.to_string())).into_response()
        }
    }
}

fn list(stack: &Stack) -> Value {
    let mapping = |(number, listed): (usize, &Listed)| {
        let paused = listed.controls.is_paused();
        json!({
            "UUID": format!("00000000-0000-4000-8000-{number:012}"),
            "FunctionArn": listed.function_arn,
            "EventSourceArn": listed.stream_arn,
            "State": if paused { "Disabled" } else { "Enabled" },
            "LastProcessingResult": "OK",
        })
    };
    let mappings = stack.mappings.iter().enumerate();
    json!({"EventSourceMappings": mappings.map(mapping).collect::<Vec<_>>()})
}
