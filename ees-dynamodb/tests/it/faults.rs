//! The conformance suite on tables without local indexes, and what can differ on those with them, while DynamoDB throttles, fails, is slow, loses answers to what it has
//! done, and its global index lags and shows later entries first.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ees_dynamodb::DynamoConfig;
use serde_json::Value;

use ees_dynamodb_testkit::{Call, Fate, Plan};

use crate::store::{Layout, New, Store, WithoutLocalIndexes};

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
    /// The positions in a page of the index.
    index_page: u64,
}

impl Faults {
    pub(crate) fn new(index_page: u64) -> Self {
        Self {
            tries: AtomicU64::default(),
            quota: QUOTA.into(),
            hidden: Mutex::default(),
            shown: AtomicU64::default(),
            index_page,
        }
    }

    /// Whether the SDK can try once more.
    fn is_affordable(&self) -> bool {
        let pay = |quota: u64| quota.checked_sub(RETRY);
        let paid = self
            .quota
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, pay);
        paid.is_ok()
    }

    /// Answers as of some time ago: some items do not exist yet, and others have no position.
    fn make_late(&self, answer: &mut Value) {
        let tables = answer["Responses"].as_object_mut().into_iter().flatten();
        for (_, items) in tables {
            let Some(items) = items.as_array_mut() else {
                continue;
            };
            items.retain(|item| self.position(item).is_none_or(|at| at % 5 != 1));
            for item in items.iter_mut().filter_map(Value::as_object_mut) {
                let page_item = item.get("page_item").and_then(|at| at["N"].as_str());
                if page_item.is_some_and(|at| at.ends_with('3')) {
                    item.remove("page");
                    item.remove("page_item");
                }
            }
        }
    }

    /// Lets the index show every position before this one.
    pub(crate) fn show(&self, below: u64) {
        self.shown.store(below, Ordering::SeqCst);
    }

    fn position(&self, item: &Value) -> Option<u64> {
        let number = |name: &str| item[name]["N"].as_str()?.parse::<u64>().ok();
        let (page, page_item) = number("page").zip(number("page_item"))?;
        Some(page * self.index_page + page_item)
    }

    fn hides(&self, item: &Value) -> bool {
        let position = self.position(item).unwrap_or(0);
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

/// Whether a call asks for what may be out of date, where it must not. The global index cannot answer
/// otherwise, and the changesets of its entries are read again if they are out of date.
fn is_inconsistent(call: &Call) -> bool {
    let asked = match call.operation.as_str() {
        "GetItem" | "Query" => vec![&call.asked],
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
        if call.operation == "BatchGetItem" && is_late(&call.asked) {
            self.make_late(answer);
        }
    }
}

/// Whether a call asks for items as they may have been some time ago.
fn is_late(asked: &Value) -> bool {
    let tables = asked["RequestItems"].as_object().into_iter().flatten();
    tables
        .into_iter()
        .any(|(_, asked)| asked["ConsistentRead"] != true)
}

/// Tables of a layout, behind such a proxy.
pub(crate) struct Disturbed<L>(PhantomData<L>);

#[async_trait]
impl<L: Layout> Layout for Disturbed<L> {
    const FAULTY: bool = true;

    const INDEX_PAGE: u64 = L::INDEX_PAGE;

    async fn create(config: &DynamoConfig) {
        L::create(config).await;
    }
}

type Faulty = Store<Disturbed<WithoutLocalIndexes>>;
type FaultyNew = Store<Disturbed<New>>;

ees_conformance::adapter_suite!(Faulty, mod suite);

ees_conformance::evidence_suite!(Faulty, mod evidence);

/// What looks for heads and for events, which local indexes tell.
mod local_indexes {
    use super::*;

    ees_conformance::__cases!(FaultyNew, atomic);
    ees_conformance::__cases!(FaultyNew, backward);
    ees_conformance::__cases!(FaultyNew, concurrency);
    ees_conformance::__cases!(FaultyNew, idempotent);
    ees_conformance::__cases!(FaultyNew, missed);
    ees_conformance::__cases!(FaultyNew, sets);
    ees_conformance::__cases!(FaultyNew, stream_reads);
}
