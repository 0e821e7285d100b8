//! Which tables are opened, and what is said about the others.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableInputBuilder;
use aws_sdk_dynamodb::types::{
    GlobalSecondaryIndex, KeySchemaElement, KeyType, LocalSecondaryIndex, Projection,
    ProjectionType, StreamSpecification,
};
use ees_core::adapter::Storage;
use ees_dynamodb::schema::TableOptions;
use ees_dynamodb::{Admin, DynamoConfig, DynamoStorage, OpenError, SdkConfig, schema};
use ees_dynamodb_testkit::{Call, Emulator, Fate, Plan, Proxy};

use crate::store::{commit, config, create, open, sdk};

async fn refused(config: &DynamoConfig) -> OpenError {
    let sdk = sdk(config).await;
    DynamoStorage::open(config, &sdk)
        .await
        .expect_err("a refusal")
}

/// Makes the tables by hand, the events table with something changed.
async fn tables(
    config: &DynamoConfig,
    change: impl FnOnce(CreateTableInputBuilder) -> CreateTableInputBuilder,
) {
    let client = Client::new(&sdk(config).await);
    let events = schema::events_table(config, TableOptions::default()).unwrap();
    let definition = CreateTableInputBuilder::default()
        .set_table_name(events.table_name)
        .set_attribute_definitions(events.attribute_definitions)
        .set_key_schema(events.key_schema)
        .set_local_secondary_indexes(events.local_secondary_indexes)
        .set_global_secondary_indexes(events.global_secondary_indexes)
        .set_billing_mode(events.billing_mode)
        .set_stream_specification(events.stream_specification);
    change(definition).send_with(&client).await.unwrap();
    let analysis = schema::analysis_table(config).unwrap();
    let definition = CreateTableInputBuilder::default()
        .set_table_name(analysis.table_name)
        .set_attribute_definitions(analysis.attribute_definitions)
        .set_key_schema(analysis.key_schema)
        .set_billing_mode(analysis.billing_mode);
    definition.send_with(&client).await.unwrap();
}

/// Makes tables whose global index holds whole changesets.
pub(crate) async fn tables_with_whole_index(config: &DynamoConfig) {
    let whole = order("EnumerationIndex", ProjectionType::All);
    tables(config, |table| {
        table.set_global_secondary_indexes(Some(vec![whole]))
    })
    .await;
}

/// Makes tables as the Python original had them: all indexes hold whole changesets.
pub(crate) async fn tables_with_whole_indexes(config: &DynamoConfig) {
    let whole = ProjectionType::All;
    let local = [
        by_event("FirstEventId", "first_event_id", whole.clone()),
        by_event("LastEventId", "last_event_id", whole.clone()),
    ];
    tables(config, |table| {
        table
            .set_global_secondary_indexes(Some(vec![order("EnumerationIndex", whole)]))
            .set_local_secondary_indexes(Some(local.into()))
    })
    .await;
}

fn key(name: &str, of: KeyType) -> KeySchemaElement {
    let key = KeySchemaElement::builder()
        .attribute_name(name)
        .key_type(of);
    key.build().unwrap()
}

fn projection(of: ProjectionType) -> Projection {
    let is_some = of == ProjectionType::Include;
    let projection = Projection::builder().projection_type(of);
    let attributes = is_some.then(|| vec!["events".to_owned()]);
    projection.set_non_key_attributes(attributes).build()
}

fn order(name: &str, holds: ProjectionType) -> GlobalSecondaryIndex {
    let keys = vec![key("page", KeyType::Hash), key("page_item", KeyType::Range)];
    let index = GlobalSecondaryIndex::builder().index_name(name);
    let index = index
        .set_key_schema(Some(keys))
        .projection(projection(holds));
    index.build().unwrap()
}

fn by_event(name: &str, attribute: &str, holds: ProjectionType) -> LocalSecondaryIndex {
    let keys = vec![
        key("stream_id", KeyType::Hash),
        key(attribute, KeyType::Range),
    ];
    let index = LocalSecondaryIndex::builder().index_name(name);
    let index = index
        .set_key_schema(Some(keys))
        .projection(projection(holds));
    index.build().unwrap()
}

/// Each part of what is said about a table.
fn assert_says(error: &OpenError, parts: &[&str]) {
    let said = error.to_string();
    for part in parts {
        assert!(said.contains(part), "no `{part}` in: {said}");
    }
}

