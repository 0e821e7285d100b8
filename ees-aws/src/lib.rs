#![doc = include_str!("../README.md")]

use std::time::Duration;

pub use aws_config::SdkConfig;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use ees_core::adapter::settings::{Settings, SettingsError};

/// The maximum number of attempts of a request, including the first.
const MAX_ATTEMPTS: u32 = 5;

/// The maximum pause after the first failed attempt. It doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The maximum pause after any attempt.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How long it may take to connect.
const CONNECT: Duration = Duration::from_secs(2);

/// How long one attempt may take. A page of 1 MB takes a fraction of this.
const ATTEMPT: Duration = Duration::from_secs(5);

/// How long all attempts together may take. It is less than the time that hosts of the store wait
/// for an answer.
const OPERATION: Duration = Duration::from_secs(15);

/// The region that is sent to an emulator if none is set.
const EMULATOR_REGION: &str = "us-east-1";

/// The endpoint of an AWS service: its URL and its region. The environment supplies what is not set
/// here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Endpoint {
    /// The URL; `None` for the service's default URL in the region.
    pub url: Option<String>,
    /// The AWS region.
    pub region: Option<String>,
}

impl Endpoint {
    /// Reads the settings `endpoint` and `region` of an adapter's URL.
    ///
    /// # Errors
    /// [`SettingsError`] names the expected value.
    pub fn from_settings(settings: &Settings) -> Result<Self, SettingsError> {
        let url = settings.read(
            "endpoint",
            "a URL that begins with `http://` or `https://`",
            url,
        )?;
        let region = settings.read("region", "an AWS region, as `eu-west-1`", |region| {
            (!region.is_empty()).then(|| region.to_owned())
        })?;
        Ok(Self { url, region })
    }

    /// Whether the endpoint is an emulator on this machine, which accepts any credentials.
    pub fn is_emulator(&self) -> bool {
        let host = self.url.as_deref().and_then(|endpoint| {
            let rest = endpoint.strip_prefix("http://")?;
            rest.split(['/', ':']).next()
        });
        matches!(host, Some("127.0.0.1" | "localhost"))
    }

    /// A configuration from the process's environment: environment variables, profile files, the
    /// role of the machine or the container. An emulator gets a dummy key if the environment
    /// variables contain none. This is the only function of the crate that reads the environment.
    pub async fn sdk_from_environment(&self) -> SdkConfig {
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(self.http_client())
            .timeout_config(timeouts())
            .retry_config(retries());
        if let Some(region) = self.given_region() {
            loader = loader.region(region);
        }
        if let Some(endpoint) = &self.url {
            loader = loader.endpoint_url(endpoint);
        }
        if self.is_emulator() {
            loader = loader.credentials_provider(emulator_credentials());
        }
        loader.load().await
    }

    /// A configuration for an emulator, or for AWS with the caller's key. It does not read the
    /// environment.
    pub fn sdk_with_key(&self, id: &str, secret: &str) -> SdkConfig {
        self.sdk_with_session(id, secret, None)
    }

    /// A configuration for AWS with a temporary key of a role, such as a Lambda function receives.
    /// It does not read the environment.
    pub fn sdk_with_session(&self, id: &str, secret: &str, token: Option<String>) -> SdkConfig {
        let credentials = Credentials::new(id, secret, token, None, "given");
        let mut builder = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(self.http_client())
            .timeout_config(timeouts())
            .retry_config(retries());
        builder.set_region(self.given_region());
        builder.set_endpoint_url(self.url.clone());
        builder.build()
    }

    fn given_region(&self) -> Option<Region> {
        let emulated = self.is_emulator().then_some(EMULATOR_REGION);
        let region = self.region.as_deref().or(emulated)?;
        Some(Region::new(region.to_owned()))
    }

    fn http_client(&self) -> SharedHttpClient {
        let plain = self.url.as_deref();
        if plain.is_some_and(|endpoint| endpoint.starts_with("http://")) {
            return Builder::new().build_http();
        }
        let ring = Provider::Rustls(CryptoMode::Ring);
        Builder::new().tls_provider(ring).build_https()
    }
}

fn url(value: &str) -> Option<String> {
    let rest = value.strip_prefix("https://");
    let rest = rest.or_else(|| value.strip_prefix("http://"))?;
    (!rest.is_empty()).then(|| value.to_owned())
}

/// An emulator accepts any key, but some emulators separate data by key.
fn emulator_credentials() -> CredentialsProviderChain {
    let environment = EnvironmentVariableCredentialsProvider::new();
    let any = Credentials::new("emulator", "emulator", None, None, "emulator");
    CredentialsProviderChain::first_try("Environment", environment).or_else("Emulator", any)
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build()
}

/// The SDK's standard retries: exponential pauses with jitter, and fewer retries while many
/// requests fail.
fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(MAX_ATTEMPTS)
        .with_initial_backoff(FIRST_PAUSE)
        .with_max_backoff(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_takes_any_credentials() {
        let endpoint = |url: &str| Endpoint {
            url: Some(url.to_owned()),
            region: None,
        };
        assert!(endpoint("http://127.0.0.1:8000").is_emulator());
        assert!(endpoint("http://localhost").is_emulator());
        assert!(!Endpoint::default().is_emulator());
        assert!(!endpoint("https://127.0.0.1").is_emulator());
        assert!(!endpoint("http://127.0.0.1.example.org").is_emulator());
    }

    #[test]
    fn a_url_sets_an_endpoint() {
        let read = |settings| {
            let settings = Settings::parse(settings, &["endpoint", "region"])?;
            Endpoint::from_settings(&settings)
        };
        assert_eq!(read(""), Ok(Endpoint::default()));
        let set = read("region=eu-west-1&endpoint=http://h:1").unwrap();
        assert_eq!(set.region.as_deref(), Some("eu-west-1"));
        assert_eq!(set.url.as_deref(), Some("http://h:1"));
        assert!(read("region=").is_err());
        assert!(read("endpoint=https://").is_err());
        assert!(read("endpoint=localhost:1").is_err());
    }
}
