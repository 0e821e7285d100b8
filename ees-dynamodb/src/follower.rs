//! Following the events table's stream: what was committed, by whomever.

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
use shards::{Batch, Shards};

/// How many shards are read at the same time.
const AT_ONCE: usize = 8;

/// The least time between two rounds, so that no shard is asked more often than it may be.
const ROUND: Duration = Duration::from_millis(200);

/// How long to wait, after a round that found nothing, for a commit of our own or another round.
const IDLE: Duration = Duration::from_secs(1);

/// How often shards are listed when none ended.
const LISTED_EVERY: Duration = Duration::from_mins(5);

/// How often they are listed while others must come: a new stream's first ones, or children.
const LISTED_AGAIN_EVERY: Duration = Duration::from_secs(2);

/// The least time between two saves of the position.
const SAVED_EVERY: Duration = Duration::from_secs(5);

/// The time between two saves of the same position, so that it is known not to be old.
const SAVED_AGAIN_EVERY: Duration = Duration::from_hours(1);

/// Reads the events table's stream from where it was left, through splits of its shards.
///
/// The stream tells of a commit for a day. It has room for two readers; more are throttled. The
/// position is saved in the analysis table, every few seconds.
#[derive(Debug)]
pub struct Follower {
    storage: Arc<DynamoStorage>,
    shards: Shards,
    frontier: Frontier,
    saved: Frontier,
    /// Shards that wait for their turn in a round.
    turn: Vec<String>,
    /// Commits may be forgotten, and nobody was told yet.
    gap: bool,
    /// Whoever was told has not closed the gap yet.
    gap_open: bool,
    /// Whether this round found anything.
    found: bool,
    begun: Option<Instant>,
    listed: Option<Instant>,
    last_save: Option<Instant>,
}

impl Follower {
    /// Goes on at the position that was saved last, in whichever process; else, or if that was 23
    /// hours ago, with the oldest record that the stream still has, and tells of a gap.
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
    /// Waits for the next round, if one is over.
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

    /// Takes what a round read. A shard that failed is read again later; the error is told only
    /// where there is nothing else to tell.
    fn take(
        &mut self,
        reads: Vec<(String, Result<Batch, StorageError>)>,
    ) -> Result<Committed, StorageError> {
        let mut committed = Vec::new();
        let mut failed = None;
        for (shard, read) in reads {
            match read {
                Ok(Batch::Records { keys, last }) => {
                    committed.extend(keys);
                    if let Some(last) = last {
                        self.frontier.reach(&shard, ShardPosition::After(last));
                    }
                }
                Ok(Batch::End { keys }) => {
                    committed.extend(keys);
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
        self.found |= !committed.is_empty() || self.listed.is_none();
        match failed {
            Some(error) if committed.is_empty() => Err(error),
            _ => Ok(Committed {
                keys: committed,
                gap: std::mem::take(&mut self.gap),
            }),
        }
    }
}
