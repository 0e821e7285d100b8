//! The queue of a function's asynchronous events.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{mpsc, watch};

/// The capacity of a queue.
const ROOM: usize = 1000;

/// The sending end of a function's queue.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    events: mpsc::Sender<Value>,
    /// The number of events that are not processed yet.
    open: Arc<watch::Sender<usize>>,
}

/// The receiving end of a queue, for its worker.
pub(crate) struct Waiting {
    events: mpsc::Receiver<Value>,
    open: Arc<watch::Sender<usize>>,
}

/// Creates an empty queue.
pub(crate) fn queue() -> (Queue, Waiting) {
    let (sender, events) = mpsc::channel(ROOM);
    let open = Arc::new(watch::Sender::new(0));
    let queue = Queue {
        events: sender,
        open: Arc::clone(&open),
    };
    (queue, Waiting { events, open })
}

impl Queue {
    pub(crate) async fn push(&self, event: Value) {
        self.open.send_modify(|open| *open += 1);
        if self.events.send(event).await.is_err() {
            self.open.send_modify(|open| *open -= 1);
        }
    }

    /// The number of events that are not processed yet.
    pub(crate) fn open(&self) -> usize {
        *self.open.borrow()
    }

    /// Waits until every event is processed or given up.
    pub(crate) async fn settle(&self) {
        let _ = self.open.subscribe().wait_for(|open| *open == 0).await;
    }
}

impl Waiting {
    /// The next event; `None` once all senders are gone.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        self.events.recv().await
    }

    /// Records that an event is processed or given up.
    pub(crate) fn done(&self) {
        self.open.send_modify(|open| *open -= 1);
    }
}
