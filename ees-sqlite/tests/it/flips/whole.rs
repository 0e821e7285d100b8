//! A store, its files with some harm, and what every read of them answers.

use std::fs;
use std::path::{Path, PathBuf};

use ees_core::adapter::{Commit, Outcome, Refusal, Storage};
use ees_core::{
    Changeset, Checkpoint, CommitId, Direction, Events, Expectation, Filter, GlobalPage, Identity,
    Json, PageLimit, StorageError, StreamId, StreamQuery, Timestamp,
};
use ees_sqlite::{SqliteConfig, SqliteStorage, examine};
use futures_executor::block_on;
use tempfile::TempDir;

const STREAMS: u64 = 5;
const CHANGESETS: u64 = 240;

/// The files of a store, and what is in it.
pub(super) struct Whole {
    folder: TempDir,
    log: Vec<Changeset>,
}

/// What became of the files with a flip.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) at_start: u64,
    pub(super) by_reads: u64,
    /// A stream that seems to end early, or a key that is not found: the comparison of the file with itself
    /// tells it.
    pub(super) by_comparing: u64,
    pub(super) no_difference: u64,
}

fn open(path: &Path) -> Result<SqliteStorage, ees_sqlite::OpenError> {
    block_on(SqliteStorage::open(&SqliteConfig::new(path)))
}

fn stream(number: u64) -> StreamId {
    format!("stream-{number}").parse().unwrap()
}

fn key(stream: u64, id: u64) -> String {
    format!("key-{stream}-{id}")
}

