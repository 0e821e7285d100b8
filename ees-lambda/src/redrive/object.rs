//! Reads the objects of the failures bucket. Lambda stores the record of a failed invocation there,
//! with the batch of that invocation.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::batch::{self, Record};

/// The function whose invocation failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Worker {
    Indexer,
    Publisher,
}

/// A parsed object.
pub(super) struct Object {
    pub(super) worker: Worker,
    pub(super) records: Vec<Record>,
    invocation: Value,
    batch: Value,
}

impl Object {
    /// Reads an object. The error is a message that says why it cannot be read.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let invocation = parse("it", text)?;
        let arn = &invocation["requestContext"]["functionArn"];
        let payload = &invocation["payload"];
        let (Some(arn), Some(payload)) = (arn.as_str(), payload.as_str()) else {
            return Err(format!(
                "it is not the record of an invocation: found {}, expected one with \
                 `requestContext.functionArn` and `payload`",
                batch::keys(&invocation)
            ));
        };
        let batch = parse("its `payload`", payload)?;
        let records = batch::read(&batch);
        Ok(Self {
            worker: worker(arn)?,
            records: records.map_err(|failure| failure.to_string())?,
            invocation,
            batch,
        })
    }

    /// The text of the object with only the records at these indexes.
    pub(super) fn with_only(mut self, places: &BTreeSet<usize>) -> String {
        let records = &self.batch["Records"];
        let kept = places.iter().filter_map(|place| records.get(place));
        self.batch["Records"] = kept.cloned().collect();
        self.invocation["payload"] = self.batch.to_string().into();
        self.invocation.to_string()
    }
}

/// Parses JSON. The error has only the position, since the text contains a payload.
fn parse(what: &str, text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!("{what} is not JSON, at line {line}, column {column}")
    })
}

/// Finds the function by the end of its name in its ARN,
/// `arn:aws:lambda:REGION:ACCOUNT:function:NAME`, which may have a version after the name.
fn worker(arn: &str) -> Result<Worker, String> {
    match arn.split(':').nth(6) {
        Some(name) if name.ends_with("indexer") => Ok(Worker::Indexer),
        Some(name) if name.ends_with("publisher") => Ok(Worker::Publisher),
        _ => Err(format!(
            "it belongs to the function `{arn}`, whose name ends with neither `indexer` nor `publisher`"
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:publisher-test-indexer";

    #[test]
    fn the_end_of_the_functions_name_tells_whose_work_it_was() {
        assert_eq!(worker(ARN), Ok(Worker::Indexer));
        assert_eq!(worker(&format!("{ARN}:$LATEST")), Ok(Worker::Indexer));
        let publisher = "arn:aws:lambda:eu-west-1:123456789012:function:publisher";
        assert_eq!(worker(publisher), Ok(Worker::Publisher));
        assert!(worker("arn:aws:lambda:eu-west-1:123456789012:function:api").is_err());
        assert!(worker("indexer").is_err());
    }

    #[test]
    fn what_is_no_such_record_says_so_without_its_payload() {
        let object = |payload: &str| {
            let context = json!({"functionArn": ARN});
            json!({"requestContext": context, "payload": payload}).to_string()
        };
        assert!(Object::read(&object("{\"Records\": []}")).is_ok());
        for wrong in [
            "secret".to_owned(),
            json!({"payload": "secret"}).to_string(),
            object("secret"),
            object("{\"Record\": \"secret\"}"),
        ] {
            let reason = Object::read(&wrong).err().unwrap();
            assert!(!reason.contains("secret"), "{reason}");
        }
    }
}
