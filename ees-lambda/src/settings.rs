//! What the template tells a function, in environment variables. All of them are read here.

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

/// The functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handler {
    /// The REST contract behind API Gateway.
    Api,
    /// Gives what is committed its place in the global order.
    Indexer,
    /// Counts what is committed.
    Projector,
    /// Tells subscribers what is committed.
    Publisher,
    /// Does again what failed.
    Redrive,
    /// Finds what was never indexed.
    Sweep,
}

impl Handler {
    const ALL: [(&'static str, Self); 6] = [
        ("api", Self::Api),
        ("indexer", Self::Indexer),
        ("projector", Self::Projector),
        ("publisher", Self::Publisher),
        ("redrive", Self::Redrive),
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

/// The key that Lambda gives a function, for as long as its process lives.
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

/// What a function is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Which function it is.
    pub handler: Handler,
    /// Which logs are wanted.
    pub log: String,
    pub(crate) storage: DynamoConfig,
    publish: Option<SnsConfig>,
    failures: Option<String>,
    s3: Endpoint,
    key: Key,
}

impl Settings {
    /// Reads them by their names.
    ///
    /// # Errors
    /// [`Failure::Settings`] names what is missing or wrong.
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

    /// The store.
    pub(crate) fn store(&self) -> Store {
        Store::new(self.storage.clone(), self.sdk(&self.storage.endpoint))
    }

    /// Publishing.
    pub(crate) fn publishing(&self) -> Result<Publishing, Failure> {
        let config = self
            .publish
            .as_ref()
            .ok_or_else(|| missing("EES_PUBLISH", PUBLISH))?;
        let publisher = SnsPublisher::new(config, &self.sdk(&config.endpoint));
        let table = self.storage.events_table.clone();
        Ok(Publishing::new(Arc::new(publisher), table))
    }

    /// The bucket of what failed.
    pub(crate) fn failures(&self) -> Result<Bucket, Failure> {
        let name = self
            .failures
            .as_ref()
            .ok_or_else(|| missing("EES_FAILURES", "a bucket"))?;
        Ok(Bucket::new(name, &self.sdk(&self.s3)))
    }

    /// How a service of AWS is reached.
    fn sdk(&self, endpoint: &Endpoint) -> SdkConfig {
        let Key { id, secret, token } = &self.key;
        endpoint.sdk_with_session(id, secret, token.clone())
    }
}

fn missing(name: &str, meaning: &str) -> Failure {
    Failure::Settings(format!(
        "{name} is not set: expected {meaning}. This program runs as a function of AWS Lambda; on \
         a machine of your own run `ees serve`"
    ))
}

fn wrong(name: &str, value: &str, error: &dyn fmt::Display) -> Failure {
    Failure::Settings(format!("{name}=`{value}`: {error}"))
}

/// Takes from the environment what the URL of a service does not say.
fn complete(endpoint: &mut Endpoint, variable: impl Fn(&str) -> Option<String>, url: &str) {
    endpoint.region = endpoint.region.take().or_else(|| variable("AWS_REGION"));
    endpoint.url = endpoint.url.take().or_else(|| variable(url));
}
