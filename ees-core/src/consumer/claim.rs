//! Claiming a batch.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::records::{Loaded, Record};
use super::scan::{Scan, Scanned};
use super::{BatchKind, ConsumerName, Consumers, Found};
use crate::{Changeset, Checkpoint, Error, PageLimit, Timestamp};

/// The largest number of changesets of a batch.
pub const MAX_BATCH: usize = 1000;

/// An empty look writes the checkpoint that it reached after so many changesets.
const WRITE_AFTER: u64 = 1000;

/// How often a claim that waits reads the partitions again, although nothing was committed: every so
/// many looks.
const READ_EVERY: u32 = 10;

/// Who claims, and how much.
#[derive(Debug, Clone)]
pub struct Claim {
    /// What the worker calls itself, for people.
    pub worker: String,
    /// The largest number of changesets, up to [`MAX_BATCH`].
    pub limit: usize,
    /// The partition and the generation whose acknowledgement asks for this batch.
    pub(super) after: Option<(u16, u64)>,
}

impl Claim {
    /// A claim of up to 100 changesets.
    pub fn new(worker: impl Into<String>) -> Self {
        Self {
            worker: worker.into(),
            limit: 100,
            after: None,
        }
    }

    /// The largest number of changesets.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

/// The limits of a batch of at most so many changesets.
pub(super) fn page_limit(changesets: usize) -> PageLimit {
    PageLimit::items(changesets.clamp(1, MAX_BATCH))
}

/// A batch that is handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The partition.
    pub partition: u16,
    /// The generation, which acknowledges the batch.
    pub generation: u64,
    /// How long the worker has it.
    pub lease: Duration,
    /// Whether a parked stream is tried again.
    pub is_retry: bool,
    /// The changesets, by position.
    pub changesets: Vec<Changeset>,
    /// The position after the batch: it acknowledges all of it.
    pub next: Checkpoint,
}

impl Delivery {
    pub(super) fn new(record: &Record, partition: u16, generation: u64, found: Found) -> Self {
        Self {
            partition,
            generation,
            lease: record.definition.lease(),
            is_retry: found.kind != BatchKind::Live,
            changesets: found.changesets,
            next: found.next,
        }
    }
}

/// A claim in progress: it looks as often as it is told to, and remembers what it has looked at.
#[derive(Debug)]
pub struct Claiming {
    consumers: Consumers,
    name: ConsumerName,
    claim: Claim,
    seen: Mutex<Seen>,
}

/// What a claim remembers between two looks.
#[derive(Debug, Default)]
struct Seen {
    /// The revision of each partition, and how far it was looked at.
    reached: HashMap<u16, (Option<u64>, Checkpoint)>,
    /// Whether a look went beyond a partition's checkpoint, which was not written.
    has_moved: bool,
    /// Everything before this position was looked at, in every partition that is free.
    head: Option<Checkpoint>,
    /// Whether a partition is held or has more.
    is_busy: bool,
    /// When the next parked stream is due.
    due: Option<Timestamp>,
    looks: u32,
}

impl Consumers {
    /// Claims the free partition that has waited longest and has something, and waits for at most
    /// `wait`.
    ///
    /// # Errors
    /// [`ConsumerError::NotFound`](super::ConsumerError::NotFound); [`Error::Storage`] if the storage
    /// fails.
    pub async fn claim(
        &self,
        name: &ConsumerName,
        claim: Claim,
        wait: Duration,
    ) -> Result<Option<Delivery>, Error> {
        let claiming = self.claiming(name, claim);
        let look = || claiming.look();
        let delivery = self.store.await_page(wait, look, Option::is_none).await?;
        if delivery.is_none() {
            claiming.give_up().await?;
        }
        Ok(delivery)
    }

    /// A claim in progress, for a host that waits in its own way.
    pub fn claiming(&self, name: &ConsumerName, claim: Claim) -> Claiming {
        Claiming {
            consumers: self.clone(),
            name: name.clone(),
            claim,
            seen: Mutex::default(),
        }
    }
}

impl Claiming {
    /// Looks for a batch, without waiting.
    ///
    /// # Errors
    /// Those of [`Consumers::claim`].
    pub async fn look(&self) -> Result<Option<Delivery>, Error> {
        let mut seen = self.take_seen();
        let delivery = self.look_with(&mut seen).await;
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        delivery
    }

