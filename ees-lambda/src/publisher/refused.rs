//! The object of the failures bucket for a record that can never be published as it is. It has the
//! form of those that Lambda stores there, so that the redrive reads both.

use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};

/// The key and the text of the object for the record at this index of a batch. A record that is set
/// aside again replaces its object.
pub(super) fn object(event: &LambdaEvent<Value>, place: usize) -> (String, String) {
    let record = &event.payload["Records"][place];
    let number = record["dynamodb"]["SequenceNumber"].as_str();
    let key = format!("refused/{}", number.unwrap_or_default());
    let payload = json!({ "Records": [record] });
    let object = json!({
        "requestContext": {
            "requestId": event.context.request_id,
            "functionArn": event.context.invoked_function_arn,
            "condition": "Refused",
        },
        "payload": payload.to_string(),
    });
    (key, object.to_string())
}
