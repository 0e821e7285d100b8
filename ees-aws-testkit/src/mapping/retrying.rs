//! Decides what follows the delivery of a batch: Lambda's rules as a function of the answer.

use serde_json::Value;

use crate::template::OnError;

/// The next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing. All records are processed.
    Done,
    /// The records from this index on are delivered again, which counts as a retry.
    Again(usize),
    /// The batch is split at this index. Both parts are delivered one after the other, as separate
    /// batches, which does not count as a retry.
    Halves(usize),
    /// The records from this index on have no retry left.
    GiveUp(usize),
}

/// Decides the next step after a delivery. `numbers` are the sequence numbers of the records,
/// `answer` is `None` if the function failed, and `retries` is the number of earlier retries.
pub fn judge(numbers: &[&str], answer: Option<&Value>, rules: &OnError, retries: u32) -> Next {
    let from = match failed_from(numbers, answer, rules.partial) {
        Failed::None => return Next::Done,
        Failed::Whole if rules.bisect && numbers.len() > 1 => {
            return Next::Halves(numbers.len() / 2);
        }
        Failed::Whole => 0,
        Failed::From(index) => index,
    };
    match rules.retries {
        Some(most) if retries >= most => Next::GiveUp(from),
        _ => Next::Again(from),
    }
}

enum Failed {
    None,
    Whole,
    From(usize),
}

/// All records from the lowest reported number on failed. A reported number that is not in the
/// batch counts as a failure of the whole batch.
fn failed_from(numbers: &[&str], answer: Option<&Value>, partial: bool) -> Failed {
    let reported = match answer {
        None => return Failed::Whole,
        Some(_) if !partial => return Failed::None,
        Some(answer) => &answer["batchItemFailures"],
    };
    let reported = match reported {
        Value::Null => return Failed::None,
        Value::Array(reported) => reported,
        _ => return Failed::Whole,
    };
    let place = |item: &Value| {
        let number = item["itemIdentifier"].as_str()?;
        numbers.iter().position(|known| *known == number)
    };
    let places: Option<Vec<_>> = reported.iter().map(place).collect();
    match places {
        None => Failed::Whole,
        Some(places) => places.into_iter().min().map_or(Failed::None, Failed::From),
    }
}
