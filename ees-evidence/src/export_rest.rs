//! What an export has behind the changesets: how far everyone has read.

use std::collections::VecDeque;
use std::ops::Range;

use ees_core::Checkpoint;

use crate::moving::MovableStore;
use crate::moving_error::MoveError;
use crate::part::Part;

/// The subscriptions and the consumers of a store, piece by piece.
pub(crate) struct Rest {
    source: MovableStore,
    end: Checkpoint,
    /// The name of the last subscription; `None` after the last one.
    after: Option<String>,
    /// The names of the consumers that follow.
    consumers: Option<VecDeque<String>>,
    /// The partitions of a consumer that follow.
    partitions: Option<(String, Range<u16>)>,
}

impl Rest {
    pub(crate) fn of(source: &MovableStore, end: Checkpoint) -> Self {
        Self {
            source: source.clone(),
            end,
            after: Some(String::new()),
            consumers: None,
            partitions: None,
        }
    }

    /// The next parts; empty after the last one.
    pub(crate) async fn next(&mut self) -> Result<Vec<Part>, MoveError> {
        let subscriptions = self.subscriptions().await?;
        if !subscriptions.is_empty() {
            return Ok(subscriptions);
        }
        while let Some((id, mut numbers)) = self.partitions.take() {
            if let Some(number) = numbers.next() {
                self.partitions = Some((id.clone(), numbers));
                let consumers = self
                    .source
                    .store
                    .consumers()
                    .map_err(ees_core::Error::from)?;
                let copy = consumers.copy_partition(&id, number, self.end).await?;
                if let Some(partition) = copy {
                    return Ok(vec![Part::Partition(partition)]);
                }
            }
        }
        self.consumer().await
    }

    /// The checkpoints of up to 1000 subscriptions, with nothing beyond the end of the export.
    async fn subscriptions(&mut self) -> Result<Vec<Part>, MoveError> {
        while let Some(after) = self.after.take() {
            let names = self.source.import.subscriptions(&after).await?;
            self.after = names.last().cloned();
            let mut parts = Vec::with_capacity(names.len());
            for name in names {
                let saved = self.source.checkpoints.load_checkpoint(&name).await?;
                if let Some(saved) = saved {
                    let checkpoint = saved.min(self.end);
                    parts.push(Part::Subscription { name, checkpoint });
                }
            }
            if !parts.is_empty() {
                return Ok(parts);
            }
        }
        Ok(Vec::new())
    }

    async fn consumer(&mut self) -> Result<Vec<Part>, MoveError> {
        let Ok(consumers) = self.source.store.consumers() else {
            return Ok(Vec::new());
        };
        let names = match &mut self.consumers {
            Some(names) => names,
            None => self.consumers.insert(consumers.names().await?.into()),
        };
        while let Some(name) = names.pop_front() {
            // It may have been removed since.
            if let Some(consumer) = consumers.copy(&name, self.end).await? {
                let (id, partitions) = consumer.partitions()?;
                self.partitions = Some((id, 0..partitions));
                return Ok(vec![Part::Consumer(consumer)]);
            }
        }
        Ok(Vec::new())
    }
}
