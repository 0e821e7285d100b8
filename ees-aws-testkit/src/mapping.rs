//! Event source mappings, which deliver a stream's records to a function in batches: those of a shard
//! one after another, those of several shards side by side, and those of a shard after its parent's.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::Error;

mod controls;
mod delivery;
pub mod filter;
pub mod retrying;
mod shard;
mod source;

pub(crate) use controls::Controls;
pub(crate) use source::Parts;

use shard::Shard;
use source::{Listed, Source};

/// The time after which the shards are listed again, unless something happens before.
const LISTED_EVERY: Duration = Duration::from_secs(1);

/// A mapping that invokes its function with the records of a stream.
pub(crate) struct Reader {
    source: Arc<Source>,
    pub(crate) controls: Arc<Controls>,
    /// The shards that are read, or were read to their end.
    begun: BTreeSet<String>,
    ended: BTreeSet<String>,
    reading: JoinSet<String>,
}

impl Reader {
    /// Looks up the stream.
    pub(crate) async fn new(parts: Parts) -> Result<Self, Error> {
        Ok(Self {
            source: Arc::new(Source::new(parts).await?),
            controls: Arc::new(Controls::new()),
            begun: BTreeSet::new(),
            ended: BTreeSet::new(),
            reading: JoinSet::new(),
        })
    }

    /// Runs until it is dropped.
    pub(crate) async fn run(mut self) {
        // Those that are there at first are read from the mapping's starting position, and their children
        // from the beginning.
        let mut from_oldest = self.source.parts.mapping.from_oldest;
        loop {
            let asked = self.controls.asked();
            // A failed list is repeated later.
            if let Ok(listed) = self.source.shards().await {
                self.begin(&listed, from_oldest);
                from_oldest = true;
                self.controls.listed(asked);
            }
            tokio::select! {
                Some(Ok(ended)) = self.reading.join_next() => {
                    self.controls.end(&ended);
                    self.ended.insert(ended);
                }
                () = self.controls.asked_after(asked) => {}
                () = sleep(LISTED_EVERY) => {}
            }
        }
    }

    /// Begins to read the shards whose parents were read to their end, or are gone.
    fn begin(&mut self, listed: &[Listed], from_oldest: bool) {
        for Listed { id, parent } in listed {
            // Whoever waits until all is processed waits for those that are not read yet, too.
            if !self.ended.contains(id) {
                self.controls.begin(id);
            }
            let open = |parent: &String| {
                let is_listed = listed.iter().any(|shard| shard.id == *parent);
                is_listed && !self.ended.contains(parent)
            };
            if parent.as_ref().is_some_and(open) || !self.begun.insert(id.clone()) {
                continue;
            }
            let (source, controls) = (Arc::clone(&self.source), Arc::clone(&self.controls));
            let shard = Shard::new(source, controls, id.clone(), from_oldest);
            self.reading.spawn(shard.run());
        }
    }
}
