//! A plain indexer, like the Python original's. It indexes one changeset at a time, with four reads
//! and two writes one after another. It exists for the comparison and is not safe.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use ees_core::adapter::ChangesetKey;
use ees_dynamodb::{DynamoConfig, SdkConfig};

/// The positions in a page of its index.
const INDEX_PAGE: u64 = 1000;

type Key = HashMap<String, AttributeValue>;

/// The plain indexer.
pub(super) struct Sequential {
    client: Client,
    config: DynamoConfig,
    next: u64,
}

fn key(stream: &str, changeset: u64) -> Key {
    Key::from([
        ("stream_id".to_owned(), AttributeValue::S(stream.to_owned())),
        ("changeset_id".to_owned(), number(changeset)),
    ])
}

fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

impl Sequential {
    /// Creates the indexer at the first position.
    pub(super) fn new(sdk: &SdkConfig, config: &DynamoConfig) -> Self {
        Self {
            client: Client::new(sdk),
            config: config.clone(),
            next: 0,
        }
    }

    /// Reads the counter, the changeset indexed last, the next changeset and its predecessor.
    /// Writes the counter and the position.
    pub(super) async fn index(&mut self, changeset: &ChangesetKey) {
        let counter = key("!!!RESERVED:GLOBAL-COUNTER!!!", 0);
        let this = key(changeset.stream_id.as_str(), changeset.changeset_id.get());
        let before = key(
            changeset.stream_id.as_str(),
            changeset.changeset_id.get() - 1,
        );
        self.get(&counter).await;
        self.newest().await;
        self.get(&this).await;
        self.get(&before).await;
        let position = self.next;
        self.next += 1;
        self.set_position(&counter, position).await;
        self.set_position(&this, position).await;
    }

    async fn get(&self, key: &Key) {
        let get = self.client.get_item().table_name(&self.config.events_table);
        let get = get.set_key(Some(key.clone())).consistent_read(true);
        get.send().await.unwrap();
    }

    async fn newest(&self) {
        self.client
            .query()
            .table_name(&self.config.events_table)
            .index_name(&self.config.indexes.enumeration)
            .key_condition_expression("#page = :page")
            .expression_attribute_names("#page", "page")
            .expression_attribute_values(":page", number(self.next / INDEX_PAGE))
            .scan_index_forward(false)
            .limit(1)
            .send()
            .await
            .unwrap();
    }

    async fn set_position(&self, key: &Key, position: u64) {
        self.client
            .update_item()
            .table_name(&self.config.events_table)
            .set_key(Some(key.clone()))
            .update_expression("SET #page = :page, page_item = :item")
            .expression_attribute_names("#page", "page")
            .expression_attribute_values(":page", number(position / INDEX_PAGE))
            .expression_attribute_values(":item", number(position % INDEX_PAGE))
            .send()
            .await
            .unwrap();
    }
}
