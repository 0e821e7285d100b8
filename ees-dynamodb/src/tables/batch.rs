//! Reads many items by key.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::KeysAndAttributes;
use ees_core::adapter::ChangesetKey;
use ees_core::{StorageError, Written};

use crate::error::translate;
use crate::items::{self, Item};
use crate::tables::Tables;

/// How many answers in a row may contain none of the requested items.
const MAX_IDLE: u32 = 5;

/// Half the longest pause after the first such answer. The pause doubles with each further answer.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The part of an item that is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    /// The whole item.
    Whole,
    /// Everything except the payload.
    Numbers,
    /// The key, the commit id and the set mark.
    CommitId,
}

impl Tables {
    /// Reads items by key with consistent reads, in as many requests as DynamoDB needs.
    pub(crate) async fn batch(
        &self,
        keys: &[ChangesetKey],
        part: Part,
    ) -> Result<HashMap<ChangesetKey, Item>, StorageError> {
        self.batch_get(ask(keys, part, true)?).await
    }

    /// Reads whole items by key with eventually consistent reads, which cost half. They may show an
    /// earlier state of an item.
    pub(crate) async fn batch_lately(
        &self,
        keys: &[ChangesetKey],
    ) -> Result<HashMap<ChangesetKey, Item>, StorageError> {
        self.batch_get(ask(keys, Part::Whole, false)?).await
    }

    async fn batch_get(
        &self,
        mut asked: KeysAndAttributes,
    ) -> Result<HashMap<ChangesetKey, Item>, StorageError> {
        let table = &self.config.events_table;
        let mut found = HashMap::new();
        let mut idle = 0;
        while !asked.keys().is_empty() {
            let get = self.client.batch_get_item().request_items(table, asked);
            let answer = get.send().await;
            let answer =
                answer.map_err(|error| translate("BatchGetItem", &error, Written::None))?;
            let before = found.len();
            for item in answer
                .responses
                .into_iter()
                .flat_map(HashMap::into_values)
                .flatten()
            {
                found.insert(items::key_of(&item)?, item);
            }
            let rest = answer.unprocessed_keys;
            let Some(rest) = rest.and_then(|mut rest| rest.remove(table)) else {
                break;
            };
            asked = rest;
            idle = if found.len() > before { 0 } else { idle + 1 };
            pause(idle).await?;
        }
        Ok(found)
    }
}

fn ask(
    keys: &[ChangesetKey],
    part: Part,
    consistent: bool,
) -> Result<KeysAndAttributes, StorageError> {
    let keys: HashSet<&ChangesetKey> = keys.iter().collect();
    let keys = keys.into_iter().map(items::key).collect();
    let mut asked = KeysAndAttributes::builder()
        .consistent_read(consistent)
        .set_keys(Some(keys));
    asked = match part {
        Part::Whole => asked,
        Part::Numbers => asked
            .projection_expression(items::WITHOUT_PAYLOAD)
            .expression_attribute_names("#timestamp", items::TIMESTAMP)
            .expression_attribute_names("#page", items::PAGE),
        Part::CommitId => asked.projection_expression(items::WITH_COMMIT_ID),
    };
    let asked = asked.build();
    asked.map_err(|error| StorageError::Backend(Arc::new(error)))
}

/// Waits a random part of a time that doubles with each empty answer. Fails after [`MAX_IDLE`] such
/// answers.
pub(crate) async fn pause(idle: u32) -> Result<(), StorageError> {
    if idle > MAX_IDLE {
        let reason = "DynamoDB throttles BatchGetItem";
        return Err(StorageError::unavailable(reason, Written::None));
    }
    if idle > 0 {
        let longest = FIRST_PAUSE * (1 << idle);
        // The keys of a hasher are random enough to separate callers that collided.
        let thousandths = u32::try_from(RandomState::new().hash_one(idle) % 1000).unwrap_or(0);
        tokio::time::sleep(longest * thousandths / 1000).await;
    }
    Ok(())
}
