//! Chooses the publisher by its URL.

use std::sync::Arc;

use ees_core::adapter::Publisher;

use crate::Failure;

/// The publisher that a URL names.
///
/// # Errors
/// [`Failure::Usage`] if it names none that this build knows.
#[cfg(feature = "sns")]
pub(crate) async fn open(url: &str) -> Result<Arc<dyn Publisher>, Failure> {
    let wrong = |error: ees_sns::ConfigError| Failure::Usage(format!("`--publish {url}`: {error}"));
    let config: ees_sns::SnsConfig = url.parse().map_err(wrong)?;
    let sdk = crate::aws::sdk(&config.endpoint).await;
    Ok(Arc::new(ees_sns::SnsPublisher::new(&config, &sdk)))
}

/// There is none in this build.
#[cfg(not(feature = "sns"))]
#[allow(clippy::unused_async)]
pub(crate) async fn open(url: &str) -> Result<Arc<dyn Publisher>, Failure> {
    Err(Failure::Usage(format!(
        "`--publish {url}`: this build of ees leaves `sns:` out; build it with `--features sns`"
    )))
}
