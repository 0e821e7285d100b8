//! A store over a disk that fails when it is told to, and the mistakes that only this shows.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use ees_conformance::{WriteFault, WriteFaults};
use ees_core::adapter::group_commit::{BatchStore, Snapshot};
use ees_core::adapter::{ClientKey, Commit};
use ees_core::{
    Changeset, Checkpoint, Head, Identity, Statistics, StorageError, StreamId, Written,
};

/// What an adapter may do wrong.
pub(super) trait Mistake: Default + Send + Sync + 'static {
    /// Keeps heads in memory, and changes them before the write.
    const CACHES_HEADS: bool = false;
    /// Draws checkpoints from a counter, which goes on when the write fails.
    const COUNTS: bool = false;
    /// Says of a write whose answer was lost that nothing was written.
    const DENIES: bool = false;
    /// Says that a write is done before it is.
    const ANSWERS_EARLY: bool = false;
    /// Shows to readers what is being written.
    const SHOWS_EARLY: bool = false;
    /// Never comes back from a write that took long.
    const GIVES_UP: bool = false;
    /// Looks no idempotency key up, so that one counts with the same expectation only.
    const KNOWS_NO_KEYS: bool = false;
    /// Keeps the identity in memory alone.
    const LOSES_ITS_IDENTITY: bool = false;
}

macro_rules! mistakes {
    ($($(#[$doc:meta])* $name:ident: $($is:ident)?;)+) => {
        $($(#[$doc])*
        #[derive(Default)]
        pub(super) struct $name;
        impl Mistake for $name {
            $(const $is: bool = true;)?
        })+
    };
}

mistakes! {
    /// None.
    Sound: ;
    CachesHeads: CACHES_HEADS;
    Counts: COUNTS;
    Denies: DENIES;
    AnswersEarly: ANSWERS_EARLY;
    ShowsEarly: SHOWS_EARLY;
    GivesUp: GIVES_UP;
    KnowsNoKeys: KNOWS_NO_KEYS;
    LosesItsIdentity: LOSES_ITS_IDENTITY;
}

/// What outlives the process, and how it fails.
#[derive(Default)]
pub(super) struct Disk(Mutex<Kept>);

#[derive(Default)]
pub(super) struct Kept {
    pub(super) log: Vec<Changeset>,
    pub(super) statistics: Statistics,
    pub(super) checkpoints: HashMap<String, Checkpoint>,
    pub(super) identity: Option<Identity>,
    /// What is being written.
    pub(super) pending: Vec<Changeset>,
    fault: Option<WriteFault>,
    is_gone: bool,
}

impl Disk {
    pub(super) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept, unless the disk cannot be reached.
    pub(super) fn reach(&self) -> Result<MutexGuard<'_, Kept>, StorageError> {
        let kept = self.kept();
        if kept.is_gone {
            return Err(StorageError::unavailable("no disk", Written::None));
        }
        Ok(kept)
    }
}

#[async_trait]
impl WriteFaults for Disk {
    fn kinds(&self) -> &[WriteFault] {
        &WriteFault::ALL
    }

    async fn begin(&self, fault: WriteFault) {
        self.kept().fault = Some(fault);
    }

    async fn end(&self) {
        let mut kept = self.kept();
        kept.fault = None;
        kept.is_gone = false;
    }
}

/// How long a write takes that will fail.
const MOMENT: Duration = Duration::from_millis(20);

/// Writes to the disk.
pub(super) struct Writer<M> {
    disk: Arc<Disk>,
    heads: HashMap<StreamId, Head>,
    counter: u64,
    mistake: PhantomData<M>,
}

impl<M> Writer<M> {
    pub(super) fn new(disk: Arc<Disk>) -> Self {
        let kept = disk.kept();
        let heads = kept.log.iter().map(|c| (c.stream_id.clone(), c.head()));
        let (heads, counter) = (heads.collect(), kept.log.len() as u64);
        drop(kept);
        Self {
            disk,
            heads,
            counter,
            mistake: PhantomData,
        }
    }

    fn write(&self, changesets: &[Changeset]) {
        let mut kept = self.disk.kept();
        kept.log.extend_from_slice(changesets);
        kept.pending.clear();
    }
}

#[async_trait]
impl<M: Mistake> BatchStore for Writer<M> {
    async fn await_turn(&mut self, _: &Commit) -> Result<(), StorageError> {
        Ok(())
    }

    async fn begin(
        &mut self,
        streams: &[StreamId],
        keys: &[ClientKey],
    ) -> Result<Snapshot, StorageError> {
        let kept = self.disk.reach()?;
        let mut heads = HashMap::new();
        for stream in streams {
            let last = kept.log.iter().rfind(|c| c.stream_id == *stream);
            let head = if M::CACHES_HEADS {
                self.heads.get(stream).copied()
            } else {
                last.map(Changeset::head)
            };
            heads.extend(head.map(|head| (stream.clone(), head)));
        }
        let next = if M::COUNTS {
            self.counter
        } else {
            kept.log.len() as u64
        };
        let keys = keys.iter().filter(|_| !M::KNOWS_NO_KEYS);
        let keys = keys.filter_map(|key| {
            let has =
                |c: &&Changeset| (&c.stream_id, &c.commit_id) == (&key.stream_id, &key.commit_id);
            let stands = kept.log.iter().find(has)?.changeset_id;
            Some((key.clone(), stands))
        });
        Ok(Snapshot {
            heads,
            keys: keys.collect(),
            next_checkpoint: Checkpoint::FIRST.plus(next),
        })
    }

    async fn commit(&mut self, changesets: &[Changeset]) -> Result<(), StorageError> {
        let heads = changesets.iter().map(|c| (c.stream_id.clone(), c.head()));
        self.heads.extend(heads);
        self.counter += changesets.len() as u64;
        if M::SHOWS_EARLY {
            self.disk.kept().pending = changesets.to_vec();
        }
        let fault = self.disk.kept().fault;
        match fault {
            None => self.write(changesets),
            Some(WriteFault::BeforeTheWrite) => {
                tokio::time::sleep(MOMENT).await;
                if !M::ANSWERS_EARLY {
                    return Err(StorageError::unavailable("no room", Written::None));
                }
            }
            Some(WriteFault::AfterTheWrite) => {
                self.write(changesets);
                self.disk.kept().is_gone = true;
                let written = if M::DENIES {
                    Written::None
                } else {
                    Written::Unknown
                };
                return Err(StorageError::unavailable("no answer", written));
            }
            Some(WriteFault::Late) => {
                while self.disk.kept().fault.is_some() || M::GIVES_UP {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                self.write(changesets);
            }
        }
        Ok(())
    }

    async fn rollback(&mut self) {
        self.disk.kept().pending.clear();
    }
}
