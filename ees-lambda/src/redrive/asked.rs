//! Reads the event of a redrive: a notification of the bucket, or a manual invocation.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::{Failure, batch};

/// The objects to redrive.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The objects with these keys.
    Keys(Vec<String>),
    /// All objects whose keys have this prefix.
    Prefix(String),
}

impl Asked {
    /// Reads an event: a notification of S3, such a notification in a message of a queue, `{}`, or
    /// `{"prefix": "..."}`.
    pub(super) fn read(event: &Value) -> Result<Self, Failure> {
        let unexpected = || Failure::Event {
            found: batch::keys(event),
            expected: "a notification of the failures bucket, `{}` or `{\"prefix\": \"...\"}`",
        };
        if let Some(records) = event["Records"].as_array() {
            let keys = records.iter().map(keys).collect::<Option<Vec<_>>>();
            return keys
                .map(|keys| Self::Keys(keys.concat()))
                .ok_or_else(unexpected);
        }
        // S3 tests whether the function can be reached.
        if event["Event"] == "s3:TestEvent" {
            return Ok(Self::Keys(Vec::new()));
        }
        match (
            event.as_object().map(serde_json::Map::len),
            &event["prefix"],
        ) {
            (Some(0), _) => Ok(Self::Prefix(String::new())),
            (Some(1), Value::String(prefix)) => Ok(Self::Prefix(prefix.clone())),
            _ => Err(unexpected()),
        }
    }
}

/// The keys that a record names: its own, or those in the message of a queue.
fn keys(record: &Value) -> Option<Vec<String>> {
    if let Some(message) = record["body"].as_str() {
        return match Asked::read(&serde_json::from_str(message).ok()?).ok()? {
            Asked::Keys(keys) => Some(keys),
            Asked::Prefix(_) => None,
        };
    }
    // The key is encoded as in a form, where a plus is a space.
    let key = record["s3"]["object"]["key"].as_str()?.replace('+', " ");
    let key = percent_decode_str(&key).decode_utf8().ok()?;
    Some(vec![key.into_owned()])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn notification(key: &str) -> Value {
        let s3 = json!({"bucket": {"name": "b"}, "object": {"key": key, "size": 1}});
        json!({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": s3}]})
    }

    #[test]
    fn a_notification_names_objects() {
        let asked = Asked::read(&notification("aws/lambda/a+b%2Bc/%C3%BC")).unwrap();
        assert_eq!(asked, Asked::Keys(vec!["aws/lambda/a b+c/ü".to_owned()]));
        let message =
            |key| json!({"eventSource": "aws:sqs", "body": notification(key).to_string()});
        let queued = json!({"Records": [message("a"), message("b")]});
        let both = Asked::Keys(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(Asked::read(&queued).unwrap(), both);
        let test = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"});
        assert_eq!(Asked::read(&test).unwrap(), Asked::Keys(vec![]));
    }

    #[test]
    fn by_hand_a_prefix_is_named_or_none() {
        assert_eq!(
            Asked::read(&json!({})).unwrap(),
            Asked::Prefix(String::new())
        );
        let prefix = Asked::read(&json!({"prefix": "aws/lambda/1"})).unwrap();
        assert_eq!(prefix, Asked::Prefix("aws/lambda/1".to_owned()));
    }

    #[test]
    fn what_is_neither_is_refused() {
        for event in [
            json!({"prefx": "a"}),
            json!([]),
            json!({"Records": [{"s3": {}}]}),
        ] {
            assert!(Asked::read(&event).is_err(), "{event}");
        }
    }
}
