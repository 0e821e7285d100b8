//! Adds the orders up.

use std::error::Error as StdError;
use std::path::Path;

use ees_core::{Changeset, Checkpoint, CheckpointStore, EventStore, StorageError, Subscription};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::order_event::OrderEvent;
use crate::totals::{Totals, TotalsFile};

/// Whatever goes wrong.
pub(crate) type Failure = Box<dyn StdError + Send + Sync>;

/// The subscription's name.
const NAME: &str = "totals";

/// A projection that runs in the background.
pub(crate) struct Projection {
    task: JoinHandle<()>,
    /// How far it has come, and what it has counted by then.
    progress: watch::Receiver<(Checkpoint, Totals)>,
}

impl Projection {
    /// Goes on from the checkpoint that was saved last.
    pub(crate) async fn start(store: &EventStore, folder: &Path) -> Result<Self, StorageError> {
        let file = TotalsFile::new(folder);
        let subscription = Subscription::resume(store, &file, NAME).await?;
        let (told, progress) = watch::channel((subscription.checkpoint(), file.totals()));
        let task = tokio::spawn(run(subscription, file, told));
        Ok(Self { task, progress })
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        self.progress.borrow().0
    }

    pub(crate) fn totals(&self) -> Totals {
        self.progress.borrow().1
    }

    /// Waits until it has counted everything below a checkpoint.
    pub(crate) async fn wait_for(&mut self, checkpoint: Checkpoint) -> Result<(), Failure> {
        let reached = self.progress.wait_for(|(at, _)| *at >= checkpoint);
        reached.await?;
        Ok(())
    }

    /// Stops it. It may be stopped, or killed, at any point: what it has not saved, it counts again.
    pub(crate) async fn stop(self) {
        self.task.abort();
        // That it was aborted is no news.
        let _ = self.task.await;
    }
}

/// Counts for ever. A busy projection would save every hundred changesets, or every second.
async fn run(
    mut subscription: Subscription,
    file: TotalsFile,
    told: watch::Sender<(Checkpoint, Totals)>,
) {
    loop {
        match subscription.next().await {
            Ok(changeset) => file.set(count(file.totals(), &changeset)),
            Err(error) => {
                // The next call pauses, and tries the same position again.
                eprintln!("nothing is counted for now: {error}");
                continue;
            }
        }
        while let Err(error) = file.save_checkpoint(NAME, subscription.checkpoint()).await {
            eprintln!("nothing is saved for now: {error}");
            tokio::time::sleep(StorageError::RETRY_AFTER).await;
        }
        told.send_replace((subscription.checkpoint(), file.totals()));
    }
}

/// The totals with a changeset added: pure. What is no order's is passed over.
fn count(totals: Totals, changeset: &Changeset) -> Totals {
    if !changeset.stream_id.as_str().starts_with("order-") {
        return totals;
    }
    let events = changeset.events.iter().map(serde_json::from_str);
    events.flatten().fold(totals, |sum, event| match event {
        OrderEvent::OrderPlaced { amount } => Totals {
            orders: sum.orders + 1,
            amount: sum.amount + amount,
            ..sum
        },
        OrderEvent::OrderPaid { amount } => Totals {
            paid: sum.paid + amount,
            ..sum
        },
    })
}
