//! The conformance suite while DynamoDB throttles, fails, is slow, loses answers to what it has
//! done, and its global index lags and shows later entries first.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;

use ees_dynamodb_testkit::{Call, Fate, Plan};

/// From how many reads an entry of the global index hides, at most.
const LAG: u64 = 3;

/// Every so many tries one meets each kind of fault.
const EVERY: u64 = 40;

/// How often the SDK may be disturbed at one call; it tries five times.
const DISTURBED: u64 = 3;

/// The SDK's quota of retries when it is full, which it may not use up.
const QUOTA: u64 = 500;

/// What a retry costs of it at most.
const RETRY: u64 = 10;

/// Faults at places that depend on the number of the try, as long as the SDK can afford them.
pub(crate) struct Faults {
    tries: AtomicU64,
    /// What the quota has at least.
    quota: AtomicU64,
    /// From how many reads each position still hides.
    hidden: Mutex<HashMap<u64, u64>>,
    /// What stands before this position is no longer hidden.
    shown: AtomicU64,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            tries: AtomicU64::default(),
            quota: QUOTA.into(),
            hidden: Mutex::default(),
            shown: AtomicU64::default(),
        }
    }
}

impl Faults {
    /// Whether the SDK can try once more.
    fn is_affordable(&self) -> bool {
        let pay = |quota: u64| quota.checked_sub(RETRY);
        let paid = self
            .quota
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, pay);
        paid.is_ok()
    }

    /// Lets the index show every position before this one.
    pub(crate) fn show(&self, below: u64) {
        self.shown.store(below, Ordering::SeqCst);
    }

    fn hides(&self, item: &Value) -> bool {
        let number = |name: &str| item[name]["N"].as_str()?.parse::<u64>().ok();
        let position = number("page").zip(number("page_item"));
        let position = position.map_or(0, |(page, item)| page * 1000 + item);
        if position < self.shown.load(Ordering::SeqCst) {
            return false;
        }
        let mut hidden = self.hidden.lock().unwrap();
        let left = hidden.entry(position).or_insert(position * 7 % (LAG + 1));
        let hides = *left > 0;
        *left = left.saturating_sub(1);
        hides
    }
}

/// Whether a call asks for what may be out of date. Only the global index cannot answer otherwise.
fn is_inconsistent(call: &Call) -> bool {
    let asked = match call.operation.as_str() {
        "GetItem" | "Query" | "Scan" => vec![&call.asked],
        "BatchGetItem" => {
            let tables = call.asked["RequestItems"].as_object();
            tables
                .into_iter()
                .flat_map(|tables| tables.values())
                .collect()
        }
        _ => Vec::new(),
    };
    let is_consistent = |asked: &&Value| asked["ConsistentRead"] == true;
    call.asked["IndexName"] != "EnumerationIndex" && !asked.iter().all(is_consistent)
}

impl Plan for Faults {
    fn begin(&self, call: &mut Call) -> Fate {
        if is_inconsistent(call) {
            return Fate::Refused(400, "ValidationException");
        }
        let number = self.tries.fetch_add(1, Ordering::SeqCst);
        if call.attempt > DISTURBED {
            return Fate::Through;
        }
        // Spreads neighbours, so that no kind of fault keeps to one kind of call.
        let fate = match number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 & 0xffff_ffff {
            spread if spread % EVERY == 0 => Fate::Refused(400, "ThrottlingException"),
            spread if spread % EVERY == 1 => {
                Fate::Refused(400, "ProvisionedThroughputExceededException")
            }
            spread if spread % EVERY == 2 => Fate::Refused(500, "InternalServerError"),
            spread if spread % EVERY == 3 => Fate::Lost,
            spread if spread % EVERY <= 5 => Fate::Unanswered,
            spread if spread % EVERY == 6 => return Fate::Late(Duration::from_millis(30)),
            _ => return Fate::Through,
        };
        if self.is_affordable() {
            fate
        } else {
            Fate::Through
        }
    }

    fn end(&self, call: &Call, answer: &mut Value) {
        if call.attempt == 1 {
            let earn = |quota: u64| (quota < QUOTA).then(|| quota + 1);
            let _ = self
                .quota
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, earn);
        }
        let by_order = call.asked["IndexName"] == "EnumerationIndex";
        if let Some(items) = answer["Items"].as_array_mut().filter(|_| by_order) {
            items.retain(|item| !self.hides(item));
            let count = items.len();
            answer["Count"] = count.into();
        }
    }
}

/// A store behind such a proxy.
type Faulty = crate::store::Store<true>;

ees_conformance::adapter_suite!(Faulty, mod suite);
