//! What the template tells a function, in environment variables. All of them are read here.

use std::fmt;

use ees_aws::{Place, SdkConfig};
use ees_dynamodb::DynamoConfig;

use crate::Failure;

/// The functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handler {
    /// The REST contract behind API Gateway.
    Api,
    /// Gives what is committed its place in the global order.
    Indexer,
    /// Counts what is committed.
    Projector,
    /// Finds what was never indexed.
    Sweep,
}

impl Handler {
    const ALL: [(&'static str, Self); 4] = [
        ("api", Self::Api),
        ("indexer", Self::Indexer),
        ("projector", Self::Projector),
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
    key: Key,
}

impl Settings {
    /// Reads them by their names.
    ///
    /// # Errors
    /// [`Failure::Settings`] names what is missing or wrong.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let wanted = |name: &str, meaning: &str| {
            let found = variable(name).filter(|value| !value.is_empty());
            found.ok_or_else(|| {
                Failure::Settings(format!(
                    "{name} is not set: expected {meaning}. This program runs as a function of \
                     AWS Lambda; on a machine of your own run `ees serve`"
                ))
            })
        };
        wanted(
            "AWS_LAMBDA_RUNTIME_API",
            "the address that Lambda gives a function",
        )?;
        let storage = wanted("EES_STORAGE", "`dynamodb://TABLE?analysis=TABLE`")?;
        let mut storage: DynamoConfig = storage
            .parse()
            .map_err(|error| Failure::Settings(format!("EES_STORAGE=`{storage}`: {error}")))?;
        complete(&mut storage.place, &variable, "AWS_ENDPOINT_URL_DYNAMODB");
        Ok(Self {
            handler: Handler::read(&wanted("_HANDLER", "the name of a function")?)?,
            log: variable("EES_LOG").unwrap_or_else(|| "info".to_owned()),
            storage,
            key: Key {
                id: wanted("AWS_ACCESS_KEY_ID", "the key of the function's role")?,
                secret: wanted("AWS_SECRET_ACCESS_KEY", "the key of the function's role")?,
                token: variable("AWS_SESSION_TOKEN"),
            },
        })
    }

    /// How a service of AWS is reached.
    pub(crate) fn sdk(&self, place: &Place) -> SdkConfig {
        let Key { id, secret, token } = &self.key;
        place.sdk_with_session(id, secret, token.clone())
    }
}

/// What a place's URL does not say the environment says.
fn complete(place: &mut Place, variable: impl Fn(&str) -> Option<String>, endpoint: &str) {
    place.region = place.region.take().or_else(|| variable("AWS_REGION"));
    place.endpoint = place.endpoint.take().or_else(|| variable(endpoint));
}
