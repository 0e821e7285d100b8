//! A reader that outlives the processes that it reads from.

use std::time::Duration;

use async_trait::async_trait;

use super::target::{Client, LOST, Target};
use crate::subject::{Changeset, GlobalRead};

/// How long a read waits for something to come.
const WAIT: Duration = Duration::from_secs(1);

/// How long it rests after a read that found nothing.
const PAUSE: Duration = Duration::from_millis(20);

/// The answer to a reader that read what no longer exists.
const BEYOND: &str = "CHECKPOINT_BEYOND_HEAD";

/// Follows the global order.
#[derive(Debug)]
pub struct Reader {
    limit: u64,
    next: u64,
    read: Vec<Changeset>,
}

impl Reader {
    /// A reader with this page limit.
    pub fn new(limit: u64) -> Self {
        Self {
            limit,
            next: 0,
            read: Vec::new(),
        }
    }

    /// The changesets in the order of their arrival.
    pub fn read(&self) -> &[Changeset] {
        &self.read
    }

    /// Reads until it has as many.
    ///
    /// # Panics
    /// If a read is refused.
    pub async fn catch_up(&mut self, target: &dyn Target, length: usize) {
        while self.read.len() < length {
            let before = self.read.len();
            self.turn(target).await;
            if self.read.len() == before {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Reads a page; whether an answer came.
    async fn turn(&mut self, target: &dyn Target) -> bool {
        let read = GlobalRead::from(self.next).limit(self.limit).wait(WAIT);
        match target.page(&read).await {
            Ok(page) => {
                self.read.extend(page.changesets);
                self.next = page.next_checkpoint;
                true
            }
            Err(failure) if failure.code == LOST => false,
            // What was read is gone. The check at the end says which promise that breaks.
            Err(failure) if failure.code == BEYOND => {
                tokio::time::sleep(PAUSE).await;
                true
            }
            Err(failure) => panic!(
                "G6: a read of the global order from {} succeeds, but it is {failure:?}",
                self.next
            ),
        }
    }
}

#[async_trait]
impl Client for Reader {
    async fn work(&mut self, target: &dyn Target) {
        while self.turn(target).await {}
    }
}
