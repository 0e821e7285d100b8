//! Storages that keep changesets under keys of their own making, and make some of them wrong.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use ees_conformance::Adapter;
use ees_conformance::faults::Fault;
use ees_core::adapter::group_commit::{Judge, Snapshot};
use ees_core::adapter::{Commit, CommitSet, News, Outcome, PageBuilder, SetOutcome};
use ees_core::{
    Changeset, Checkpoint, Direction, GlobalPage, Head, Page, PageLimit, StorageError, StreamId,
    StreamQuery, StreamRange,
};
use futures_util::future::BoxFuture;

/// How the key of a stream's changeset is made of its number.
pub(super) trait Keys: Default + Send + Sync + 'static {
    fn key(stream: &str, number: u64) -> Vec<u8>;
}

/// As it should be: a terminator that no stream id holds, and the number big-endian.
#[derive(Default)]
pub(super) struct Right;

impl Keys for Right {
    fn key(stream: &str, number: u64) -> Vec<u8> {
        [stream.as_bytes(), b"\0", &number.to_be_bytes()].concat()
    }
}

/// Nothing between the stream id and the number.
#[derive(Default)]
pub(super) struct NoSeparator;

impl Keys for NoSeparator {
    fn key(stream: &str, number: u64) -> Vec<u8> {
        [stream.as_bytes(), &number.to_be_bytes()].concat()
    }
}

/// Nothing between the stream id and the number, which is text of one length.
#[derive(Default)]
pub(super) struct TextWithoutSeparator;

impl Keys for TextWithoutSeparator {
    fn key(stream: &str, number: u64) -> Vec<u8> {
        format!("{stream}{number:020}").into_bytes()
    }
}

/// The number little-endian.
#[derive(Default)]
pub(super) struct LittleEndian;

impl Keys for LittleEndian {
    fn key(stream: &str, number: u64) -> Vec<u8> {
        [stream.as_bytes(), b"\0", &number.to_le_bytes()].concat()
    }
}

/// The number as text.
#[derive(Default)]
pub(super) struct TextNumbers;

impl Keys for TextNumbers {
    fn key(stream: &str, number: u64) -> Vec<u8> {
        format!("{stream}\0{number}").into_bytes()
    }
}

/// The number cut to 16 bits.
#[derive(Default)]
pub(super) struct ShortNumbers;

impl Keys for ShortNumbers {
    fn key(stream: &str, number: u64) -> Vec<u8> {
        let number = u16::try_from(number & 0xffff).unwrap_or_default();
        [stream.as_bytes(), b"\0", &number.to_be_bytes()].concat()
    }
}

/// The stream id cut to 1023 bytes.
#[derive(Default)]
pub(super) struct ShortNames;

impl Keys for ShortNames {
    fn key(stream: &str, number: u64) -> Vec<u8> {
        let name = stream.as_bytes();
        let name = name.get(..1023).unwrap_or(name);
        [name, b"\0", &number.to_be_bytes()].concat()
    }
}

/// Spaces at the end of the stream id taken away.
#[derive(Default)]
pub(super) struct TrimmedNames;

impl Keys for TrimmedNames {
    fn key(stream: &str, number: u64) -> Vec<u8> {
        Right::key(stream.trim_end(), number)
    }
}

/// The stream id in lower case, as by a collation.
#[derive(Default)]
pub(super) struct FoldedNames;

impl Keys for FoldedNames {
    fn key(stream: &str, number: u64) -> Vec<u8> {
        Right::key(&stream.to_lowercase(), number)
    }
}

/// A storage over such keys; the adapter behind it keeps nothing but names and counts.
#[derive(Default)]
pub(super) struct Keyed<K> {
    tables: Mutex<Tables>,
    news: News,
    keys: PhantomData<K>,
}

#[derive(Default)]
struct Tables {
    log: Vec<Changeset>,
    by_changeset: BTreeMap<Vec<u8>, usize>,
    by_event: BTreeMap<Vec<u8>, usize>,
}

impl Tables {
    fn head<K: Keys>(&self, stream: &StreamId) -> Option<Head> {
        let stream = stream.as_str();
        let mut range = self.by_changeset.range(span::<K>(stream, 0, MAX));
        range.next_back().map(|(_, at)| self.log[*at].head())
    }

