//! A store on an emulator, and its functions.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::config::StalledStreamProtectionConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::types::AttributeValue;
use ees_aws_testkit::{Function, FunctionSettings, Wire};
use ees_core::adapter::{Commit, Index, Outcome, Storage};
use ees_core::{CommitId, Events, Expectation, Json, PageLimit, StreamId, Timestamp};
use ees_dynamodb::{Admin, DynamoConfig, DynamoStorage, SdkConfig};
use ees_dynamodb_testkit::Emulator;
use serde_json::{Value, json};

/// What stands in every payload, and must be in no log.
pub(crate) const SECRET: &str = "a payload that nobody may log";

/// What functions may take longer than they are told, on a machine under load.
pub(crate) const GRACE: Duration = Duration::from_mins(10);

pub(crate) struct TestStore {
    /// If it has one of its own: with what can be cut.
    dynamodb: Option<(Emulator, Wire)>,
    pub(crate) config: DynamoConfig,
    pub(crate) sdk: SdkConfig,
    pub(crate) storage: Arc<DynamoStorage>,
}

impl TestStore {
    /// A store with nothing in it.
    pub(crate) async fn new() -> Self {
        let emulator = Emulator::start().unwrap();
        let wire = Wire::to(emulator.endpoint()).await.unwrap();
        let config = config(
            "dynamodb://ees_db_shop?analysis=ees_analysis_shop",
            wire.endpoint(),
        );
        let sdk = patient(&config);
        let admin = Admin::new(&config, &sdk).await.unwrap();
        admin.create_tables().await.unwrap();
        Self {
            dynamodb: Some((emulator, wire)),
            ..Self::open(config).await
        }
    }

    /// A store whose tables are somebody else's.
    pub(crate) async fn open(config: DynamoConfig) -> Self {
        let sdk = patient(&config);
        let storage = DynamoStorage::open(&config, &sdk).await.unwrap();
        Self {
            dynamodb: None,
            config,
            sdk,
            storage: Arc::new(storage),
        }
    }

    /// What the template sets for a function.
    pub(crate) fn settings(&self, handler: &str) -> FunctionSettings {
        let mut settings = FunctionSettings::new(env!("CARGO_BIN_EXE_ees-lambda"), handler);
        settings.environment = [
            (
                "EES_STORAGE",
                "dynamodb://ees_db_shop?analysis=ees_analysis_shop",
            ),
            ("EES_LOG", "trace"),
            (
                "AWS_ENDPOINT_URL_DYNAMODB",
                self.config.endpoint.url.as_deref().unwrap(),
            ),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        settings.grace = GRACE;
        settings
    }

    /// A function of the store.
    pub(crate) fn function(&self, handler: &str) -> Function {
        Function::new(self.settings(handler)).unwrap()
    }

    /// A function that has no time left.
    pub(crate) fn hurried(&self, handler: &str) -> Function {
        let mut settings = self.settings(handler);
        settings.timeout = Duration::from_millis(500);
        Function::new(settings).unwrap()
    }

    /// Takes DynamoDB away.
    pub(crate) fn without_dynamodb(&self) {
        self.dynamodb.as_ref().unwrap().1.cut();
    }

    /// Commits behind a stream's last changeset.
    pub(crate) async fn commit(&self, stream: &str, last: u64) {
        self.commit_events(stream, last, &format!(r#"[{{"is":"{SECRET}"}}]"#))
            .await;
    }

    pub(crate) async fn commit_events(&self, stream: &str, last: u64, events: &str) {
        self.commit_at(Timestamp::now(), stream, last, events).await;
    }

    /// Commits what shows this time.
    pub(crate) async fn commit_at(&self, time: Timestamp, stream: &str, last: u64, events: &str) {
        let commit = Commit {
            stream_id: StreamId::new(stream).unwrap(),
            expectation: Expectation::LastChangeset(last),
            events: Events::parse(events).unwrap(),
            metadata: Json::parse(&format!("\"{SECRET}\"")).unwrap(),
            commit_id: CommitId::generate(),
            set: None,
            timestamp: time,
        };
        let outcome = self.storage.commit(&commit).await.unwrap();
        assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    }

    /// Writes something else into a changeset's place.
    pub(crate) async fn spoil(&self, stream: &str, changeset: u64) {
        let client = aws_sdk_dynamodb::Client::new(&self.sdk);
        let update = client
            .update_item()
            .table_name(&self.config.events_table)
            .key("stream_id", AttributeValue::S(stream.to_owned()))
            .key("changeset_id", AttributeValue::N(changeset.to_string()))
            .update_expression("SET #timestamp = :value")
            .expression_attribute_names("#timestamp", "timestamp")
            .expression_attribute_values(":value", AttributeValue::S(String::new()));
        update.send().await.unwrap();
    }

    /// The global order, as `stream/changeset`.
    pub(crate) async fn order(&self) -> Vec<String> {
        let from = ees_core::Checkpoint::FIRST;
        let page = self.storage.read_global(from, PageLimit::items(1000)).await;
        let changesets = page.unwrap().changesets.into_iter();
        let name =
            |one: ees_core::Changeset| format!("{}/{}", one.stream_id.as_str(), one.changeset_id);
        changesets.map(name).collect()
    }

    /// How many pages a sweep has.
    pub(crate) async fn pages(&self) -> Vec<Option<ees_core::adapter::SweepCursor>> {
        let mut cursors = Vec::new();
        let mut after = None;
        loop {
            after = self.storage.unindexed(after.as_ref()).await.unwrap().next;
            cursors.push(after.clone());
            if after.is_none() {
                return cursors;
            }
        }
    }
}

/// The SDK, which waits as long as it takes on a machine under load.
pub(crate) fn patient(config: &DynamoConfig) -> SdkConfig {
    let sdk = config.endpoint.sdk_with_key("test", "test").into_builder();
    sdk.timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build()
}

/// The store of a URL at an endpoint.
pub(crate) fn config(url: &str, endpoint: &str) -> DynamoConfig {
    let mut config: DynamoConfig = url.parse().unwrap();
    config.endpoint.url = Some(endpoint.to_owned());
    config
}

/// The lines of a function's log; none holds a payload.
pub(crate) fn log(function: &Function) -> Vec<Value> {
    let log = function.log();
    assert!(!log.contains(SECRET), "a payload is logged: {log}");
    let lines = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")));
    lines.collect()
}

/// The values of a metric, in the order told.
pub(crate) fn metric(function: &Function, name: &str) -> Vec<u64> {
    log(function);
    let told = metrics(function, name).into_iter();
    told.map(|(_, value)| value).collect()
}

/// The same, each with what it is told apart by: namespace, dimension and its value.
pub(crate) fn metrics(function: &Function, name: &str) -> Vec<(Value, u64)> {
    let log = function.log();
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let found = lines.filter_map(|line| {
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        let defined = directive["Metrics"].as_array()?;
        defined.iter().find(|metric| metric["Name"] == name)?;
        let dimension = directive["Dimensions"][0][0].as_str()?;
        let store = json!([directive["Namespace"], dimension, line[dimension]]);
        Some((store, line[name].as_u64()?))
    });
    found.collect()
}
