//! Processes failed batches again: those that Lambda stored in the failures bucket after its last
//! retry.

mod asked;
mod object;

use std::collections::BTreeSet;
use std::time::Duration;

use ees_core::adapter::Index;
use ees_core::{Changeset, StorageError};
use ees_dynamodb::CommitRecord;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::Failure;
use crate::batch::Record;
use crate::bucket::Bucket;
use crate::deadline::deadline;
use crate::indexer::BatchIndexer;
use crate::metrics::{self, Unit};
use crate::publisher::Publishing;
use crate::store::Store;
use asked::Asked;
use object::{Object, Worker};

pub(crate) async fn run(
    store: Store,
    publishing: Publishing,
    failures: Bucket,
) -> Result<(), Error> {
    let redrive = Redrive {
        table: store.config.events_table.clone(),
        indexer: BatchIndexer::new(store),
        publishing,
        failures,
    };
    lambda_runtime::run(service_fn(|event| redrive.answer(event))).await
}

/// The workers that process batches again.
struct Redrive {
    indexer: BatchIndexer,
    publishing: Publishing,
    failures: Bucket,
    table: String,
}

/// The result of a run.
#[derive(Debug, Default)]
struct Redriven {
    done: usize,
    left: usize,
    /// The reason for the first object that is left.
    reason: Option<String>,
}

impl Redrive {
    async fn answer(&self, event: LambdaEvent<Value>) -> Result<Value, Failure> {
        let deadline = deadline(&event.context);
        let mut redriven = Redriven::default();
        let ran = match Asked::read(&event.payload)? {
            Asked::Keys(keys) => {
                self.redrive(keys, deadline, &mut redriven).await;
                Ok(())
            }
            Asked::Prefix(prefix) => self.redrive_all(&prefix, deadline, &mut redriven).await,
        };
        let Redriven { done, left, reason } = redriven;
        metrics::tell(
            &self.table,
            &[
                ("FailuresRedriven", Unit::Count, done as u64),
                ("FailuresLeft", Unit::Count, left as u64),
            ],
        );
        ran?;
        match reason {
            Some(reason) => Err(Failure::Left { left, reason }),
            None => Ok(json!({"done": done})),
        }
    }

    /// Redrives the objects of the bucket, page by page, while there is time.
    async fn redrive_all(
        &self,
        prefix: &str,
        deadline: Instant,
        redriven: &mut Redriven,
    ) -> Result<(), Failure> {
        let mut from = None;
        loop {
            let list = self.failures.list(prefix, from);
            let Ok(listed) = timeout_at(deadline, list).await else {
                redriven.leave("the time of the invocation is used up; the listing is incomplete");
                return Ok(());
            };
            let listed = listed?;
            self.redrive(listed.keys, deadline, redriven).await;
            from = listed.next;
            if from.is_none() {
                return Ok(());
            }
        }
    }

    /// Redrives objects in order. An object that fails is left in the bucket, and the run continues
    /// with the next one.
    async fn redrive(&self, keys: Vec<String>, deadline: Instant, redriven: &mut Redriven) {
        let mut keys = keys.into_iter();
        while let Some(key) = keys.next() {
            let now = Instant::now();
            let until = now + share(deadline - now, keys.len());
            let redone = timeout_at(deadline, self.redo(&key, until)).await;
            let late = || Err("the time of the invocation is used up".to_owned());
            match redone.unwrap_or_else(|_| late()) {
                Ok(()) => redriven.done += 1,
                Err(reason) => {
                    tracing::error!(key, "an object cannot be redriven: {reason}");
                    redriven.leave(&format!("{key}: {reason}"));
                }
            }
        }
    }

    /// Processes the batch of an object until a time limit. Deletes the object if the whole batch
    /// succeeded.
    async fn redo(&self, key: &str, until: Instant) -> Result<(), String> {
        let text = |failure: Failure| failure.to_string();
        let Some(found) = self.failures.get(key).await.map_err(text)? else {
            // Another run has processed and deleted it.
            return Ok(());
        };
        let mut object = Object::read(&found)?;
        match object.worker {
            Worker::Indexer => {
                let indexed = self.indexer.index(&object.records, until).await;
                indexed.map_err(|error| error.to_string())?;
            }
            Worker::Publisher => {
                self.mend(&mut object.records).await;
                let left = self.publishing.publish(&object.records, until).await;
                if !left.is_empty() {
                    return Err(self.keep(key, object, &left).await.map_err(text)?);
                }
            }
        }
        self.failures.delete(key).await.map_err(text)
    }

    /// Replaces an object by its remaining records, so that no later run sends the others again.
    /// Returns the reason for the remaining ones.
    async fn keep(
        &self,
        key: &str,
        object: Object,
        left: &BTreeSet<usize>,
    ) -> Result<String, Failure> {
        let all = object.records.len();
        if left.len() < all {
            self.failures.put(key, object.with_only(left)).await?;
        }
        let left = left.len();
        Ok(format!(
            "{left} of its {all} records cannot be published; see the log"
        ))
    }

    /// Replaces unreadable changesets of records by the table's, since somebody may have repaired
    /// the items there.
    async fn mend(&self, records: &mut [Record]) {
        let commits = records
            .iter_mut()
            .filter_map(|record| record.commit.as_mut());
        for commit in commits.filter(|commit| commit.changeset().is_err()) {
            match self.standing(commit).await {
                Ok(Some(changeset)) => *commit = CommitRecord::from(&changeset),
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "a record cannot be read from the table"),
            }
        }
    }

    /// The changeset of a record as it is stored in the table.
    async fn standing(&self, commit: &CommitRecord) -> Result<Option<Changeset>, StorageError> {
        let storage = self.indexer.store.get().await?;
        let mut found = storage.fetch(&[commit.key()?]).await?;
        Ok(found.pop().flatten())
    }
}

/// The share of the remaining time that one object may take. It leaves time for the objects after
/// it, and for storing the remaining records.
fn share(left: Duration, behind: usize) -> Duration {
    if behind > 0 { left / 2 } else { left / 10 * 9 }
}

impl Redriven {
    fn leave(&mut self, reason: &str) {
        self.left += 1;
        self.reason.get_or_insert_with(|| reason.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_that_takes_all_it_may_leaves_time_to_those_behind_it_and_to_store_it() {
        let mut left = Duration::from_mins(15);
        for behind in (1..5).rev() {
            left -= share(left, behind);
        }
        assert!(left > Duration::from_secs(50), "for the fifth: {left:?}");
        left -= share(left, 0);
        assert!(left > Duration::from_secs(5), "to store it: {left:?}");
        let alone = share(Duration::from_mins(15), 0);
        assert!(alone > Duration::from_mins(13), "{alone:?}");
    }
}
