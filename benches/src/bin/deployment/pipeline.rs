//! A deployment, with added latency between its functions and the services.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use benches::client::Client;
use benches::dynamodb::Distance;
use ees_aws_testkit::template::{Settings, Template};
use ees_aws_testkit::{Endpoints, LocalAws, Options, Pace, Services};
use ees_core::{Checkpoint, EventStore};
use ees_dynamodb::{DynamoConfig, DynamoStorage};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::args::Args;

/// The mappings.
pub(crate) const INDEXER: &str = "IndexerFunction/Stream";
pub(crate) const PUBLISHER: &str = "PublisherFunction/Stream";

/// The subscriber's queue.
const QUEUE: &str = "subscriber.fifo";

/// The interval of polls for new items.
const GLANCE: Duration = Duration::from_millis(2);

/// A deployment, and clients of its services without the added latency.
pub(crate) struct Pipeline {
    pub(crate) aws: LocalAws,
    /// The same tables, without the added latency.
    pub(crate) store: EventStore,
    /// The proxies between the functions and the services.
    pub(crate) dynamodb: Distance,
    pub(crate) sns: Distance,
}

impl Pipeline {
    pub(crate) async fn start(args: &Args) -> Self {
        let services = Services::start().await.unwrap();
        let near = services.endpoints().clone();
        let dynamodb = Distance::start(&near.dynamodb, args.delay()).await;
        let sns = Distance::start(&near.sns, args.delay()).await;
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ees-lambda/template.yaml");
        let template = Template::read(path, &Settings::default()).unwrap();
        let options = Options {
            endpoints: Some(Endpoints {
                dynamodb: dynamodb.endpoint.clone(),
                sns: sns.endpoint.clone(),
                ..near.clone()
            }),
            pace: Pace {
                poll: Duration::from_millis(args.poll),
                ..Pace::default()
            },
            ..Options::new(args.function.canonicalize().expect("build it first"))
        };
        let aws = LocalAws::start(template, services, options).await.unwrap();
        Self {
            store: EventStore::new(Arc::new(open(&aws).await)),
            aws,
            dynamodb,
            sns,
        }
    }

    /// Subscribes a queue to the messages about changesets.
    pub(crate) async fn subscribe(&self) {
        let topic = output(&self.aws, "ChangesetsTopic");
        self.aws.services().subscribe(&topic, QUEUE).await.unwrap();
    }

    /// A client of the API, and the prefix of its paths.
    pub(crate) async fn client(&self) -> (Client, String) {
        let url = self.aws.url().strip_prefix("http://").unwrap();
        let (address, stage) = url.split_once('/').unwrap();
        (
            Client::connect(address.parse().unwrap()).await,
            format!("/{stage}"),
        )
    }

    /// Waits until readers of the global order get this number of changesets.
    pub(crate) async fn await_order(&self, changesets: u64) {
        let last = Checkpoint::new(changesets - 1).unwrap();
        let limit = ees_core::PageLimit::items(1);
        loop {
            let page = self.store.global_changesets(last, limit).await.unwrap();
            if !page.changesets.is_empty() {
                return;
            }
            sleep(GLANCE).await;
        }
    }

    /// Waits for the subscriber's next message.
    pub(crate) async fn await_message(&self) -> Message {
        let url = self.aws.services().queue_url(QUEUE);
        let asked = json!({"QueueUrl": url, "MaxNumberOfMessages": 1, "WaitTimeSeconds": 20});
        loop {
            let services = self.aws.services();
            let answer = services.sqs("ReceiveMessage", &asked).await.unwrap();
            let message = &answer["Messages"][0];
            if let Some(body) = message["Body"].as_str() {
                return Message {
                    body: serde_json::from_str(body).unwrap(),
                    handle: message["ReceiptHandle"].clone(),
                };
            }
        }
    }

    /// Deletes a received message from the queue.
    pub(crate) async fn delete(&self, message: Message) {
        let url = self.aws.services().queue_url(QUEUE);
        let asked = json!({"QueueUrl": url, "ReceiptHandle": message.handle});
        let services = self.aws.services();
        services.sqs("DeleteMessage", &asked).await.unwrap();
    }

    /// Waits until SNS has accepted all messages of this number of changesets.
    pub(crate) async fn await_published(&self, changesets: u64) {
        let publisher = self.aws.function("PublisherFunction").unwrap();
        loop {
            let log = publisher.log();
            let lines = log.lines().map(serde_json::from_str::<Value>);
            let counts = lines.filter_map(|line| line.ok()?["PublishedChangesets"].as_u64());
            if counts.sum::<u64>() >= changesets {
                return;
            }
            sleep(10 * GLANCE).await;
        }
    }
}

/// A message that the subscriber received.
pub(crate) struct Message {
    pub(crate) body: Value,
    handle: Value,
}

fn output(aws: &LocalAws, name: &str) -> String {
    let outputs = aws.template().outputs();
    outputs[name].as_str().unwrap().to_owned()
}

/// Opens the deployment's tables.
async fn open(aws: &LocalAws) -> DynamoStorage {
    let mut config = DynamoConfig::new(output(aws, "EventsTable"));
    config.analysis_table = output(aws, "AnalysisTable");
    config.endpoint.url = Some(aws.services().endpoints().dynamodb.clone());
    let sdk = config.endpoint.sdk_with_key("bench", "bench");
    DynamoStorage::open(&config, &sdk).await.unwrap()
}
