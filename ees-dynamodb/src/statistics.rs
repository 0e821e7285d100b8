//! The port that stores the statistics, in an item of the analysis table.

use async_trait::async_trait;
use ees_core::adapter::StatisticsStore;
use ees_core::{Checkpoint, MAX_ID, Statistics, StorageError};

use crate::DynamoStorage;
use crate::items::{Item, number, text};
use crate::schema::PROJECTION_ID;
use crate::tables::{Guard, count};

const STATISTICS: &str = "ees:statistics";
const VERSION: &str = "version";

/// The attribute names of the counts, in the order of [`counts`].
const COUNTS: [&str; 4] = [
    "total_streams",
    "total_changesets",
    "total_events",
    "max_stream_length",
];

#[async_trait]
impl StatisticsStore for DynamoStorage {
    async fn load_statistics(&self) -> Result<Statistics, StorageError> {
        let _open = self.enter().await?;
        let Some(item) = self.tables.analysis(STATISTICS).await? else {
            return Ok(Statistics::default());
        };
        statistics(&item).ok_or_else(|| self.tables.malformed(STATISTICS))
    }

    async fn swap_statistics(
        &self,
        previous: Checkpoint,
        statistics: &Statistics,
    ) -> Result<bool, StorageError> {
        let _open = self.enter().await?;
        let mut item = Item::from([
            (PROJECTION_ID.to_owned(), text(STATISTICS)),
            (VERSION.to_owned(), number(statistics.version.get())),
        ]);
        for (name, count) in COUNTS.into_iter().zip(counts(statistics)) {
            item.insert(name.to_owned(), number(count.min(MAX_ID)));
        }
        let guard = match previous {
            Checkpoint::FIRST => Guard::AbsentOrNumber(VERSION, 0),
            previous => Guard::Number(VERSION, previous.get()),
        };
        self.tables.swap(guard, item).await
    }
}

fn counts(statistics: &Statistics) -> [u64; 4] {
    [
        statistics.total_streams,
        statistics.total_changesets,
        statistics.total_events,
        statistics.max_stream_length,
    ]
}

fn statistics(item: &Item) -> Option<Statistics> {
    let [streams, changesets, events, length] = COUNTS.map(|name| count(item, name));
    Some(Statistics {
        version: Checkpoint::new(count(item, VERSION)?).ok()?,
        total_streams: streams?,
        total_changesets: changesets?,
        total_events: events?,
        max_stream_length: length?,
    })
}
