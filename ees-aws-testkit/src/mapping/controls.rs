//! What a mapping can be told while it runs.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use tokio::sync::watch;

/// What becomes of a batch before it is delivered: the batches to deliver instead of it.
pub(crate) type Disturbance = Box<dyn FnMut(Vec<Value>) -> Vec<Vec<Value>> + Send>;

/// What a mapping can be told while it runs.
pub(crate) struct Controls {
    disturbance: Mutex<Option<Disturbance>>,
    /// Whether it rests.
    paused: watch::Sender<bool>,
    /// How often somebody asked to be told when all is done.
    asked: watch::Sender<u64>,
    /// Up to which of these questions all was done.
    done: watch::Sender<u64>,
}

impl Controls {
    pub(super) fn new() -> Self {
        Self {
            disturbance: Mutex::new(None),
            paused: watch::Sender::new(false),
            asked: watch::Sender::new(0),
            done: watch::Sender::new(0),
        }
    }

    /// Has every batch delivered as this says, or as it is.
    pub(crate) fn disturb(&self, disturbance: Option<Disturbance>) {
        *self
            .disturbance
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = disturbance;
    }

    /// Has the mapping begin no batch any more, or go on.
    pub(crate) fn pause(&self, paused: bool) {
        self.paused.send_replace(paused);
    }

    /// Waits until all that is in the stream now was delivered or given up; not if it rests.
    pub(crate) async fn settle(&self) {
        if *self.paused.borrow() {
            return;
        }
        let mut done = self.done.subscribe();
        self.asked.send_modify(|asked| *asked += 1);
        let ticket = *self.asked.borrow();
        // A mapping that has ended has nothing to do any more.
        let _ = done.wait_for(|done| *done >= ticket).await;
    }

    /// Waits for as long as the mapping is to rest; whether it had to.
    pub(super) async fn rest(&self) -> bool {
        let mut paused = self.paused.subscribe();
        let rests = *paused.borrow();
        let _ = paused.wait_for(|paused| !paused).await;
        rests
    }

    /// The last question whether all is done.
    pub(super) fn asked(&self) -> u64 {
        *self.asked.borrow()
    }

    /// Answers it, and those before.
    pub(super) fn all_done(&self, asked: u64) {
        self.done.send_replace(asked);
    }

    /// The batches to deliver instead of this one.
    pub(super) fn disturbed(&self, batch: Vec<Value>) -> Vec<Vec<Value>> {
        let mut disturbance = self
            .disturbance
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match disturbance.as_mut() {
            Some(disturb) => disturb(batch),
            None => vec![batch],
        }
    }
}