#[tokio::test]
async fn missing_tables_are_named_with_the_command_that_makes_them() {
    let emulator = Emulator::start().expect("an emulator");
    let config = config(emulator.endpoint());
    let error = refused(&config).await;
    let command = format!("ees admin create-tables --storage '{config}");
    assert_says(
        &error,
        &[&config.events_table, "no such table", "us-east-1", &command],
    );
    create(&config).await;
    open(&config).await;
    create(&config).await;
    let client = Client::new(&sdk(&config).await);
    let delete = client.delete_table().table_name(&config.analysis_table);
    delete.send().await.unwrap();
    let error = refused(&config).await;
    assert_says(
        &error,
        &[&config.analysis_table, "no such table", "create-tables"],
    );
}

#[tokio::test]
async fn a_table_with_another_key_is_refused() {
    let emulator = Emulator::start().expect("an emulator");
    let mut config = config(emulator.endpoint());
    create(&config).await;
    std::mem::swap(&mut config.events_table, &mut config.analysis_table);
    let error = refused(&config).await;
    assert_says(
        &error,
        &[
            "projection_id S HASH",
            "stream_id S HASH, changeset_id N RANGE",
        ],
    );
}

#[tokio::test]
async fn indexes_are_found_by_the_names_they_have() {
    let emulator = Emulator::start().expect("an emulator");
    let mut config = config(emulator.endpoint());
    let other = order("EmumerationIndex", ProjectionType::All);
    tables(&config, |table| {
        table.set_global_secondary_indexes(Some(vec![other]))
    })
    .await;
    let error = refused(&config).await;
    assert_says(
        &error,
        &["`EnumerationIndex`", "only the indexes EmumerationIndex"],
    );
    assert_says(&error, &["enumeration_index=EmumerationIndex"]);
    config.indexes.enumeration = "EmumerationIndex".to_owned();
    open(&config).await;
    config.indexes.last_event = "Last".to_owned();
    let error = refused(&config).await;
    assert_says(
        &error,
        &["`Last`", "FirstEventId, LastEventId", "last_event_index="],
    );
    config.indexes.last_event = "FirstEventId".to_owned();
    let error = refused(&config).await;
    assert_says(
        &error,
        &["found index `FirstEventId` (stream_id S HASH, first_event_id N RANGE)"],
    );
}

#[tokio::test]
async fn an_index_that_lacks_what_readers_need_is_refused() {
    let emulator = Emulator::start().expect("an emulator");
    let config = config(emulator.endpoint());
    let some = order("EnumerationIndex", ProjectionType::Include);
    tables(&config, |table| {
        table.set_global_secondary_indexes(Some(vec![some]))
    })
    .await;
    let error = refused(&config).await;
    let expected = "expected projection KEYS_ONLY or ALL";
    assert_says(&error, &["projection INCLUDE", expected]);
}

#[tokio::test]
async fn a_table_without_a_stream_is_refused() {
    let emulator = Emulator::start().expect("an emulator");
    let config = config(emulator.endpoint());
    let off = StreamSpecification::builder().stream_enabled(false).build();
    tables(&config, |table| table.set_stream_specification(off.ok())).await;
    let error = refused(&config).await;
    assert_says(
        &error,
        &["no stream", "NEW_IMAGE", "aws dynamodb update-table"],
    );
}

/// Local indexes that hold all of a changeset take its size once more each.
#[tokio::test]
async fn the_largest_changeset_is_what_the_indexes_leave_room_for() {
    let emulator = Emulator::start().expect("an emulator");
    let plain = config(emulator.endpoint());
    create(&plain).await;
    assert_eq!(open(&plain).await.max_changeset_bytes(), 396 * 1024);
    let copies = config(emulator.endpoint());
    let indexes = vec![
        by_event("FirstEventId", "first_event_id", ProjectionType::All),
        by_event("LastEventId", "last_event_id", ProjectionType::All),
    ];
    tables(&copies, |table| {
        table.set_local_secondary_indexes(Some(indexes))
    })
    .await;
    let limit = open(&copies).await.max_changeset_bytes();
    assert_eq!(limit, 392 * 1024 / 3);
    let largest = 9 + 1024 + 12 + 21 + 6 + 8 + 36 + 35 + 34 + 25 + 30 + 264;
    assert!(3 * (limit + largest + 100) <= 400 * 1024, "as AWS counts");
}

