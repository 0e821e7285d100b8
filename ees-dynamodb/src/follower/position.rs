//! Stores the follower's position in the analysis table.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::types::AttributeValue;
use ees_core::adapter::parse_number;
use ees_core::{StorageError, Written};

use super::frontier::{Frontier, ShardPosition};
use crate::error::translate;
use crate::items::{Item, number, text};
use crate::schema::PROJECTION_ID;
use crate::tables::Tables;

const POSITION: &str = "ees:follower";
const STREAM: &str = "stream";
const SAVED_AT: &str = "saved_at";
const SHARDS: &str = "shards";

/// The marks of a shard of which nothing was read, and of one that was read to the end. Sequence
/// numbers consist of digits.
const START: &str = "start";
const END: &str = "end";

/// A stream keeps its records for 24 hours, so the records after a position older than this may be
/// gone.
const KEPT: Duration = Duration::from_hours(23);

impl Tables {
    /// The saved position of a stream; `None` if there is none, or if it is too old.
    pub(super) async fn position(&self, stream: &str) -> Result<Option<Frontier>, StorageError> {
        let item = self.analysis(POSITION).await?;
        Ok(item.and_then(|item| read(&item, stream, now())))
    }

    pub(super) async fn save_position(
        &self,
        stream: &str,
        frontier: &Frontier,
    ) -> Result<(), StorageError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.config.analysis_table)
            .set_item(Some(item(stream, frontier, now())));
        // A reader may find the old position or the new one; both are correct.
        let saved = put.send().await;
        saved.map_err(|error| translate("PutItem", &error, Written::Unknown))?;
        Ok(())
    }
}

fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

fn item(stream: &str, frontier: &Frontier, now: Duration) -> Item {
    let shards = frontier.positions().map(|(shard, position)| {
        let position = match position {
            ShardPosition::Start => START,
            ShardPosition::After(record) => record,
            ShardPosition::End => END,
        };
        (shard.to_owned(), text(position))
    });
    Item::from([
        (PROJECTION_ID.to_owned(), text(POSITION)),
        (STREAM.to_owned(), text(stream)),
        (SAVED_AT.to_owned(), number(now.as_secs())),
        (SHARDS.to_owned(), AttributeValue::M(shards.collect())),
    ])
}

/// Reads a position. An invalid position counts as none, since it is safe to read records twice.
fn read(item: &Item, stream: &str, now: Duration) -> Option<Frontier> {
    if item.get(STREAM)?.as_s().ok()? != stream {
        return None;
    }
    let saved = Duration::from_secs(parse_number(item.get(SAVED_AT)?.as_n().ok()?)?);
    if now.saturating_sub(saved) > KEPT {
        return None;
    }
    let shards: &HashMap<_, _> = item.get(SHARDS)?.as_m().ok()?;
    let positions = shards.iter().map(|(shard, position)| {
        let position = match position.as_s().ok()?.as_str() {
            START => ShardPosition::Start,
            END => ShardPosition::End,
            record => ShardPosition::After(record.to_owned()),
        };
        Some((shard.clone(), position))
    });
    let positions: Option<Vec<_>> = positions.collect();
    Some(Frontier::new(positions?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_saved_while_the_stream_keeps_its_records() {
        let positions = [
            ("a", ShardPosition::Start),
            ("b", ShardPosition::After("12300000000001".to_owned())),
            ("c", ShardPosition::End),
        ];
        let frontier =
            Frontier::new(positions.map(|(shard, position)| (shard.to_owned(), position)));
        let day = Duration::from_hours(24);
        let saved = item("arn", &frontier, day);
        assert_eq!(read(&saved, "arn", day + KEPT), Some(frontier));
        assert_eq!(read(&saved, "arn", day + day), None, "too long ago");
        assert_eq!(read(&saved, "another", day), None, "of another stream");
    }
}
