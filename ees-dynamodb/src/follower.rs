//! Follows the events table's stream, which notifies of the commits of all processes.

mod frontier;
mod position;
mod shards;
mod source;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_dynamodbstreams::Client as StreamsClient;
use ees_core::StorageError;
use ees_core::adapter::{CommitFeed, Committed};
use futures_util::StreamExt;
use futures_util::stream::iter;

use crate::DynamoStorage;
use frontier::{Frontier, ShardPosition};
use shards::{Batch, Commits, Shards};

/// The maximum number of shards that are read at the same time.
const AT_ONCE: usize = 8;

/// The minimum time between two rounds of reads, so that no shard is read more often than DynamoDB
/// allows.
const ROUND: Duration = Duration::from_millis(200);

/// How long to wait after a round that found nothing. A commit of the same process ends the wait.
const IDLE: Duration = Duration::from_secs(1);

/// How often the shards are listed if none has ended.
const LISTED_EVERY: Duration = Duration::from_mins(5);

/// How often the shards are listed while new ones are expected: the first shards of a new stream,
/// or the children of a shard that has ended.
const LISTED_AGAIN_EVERY: Duration = Duration::from_secs(2);

/// The minimum time between two saves of the position.
const SAVED_EVERY: Duration = Duration::from_secs(5);

/// The time between two saves of an unchanged position. They show that the position is not old.
const SAVED_AGAIN_EVERY: Duration = Duration::from_hours(1);

/// Reads the events table's stream from the saved position, through splits of its shards.
///
/// The stream keeps records for 24 hours. It supports two readers; DynamoDB throttles more. The
/// follower saves its position in the analysis table every few seconds.
#[derive(Debug)]
pub struct Follower {
    storage: Arc<DynamoStorage>,
    shards: Shards,
    frontier: Frontier,
    saved: Frontier,
    /// The shards that remain to be read in this round.
    turn: Vec<String>,
    /// The stream may have lost records, and `next` has not reported the gap yet.
    gap: bool,
    /// The caller has not closed a reported gap yet.
    gap_open: bool,
    /// Whether this round found commits or new shards.
    found: bool,
    begun: Option<Instant>,
    listed: Option<Instant>,
    last_save: Option<Instant>,
}

impl Follower {
    /// Continues at the last saved position, which any process may have saved. If there is none, or
    /// if it is older than 23 hours, begins at the oldest record of the stream and reports a gap.
    ///
    /// # Errors
    /// [`StorageError`] if DynamoDB fails.
    pub async fn open(storage: Arc<DynamoStorage>, sdk: &SdkConfig) -> Result<Self, StorageError> {
        let stream_arn = storage.stream_arn();
        let position = storage.tables.position(stream_arn).await?;
        let gap = position.is_none();
        let frontier = position.unwrap_or_default();
        Ok(Self {
            shards: Shards::new(StreamsClient::new(sdk), stream_arn),
            storage,
            saved: frontier.clone(),
            frontier,
            turn: Vec::new(),
            gap,
            gap_open: gap,
            found: true,
            begun: None,
            listed: None,
            last_save: None,
        })
    }
}

#[async_trait]
impl CommitFeed for Follower {
    async fn next(&mut self) -> Result<Committed, StorageError> {
        self.wait().await;
        let every = if self.frontier.is_open() {
            LISTED_EVERY
        } else {
            LISTED_AGAIN_EVERY
        };
        if self.listed.is_none_or(|listed| listed.elapsed() >= every) {
            self.list().await?;
        }
        if self.turn.is_empty() {
            self.turn = self.frontier.open().map(str::to_owned).collect();
        }
        let rest = self.turn.split_off(self.turn.len().min(AT_ONCE));
        let turn = std::mem::replace(&mut self.turn, rest);
        let positions = turn.into_iter().filter_map(|shard| {
            let position = self.frontier.position(&shard)?.clone();
            Some((shard, position))
        });
        let reads = positions.map(|(shard, position)| self.shards.read(shard, position));
        let reads: Vec<_> = iter(reads).buffer_unordered(AT_ONCE).collect().await;
        self.take(reads)
    }

    async fn done(&mut self) -> Result<(), StorageError> {
        let every = if self.saved == self.frontier {
            SAVED_AGAIN_EVERY
        } else {
            SAVED_EVERY
        };
        let is_due = self.last_save.is_none_or(|last| last.elapsed() >= every);
        if !is_due || self.gap_open {
            return Ok(());
        }
        let tables = &self.storage.tables;
        tables
            .save_position(self.storage.stream_arn(), &self.frontier)
            .await?;
        self.saved = self.frontier.clone();
        self.last_save = Some(Instant::now());
        Ok(())
    }

    fn close_gap(&mut self) {
        self.gap_open = self.gap;
    }
}

impl Follower {
    /// Waits for the next round if the current one is complete.
    async fn wait(&mut self) {
        if !self.turn.is_empty() {
            return;
        }
        let heard = self.storage.news.listen();
        if let Some(begun) = self.begun {
            tokio::time::sleep(ROUND.saturating_sub(begun.elapsed())).await;
        }
        if !self.found {
            let _ = tokio::time::timeout(IDLE, heard).await;
        }
        (self.begun, self.found) = (Some(Instant::now()), false);
    }

    async fn list(&mut self) -> Result<(), StorageError> {
        let listed = self.shards.list().await?;
        if self.frontier.update(&listed) {
            self.forgot();
        }
        self.listed = Some(Instant::now());
        Ok(())
    }

    fn forgot(&mut self) {
        (self.gap, self.gap_open) = (true, true);
    }

    /// Takes the results of the reads. A failed shard is read again later. The error is returned
    /// only if the other shards returned no commits.
    fn take(
        &mut self,
        reads: Vec<(String, Result<Batch, StorageError>)>,
    ) -> Result<Committed, StorageError> {
        let mut committed = Commits::default();
        let mut failed = None;
        for (shard, read) in reads {
            match read {
                Ok(Batch::Records { commits, last }) => {
                    committed.add(commits);
                    if let Some(last) = last {
                        self.frontier.reach(&shard, ShardPosition::After(last));
                    }
                }
                Ok(Batch::End { commits }) => {
                    committed.add(commits);
                    self.frontier.reach(&shard, ShardPosition::End);
                    self.listed = None;
                }
                Ok(Batch::Forgotten) => {
                    self.frontier.reach(&shard, ShardPosition::Start);
                    self.forgot();
                    self.listed = None;
                }
                Err(error) => failed = Some(error),
            }
        }
        self.found |= !committed.keys.is_empty() || self.listed.is_none();
        match failed {
            Some(error) if committed.keys.is_empty() => Err(error),
            _ => Ok(Committed {
                keys: committed.keys,
                oldest: committed.oldest,
                gap: std::mem::take(&mut self.gap),
            }),
        }
    }
}