/// Nothing is made silently where changesets stand.
#[tokio::test]
async fn changesets_without_a_state_are_not_opened() {
    let emulator = Emulator::start().expect("an emulator");
    let config = config(emulator.endpoint());
    create(&config).await;
    commit(&*open(&config).await, "s", 0).await;
    let client = Client::new(&sdk(&config).await);
    let delete = client.delete_item().table_name(&config.analysis_table);
    let delete = delete.key("projection_id", attribute("ees:index"));
    delete.send().await.unwrap();
    let error = refused(&config).await;
    assert_says(
        &error,
        &[
            "no index state",
            &config.events_table,
            "ees admin rebuild-index",
        ],
    );
    let admin = Admin::new(&config, &sdk(&config).await).await.unwrap();
    assert_eq!(admin.create_tables().await.unwrap(), [""; 0]);
    refused(&config).await;
}

fn attribute(text: &str) -> aws_sdk_dynamodb::types::AttributeValue {
    aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned())
}

#[tokio::test]
async fn an_endpoint_where_nobody_answers_is_named() {
    // Nobody else's while this socket, which does not listen, has it.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let endpoint = format!("http://{}", socket.local_addr().unwrap());
    let error = refused(&config(&endpoint)).await;
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
    assert_says(&error, &[&endpoint, "onnection refused", "endpoint="]);
}

/// Says that a part of the tables is still being made.
struct Creating(&'static str);

impl Plan for Creating {
    fn end(&self, _: &Call, answer: &mut serde_json::Value) {
        if let Some(status) = answer.pointer_mut(self.0) {
            *status = "CREATING".into();
        }
    }
}

#[tokio::test]
async fn what_is_still_being_made_is_waited_for() {
    let emulator = Emulator::start().expect("an emulator");
    let mut config = config(emulator.endpoint());
    create(&config).await;
    for (part, said) in [
        ("/Table/TableStatus", "the status CREATING"),
        (
            "/Table/GlobalSecondaryIndexes/0/IndexStatus",
            "index `EnumerationIndex` with the status CREATING",
        ),
    ] {
        let proxy = Proxy::start(emulator.endpoint(), Arc::new(Creating(part)))
            .await
            .unwrap();
        config.endpoint.url = Some(proxy.endpoint.clone());
        let error = refused(&config).await;
        assert_says(&error, &[said, "expected ACTIVE", "Wait"]);
    }
}

struct Refuses(&'static str);

impl Plan for Refuses {
    fn begin(&self, _: &mut Call) -> Fate {
        Fate::Refused(400, self.0)
    }
}

#[tokio::test]
async fn refused_credentials_are_told_with_what_they_need() {
    let emulator = Emulator::start().expect("an emulator");
    for code in [
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "AccessDeniedException",
    ] {
        let proxy = Proxy::start(emulator.endpoint(), Arc::new(Refuses(code)))
            .await
            .unwrap();
        let mut config = config(&proxy.endpoint);
        config.endpoint.region = Some("eu-west-1".to_owned());
        let error = refused(&config).await;
        assert!(matches!(error, OpenError::Denied { .. }), "{error:?}");
        assert_says(&error, &[code, "region eu-west-1", "DescribeTable"]);
    }
}

#[tokio::test]
async fn a_region_and_credentials_are_needed() {
    let config = DynamoConfig::new("ees_db");
    let sdk = config.endpoint.sdk_with_key("id", "secret");
    let error = DynamoStorage::open(&config, &sdk).await.unwrap_err();
    assert!(matches!(error, OpenError::NoRegion), "{error:?}");
    assert_says(&error, &["region=REGION", "AWS_REGION"]);
    let mut somewhere = config.endpoint.clone();
    somewhere.region = Some("r".to_owned());
    let region = somewhere.sdk_with_key("i", "s").region().cloned();
    let nobody = SdkConfig::builder().region(region).build();
    let error = DynamoStorage::open(&config, &nobody).await.unwrap_err();
    assert!(matches!(error, OpenError::NoCredentials(_)), "{error:?}");
    assert_says(&error, &["AWS_ACCESS_KEY_ID"]);
}
