//! A table as the Python original makes and fills it: its definition, what its API writes, and its
//! indexer step by step, which may stop between any two.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::create_table::CreateTableInput;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
    KeyType, LocalSecondaryIndex, Projection, ProjectionType, ScalarAttributeType,
    StreamSpecification, StreamViewType,
};
use ees_dynamodb::{DynamoConfig, schema};

use crate::store::{config, sdk};

const COUNTER: &str = "!!!RESERVED:GLOBAL-COUNTER!!!";

pub(crate) struct Original {
    pub(crate) config: DynamoConfig,
    client: Client,
}

/// A position: page and item.
pub(crate) type Position = (u64, u64);

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(number: impl std::fmt::Display + Copy) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn keys(partition: &str, sort: &str) -> Vec<KeySchemaElement> {
    let keys = [(partition, KeyType::Hash), (sort, KeyType::Range)];
    let key = |(name, of)| {
        let key = KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(of);
        key.build().unwrap()
    };
    keys.map(key).into()
}

fn all() -> Projection {
    let all = Projection::builder().projection_type(ProjectionType::All);
    all.build()
}

impl Original {
    /// Makes its table, and an analysis table with the key that both share.
    pub(crate) async fn deploy(endpoint: &str) -> Self {
        let mut config = config(endpoint);
        config.indexes.enumeration = "EmumerationIndex".into();
        let client = Client::new(&sdk(&config).await);
        let mut table = CreateTableInput::builder()
            .table_name(&config.events_table)
            .billing_mode(BillingMode::PayPerRequest)
            .set_key_schema(Some(keys("stream_id", "changeset_id")));
        for (name, of) in [
            ("stream_id", ScalarAttributeType::S),
            ("changeset_id", ScalarAttributeType::N),
            ("first_event_id", ScalarAttributeType::N),
            ("last_event_id", ScalarAttributeType::N),
            ("page", ScalarAttributeType::N),
            ("page_item", ScalarAttributeType::N),
        ] {
            let attribute = AttributeDefinition::builder().attribute_name(name);
            table = table.attribute_definitions(attribute.attribute_type(of).build().unwrap());
        }
        for (name, sort) in [
            ("LastEventId", "last_event_id"),
            ("FirstEventId", "first_event_id"),
        ] {
            let index = LocalSecondaryIndex::builder()
                .index_name(name)
                .projection(all());
            let index = index.set_key_schema(Some(keys("stream_id", sort)));
            table = table.local_secondary_indexes(index.build().unwrap());
        }
        let order = GlobalSecondaryIndex::builder().index_name("EmumerationIndex");
        let order = order
            .projection(all())
            .set_key_schema(Some(keys("page", "page_item")));
        let stream = StreamSpecification::builder().stream_enabled(true);
        let stream = stream
            .stream_view_type(StreamViewType::NewImage)
            .build()
            .unwrap();
        let table = table.global_secondary_indexes(order.build().unwrap());
        table
            .stream_specification(stream)
            .send_with(&client)
            .await
            .unwrap();
        let analysis = schema::analysis_table(&config).unwrap();
        let table = CreateTableInput::builder()
            .set_table_name(analysis.table_name)
            .set_attribute_definitions(analysis.attribute_definitions)
            .set_key_schema(analysis.key_schema)
            .set_billing_mode(analysis.billing_mode);
        table.send_with(&client).await.unwrap();
        Self { config, client }
    }

    /// Appends a changeset of so many events, of which the first is this one.
    pub(crate) async fn append(&self, stream: &str, id: u64, first: u64, events: u64) {
        let array = vec![r#"{"type": "sold", "price": 1.10}"#; usize::try_from(events).unwrap()];
        let put = self
            .client
            .put_item()
            .table_name(&self.config.events_table)
            .item("stream_id", text(stream))
            .item("changeset_id", number(id))
            .item("metadata", text(r#"{"by": "the original"}"#))
            .item("events", text(&format!("[{}]", array.join(", "))))
            .item("first_event_id", number(first))
            .item("last_event_id", number(first + events - 1))
            .item("timestamp", text("2021-01-05T13:15:30.123456Z"));
        put.send().await.unwrap();
    }

    /// Puts its counter at a position that it gives away, whether it was at the one before or not.
    pub(crate) async fn give(&self, position: Position, stream: &str, id: u64) {
        let put = self
            .client
            .put_item()
            .table_name(&self.config.events_table)
            .item("stream_id", text(COUNTER))
            .item("changeset_id", number(0))
            .item("page", number(position.0))
            .item("page_item", number(position.1))
            .item("prev_stream_id", text(stream))
            .item("prev_changeset_id", number(0))
            .item("prev_stream_changeset_id", number(id));
        put.send().await.unwrap();
    }

    /// Its counter before the first position.
    pub(crate) async fn begin_counting(&self) {
        let put = self
            .client
            .put_item()
            .table_name(&self.config.events_table)
            .item("stream_id", text(COUNTER))
            .item("changeset_id", number(0))
            .item("page", number(0))
            .item("page_item", number(-1))
            .item("prev_stream_id", text(""))
            .item("prev_changeset_id", number(0));
        put.send().await.unwrap();
    }

    /// Writes a position, whether there is such a changeset or not.
    pub(crate) async fn write(&self, position: Position, stream: &str, id: u64) {
        let update = self
            .client
            .update_item()
            .table_name(&self.config.events_table)
            .key("stream_id", text(stream))
            .key("changeset_id", number(id))
            .update_expression("SET #page = :page, page_item = :item")
            .condition_expression("attribute_not_exists(#page)")
            .expression_attribute_names("#page", "page")
            .expression_attribute_values(":page", number(position.0))
            .expression_attribute_values(":item", number(position.1));
        update.send().await.unwrap();
    }

    /// Gives a position and writes it.
    pub(crate) async fn index(&self, position: Position, stream: &str, id: u64) {
        self.give(position, stream, id).await;
        self.write(position, stream, id).await;
    }

    /// Whether its indexer could still take the next position.
    pub(crate) async fn can_count(&self) -> bool {
        let get = self.client.get_item().table_name(&self.config.events_table);
        let get = get
            .key("stream_id", text(COUNTER))
            .key("changeset_id", number(0));
        let counter = get.send().await.unwrap().item.unwrap();
        counter.contains_key("page")
    }
}
