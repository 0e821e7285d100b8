//! Does again what failed: what Lambda put into the failures bucket, when its retries had run out.

mod asked;
mod object;

use ees_core::ports::{Index, StorageError};
use ees_dynamodb::CommitRecord;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::Failure;
use crate::batch::Record;
use crate::bucket::Bucket;
use crate::deadline::deadline;
use crate::indexer::Indexing;
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
        indexing: Indexing::new(store),
        publishing,
        failures,
    };
    lambda_runtime::run(service_fn(|event| redrive.answer(event))).await
}

/// What can be done again.
struct Redrive {
    indexing: Indexing,
    publishing: Publishing,
    failures: Bucket,
    table: String,
}

/// What a run did.
#[derive(Debug, Default)]
struct Redriven {
    done: usize,
    left: usize,
    /// Why the first of those that are left is.
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

    /// Redrives what the bucket holds, page by page, while there is time.
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
                redriven.leave("the invocation has no time left to list more");
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

    /// Redrives objects, in this order; one that fails is left, and the others go on.
    async fn redrive(&self, keys: Vec<String>, deadline: Instant, redriven: &mut Redriven) {
        for key in keys {
            let redone = timeout_at(deadline, self.redo(&key, deadline)).await;
            let late = || Err("the invocation has no time left".to_owned());
            match redone.unwrap_or_else(|_| late()) {
                Ok(()) => redriven.done += 1,
                Err(reason) => {
                    tracing::error!(key, "an object cannot be redriven: {reason}");
                    redriven.leave(&format!("{key}: {reason}"));
                }
            }
        }
    }

    /// Does again what an object holds, and deletes it when all of that succeeded.
    async fn redo(&self, key: &str, deadline: Instant) -> Result<(), String> {
        let text = |failure: Failure| failure.to_string();
        let Some(found) = self.failures.get(key).await.map_err(text)? else {
            // Another run was faster.
            return Ok(());
        };
        let Object {
            worker,
            mut records,
        } = Object::read(&found)?;
        match worker {
            Worker::Indexer => {
                let indexed = self.indexing.index(&records, deadline).await;
                indexed.map_err(|error| error.to_string())?;
            }
            Worker::Publisher => {
                let mended = self.mend(&mut records).await;
                mended.map_err(|error| error.to_string())?;
                if self.publishing.publish(&records, deadline).await.is_some() {
                    return Err("not all of it can be published; the log tells more".to_owned());
                }
            }
        }
        self.failures.delete(key).await.map_err(text)
    }

    /// Takes from the table what a record does not tell so that it can be read: somebody may have
    /// mended it there.
    async fn mend(&self, records: &mut [Record]) -> Result<(), StorageError> {
        let commits = records
            .iter_mut()
            .filter_map(|record| record.commit.as_mut());
        for commit in commits.filter(|commit| commit.changeset().is_err()) {
            let storage = self.indexing.store.get().await?;
            let stands = storage.fetch(&[commit.key()?]).await?;
            if let Some(Some(changeset)) = stands.first() {
                *commit = CommitRecord::from(changeset);
            }
        }
        Ok(())
    }
}

impl Redriven {
    fn leave(&mut self, reason: &str) {
        self.left += 1;
        self.reason.get_or_insert_with(|| reason.to_owned());
    }
}
