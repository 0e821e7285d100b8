//! The services that functions use: `DynamoDB` in this process; SNS, SQS and S3 in a process of
//! moto.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ees_dynamodb_testkit::{Emulator, Plan, Proxy, Shards};

use crate::Error;

pub(crate) mod client;
mod moto;
mod resources;

use client::Client;
use moto::Moto;

/// The endpoints of the services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// The URL of `DynamoDB` and its streams.
    pub dynamodb: String,
    /// The URL of SNS.
    pub sns: String,
    /// The URL of SQS.
    pub sqs: String,
    /// The URL of S3.
    pub s3: String,
}

impl Endpoints {
    /// The environment variables by which the AWS SDKs find the services.
    pub fn variables(&self) -> [(&'static str, &str); 5] {
        [
            ("AWS_ENDPOINT_URL_DYNAMODB", &self.dynamodb),
            ("AWS_ENDPOINT_URL_DYNAMODB_STREAMS", &self.dynamodb),
            ("AWS_ENDPOINT_URL_SNS", &self.sns),
            ("AWS_ENDPOINT_URL_SQS", &self.sqs),
            ("AWS_ENDPOINT_URL_S3", &self.s3),
        ]
    }
}

/// Empty services. They end when this value is dropped, or when the process ends for whatever
/// reason.
#[derive(Debug)]
pub struct Services {
    endpoints: Endpoints,
    client: Client,
    /// What shows the streams of tables to mappings.
    streams: Option<Streams>,
    _dynamodb: Emulator,
    _moto: Moto,
}

/// The streams of tables, with several shards.
#[derive(Debug)]
struct Streams {
    shards: Arc<Shards>,
    proxy: Proxy,
}

/// Leaves calls as they are.
struct Unchanged;

impl Plan for Unchanged {}

impl Services {
    /// The default path of the Python interpreter with moto: in the workspace's target folder.
    pub fn python() -> PathBuf {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("target/moto/bin/python")
    }

    /// Starts the services.
    ///
    /// # Errors
    /// [`Error::NoMoto`] with the command that installs it, or [`Error::Start`].
    pub async fn start() -> Result<Self, Error> {
        Self::with_python(&Self::python()).await
    }

    /// Starts the services, with the Python interpreter that has moto.
    ///
    /// # Errors
    /// As [`Services::start`].
    pub async fn with_python(python: &Path) -> Result<Self, Error> {
        let moto = Moto::start(python).await?;
        let dynamodb = Emulator::start().map_err(Error::start("DynamoDB"))?;
        let moto_url = moto.endpoint().to_owned();
        Ok(Self {
            endpoints: Endpoints {
                dynamodb: dynamodb.endpoint().to_owned(),
                sns: moto_url.clone(),
                sqs: moto_url.clone(),
                s3: moto_url,
            },
            client: Client::new(),
            streams: None,
            _dynamodb: dynamodb,
            _moto: moto,
        })
    }

    /// Shows mappings each stream with so many shards.
    pub(crate) async fn divide(&mut self, count: u64) -> Result<(), Error> {
        let shards = Arc::new(Shards::new(count, Arc::new(Unchanged)));
        let plan = Arc::clone(&shards) as Arc<dyn Plan>;
        let proxy = Proxy::start(&self.endpoints.dynamodb, plan).await;
        let proxy = proxy.map_err(Error::start("the streams of tables"))?;
        self.streams = Some(Streams { shards, proxy });
        Ok(())
    }

    /// Ends the shards that mappings are shown. Their children follow.
    pub(crate) fn split(&self) {
        if let Some(streams) = &self.streams {
            streams.shards.split();
        }
    }

    /// The endpoint of the streams.
    fn streams_endpoint(&self) -> &str {
        let streams = self.streams.as_ref();
        streams.map_or(&self.endpoints.dynamodb, |streams| &streams.proxy.endpoint)
    }

    /// The endpoint of what has none of its own: STS, `CloudWatch` and others that moto serves.
    pub(crate) fn others(&self) -> &str {
        &self.endpoints.sns
    }

    /// The services' endpoints.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }
}

/// The service of an ARN, and the name of its resource.
pub(crate) fn service_and_name(arn: &str) -> (&str, &str) {
    let service = arn.split(':').nth(2).unwrap_or_default();
    (service, arn.rsplit(':').next().unwrap_or_default())
}
