//! The topics: FIFO, named as the Python original names them, encrypted.

use ees_aws_testkit::template::Template;
use serde_json::{Value, json};

use super::{Findings, expect, holds, resource};

fn check(template: &Template) -> Findings {
    let mut findings = Findings::new();
    for (id, name) in [
        ("ChangesetsTopic", "ees_changesets_shop_.fifo"),
        ("EventsTopic", "ees_events_shop_.fifo"),
    ] {
        let topic = &resource(template, id).properties;
        for (property, expected) in [
            ("TopicName", json!(name)),
            ("FifoTopic", json!(true)),
            ("FifoThroughputScope", json!("MessageGroup")),
            // Messages come with ids of their own.
            ("ContentBasedDeduplication", json!(false)),
            ("KmsMasterKeyId", json!("alias/aws/sns")),
        ] {
            let found = topic.get(property).unwrap_or(&Value::Null);
            expect(&mut findings, &format!("{id}.{property}"), found, &expected);
        }
    }
    findings
}

#[test]
fn topics_are_ordered_and_encrypted() {
    let faults = [
        ("_.fifo", "_"),
        ("FifoTopic: true", ""),
        (
            "FifoThroughputScope: MessageGroup",
            "FifoThroughputScope: Topic",
        ),
        (
            "ContentBasedDeduplication: false",
            "ContentBasedDeduplication: true",
        ),
        (
            "KmsMasterKeyId: !If [Keyed, !Ref KmsKeyArn, alias/aws/sns]",
            "",
        ),
    ];
    holds(check, &faults);
}
