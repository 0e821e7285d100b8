//! The guide to the deployment tells of all that the template has.

use std::collections::BTreeMap;

use serde_json::Value;

use super::parameters::names;
use super::{TEXT, parse};

pub(super) const GUIDE: &str = include_str!("../../../../docs/aws.md");

/// The rows of all the guide's tables: their first cell, and the others.
pub(super) fn rows() -> BTreeMap<&'static str, Vec<&'static str>> {
    let lines = GUIDE.lines();
    let lines = lines.filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let row = |line: &'static str| {
        let mut cells = line.split(" | ");
        Some((cells.next()?, cells.collect()))
    };
    lines.filter_map(row).collect()
}

#[test]
fn every_alarm_is_explained() {
    let rows = rows();
    for alarm in parse(TEXT).of_type("AWS::CloudWatch::Alarm") {
        let name = alarm.name.trim_start_matches("shop-");
        let cells = rows.get(format!("`{name}`").as_str());
        let told = cells.is_some_and(|cells| cells.len() == 3 && !cells.contains(&""));
        assert!(told, "{name}: when it fires, what it means, what to do");
    }
}

#[test]
fn every_parameter_and_output_is_explained() {
    let rows = rows();
    for name in names("Parameters") {
        let cells = rows.get(format!("`{name}`").as_str());
        assert!(cells.is_some(), "the parameter {name}");
    }
    for name in names("Outputs") {
        let told = rows
            .keys()
            .any(|first| first.contains(&format!("`{name}`")));
        assert!(told, "the output {name}");
    }
}

#[test]
fn every_document_of_the_guide_is_json() {
    let blocks: Vec<_> = GUIDE.split("```json\n").skip(1).collect();
    assert!(blocks.len() >= 6, "{}", blocks.len());
    for block in blocks {
        let document = block.split("```").next().unwrap_or_default();
        let read: Result<Value, _> = serde_json::from_str(document);
        assert!(read.is_ok(), "{document}: {read:?}");
    }
}
