//! What comes after an answer, case by case and in the long run.

use ees_aws_testkit::retrying::{Next, judge};
use ees_aws_testkit::template::OnError;
use proptest::prelude::*;
use serde_json::{Value, json};

const NUMBERS: [&str; 4] = ["100", "200", "300", "400"];

const RULES: OnError = OnError {
    bisect: true,
    partial: true,
    retries: Some(2),
    max_age: None,
};

fn reports(numbers: &[&str]) -> Value {
    let failed = numbers
        .iter()
        .map(|number| json!({"itemIdentifier": number}));
    json!({"batchItemFailures": failed.collect::<Vec<_>>()})
}

fn after(answer: &Value, rules: OnError, retries: u32) -> Next {
    judge(&NUMBERS, Some(answer), &rules, retries)
}

#[test]
fn an_answer_that_reports_nothing_is_a_success() {
    let answers = [
        json!(null),
        json!({}),
        json!("fine"),
        reports(&[]),
        json!({"batchItemFailures": null}),
    ];
    for answer in answers {
        assert_eq!(after(&answer, RULES, 0), Next::Done, "{answer}");
    }
}

#[test]
fn everything_from_the_lowest_number_on_comes_again() {
    assert_eq!(after(&reports(&["400", "200"]), RULES, 0), Next::Again(1));
    assert_eq!(after(&reports(&["100"]), RULES, 1), Next::Again(0));
    assert_eq!(after(&reports(&["300"]), RULES, 2), Next::GiveUp(2));
}

#[test]
fn a_number_that_was_not_in_the_batch_fails_all_of_it() {
    for answer in [
        reports(&["300", "500"]),
        reports(&[""]),
        json!({"batchItemFailures": [{"itemIdentifier": null}]}),
        json!({"batchItemFailures": [{"identifier": "300"}]}),
        json!({"batchItemFailures": "300"}),
    ] {
        assert_eq!(after(&answer, RULES, 0), Next::Halves(2), "{answer}");
        let whole = OnError {
            bisect: false,
            ..RULES
        };
        assert_eq!(after(&answer, whole, 0), Next::Again(0), "{answer}");
    }
}

#[test]
fn an_error_halves_the_batch_and_halving_is_no_retry() {
    assert_eq!(judge(&NUMBERS, None, &RULES, 2), Next::Halves(2));
    assert_eq!(judge(&NUMBERS[..1], None, &RULES, 1), Next::Again(0));
    assert_eq!(judge(&NUMBERS[..1], None, &RULES, 2), Next::GiveUp(0));
    let whole = OnError {
        bisect: false,
        ..RULES
    };
    assert_eq!(judge(&NUMBERS, None, &whole, 2), Next::GiveUp(0));
}

#[test]
fn reports_count_only_where_they_are_asked_for_and_forever_is_forever() {
    let silent = OnError {
        partial: false,
        ..RULES
    };
    assert_eq!(after(&reports(&["100"]), silent, 0), Next::Done);
    let forever = OnError {
        retries: None,
        ..RULES
    };
    assert_eq!(after(&reports(&["100"]), forever, u32::MAX), Next::Again(0));
}

/// What a function does with the batches that it gets, one after the other.
#[derive(Debug, Clone)]
enum Act {
    Fine,
    Fail,
    Report(Vec<prop::sample::Index>),
    Nonsense,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        Just(Act::Fine),
        Just(Act::Fail),
        prop::collection::vec(any::<prop::sample::Index>(), 1..4).prop_map(Act::Report),
        Just(Act::Nonsense),
    ];
    prop::collection::vec(act, 1..20)
}

proptest! {
    /// Whatever a function answers, every record is done or given up exactly once, in the order of
    /// the shard, after a bounded number of deliveries; and none is passed over that was reported.
    #[test]
    fn every_record_ends_once_and_in_order(
        count in 1..40_usize, acts in acts(), bisect: bool, partial: bool, retries in 0..4_u32,
    ) {
        let rules = OnError { bisect, partial, retries: Some(retries), max_age: None };
        let numbers: Vec<String> = (0..count).map(|index| format!("{index:03}")).collect();
        let mut ended = Vec::new();
        let mut waiting = vec![(0..count, 0)];
        let mut acts = acts.iter().cycle();
        let mut deliveries = 0;
        while let Some((batch, tried)) = waiting.pop() {
            deliveries += 1;
            let names: Vec<&str> = numbers[batch.clone()].iter().map(String::as_str).collect();
            let mut lowest = batch.start;
            let answer = match acts.next().unwrap() {
                Act::Fine => {
                    lowest = batch.end;
                    Some(json!(null))
                }
                Act::Fail => None,
                Act::Report(which) => {
                    let failed: Vec<&str> = which.iter().map(|index| *index.get(&names)).collect();
                    if partial {
                        lowest = failed.iter().map(|name| name.parse().unwrap()).min().unwrap();
                    } else {
                        lowest = batch.end;
                    }
                    Some(reports(&failed))
                }
                Act::Nonsense if partial => Some(reports(&["none"])),
                Act::Nonsense => {
                    lowest = batch.end;
                    Some(json!("none"))
                }
            };
            let next = judge(&names, answer.as_ref(), &rules, tried);
            let done = match next {
                Next::Done => batch.clone(),
                Next::Again(from) => {
                    let from = batch.start + from;
                    waiting.push((from..batch.end, tried + 1));
                    batch.start..from
                }
                Next::Halves(middle) => {
                    prop_assert!(0 < middle && middle < batch.len());
                    let middle = batch.start + middle;
                    waiting.push((middle..batch.end, tried));
                    waiting.push((batch.start..middle, tried));
                    batch.start..batch.start
                }
                Next::GiveUp(from) => {
                    prop_assert_eq!(tried, retries);
                    prop_assert_eq!(batch.start + from, lowest);
                    ended.extend(batch.clone());
                    continue;
                }
            };
            prop_assert!(done.end <= lowest, "{next:?} passes over what failed");
            ended.extend(done);
        }
        prop_assert_eq!(ended, (0..count).collect::<Vec<_>>());
        prop_assert!(deliveries <= count * 2 * (retries as usize + 1), "{} deliveries", deliveries);
    }
}
