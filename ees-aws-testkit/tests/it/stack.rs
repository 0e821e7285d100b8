//! The stack of `stack.yaml`, started.

use std::path::Path;
use std::time::Duration;

use ees_aws_testkit::template::{Settings, Template};
use ees_aws_testkit::{LocalAws, Options, Services};
use serde_json::{Value, json};

pub(crate) fn path(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it")
        .join(name)
}

pub(crate) async fn start(services: Services) -> LocalAws {
    start_with(services, "", 1).await
}

/// The stack with more resources, and with so many shards of each stream.
pub(crate) async fn start_with(services: Services, more: &str, shards: u64) -> LocalAws {
    let text = format!("{}{more}", include_str!("stack.yaml"));
    let template = Template::parse(&text, &Settings::default()).unwrap();
    let mut options = Options::new("python3");
    options.command.push(path("stack.py").into());
    options.grace = Duration::from_mins(10);
    options.shards = shards;
    LocalAws::start(template, services, options).await.unwrap()
}

/// Puts items with these ids into the table.
pub(crate) async fn put(services: &Services, ids: &[&str]) {
    for id in ids {
        let asked = json!({"TableName": "things", "Item": {"id": {"S": id}}});
        services.dynamodb("PutItem", &asked).await.unwrap();
    }
}

/// What a function printed, a value a line.
pub(crate) fn printed(aws: &LocalAws, function: &str) -> Vec<Value> {
    let log = aws.function(function).unwrap().log();
    let lines = log.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}
