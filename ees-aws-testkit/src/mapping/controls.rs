//! Controls of a running mapping.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use tokio::sync::watch;

/// A function that replaces a batch by other batches before the delivery.
pub(crate) type Disturbance = Box<dyn FnMut(Vec<Value>) -> Vec<Vec<Value>> + Send>;

/// The disturbances of the shards of a mapping.
struct Disturbances {
    make: Box<dyn Fn() -> Disturbance + Send>,
    of_shards: HashMap<String, Disturbance>,
}

/// The name of the list of shards, beside them.
const LIST: &str = "";

/// Controls of a running mapping.
pub(crate) struct Controls {
    disturbances: Mutex<Option<Disturbances>>,
    /// Whether the mapping is paused.
    paused: watch::Sender<bool>,
    /// The number of requests to report that all records are processed.
    asked: watch::Sender<u64>,
    /// The latest of these requests for which all records of a shard were processed, and all shards
    /// listed.
    done: watch::Sender<BTreeMap<String, u64>>,
    /// How often a reader that was idle has found records, of whatever shard.
    news: watch::Sender<u64>,
}

impl Controls {
    pub(super) fn new() -> Self {
        Self {
            disturbances: Mutex::new(None),
            paused: watch::Sender::new(false),
            asked: watch::Sender::new(0),
            done: watch::Sender::new(BTreeMap::from([(LIST.to_owned(), 0)])),
            news: watch::Sender::new(0),
        }
    }

    /// Sets what makes a replacement for the batches of each shard; `None` delivers batches unchanged.
    pub(crate) fn disturb(&self, make: Option<Box<dyn Fn() -> Disturbance + Send>>) {
        let disturbances = make.map(|make| Disturbances {
            make,
            of_shards: HashMap::new(),
        });
        *self
            .disturbances
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = disturbances;
    }

    /// Pauses the mapping, which then begins no batch, or resumes it.
    pub(crate) fn pause(&self, paused: bool) {
        self.paused.send_replace(paused);
    }

    pub(crate) fn is_paused(&self) -> bool {
        *self.paused.borrow()
    }

    /// Waits until every record that is in the stream now was delivered or given up. Returns at
    /// once if the mapping is paused.
    pub(crate) async fn settle(&self) {
        if *self.paused.borrow() {
            return;
        }
        let mut done = self.done.subscribe();
        self.asked.send_modify(|asked| *asked += 1);
        let ticket = *self.asked.borrow();
        // A mapping that has ended has nothing left to process.
        let are_done = |done: &BTreeMap<String, u64>| done.values().all(|done| *done >= ticket);
        let _ = done.wait_for(are_done).await;
    }

    /// Waits while the mapping is paused. Returns whether it was.
    pub(super) async fn rest(&self) -> bool {
        let mut paused = self.paused.subscribe();
        let rests = *paused.borrow();
        let _ = paused.wait_for(|paused| !paused).await;
        rests
    }

    /// What tells of records.
    pub(super) fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Tells the readers of all shards that there are records.
    pub(super) fn tell(&self) {
        self.news.send_modify(|news| *news += 1);
    }

    /// The number of shards that are not processed to their end.
    pub(super) fn shards(&self) -> u32 {
        let beside_list = self.done.borrow().len().saturating_sub(1);
        u32::try_from(beside_list).unwrap_or(u32::MAX)
    }

    /// The latest request.
    pub(super) fn asked(&self) -> u64 {
        *self.asked.borrow()
    }

    /// Waits for a later request.
    pub(super) async fn asked_after(&self, asked: u64) {
        let mut later = self.asked.subscribe();
        let _ = later.wait_for(|later| *later > asked).await;
    }

    /// Adds a shard, unless it is known.
    pub(super) fn begin(&self, shard: &str) {
        self.done.send_modify(|done| {
            done.entry(shard.to_owned()).or_default();
        });
    }

    /// Removes a shard that was processed to its end.
    pub(super) fn end(&self, shard: &str) {
        self.done.send_modify(|done| {
            done.remove(shard);
        });
    }

    /// Answers this request and all earlier ones for a shard.
    pub(super) fn all_done(&self, shard: &str, asked: u64) {
        self.done.send_modify(|done| {
            done.insert(shard.to_owned(), asked);
        });
    }

    /// Answers this request and all earlier ones for the list of shards.
    pub(super) fn listed(&self, asked: u64) {
        self.all_done(LIST, asked);
    }

    /// The batches to deliver instead of this one of a shard.
    pub(super) fn disturbed(&self, shard: &str, batch: Vec<Value>) -> Vec<Vec<Value>> {
        let mut disturbances = self
            .disturbances
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(Disturbances { make, of_shards }) = disturbances.as_mut() else {
            return vec![batch];
        };
        let disturb = of_shards.entry(shard.to_owned()).or_insert_with(make);
        disturb(batch)
    }
}
