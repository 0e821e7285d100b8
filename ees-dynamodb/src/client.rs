//! How DynamoDB is reached: over which HTTP client, how patiently, as whom.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use crate::DynamoConfig;

/// How often a request is tried, the first time included.
const MAX_ATTEMPTS: u32 = 5;

/// The longest pause after the first try that failed; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause after any try.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(2);

/// How long one try may take: a page of 1 MB takes a fraction of it.
const ATTEMPT: Duration = Duration::from_secs(5);

/// How long all tries together may take: less than any host in front of us waits.
const OPERATION: Duration = Duration::from_secs(15);

/// The region that an emulator is told where none is set.
const EMULATOR_REGION: &str = "us-east-1";

/// How to reach AWS as this process's surroundings say: environment variables, profile files, the
/// machine's or the container's role. The one function here that looks at them. What the
/// configuration sets wins.
///
/// What is returned serves every AWS client of the process.
pub async fn sdk_from_environment(config: &DynamoConfig) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http_client(config))
        .timeout_config(timeouts())
        .retry_config(retries());
    if let Some(region) = region(config) {
        loader = loader.region(region);
    }
    if let Some(endpoint) = &config.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    loader.load().await
}

/// How to reach an emulator, or AWS with a key that the caller has. Looks at nothing around it.
pub fn sdk_with_key(config: &DynamoConfig, id: &str, secret: &str) -> SdkConfig {
    let credentials = Credentials::new(id, secret, None, None, "given");
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http_client(config))
        .timeout_config(timeouts())
        .retry_config(retries());
    builder.set_region(region(config));
    builder.set_endpoint_url(config.endpoint.clone());
    builder.build()
}

fn region(config: &DynamoConfig) -> Option<Region> {
    let emulated = config.is_emulator().then_some(EMULATOR_REGION);
    let region = config.region.as_deref().or(emulated)?;
    Some(Region::new(region.to_owned()))
}

fn http_client(config: &DynamoConfig) -> SharedHttpClient {
    let plain = config.endpoint.as_deref();
    if plain.is_some_and(|endpoint| endpoint.starts_with("http://")) {
        return Builder::new().build_http();
    }
    let ring = Provider::Rustls(CryptoMode::Ring);
    Builder::new().tls_provider(ring).build_https()
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build()
}

/// The SDK's own retries: exponential, with jitter, and fewer of them while many fail.
fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(MAX_ATTEMPTS)
        .with_initial_backoff(FIRST_PAUSE)
        .with_max_backoff(LONGEST_PAUSE)
}
