//! The definition of the tables, from which they are created and checked.

use aws_sdk_dynamodb::operation::create_table::CreateTableInput;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableInputBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
    LocalSecondaryIndex, Projection, ProjectionType, ScalarAttributeType, StreamSpecification,
    StreamViewType,
};

use crate::items::{CHANGESET_ID, FIRST_EVENT_ID, LAST_EVENT_ID, PAGE, PAGE_ITEM, STREAM_ID};
use crate::{DynamoConfig, IndexPageSize};

pub(crate) mod check;

/// The partition key of the analysis table.
pub(crate) const PROJECTION_ID: &str = "projection_id";

/// What is open to choice when tables are created. It cannot be changed afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableOptions {
    /// Whether streams have local indexes by the ids of their events. Default: true. Without them a
    /// commit costs two write units less and a stream has no size limit. The head of a stream and a
    /// changeset by its event cost reads of whole changesets.
    pub local_indexes: bool,
    /// The positions in a page of the global index. Default: [`IndexPageSize::DEFAULT`].
    pub index_page: IndexPageSize,
}

impl Default for TableOptions {
    fn default() -> Self {
        Self {
            local_indexes: true,
            index_page: IndexPageSize::DEFAULT,
        }
    }
}

type Built<T> = Result<T, aws_sdk_dynamodb::error::BuildError>;

/// The definition of the events table, as `CreateTable` takes it.
///
/// # Errors
/// [`BuildError`](aws_sdk_dynamodb::error::BuildError) never, as all is given that is needed.
pub fn events_table(config: &DynamoConfig, options: TableOptions) -> Built<CreateTableInput> {
    events(config, options)?.build()
}

/// The definition of the analysis table, as `CreateTable` takes it.
///
/// # Errors
/// [`BuildError`](aws_sdk_dynamodb::error::BuildError) never, as all is given that is needed.
pub fn analysis_table(config: &DynamoConfig) -> Built<CreateTableInput> {
    analysis(config)?.build()
}

pub(crate) fn events(
    config: &DynamoConfig,
    options: TableOptions,
) -> Built<CreateTableInputBuilder> {
    use ScalarAttributeType::{N, S};
    let names = &config.indexes;
    let stream = StreamSpecification::builder()
        .stream_enabled(true)
        .stream_view_type(StreamViewType::NewImage);
    let order = GlobalSecondaryIndex::builder()
        .index_name(&names.enumeration)
        .set_key_schema(Some(keys(PAGE, Some(PAGE_ITEM))?))
        .projection(projection(ProjectionType::KeysOnly));
    let definition = CreateTableInput::builder()
        .table_name(&config.events_table)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute(STREAM_ID, S)?)
        .attribute_definitions(attribute(CHANGESET_ID, N)?)
        .attribute_definitions(attribute(PAGE, N)?)
        .attribute_definitions(attribute(PAGE_ITEM, N)?)
        .set_key_schema(Some(keys(STREAM_ID, Some(CHANGESET_ID))?))
        .global_secondary_indexes(order.build()?)
        .stream_specification(stream.build()?);
    if !options.local_indexes {
        return Ok(definition);
    }
    Ok(definition
        .attribute_definitions(attribute(FIRST_EVENT_ID, N)?)
        .attribute_definitions(attribute(LAST_EVENT_ID, N)?)
        .local_secondary_indexes(by_event(&names.first_event, FIRST_EVENT_ID)?)
        .local_secondary_indexes(by_event(&names.last_event, LAST_EVENT_ID)?))
}

pub(crate) fn analysis(config: &DynamoConfig) -> Built<CreateTableInputBuilder> {
    Ok(CreateTableInput::builder()
        .table_name(&config.analysis_table)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute(PROJECTION_ID, ScalarAttributeType::S)?)
        .set_key_schema(Some(keys(PROJECTION_ID, None)?)))
}

fn by_event(name: &str, attribute: &str) -> Built<LocalSecondaryIndex> {
    LocalSecondaryIndex::builder()
        .index_name(name)
        .set_key_schema(Some(keys(STREAM_ID, Some(attribute))?))
        .projection(projection(ProjectionType::KeysOnly))
        .build()
}

fn projection(of: ProjectionType) -> Projection {
    Projection::builder().projection_type(of).build()
}

fn attribute(name: &str, of: ScalarAttributeType) -> Built<AttributeDefinition> {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(of)
        .build()
}

fn keys(partition: &str, sort: Option<&str>) -> Built<Vec<KeySchemaElement>> {
    let key = |name, of| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(of)
            .build()
    };
    let mut keys = vec![key(partition, KeyType::Hash)?];
    if let Some(sort) = sort {
        keys.push(key(sort, KeyType::Range)?);
    }
    Ok(keys)
}
