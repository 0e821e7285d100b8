//! Limits that a parameter sets, and that are not there without it.

use std::time::Duration;

use serde_json::{Value, json};

use super::{function, resource, with};

#[test]
fn without_parameters_only_the_account_limits() {
    let template = with(&[]);
    assert_eq!(
        resource(&template, "Api").properties["MethodSettings"],
        Value::Null
    );
    for table in ["EventsTable", "AnalysisTable"] {
        let found = &resource(&template, table).properties["OnDemandThroughput"];
        assert_eq!(found, &Value::Null);
    }
    for handler in ["api", "indexer"] {
        assert_eq!(function(&template, handler).concurrency, None);
    }
}

#[test]
fn parameters_limit_requests_units_and_executions() {
    let template = with(&[
        ("MaxRequestsPerSecond", "50"),
        ("MaxWriteUnits", "100"),
        ("ApiConcurrency", "20"),
        ("IndexerConcurrency", "8"),
        ("BatchingWindow", "1"),
    ]);
    let wanted = json!([{
        "HttpMethod": "*",
        "ResourcePath": "/*",
        "ThrottlingRateLimit": "50",
        "ThrottlingBurstLimit": "50",
    }]);
    assert_eq!(
        resource(&template, "Api").properties["MethodSettings"],
        wanted
    );
    for table in ["EventsTable", "AnalysisTable"] {
        let found = &resource(&template, table).properties["OnDemandThroughput"];
        assert_eq!(found, &json!({"MaxWriteRequestUnits": "100"}));
    }
    assert_eq!(function(&template, "api").concurrency, Some(20));
    assert_eq!(function(&template, "indexer").concurrency, Some(8));
    for handler in ["indexer", "publisher"] {
        let window = function(&template, handler).mappings[0].window;
        assert_eq!(window, Duration::from_secs(1));
    }
    let reads = with(&[("MaxReadUnits", "100")]);
    let found = &resource(&reads, "EventsTable").properties["OnDemandThroughput"];
    assert_eq!(found, &json!({"MaxReadRequestUnits": "100"}));
}