    /// Writes how far was looked, so that the next claim need not look again.
    ///
    /// # Errors
    /// [`Error::Storage`] if the storage fails.
    pub async fn give_up(&self) -> Result<(), Error> {
        let seen = self.take_seen();
        if !seen.has_moved {
            return Ok(());
        }
        let records = &self.consumers.records;
        let record = records.record(&self.name).await?;
        let now = self.consumers.now();
        for (partition, loaded) in (0..).zip(records.partitions(&record).await?) {
            let reached = seen.reached.get(&partition).copied();
            let Some((_, reached)) = reached.filter(|(revision, _)| *revision == loaded.revision)
            else {
                continue;
            };
            if reached > loaded.state.checkpoint()
                && loaded.state.is_free(record.definition.lease(), now)
            {
                let loaded = records.with_parked(&record, partition, loaded).await?;
                self.pass(&record, partition, &loaded, reached).await?;
            }
        }
        Ok(())
    }

    fn take_seen(&self) -> Seen {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn look_with(&self, seen: &mut Seen) -> Result<Option<Delivery>, Error> {
        let now = self.consumers.now();
        seen.looks += 1;
        let must_read =
            seen.is_busy || seen.looks % READ_EVERY == 1 || seen.due.is_some_and(|due| due <= now);
        if !must_read && Some(self.consumers.store.next_checkpoint().await?) <= seen.head {
            return Ok(None);
        }
        let records = &self.consumers.records;
        let record = records.record(&self.name).await?;
        let lease = record.definition.lease();
        let partitions: Vec<_> = (0..).zip(records.partitions(&record).await?).collect();
        let all = partitions.len();
        let is_free = |(_, loaded): &(u16, Loaded)| loaded.state.is_free(lease, now);
        let mut free: Vec<_> = partitions.into_iter().filter(is_free).collect();
        free.sort_by_key(|(_, loaded)| loaded.state.served());
        seen.is_busy = free.len() < all;
        seen.due = None;
        let mut scan = Scan::new(&self.consumers.store, &record, page_limit(self.claim.limit));
        for (partition, loaded) in free {
            let loaded = records.with_parked(&record, partition, loaded).await?;
            let served = self.serve(&mut scan, seen, partition, loaded).await?;
            if served.is_some() {
                return Ok(served);
            }
        }
        seen.head = seen.reached.values().map(|(_, reached)| *reached).min();
        Ok(None)
    }

    /// Hands a partition's next batch out, if it has one.
    async fn serve(
        &self,
        scan: &mut Scan<'_>,
        seen: &mut Seen,
        partition: u16,
        mut loaded: Loaded,
    ) -> Result<Option<Delivery>, Error> {
        let record = scan.record;
        let works = loaded.state.work(self.consumers.now());
        for work in works {
            let reached = seen.reached.get(&partition);
            let reached = reached.filter(|(revision, _)| *revision == loaded.revision);
            let from = reached.map_or(loaded.state.checkpoint(), |(_, reached)| *reached);
            let Scanned { found, at_end } =
                scan.look(partition, &loaded.state, &work, from).await?;
            seen.is_busy |= !at_end;
            let is_live = found.kind == BatchKind::Live;
            if is_live && found.changesets.is_empty() {
                let moved = found.next.get() - loaded.state.checkpoint().get();
                if moved < WRITE_AFTER {
                    let reached = (loaded.revision, found.next);
                    seen.reached.insert(partition, reached);
                    seen.has_moved |= moved > 0;
                    continue;
                }
            }
            let Some(taken) = self.take(record, partition, &loaded, &found).await? else {
                seen.is_busy = true;
                return Ok(None);
            };
            let (generation, after) = taken;
            if let Some(generation) = generation {
                return Ok(Some(Delivery::new(record, partition, generation, found)));
            }
            loaded = after;
            let reached = loaded.state.checkpoint();
            seen.reached.insert(partition, (loaded.revision, reached));
        }
        let due = loaded.state.next_try().into_iter().chain(seen.due).min();
        seen.due = due;
        Ok(None)
    }

    /// Takes what was found, or moves past it. `None` if somebody else was first.
    async fn take(
        &self,
        record: &Record,
        partition: u16,
        loaded: &Loaded,
        found: &Found,
    ) -> Result<Option<(Option<u64>, Loaded)>, Error> {
        let now = self.consumers.now();
        let mut state = loaded.state.clone();
        let asked = self.claim.after.filter(|(of, _)| *of == partition);
        let after = asked.map(|(_, generation)| generation);
        let after = after.filter(|generation| *generation == state.generation());
        let generation = state.take(found, &self.claim.worker, after, now);
        let records = &self.consumers.records;
        let swapped = records.swap(record, partition, loaded, state, now).await?;
        Ok(swapped.map(|loaded| (generation, loaded)))
    }

    async fn pass(
        &self,
        record: &Record,
        partition: u16,
        loaded: &Loaded,
        reached: Checkpoint,
    ) -> Result<(), Error> {
        let found = Found {
            kind: BatchKind::Live,
            start: loaded.state.checkpoint(),
            next: reached,
            changesets: Vec::new(),
        };
        self.take(record, partition, loaded, &found).await.map(drop)
    }
}
