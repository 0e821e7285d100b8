//! The services that functions talk to: `DynamoDB` in this process, SNS, SQS and S3 in moto's.

use std::path::{Path, PathBuf};

use ees_dynamodb_testkit::Emulator;

use crate::Error;

pub(crate) mod client;
mod moto;
mod resources;

use client::Client;
use moto::Moto;

/// Where services are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// `DynamoDB` and its streams.
    pub dynamodb: String,
    /// SNS.
    pub sns: String,
    /// SQS.
    pub sqs: String,
    /// S3.
    pub s3: String,
}

impl Endpoints {
    /// The variables by which the SDKs find them.
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

/// Services with nothing in them. They end when this is dropped, or when the process ends, however
/// it ends.
#[derive(Debug)]
pub struct Services {
    endpoints: Endpoints,
    client: Client,
    _dynamodb: Emulator,
    _moto: Moto,
}

impl Services {
    /// Where moto is installed unless told otherwise: in the workspace's target folder.
    pub fn python() -> PathBuf {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("target/moto/bin/python")
    }

    /// Starts them.
    ///
    /// # Errors
    /// [`Error::NoMoto`] with the command that installs it; [`Error::Start`].
    pub async fn start() -> Result<Self, Error> {
        Self::with_python(&Self::python()).await
    }

    /// Starts them, with the Python that has moto.
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
            _dynamodb: dynamodb,
            _moto: moto,
        })
    }

    /// Where they are.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }
}

/// The service that an ARN belongs to, and the name of the resource in it.
pub(crate) fn service_and_name(arn: &str) -> (&str, &str) {
    let service = arn.split(':').nth(2).unwrap_or_default();
    (service, arn.rsplit(':').next().unwrap_or_default())
}
