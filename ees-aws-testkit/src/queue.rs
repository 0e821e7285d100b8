//! Events that wait for a function.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{mpsc, watch};

/// How many events may wait.
const ROOM: usize = 1000;

/// Events that wait for a function.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    events: mpsc::Sender<Value>,
    /// How many are not done.
    open: Arc<watch::Sender<usize>>,
}

/// The end of a queue that a worker takes events from.
pub(crate) struct Waiting {
    events: mpsc::Receiver<Value>,
    open: Arc<watch::Sender<usize>>,
}

/// An empty queue.
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

    /// How many events are not done.
    pub(crate) fn open(&self) -> usize {
        *self.open.borrow()
    }

    /// Waits until every event is done or given up.
    pub(crate) async fn settle(&self) {
        let _ = self.open.subscribe().wait_for(|open| *open == 0).await;
    }
}

impl Waiting {
    /// The next event; `None` once nobody can send one.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        self.events.recv().await
    }

    /// An event is done or given up.
    pub(crate) fn done(&self) {
        self.open.send_modify(|open| *open -= 1);
    }
}