fn commit(stream_number: u64, last: u64, key: &str, events: &str) -> Commit {
    Commit {
        stream_id: stream(stream_number),
        expectation: Expectation::LastChangeset(last),
        events: Events::parse(events).unwrap(),
        metadata: Json::parse(r#"{"who":"a test"}"#).unwrap(),
        commit_id: CommitId::new(key).unwrap(),
        set: None,
        timestamp: Timestamp::now(),
    }
}

/// A store that was closed, or whose process was killed: then most of it is in its log.
pub(super) fn whole(is_closed: bool) -> Whole {
    let folder = TempDir::new().unwrap();
    let served = folder.path().join("served.db");
    let store = open(&served).unwrap();
    block_on(store.swap_identity(None, &Identity::generate(None))).unwrap();
    for number in 0..CHANGESETS {
        let (at, last) = (number % STREAMS, number / STREAMS);
        let length = usize::try_from(number * 37 % 900).unwrap();
        let events = format!(r#"[{{"type":"t{at}"}},"{}"]"#, "x".repeat(length));
        let key = match last % 3 {
            0 => key(at, last + 1),
            _ => CommitId::generate().to_string(),
        };
        block_on(store.commit(&commit(at, last, &key, &events))).unwrap();
    }
    let all = block_on(store.read_global(Checkpoint::FIRST, PageLimit::default())).unwrap();
    if is_closed {
        block_on(store.close());
    }
    for ending in ["", "-wal", ".lock"] {
        let name = |stem: &str| folder.path().join(format!("{stem}.db{ending}"));
        if name("served").exists() {
            fs::copy(name("served"), name("kept")).unwrap();
        }
    }
    block_on(store.close());
    assert_eq!(all.changesets.len() as u64, CHANGESETS);
    Whole {
        folder,
        log: all.changesets,
    }
}

impl Whole {
    pub(super) fn kept(&self, ending: &str) -> PathBuf {
        self.folder.path().join(format!("kept.db{ending}"))
    }

    /// The files, of which one was harmed, in a folder of their own.
    pub(super) fn harmed(&self, ending: &str, harm: impl FnOnce(&mut Vec<u8>)) -> TempDir {
        let folder = TempDir::new().unwrap();
        for copied in ["", "-wal", ".lock"] {
            if self.kept(copied).exists() {
                fs::copy(
                    self.kept(copied),
                    folder.path().join(format!("ees.db{copied}")),
                )
                .unwrap();
            }
        }
        let harmed = folder.path().join(format!("ees.db{ending}"));
        let mut bytes = fs::read(&harmed).unwrap();
        harm(&mut bytes);
        fs::write(harmed, bytes).unwrap();
        folder
    }

    /// What becomes of harmed files. A wrong answer that nothing tells fails the test.
    pub(super) fn outcome(&self, folder: &TempDir, told: &mut Told, place: &str) {
        let path = folder.path().join("ees.db");
        let Ok(store) = open(&path) else {
            told.at_start += 1;
            return;
        };
        let mut seen = Seen::default();
        self.read_all(&store, &mut seen);
        self.find_keys(&store, &mut seen);
        block_on(store.close());
        if !seen.wrong.is_empty() {
            let examined = block_on(examine(&SqliteConfig::new(&path)));
            let is_told = examined.is_ok_and(|examined| !examined.findings.is_empty());
            let only_ends = seen.wrong.iter().all(|wrong| wrong.may_be_compared);
            assert!(is_told && only_ends, "{place}: {:?}", seen.wrong);
            told.by_comparing += 1;
        } else if seen.errors > 0 {
            told.by_reads += 1;
        } else {
            told.no_difference += 1;
        }
    }

    fn read_all(&self, store: &SqliteStorage, seen: &mut Seen) {
        let end = Checkpoint::new(CHANGESETS).unwrap();
        seen.compare("the end", false, block_on(store.next_checkpoint()), &end);
        for from in [0, 100, CHANGESETS - 1, CHANGESETS] {
            let start = usize::try_from(from).unwrap();
            let from = Checkpoint::new(from).unwrap();
            let order = follow(from, |from| {
                block_on(store.read_global(from, PageLimit::items(1000)))
            });
            seen.compare("the order", false, order, &self.log[start..].to_vec());
        }
        let filter = Filter::default().event_type("t1").event_type("t4");
        let expected = self
            .log
            .iter()
            .filter(|one| filter.matches(one))
            .cloned()
            .collect();
        let filtered = follow(Checkpoint::FIRST, |from| {
            block_on(store.read_filtered(from, PageLimit::default(), &filter))
        });
        seen.compare("a filtered order", false, filtered, &expected);
        for number in 0..STREAMS {
            self.read_stream(store, &stream(number), seen);
        }
    }

    fn read_stream(&self, store: &SqliteStorage, id: &StreamId, seen: &mut Seen) {
        let of_stream = self.log.iter().filter(|one| one.stream_id == *id);
        let all: Vec<_> = of_stream.cloned().collect();
        let head = block_on(store.head(id));
        seen.compare("a head", true, head, &all.last().map(Changeset::head));
        let backward: Vec<_> = all.iter().rev().cloned().collect();
        let query = StreamQuery::all(id.clone());
        for (query, expected) in [
            (query.clone(), &all[..]),
            (query.clone().direction(Direction::Backward), &backward),
            (query.clone().changesets(20..=30), &all[19..30]),
            (query.clone().changesets(7..=7), &all[6..7]),
            // Each changeset has two events.
            (query.events(31..=60), &all[15..30]),
        ] {
            let read = follow_stream(store, query);
            // It may only seem to end early.
            let ends_early = read.as_ref().is_ok_and(|read| {
                let is_part = |read: &[Changeset]| {
                    expected.windows(read.len().max(1)).any(|part| part == read)
                };
                read.is_empty() || is_part(read)
            });
            seen.compare("a stream", ends_early, read, &expected.to_vec());
        }
    }

    fn find_keys(&self, store: &SqliteStorage, seen: &mut Seen) {
        for one in self.log.iter().filter(|one| one.commit_id.is_clients()) {
            let number = one.stream_id.as_str().rsplit('-').next().unwrap();
            let again = commit(number.parse().unwrap(), 999, one.commit_id.as_str(), "[1]");
            let expected = Outcome::Refused(Refusal::KeyStands(one.changeset_id));
            seen.compare("a key", true, block_on(store.commit(&again)), &expected);
        }
    }
}

/// Reads pages until the end.
fn follow(
    mut from: Checkpoint,
    read: impl Fn(Checkpoint) -> Result<GlobalPage, StorageError>,
) -> Result<Vec<Changeset>, StorageError> {
    let mut all = Vec::new();
    loop {
        let page = read(from)?;
        all.extend(page.changesets);
        if page.next == from || page.next.get() >= CHANGESETS {
            return Ok(all);
        }
        from = page.next;
    }
}

/// The same, of a stream.
fn follow_stream(
    store: &SqliteStorage,
    query: StreamQuery,
) -> Result<Vec<Changeset>, StorageError> {
    let mut all = Vec::new();
    let mut next = Some(query);
    while let Some(query) = next {
        let page = block_on(store.read_stream(&query))?;
        next = query.next_page(&page);
        all.extend(page.items);
    }
    Ok(all)
}

#[derive(Debug)]
struct Wrong {
    _what: &'static str,
    /// The comparison of the file with itself may be what tells it.
    may_be_compared: bool,
}

#[derive(Debug, Default)]
struct Seen {
    errors: u64,
    wrong: Vec<Wrong>,
}

impl Seen {
    fn compare<T: PartialEq>(
        &mut self,
        what: &'static str,
        may_be_compared: bool,
        found: Result<T, StorageError>,
        expected: &T,
    ) {
        match found {
            Ok(found) if found == *expected => {}
            Ok(_) => self.wrong.push(Wrong {
                _what: what,
                may_be_compared,
            }),
            Err(_) => self.errors += 1,
        }
    }
}
