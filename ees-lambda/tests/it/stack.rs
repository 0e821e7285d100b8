//! The deployment, as its template describes it, on a local AWS.

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use ees_aws_testkit::template::{Settings, Template};
use ees_aws_testkit::{Endpoints, Function, LocalAws, Options, Services, Wire};
use ees_conformance::subject::{Access, Front, Remote, Signer};
use serde_json::Value;

use crate::test_store::{GRACE, TestStore, config, metrics};

/// The mappings of the functions that read the table's stream.
pub(crate) const INDEXER_STREAM: &str = "IndexerFunction/Stream";
pub(crate) const PUBLISHER_STREAM: &str = "PublisherFunction/Stream";

/// The template with these values for parameters.
pub(crate) fn template(parameters: &[(&str, &str)]) -> Template {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("template.yaml");
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let settings = Settings {
        parameters: parameters.iter().map(own).collect(),
        ..Settings::default()
    };
    Template::read(path, &settings).unwrap()
}

/// A client of a deployment behind this front, which signs its requests.
fn client(url: &str, front: Front) -> Arc<Remote> {
    let signer = Signer::new("test", "test", None, "us-east-1");
    let signer = match front {
        Front::FunctionUrl => signer.for_function_url(),
        _ => signer,
    };
    let access = Access::default().signed(signer).behind(front);
    Remote::with_access(url, &access)
}

pub(crate) fn options() -> Options {
    let mut options = Options::new(env!("CARGO_BIN_EXE_ees-lambda"));
    // As many retries as on AWS, with less waiting between them.
    options.pace.longest_retry = Duration::from_millis(50);
    options.grace = GRACE;
    options.signed = true;
    options
}

/// A deployment and a client of it.
pub(crate) struct Stack {
    pub(crate) aws: LocalAws,
    pub(crate) client: Arc<Remote>,
    /// Between the functions and SNS.
    pub(crate) sns: Wire,
    /// How many commits succeeded.
    pub(crate) committed: AtomicUsize,
}

impl Stack {
    pub(crate) async fn start() -> Self {
        Self::with(Services::start().await.unwrap(), options()).await
    }

    pub(crate) async fn with(services: Services, options: Options) -> Self {
        Self::of(template(&[]), Front::ApiGateway, services, options).await
    }

    /// The deployment of this template, which has this front.
    pub(crate) async fn of(
        template: Template,
        front: Front,
        services: Services,
        mut options: Options,
    ) -> Self {
        let sns = Wire::to(&services.endpoints().sns).await.unwrap();
        let endpoints = options.endpoints.as_ref();
        options.endpoints = Some(Endpoints {
            sns: sns.endpoint().to_owned(),
            ..endpoints.unwrap_or(services.endpoints()).clone()
        });
        let aws = LocalAws::start(template, services, options).await.unwrap();
        let client = client(aws.url(), front);
        Self {
            aws,
            client,
            sns,
            committed: AtomicUsize::default(),
        }
    }

    pub(crate) fn function(&self, id: &str) -> &Function {
        self.aws.function(id).unwrap()
    }

    /// The ARN or name of a resource, as the deployment's outputs tell it.
    pub(crate) fn output(&self, name: &str) -> String {
        self.aws.template().outputs()[name]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The keys of what was put aside.
    pub(crate) async fn failures(&self) -> Vec<String> {
        let bucket = self.output("FailuresBucket");
        self.aws.services().list_objects(&bucket).await.unwrap()
    }

    /// Has a queue get what goes to a topic.
    pub(crate) async fn subscribe(&self, topic: &str, queue: &str) {
        let topic = self.output(topic);
        self.aws.services().subscribe(&topic, queue).await.unwrap();
    }

    /// All that waits in a queue, in its order.
    pub(crate) async fn messages(&self, queue: &str) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let some = self.aws.services().receive(queue).await.unwrap();
            if some.is_empty() {
                return all;
            }
            let bodies = some.iter().map(|message| message["Body"].as_str().unwrap());
            all.extend(bodies.map(|body| serde_json::from_str::<Value>(body).unwrap()));
        }
    }

    /// The metrics of this name that a function wrote, each with what it is told apart by.
    pub(crate) fn metrics(&self, function: &str, name: &str) -> Vec<(Value, u64)> {
        metrics(self.function(function), name)
    }

    pub(crate) fn sum(&self, function: &str, name: &str) -> u64 {
        let metrics = self.metrics(function, name).into_iter();
        metrics.map(|(_, value)| value).sum()
    }
}

/// A deployment whose mappings rest: tests hand out batches themselves.
pub(crate) struct Resting {
    stack: Stack,
    pub(crate) store: TestStore,
}

impl Resting {
    pub(crate) async fn start() -> Self {
        let stack = Stack::start().await;
        for mapping in [INDEXER_STREAM, PUBLISHER_STREAM] {
            stack.aws.pause(mapping, true).unwrap();
        }
        let functions = stack.aws.template().functions().unwrap();
        let set = functions.iter().flat_map(|function| &function.environment);
        let store = set.into_iter().find(|(name, _)| *name == "EES_STORAGE");
        let endpoint = &stack.aws.services().endpoints().dynamodb;
        let store = TestStore::open(config(store.unwrap().1, endpoint)).await;
        Self { stack, store }
    }

    /// What a queue got, as `stream/changeset`.
    pub(crate) async fn received(&self, queue: &str) -> Vec<String> {
        let messages = self.messages(queue).await.into_iter();
        let names = messages.map(|message| {
            let stream = message["stream_id"].as_str().unwrap();
            format!("{stream}/{}", message["changeset_id"])
        });
        names.collect()
    }
}

impl Deref for Resting {
    type Target = Stack;

    fn deref(&self) -> &Stack {
        &self.stack
    }
}
