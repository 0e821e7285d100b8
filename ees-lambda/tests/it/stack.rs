//! The stack of the template, with its mappings at rest: tests hand out batches themselves.

use std::path::Path;

use ees_aws_testkit::template::{Settings, Template};
use ees_aws_testkit::{Endpoints, Function, LocalAws, Options, Services, Wire};
use serde_json::Value;

use crate::place::{Place, config};

pub(crate) struct Stack {
    pub(crate) aws: LocalAws,
    pub(crate) place: Place,
    /// Between the functions and SNS.
    pub(crate) sns: Wire,
}

impl Stack {
    pub(crate) async fn start() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("template.yaml");
        let template = Template::read(path, &Settings::default()).unwrap();
        let services = Services::start().await.unwrap();
        let sns = Wire::to(&services.endpoints().sns).await.unwrap();
        let mut options = Options::new(env!("CARGO_BIN_EXE_ees-lambda"));
        options.endpoints = Some(Endpoints {
            sns: sns.endpoint().to_owned(),
            ..services.endpoints().clone()
        });
        let aws = LocalAws::start(template, services, options).await.unwrap();
        for mapping in ["IndexerFunction/Stream", "PublisherFunction/Stream"] {
            aws.pause(mapping, true).unwrap();
        }
        let functions = aws.template().functions().unwrap();
        let set = functions.iter().flat_map(|function| &function.environment);
        let store = set.into_iter().find(|(name, _)| *name == "EES_STORAGE");
        let config = config(store.unwrap().1, &aws.services().endpoints().dynamodb);
        let place = Place::open(config).await;
        Self { aws, place, sns }
    }

    pub(crate) fn function(&self, id: &str) -> &Function {
        self.aws.function(id).unwrap()
    }

    /// The bucket of what failed.
    pub(crate) fn failures(&self) -> &str {
        &self
            .aws
            .template()
            .of_type("AWS::S3::Bucket")
            .next()
            .unwrap()
            .name
    }

    /// Has a queue get what goes to a topic.
    pub(crate) async fn subscribe(&self, topic: &str, queue: &str) {
        let name = &self.aws.template().resource(topic).unwrap().name;
        let arn = format!("arn:aws:sns:us-east-1:123456789012:{name}");
        self.aws.services().subscribe(&arn, queue).await.unwrap();
    }

    /// What a queue got, as `stream/changeset`.
    pub(crate) async fn received(&self, queue: &str) -> Vec<String> {
        let mut received = Vec::new();
        loop {
            let messages = self.aws.services().receive(queue).await.unwrap();
            if messages.is_empty() {
                return received;
            }
            received.extend(messages.iter().map(|message| {
                let body: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
                format!(
                    "{}/{}",
                    body["stream_id"].as_str().unwrap(),
                    body["changeset_id"]
                )
            }));
        }
    }
}
