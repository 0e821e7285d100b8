//! Adds the orders up.

use std::error::Error as StdError;
use std::path::Path;

use ees_core::{Changeset, Checkpoint, EventStore, StorageError, Subscription, UnreadableEvent};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::order_event::OrderEvent;
use crate::totals::{Progress, Totals, TotalsFile};

/// Whatever goes wrong.
pub(crate) type Failure = Box<dyn StdError + Send + Sync>;

/// A projection that runs in the background.
pub(crate) struct Projection {
    task: JoinHandle<()>,
    /// What it has counted and saved.
    progress: watch::Receiver<Progress>,
}

impl Projection {
    /// Goes on from the checkpoint that was saved last.
    pub(crate) async fn start(store: &EventStore, folder: &Path) -> Result<Self, Failure> {
        let file = TotalsFile::new(folder);
        let saved = file.load().await?;
        let subscription = Subscription::new(store, saved.checkpoint);
        let (progress_sender, progress) = watch::channel(saved);
        let task = tokio::spawn(run(subscription, file, progress_sender));
        Ok(Self { task, progress })
    }

    pub(crate) fn progress(&self) -> Progress {
        *self.progress.borrow()
    }

    /// Waits until it has counted everything below a checkpoint.
    pub(crate) async fn wait_for(&mut self, checkpoint: Checkpoint) -> Result<(), Failure> {
        let reached = self
            .progress
            .wait_for(|progress| progress.checkpoint >= checkpoint);
        reached.await.map_err(|_| "the projection has stopped")?;
        Ok(())
    }

    /// Stops it. It may be stopped, or killed, at any point: what it has not saved, it counts again.
    pub(crate) async fn stop(self) {
        self.task.abort();
        // That it was aborted is no news.
        let _ = self.task.await;
    }
}

/// Counts for ever, or until an event cannot be read: to go on would be to miss it. A busy projection
/// would save every hundred changesets, or every second.
async fn run(
    mut subscription: Subscription,
    file: TotalsFile,
    progress_sender: watch::Sender<Progress>,
) {
    loop {
        let changeset = match subscription.next().await {
            Ok(changeset) => changeset,
            Err(error) => {
                // The next call pauses, and tries the same position again.
                eprintln!("nothing is counted for now: {error}");
                continue;
            }
        };
        let saved = *progress_sender.borrow();
        let counted = match count(saved.totals, &changeset) {
            Ok(totals) => Progress {
                totals,
                checkpoint: subscription.checkpoint(),
            },
            Err(error) => {
                eprintln!("the projection stops: {error}");
                return;
            }
        };
        while let Err(error) = file.save(counted).await {
            eprintln!("nothing is saved for now: {error}");
            tokio::time::sleep(StorageError::RETRY_AFTER).await;
        }
        progress_sender.send_replace(counted);
    }
}

/// The totals with a changeset added: pure. Other streams are passed over. An event of an order that
/// is none of [`OrderEvent`] is an error, so that none is missed.
fn count(totals: Totals, changeset: &Changeset) -> Result<Totals, UnreadableEvent> {
    if !changeset.stream_id.as_str().starts_with("order-") {
        return Ok(totals);
    }
    changeset.read_events().try_fold(totals, |sum, event| {
        Ok(match event? {
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
    })
}
