//! The guide's table for those who write the resources themselves is what the template says.

use std::collections::{BTreeMap, BTreeSet};

use ees_aws_testkit::template::Function;

use super::guide::GUIDE;
use super::policies::granted;
use super::{TEXT, parse};

/// What the guide calls a resource, by the end or a part of its name.
const CALLED: [(&str, &str); 10] = [
    ("/index/", "its indexes"),
    ("/stream/*", "`*` under its stream"),
    ("/stream/", "its stream"),
    ("table/ees_db_shop_analysis", "analysis table"),
    ("table/ees_db_shop", "events table"),
    ("ees-failures-local/*", "failed objects"),
    ("ees-failures-local", "failures bucket"),
    (".fifo", "both topics"),
    ("DeadLetters", "dead letters"),
    ("/aws/lambda/", ""),
];

fn called(resource: &str) -> &'static str {
    let mut known = CALLED.iter();
    let found = known.find(|(part, _)| resource.contains(part));
    found.map_or("unknown", |(_, name)| name)
}

/// The actions of a function by what they are done to, as the guide writes them.
fn permissions(handler: &str) -> String {
    let mut by_resource: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let template = parse(TEXT);
    let granted = granted(&template).filter(|(of, _, _)| of == handler);
    for (_, action, resource) in granted {
        let name = called(&resource);
        if !name.is_empty() {
            by_resource.entry(name).or_default().insert(action);
        }
    }
    let each = by_resource.into_iter().map(|(name, actions)| {
        let actions: Vec<_> = actions.iter().map(|it| format!("`{it}`")).collect();
        format!("{name}: {}", actions.join(", "))
    });
    each.collect::<Vec<_>>().join("; ")
}

fn invoked_by(function: &Function) -> String {
    let mut by = Vec::new();
    if !function.routes.is_empty() {
        by.push("the endpoint".to_owned());
    }
    if !function.mappings.is_empty() {
        by.push("the stream".to_owned());
    }
    if !function.triggers.is_empty() {
        by.push("new objects of the bucket".to_owned());
    }
    for schedule in &function.schedules {
        let event = schedule.input.as_ref();
        let event = event.map_or(String::new(), |input| format!(" with `{input}`"));
        by.push(format!("`{}`{event}", schedule.expression));
    }
    by.join(", ")
}

#[test]
fn the_guide_tells_what_each_function_needs() {
    let mut functions = parse(TEXT).functions().expect("functions");
    functions.sort_by(|a, b| a.handler.cmp(&b.handler));
    let row = |function: &Function| {
        let variables = function.environment.keys();
        let variables: Vec<_> = variables.map(|name| format!("`{name}`")).collect();
        format!(
            "| `{}` | {} | {} | {} | {} |",
            function.handler,
            invoked_by(function),
            function.timeout.as_secs(),
            variables.join(", "),
            permissions(&function.handler)
        )
    };
    let rows: Vec<_> = functions.iter().map(row).collect();
    let is_missing = |row: &&String| !GUIDE.lines().any(|line| line == *row);
    let missing: Vec<_> = rows.iter().filter(is_missing).map(String::as_str).collect();
    assert!(
        missing.is_empty(),
        "docs/aws.md should say\n{}",
        missing.join("\n")
    );
}
