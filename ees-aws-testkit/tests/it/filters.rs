//! Filter criteria.

use ees_aws_testkit::filter::Filter;
use serde_json::{Value, json};

fn passes(pattern: Value, record: &Value) -> bool {
    Filter::new("Stream", &[pattern]).unwrap().matches(record)
}

#[test]
fn a_record_passes_if_all_that_a_pattern_names_is_so() {
    let record = json!({
        "eventName": "INSERT",
        "dynamodb": {"NewImage": {"last_event_id": {"N": "3"}, "name": {"S": "order-1"}}},
    });
    let image = |name: &str, rules: Value| json!({"dynamodb": {"NewImage": {name: rules}}});
    for (pattern, expected) in [
        (json!({"eventName": ["INSERT"]}), true),
        (json!({"eventName": ["MODIFY", "INSERT"]}), true),
        (json!({"eventName": ["REMOVE"]}), false),
        (
            image("last_event_id", json!({"N": [{"exists": true}]})),
            true,
        ),
        (image("page", json!({"N": [{"exists": true}]})), false),
        (image("page", json!({"N": [{"exists": false}]})), true),
        (image("name", json!({"S": [{"prefix": "order-"}]})), true),
        (image("name", json!({"S": [{"suffix": "-2"}]})), false),
        (
            image("name", json!({"S": [{"anything-but": ["order-1"]}]})),
            false,
        ),
        // `exists` is about leaves.
        (image("last_event_id", json!([{"exists": true}])), false),
        (
            json!({"eventName": ["REMOVE"], "dynamodb": {"NewImage": {"name": {"S": ["order-1"]}}}}),
            false,
        ),
    ] {
        assert_eq!(passes(pattern.clone(), &record), expected, "{pattern}");
    }
}

#[test]
fn one_of_several_patterns_is_enough_and_none_lets_all_pass() {
    let record = json!({"eventName": "MODIFY"});
    let patterns = [
        json!({"eventName": ["INSERT"]}),
        json!({"eventName": ["MODIFY"]}),
    ];
    assert!(Filter::new("Stream", &patterns).unwrap().matches(&record));
    assert!(
        !Filter::new("Stream", &patterns[..1])
            .unwrap()
            .matches(&record)
    );
    assert!(Filter::new("Stream", &[]).unwrap().matches(&record));
}

#[test]
fn a_rule_that_is_not_known_is_refused() {
    for pattern in [
        json!({"dynamodb": {"page": [{"numeric": [">", 1]}]}}),
        json!({"eventName": "INSERT"}),
        json!({"eventName": []}),
        json!({}),
    ] {
        let refused = Filter::new("Stream", std::slice::from_ref(&pattern))
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains("the filter of Stream"),
            "{pattern}: {refused}"
        );
    }
}
