//! What comes after a batch was delivered: Lambda's rules, as a function of the answer.

use serde_json::Value;

use crate::template::OnError;

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing: all records are done.
    Done,
    /// The records from this one on are delivered again, which counts as a retry.
    Again(usize),
    /// The records before this one, and after them the others, are delivered as batches of their
    /// own, which counts as no retry.
    Halves(usize),
    /// The records from this one on were delivered as often as they may be.
    GiveUp(usize),
}

/// Decides what comes after the records with these sequence numbers were delivered, the first time
/// or after so many retries, and the function answered, or failed.
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

/// Everything from the lowest number reported failed; an answer that names what was not in the
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
