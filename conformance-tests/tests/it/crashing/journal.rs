//! The smallest store that survives SIGKILL: a store in memory, and a file with a line for each
//! commit, from which a start makes the store again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use async_trait::async_trait;
use ees_conformance::Adapter;
use ees_conformance::faults::{Fault, Faulty};
use ees_core::adapter::{Commit, CommitSet, Outcome, SetOutcome, Storage};
use ees_core::{
    Checkpoint, CommitId, Events, Expectation, GlobalPage, Head, Json, Page, PageLimit, Receipt,
    Statistics, StorageError, StreamId, StreamQuery, Timestamp,
};
use ees_memory::MemoryStorage;
use serde_json::{Value, json};
use tokio::sync::RwLock;

use super::mistakes::Mistake;

/// The first line.
const HEADER: &str = "journal\n";

/// How long it takes to write, where that is what a mistake is about.
const MOMENT: Duration = Duration::from_millis(3);

/// The commit at which a process ends.
const BAD_LUCK: u64 = 20;

/// The file. Who reads waits until what is written lasts.
pub(super) struct Journal<M> {
    file: RwLock<Lines<M>>,
}

struct Lines<M> {
    file: File,
    /// What is written with the next line.
    late: String,
    commits: u64,
    mistake: PhantomData<M>,
}

impl<M: Mistake> Journal<M> {
    /// Opens a file, and makes it if there is none.
    pub(super) async fn open(path: &Path) -> Arc<Faulty<Self>> {
        let memory = MemoryStorage::new();
        let lines = found::<M>(path);
        let mut text = HEADER.to_owned();
        for line in &lines {
            let outcome = memory.commit(&commit::<M>(line)).await.expect("a commit");
            assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
            text.extend(["[", line.to_string().as_str(), "]\n"]);
        }
        let file = if M::MADE_IN_STEPS {
            File::create(path).expect("a file")
        } else {
            // A start that is killed leaves the file as it was.
            let beside = path.with_extension("new");
            fs::write(&beside, &text).expect("a file");
            fs::rename(&beside, path).expect("a file");
            OpenOptions::new().append(true).open(path).expect("a file")
        };
        let mut lines = Lines {
            file,
            late: String::new(),
            commits: 0,
            mistake: PhantomData,
        };
        if M::MADE_IN_STEPS {
            sleep(5 * MOMENT);
            lines.file.write_all(text.as_bytes()).expect("a file");
        }
        let journal = Self {
            file: RwLock::new(lines),
        };
        Faulty::new(Arc::new(memory), journal)
    }
}

/// The commits in the whole lines of a file. The commits of a line were stored together.
fn found<M: Mistake>(path: &Path) -> Vec<Value> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => HEADER.to_owned(),
        Err(error) => panic!("{error}"),
    };
    let lines = text.strip_prefix(HEADER).expect("not a journal");
    let whole = lines.rfind('\n').map_or(0, |end| end + 1);
    assert!(
        !M::FAILS_ON_HALF_A_LINE || whole == lines.len(),
        "half a line"
    );
    let lines = lines[..whole].lines();
    let mut lines: Vec<Value> = lines
        .flat_map(|line| serde_json::from_str::<Vec<Value>>(line).unwrap())
        .collect();
    if M::DROPS_THE_LAST {
        lines.pop();
    }
    if M::DOUBLES_THE_LAST
        && let Some(last) = lines.last()
    {
        let mut again = last.clone();
        again["last"] = json!(again["last"].as_u64().unwrap() + 1);
        // The memory beneath would refuse the same key.
        again["commit_id"] = json!(CommitId::generate().as_str());
        lines.push(again);
    }
    if M::REORDERS {
        lines.sort_by_key(|line| line["stream"].as_str().unwrap().to_owned());
    }
    lines
}

fn commit<M: Mistake>(line: &Value) -> Commit {
    let text = |name: &str| line[name].as_str().unwrap();
    let mut commit = Commit {
        stream_id: text("stream").parse().unwrap(),
        expectation: Expectation::LastChangeset(line["last"].as_u64().unwrap()),
        events: Events::parse(text("events")).unwrap(),
        metadata: Json::parse(text("metadata")).unwrap(),
        commit_id: text("commit_id").parse().unwrap(),
        set: line["set"].as_str().map(|set| set.parse().unwrap()),
        timestamp: text("timestamp").parse().unwrap(),
    };
    if M::CHANGES_TIMES {
        commit.timestamp = Timestamp::now();
    }
    if M::FORGETS_KEYS {
        commit.commit_id = CommitId::generate();
    }
    commit
}

impl<M: Mistake> Lines<M> {
    async fn write(&mut self, commits: &[Commit], receipts: &[Receipt]) {
        self.commits += 1;
        if M::ENDS && self.commits == BAD_LUCK {
            std::process::exit(3);
        }
        if M::NEVER_ANSWERS {
            std::future::pending::<()>().await;
        }
        let stored = commits.iter().zip(receipts).map(|(commit, receipt)| {
            json!({
                "stream": commit.stream_id.as_str(),
                "last": receipt.changeset_id.get() - 1,
                "events": commit.events.as_str(),
                "metadata": commit.metadata.as_str(),
                "commit_id": commit.commit_id.as_str(),
                "set": commit.set.map(|set| set.to_string()),
                "timestamp": commit.timestamp.to_string(),
            })
        });
        let mut line = format!("{}\n", stored.collect::<Value>());
        if M::ANSWERS_EARLY {
            line = std::mem::replace(&mut self.late, line);
        }
        if M::SHOWS_EARLY {
            tokio::time::sleep(MOMENT).await;
        }
        if M::FAILS_ON_HALF_A_LINE {
            let half = line.split_off(line.len() / 2);
            self.file.write_all(line.as_bytes()).expect("a line");
            tokio::time::sleep(MOMENT).await;
            line = half;
        }
        self.file.write_all(line.as_bytes()).expect("a line");
    }
}

#[async_trait]
impl<M: Mistake> Fault for Journal<M> {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        let alone = CommitSet::of_one(commit.clone());
        self.commit_set(inner, &alone).await?.into_single()
    }

    async fn commit_set(
        &self,
        inner: &dyn Adapter,
        set: &CommitSet,
    ) -> Result<SetOutcome, StorageError> {
        let mut file = self.file.write().await;
        let outcome = inner.commit_set(set).await?;
        if let SetOutcome::Committed(receipts) = &outcome {
            file.write(&set.commits, receipts).await;
        }
        Ok(outcome)
    }

    async fn head(&self, inner: &dyn Adapter, id: &StreamId) -> Result<Option<Head>, StorageError> {
        let _lasts = self.file.read().await;
        inner.head(id).await
    }

    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<ees_core::Changeset>, StorageError> {
        let _lasts = self.file.read().await;
        inner.read_stream(query).await
    }

    async fn read_global(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        if M::SHOWS_EARLY {
            return inner.read_global(from, limit).await;
        }
        let _lasts = self.file.read().await;
        inner.read_global(from, limit).await
    }

    async fn next_checkpoint(&self, inner: &dyn Adapter) -> Result<Checkpoint, StorageError> {
        let _lasts = self.file.read().await;
        inner.next_checkpoint().await
    }

    async fn swap_statistics(
        &self,
        inner: &dyn Adapter,
        previous: Checkpoint,
        statistics: &Statistics,
    ) -> Result<bool, StorageError> {
        let wrong = Statistics {
            total_events: statistics.total_events + u64::from(M::MISCOUNTS),
            ..*statistics
        };
        inner.swap_statistics(previous, &wrong).await
    }
}
