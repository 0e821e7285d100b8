//! Controls of a running mapping.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use tokio::sync::watch;

/// A function that replaces a batch by other batches before the delivery.
pub(crate) type Disturbance = Box<dyn FnMut(Vec<Value>) -> Vec<Vec<Value>> + Send>;

/// Controls of a running mapping.
pub(crate) struct Controls {
    disturbance: Mutex<Option<Disturbance>>,
    /// Whether the mapping is paused.
    paused: watch::Sender<bool>,
    /// The number of requests to report that all records are processed.
    asked: watch::Sender<u64>,
    /// The latest of these requests for which all records were processed.
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

    /// Sets a replacement for every batch; `None` delivers batches unchanged.
    pub(crate) fn disturb(&self, disturbance: Option<Disturbance>) {
        *self
            .disturbance
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = disturbance;
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
        let _ = done.wait_for(|done| *done >= ticket).await;
    }

    /// Waits while the mapping is paused. Returns whether it was.
    pub(super) async fn rest(&self) -> bool {
        let mut paused = self.paused.subscribe();
        let rests = *paused.borrow();
        let _ = paused.wait_for(|paused| !paused).await;
        rests
    }

    /// The latest request.
    pub(super) fn asked(&self) -> u64 {
        *self.asked.borrow()
    }

    /// Answers this request and all earlier ones.
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
