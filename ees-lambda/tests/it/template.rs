//! The template that deploys the store says what has to be said, and no more.
//!
//! Each file here is one concern: a check, which names what is wrong with a template, the test that
//! nothing is wrong with the project's own, and faults, each of which the check has to find.

use ees_aws_testkit::template::{Function, Resource, Settings, Template};
use serde_json::Value;

mod account;
mod alarms;
mod api;
mod callers;
mod costs;
mod environment;
mod existing;
mod failures;
mod functions;
mod guide;
mod keys;
mod limits;
mod mappings;
mod parameters;
mod permitted;
mod policies;
mod reference;
mod sealer;
mod tables;
mod topics;

const TEXT: &str = include_str!("../../template.yaml");

/// What is wrong with a template, for people.
type Findings = Vec<String>;

/// A value for a parameter.
type Given = (&'static str, &'static str);

/// How often the sealer runs, which is off unless somebody wants it.
const SEALER: Given = ("SealerSchedule", "rate(5 minutes)");

/// A stack `shop`, with these values for parameters. Unless they say otherwise it has a sealer, so that
/// it is the whole template.
fn settings(parameters: &[Given]) -> Settings {
    let own = |(name, value): &Given| ((*name).to_owned(), (*value).to_owned());
    let parameters = [SEALER].iter().chain(parameters);
    Settings {
        stack: "shop".to_owned(),
        parameters: parameters.map(own).collect(),
        ..Settings::default()
    }
}

fn parse(text: &str) -> Template {
    Template::parse(text, &settings(&[])).expect("a template")
}

/// The project's template with these values for parameters.
fn with(parameters: &[Given]) -> Template {
    Template::parse(TEXT, &settings(parameters)).expect("a template")
}

/// The check finds nothing in the template, and something wherever a text in it is another.
fn holds(check: fn(&Template) -> Findings, faults: &[(&str, &str)]) {
    holds_with(&[], check, faults);
}

/// The same with values for parameters.
fn holds_with(parameters: &[Given], check: fn(&Template) -> Findings, faults: &[(&str, &str)]) {
    let parse = |text: &str| Template::parse(text, &settings(parameters)).expect("a template");
    assert_eq!(check(&parse(TEXT)), Findings::new());
    for (right, wrong) in faults {
        let places: Vec<_> = TEXT.match_indices(right).collect();
        assert!(!places.is_empty(), "nothing in the template is `{right}`");
        for (at, _) in places {
            let (before, after) = (&TEXT[..at], &TEXT[at + right.len()..]);
            let found = check(&parse(&format!("{before}{wrong}{after}")));
            let line = before.lines().count();
            assert!(
                !found.is_empty(),
                "line {line}: `{wrong}` in the place of `{right}` is not found"
            );
        }
    }
}

fn resource<'a>(template: &'a Template, id: &str) -> &'a Resource {
    template.resource(id).expect("a resource")
}

fn function(template: &Template, handler: &str) -> Function {
    let functions = template.functions().expect("functions");
    let mut found = functions.into_iter().filter(|it| it.handler == handler);
    found.next().expect("a function with this handler")
}

/// What a value should be.
fn expect(findings: &mut Findings, what: &str, found: &Value, expected: &Value) {
    if found != expected {
        findings.push(format!("{what} is {found}; expected {expected}"));
    }
}
