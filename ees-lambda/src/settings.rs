//! Reads the environment variables that the template sets for a function. No other file reads them.

use std::fmt;
use std::sync::Arc;

use ees_aws::{Endpoint, SdkConfig};
use ees_dynamodb::DynamoConfig;
use ees_sns::{SnsConfig, SnsPublisher};

use crate::Failure;
use crate::bucket::Bucket;
use crate::publisher::Publishing;
use crate::store::Store;

const STORAGE: &str = "`dynamodb://TABLE?analysis=TABLE`";
const PUBLISH: &str = "`sns:changesets=ARN&events=ARN`";

/// The functions of the deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handler {
    /// Serves the REST API behind API Gateway.
    Api,
    /// Assigns positions to committed changesets.
    Indexer,
    /// Counts the statistics.
    Projector,
    /// Publishes committed changesets to subscribers.
    Publisher,
    /// Processes failed batches again.
    Redrive,
    /// Adds the global order to the verifiable log.
    Sealer,
    /// Finds changesets that were never indexed.
    Sweep,
}

impl Handler {
    const ALL: [(&'static str, Self); 7] = [
        ("api", Self::Api),
        ("indexer", Self::Indexer),
        ("projector", Self::Projector),
        ("publisher", Self::Publisher),
        ("redrive", Self::Redrive),
        ("sealer", Self::Sealer),
        ("sweep", Self::Sweep),
    ];

    fn read(name: &str) -> Result<Self, Failure> {
        let known = Self::ALL.iter().find(|(known, _)| *known == name);
        let known = known.map(|(_, handler)| *handler);
        known.ok_or_else(|| {
            let names = Self::ALL.map(|(name, _)| name).join("`, `");
            Failure::Settings(format!(
                "the function's handler is `{name}`; set `Handler` in the template to one of `{names}`"
            ))
        })
    }
}

/// The credentials that Lambda gives a function. They are valid as long as its process lives.
#[derive(Clone, PartialEq, Eq)]
struct Key {
    id: String,
    secret: String,
    token: Option<String>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(***)")
    }
}

/// The settings of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The function to run.
    pub handler: Handler,
    /// The filter of the logs.
    pub log: String,
    pub(crate) storage: DynamoConfig,
    publish: Option<SnsConfig>,
    failures: Option<String>,
    s3: Endpoint,
    key: Key,
}

impl Settings {
    /// Reads the settings. `variable` returns an environment variable by its name.
    ///
    /// # Errors
    /// [`Failure::Settings`] names the variable that is missing or wrong.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let wanted =
            |name: &str, meaning: &str| variable(name).ok_or_else(|| missing(name, meaning));
        wanted(
            "AWS_LAMBDA_RUNTIME_API",
            "the address that Lambda gives a function",
        )?;
        let mut storage: DynamoConfig = wanted("EES_STORAGE", STORAGE).and_then(|url| {
            url.parse()
                .map_err(|error| wrong("EES_STORAGE", &url, &error))
        })?;
        complete(&mut storage.endpoint, variable, "AWS_ENDPOINT_URL_DYNAMODB");
        let publish = variable("EES_PUBLISH").map(|url| {
            let config = url.parse();
            config.map_err(|error| wrong("EES_PUBLISH", &url, &error))
        });
        let mut publish: Option<SnsConfig> = publish.transpose()?;
        if let Some(publish) = &mut publish {
            complete(&mut publish.endpoint, variable, "AWS_ENDPOINT_URL_SNS");
        }
        let mut s3 = Endpoint::default();
        complete(&mut s3, variable, "AWS_ENDPOINT_URL_S3");
        Ok(Self {
            handler: Handler::read(&wanted("_HANDLER", "the name of a function")?)?,
            log: variable("EES_LOG").unwrap_or_else(|| "info".to_owned()),
            storage,
            publish,
            failures: variable("EES_FAILURES"),
            s3,
            key: Key {
                id: wanted("AWS_ACCESS_KEY_ID", "the key of the function's role")?,
                secret: wanted("AWS_SECRET_ACCESS_KEY", "the key of the function's role")?,
                token: variable("AWS_SESSION_TOKEN"),
            },
        })
    }

    /// The store, which is not open yet.
    pub(crate) fn store(&self) -> Store {
        Store::new(self.storage.clone(), self.sdk(&self.storage.endpoint))
    }

    /// The publisher of the configured topics.
    pub(crate) fn publishing(&self) -> Result<Publishing, Failure> {
        let config = self
            .publish
            .as_ref()
            .ok_or_else(|| missing("EES_PUBLISH", PUBLISH))?;
        let publisher = SnsPublisher::new(config, &self.sdk(&config.endpoint));
        let table = self.storage.events_table.clone();
        Ok(Publishing::new(Arc::new(publisher), table))
    }

    /// The failures bucket.
    pub(crate) fn failures(&self) -> Result<Bucket, Failure> {
        let name = self
            .failures
            .as_ref()
            .ok_or_else(|| missing("EES_FAILURES", "a bucket"))?;
        Ok(Bucket::new(name, &self.sdk(&self.s3)))
    }

    /// The configuration of the SDK for an AWS service.
    fn sdk(&self, endpoint: &Endpoint) -> SdkConfig {
        let Key { id, secret, token } = &self.key;
        endpoint.sdk_with_session(id, secret, token.clone())
    }
}

fn missing(name: &str, meaning: &str) -> Failure {
    Failure::Settings(format!(
        "{name} is not set: expected {meaning}. This program runs as an AWS Lambda function; to \
         run a server, use `ees serve`"
    ))
}

fn wrong(name: &str, value: &str, error: &dyn fmt::Display) -> Failure {
    Failure::Settings(format!("{name}=`{value}`: {error}"))
}

/// Completes an endpoint with the variables that its URL omits.
fn complete(endpoint: &mut Endpoint, variable: impl Fn(&str) -> Option<String>, url: &str) {
    endpoint.region = endpoint.region.take().or_else(|| variable("AWS_REGION"));
    endpoint.url = endpoint.url.take().or_else(|| variable(url));
}
