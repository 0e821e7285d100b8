//! Writes how far subscriptions and consumers had come.

use ees_core::Error;
use ees_core::consumer::{ConsumerCopy, Consumers};

use crate::moving::MovableStore;
use crate::moving_error::MoveError;
use crate::part::Part;

/// The most names that a report lists.
const NAMES: usize = 100;

/// How far readers had come, and what became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progressed {
    /// The subscriptions that have the checkpoint of the export now.
    pub subscriptions: u64,
    /// The consumers that stand as in the export now.
    pub consumers: u64,
    /// What the store has otherwise, and keeps: at most 100 of them are named.
    pub kept: Vec<String>,
    /// How many these are.
    pub kept_count: u64,
}

/// Writes what the store does not have; what it has otherwise stays.
pub(crate) struct RestWriter {
    target: MovableStore,
    /// The consumer whose partitions are being written.
    consumer: Option<ConsumerCopy>,
    progressed: Progressed,
}

impl RestWriter {
    pub(crate) fn new(target: &MovableStore) -> Self {
        Self {
            target: target.clone(),
            consumer: None,
            progressed: Progressed::default(),
        }
    }

    pub(crate) fn progressed(&mut self) -> Progressed {
        std::mem::take(&mut self.progressed)
    }

    pub(crate) async fn write(&mut self, part: Part) -> Result<(), MoveError> {
        match part {
            Part::Subscription { name, checkpoint } => {
                let stands = self.target.checkpoints.load_checkpoint(&name).await?;
                if stands.is_none() {
                    let saved = self.target.checkpoints.save_checkpoint(&name, checkpoint);
                    saved.await?;
                }
                if stands.is_none_or(|stands| stands == checkpoint) {
                    self.progressed.subscriptions += 1;
                } else {
                    self.keep(format!("subscription {name}"));
                }
            }
            Part::Consumer(consumer) => {
                self.finish().await?;
                if self.consumers()?.has_room_for(&consumer).await? {
                    self.consumer = Some(consumer);
                } else {
                    self.keep(format!("consumer {}", consumer.name));
                }
            }
            Part::Partition(partition) => {
                // Without a consumer, the store keeps its own.
                if let Some(consumer) = &self.consumer {
                    let stands = self.consumers()?.put_copied_partition(&partition).await?;
                    if !stands {
                        let number = partition.number;
                        self.keep(format!("consumer {}, partition {number}", consumer.name));
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Defines the consumer whose partitions are written.
    pub(crate) async fn finish(&mut self) -> Result<(), MoveError> {
        if let Some(consumer) = self.consumer.take() {
            if self.consumers()?.put_copy(&consumer).await? {
                self.progressed.consumers += 1;
            } else {
                self.keep(format!("consumer {}", consumer.name));
            }
        }
        Ok(())
    }

    fn consumers(&self) -> Result<Consumers, MoveError> {
        Ok(self.target.store.consumers().map_err(Error::from)?)
    }

    fn keep(&mut self, name: String) {
        self.progressed.kept_count += 1;
        if self.progressed.kept.len() < NAMES {
            self.progressed.kept.push(name);
        }
    }
}