    /// What the judge needs to know for a set.
    fn snapshot<K: Keys>(&self, set: &CommitSet) -> Snapshot {
        let committed = set.commits.iter().map(|commit| &commit.stream_id);
        let streams = committed.chain(set.checks.iter().map(|check| &check.stream_id));
        let heads = streams.filter_map(|id| Some((id.clone(), self.head::<K>(id)?)));
        let keys = set.commits.iter().filter_map(Commit::client_key);
        let keys = keys.filter_map(|key| {
            let has =
                |c: &&Changeset| (&c.stream_id, &c.commit_id) == (&key.stream_id, &key.commit_id);
            let stands = self.log.iter().find(has)?.changeset_id;
            Some((key, stands))
        });
        Snapshot {
            heads: heads.collect(),
            keys: keys.collect(),
            next_checkpoint: Checkpoint::FIRST.plus(self.log.len() as u64),
        }
    }

    fn write<K: Keys>(&mut self, changeset: Changeset) {
        let (stream, at) = (changeset.stream_id.as_str(), self.log.len());
        let key = K::key(stream, changeset.changeset_id.get());
        self.by_changeset.insert(key, at);
        let key = K::key(stream, changeset.last_event_id.get());
        self.by_event.insert(key, at);
        self.log.push(changeset);
    }

    fn read<K: Keys>(&self, query: &StreamQuery) -> Page<Changeset> {
        let stream = query.stream_id.as_str();
        let mut found: Vec<_> = match &query.range {
            StreamRange::Changesets(ids) => {
                let span = span::<K>(stream, *ids.start(), *ids.end());
                self.by_changeset
                    .range(span)
                    .map(|(_, at)| &self.log[*at])
                    .collect()
            }
            StreamRange::Events(ids) => {
                let span = span::<K>(stream, *ids.start(), MAX);
                let reaching = self.by_event.range(span).map(|(_, at)| &self.log[*at]);
                let begins = |c: &&Changeset| c.first_event_id.get() <= *ids.end();
                reaching.filter(begins).collect()
            }
        };
        if query.direction == Direction::Backward {
            found.reverse();
        }
        let mut page = PageBuilder::new(query.limit);
        for changeset in found {
            if !page.push_changeset(changeset.clone()) {
                break;
            }
        }
        page.finish()
    }
}

const MAX: u64 = i64::MAX.cast_unsigned();

/// The keys between two numbers of a stream; none, where the first sorts behind the last.
fn span<K: Keys>(stream: &str, from: u64, to: u64) -> std::ops::RangeInclusive<Vec<u8>> {
    let (first, last) = (K::key(stream, from), K::key(stream, to));
    if first > last {
        return last.clone()..=last;
    }
    first..=last
}

impl<K> Keyed<K> {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl<K: Keys> Fault for Keyed<K> {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        let alone = CommitSet::of_one(commit.clone());
        self.commit_set(inner, &alone).await?.into_single()
    }

    async fn commit_set(
        &self,
        inner: &dyn Adapter,
        set: &CommitSet,
    ) -> Result<SetOutcome, StorageError> {
        inner.next_checkpoint().await?;
        let mut tables = self.tables();
        let mut judge = Judge::new(tables.snapshot::<K>(set));
        let outcome = judge.judge(set);
        for changeset in judge.changesets {
            tables.write::<K>(changeset);
            self.news.announce();
        }
        Ok(outcome)
    }

    fn news(&self, _: &dyn Adapter) -> BoxFuture<'static, ()> {
        self.news.listen()
    }

    async fn head(
        &self,
        _: &dyn Adapter,
        stream_id: &StreamId,
    ) -> Result<Option<Head>, StorageError> {
        Ok(self.tables().head::<K>(stream_id))
    }

    async fn read_stream(
        &self,
        _: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        Ok(self.tables().read::<K>(query))
    }

    async fn read_global(
        &self,
        _: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        let tables = self.tables();
        let place = usize::try_from(from.get()).unwrap_or(usize::MAX);
        let mut page = PageBuilder::new(limit);
        for changeset in tables.log.get(place..).unwrap_or_default() {
            if !page.push_changeset(changeset.clone()) {
                break;
            }
        }
        GlobalPage::dense(from, page.finish().items)
    }

    async fn next_checkpoint(&self, _: &dyn Adapter) -> Result<Checkpoint, StorageError> {
        Ok(Checkpoint::FIRST.plus(self.tables().log.len() as u64))
    }
}
