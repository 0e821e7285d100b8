//! The results by case and by guarantee.

use std::time::Duration;

use ees_conformance::Case;
use serde_json::{Value, json};

/// The guarantees, in short.
const GUARANTEES: [&str; 17] = [
    "Atomic",
    "Optimistic concurrency",
    "Dense ids",
    "Durable",
    "Stream reads",
    "Global order",
    "Stream order in it",
    "Progress",
    "Push",
    "Idempotent",
    "Fidelity",
    "Refusal",
    "Statistics",
    "Portable",
    "Filters never skip",
    "Consumers",
    "Verifiable",
];

/// The result of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    /// The failure's message.
    Failed(String),
    /// The reason why it was not run.
    NotRun(String),
}

impl Outcome {
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "FAILED",
            Self::NotRun(_) => "not run",
        }
    }
}

/// A case and its result.
#[derive(Debug)]
pub(crate) struct Tested {
    pub(crate) case: Case,
    pub(crate) outcome: Outcome,
    pub(crate) took: Duration,
}

/// The number of cases by result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) not_run: usize,
}

impl Counts {
    fn of<'a>(tested: impl Iterator<Item = &'a Tested>) -> Self {
        tested.fold(Self::default(), |mut counts, tested| {
            match tested.outcome {
                Outcome::Passed => counts.passed += 1,
                Outcome::Failed(_) => counts.failed += 1,
                Outcome::NotRun(_) => counts.not_run += 1,
            }
            counts
        })
    }
}

/// A guarantee's row. A case counts for each guarantee that it checks.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) guarantee: String,
    pub(crate) title: &'static str,
    pub(crate) counts: Counts,
    /// The reason why cases were not run, or why there are none.
    pub(crate) why: Option<String>,
}

/// All results.
pub(crate) struct Report {
    pub(crate) url: String,
    pub(crate) tested: Vec<Tested>,
}

impl Report {
    pub(crate) fn new(url: String, tested: Vec<Tested>) -> Self {
        Self { url, tested }
    }

    /// The number of failed cases.
    pub(crate) fn failed(&self) -> usize {
        self.counts().failed
    }

    /// Each case once.
    pub(crate) fn counts(&self) -> Counts {
        Counts::of(self.tested.iter())
    }

    /// The failed cases and their messages.
    pub(crate) fn failures(&self) -> impl Iterator<Item = (&Case, &str)> {
        self.tested
            .iter()
            .filter_map(|tested| match &tested.outcome {
                Outcome::Failed(message) => Some((&tested.case, message.as_str())),
                _ => None,
            })
    }

    /// One row for each guarantee.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let numbered = (1..).zip(GUARANTEES);
        numbered
            .map(|(number, title)| self.row(number, title))
            .collect()
    }

    fn row(&self, number: u8, title: &'static str) -> Row {
        let holds = |tested: &&Tested| tested.case.guarantees.contains(&number);
        let counts = Counts::of(self.tested.iter().filter(holds));
        let not_run = self.tested.iter().filter(holds);
        let mut why = not_run.filter_map(|tested| match &tested.outcome {
            Outcome::NotRun(why) => Some(why.clone()),
            _ => None,
        });
        let none = match (number, counts == Counts::default()) {
            (9, true) => Some("a black box cannot see pushed messages".to_owned()),
            (14, true) => Some("a black box cannot move data".to_owned()),
            (_, true) => Some("not selected".to_owned()),
            _ => None,
        };
        Row {
            guarantee: format!("G{number}"),
            title,
            counts,
            why: why.next().or(none),
        }
    }

    /// The report for machines.
    pub(crate) fn json(&self) -> String {
        let guarantees: Vec<Value> = self.rows().iter().map(row_json).collect();
        let cases: Vec<Value> = self.tested.iter().map(case_json).collect();
        let counts = self.counts();
        let report = json!({
            "url": self.url,
            "ok": counts.failed == 0,
            "passed": counts.passed,
            "failed": counts.failed,
            "not_run": counts.not_run,
            "guarantees": guarantees,
            "cases": cases,
        });
        format!("{report:#}\n")
    }
}

fn row_json(row: &Row) -> Value {
    json!({
        "guarantee": row.guarantee,
        "title": row.title,
        "passed": row.counts.passed,
        "failed": row.counts.failed,
        "not_run": row.counts.not_run,
        "why_not_run": row.why,
    })
}

fn case_json(tested: &Tested) -> Value {
    let guarantees = tested.case.guarantees.iter();
    let guarantees: Vec<String> = guarantees.map(|number| format!("G{number}")).collect();
    let message = match &tested.outcome {
        Outcome::Passed => None,
        Outcome::Failed(message) => Some(message),
        Outcome::NotRun(why) => Some(why),
    };
    json!({
        "name": tested.case.name,
        "guarantees": guarantees,
        "outcome": tested.outcome.word().to_lowercase().replace(' ', "_"),
        "message": message,
        "seconds": tested.took.as_secs_f64(),
    })
}
/// `[G1, G5]`
pub(crate) fn guarantees(case: &Case) -> String {
    let names: Vec<String> = case.guarantees.iter().map(|n| format!("G{n}")).collect();
    format!("[{}]", names.join(", "))
}
