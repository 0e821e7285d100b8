//! The selection of the cases to run.

use ees_conformance::{Case, Runnable, cases, http_cases};

use crate::deployment::Deployment;

/// The filter of the user. An empty filter selects all cases.
pub(crate) struct Filter<'a>(&'a [String]);

impl<'a> Filter<'a> {
    pub(crate) fn new(texts: &'a [String]) -> Self {
        Self(texts)
    }

    /// Whether a case is selected.
    pub(crate) fn takes(&self, case: &Case) -> bool {
        self.0.is_empty() || self.0.iter().any(|text| names(text, case))
    }

    /// The selected cases.
    pub(crate) fn choose(&self) -> Vec<Runnable> {
        let mut all = cases::runnable::<Deployment>();
        all.extend(http_cases::runnable::<Deployment>());
        all.retain(|runnable| self.takes(&runnable.case));
        all
    }
}

fn names(text: &str, case: &Case) -> bool {
    match guarantee(text) {
        Some(number) => case.guarantees.contains(&number),
        None => case.name.contains(text),
    }
}

/// The number in `G6`.
fn guarantee(text: &str) -> Option<u8> {
    text.strip_prefix(['G', 'g'])?.parse().ok()
}

/// The reason why a case cannot run against this deployment, if there is one.
pub(crate) fn why_not(case: &Case, is_direct: bool) -> Option<&'static str> {
    if case.guarantees.contains(&4) {
        return Some("a black box cannot restart a deployment");
    }
    let is_raw = case.name.starts_with("raw_http::");
    (is_raw && !is_direct).then_some("raw HTTP does not reach the server itself")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE: Case = Case {
        name: "global_order::checkpoints_are_dense",
        guarantees: &[6, 13],
    };

    #[test]
    fn a_filter_names_groups_cases_and_guarantees() {
        for text in ["global_order", "order::check", "are_dense", "G6", "g13"] {
            assert!(names(text, &CASE), "{text}");
        }
        for text in ["dense::", "G1", "G3", "G", "g6x"] {
            assert!(!names(text, &CASE), "{text}");
        }
    }
}
