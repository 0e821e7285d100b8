//! Chooses the publisher by its URL.

use std::sync::Arc;

use ees_core::ports::Publisher;

use crate::Failure;

/// The publisher that a URL names.
///
/// # Errors
/// [`Failure::Usage`] if it names none that this build knows.
pub(crate) async fn open(url: &str) -> Result<Arc<dyn Publisher>, Failure> {
    let wrong =
        |error: &dyn std::fmt::Display| Failure::Usage(format!("`--publish {url}`: {error}"));
    #[cfg(feature = "sns")]
    {
        let config: ees_sns::SnsConfig = url.parse().map_err(|error| wrong(&error))?;
        let sdk = crate::aws::sdk(&config.place).await;
        Ok(Arc::new(ees_sns::SnsPublisher::new(&config, &sdk)))
    }
    #[cfg(not(feature = "sns"))]
    Err(wrong(
        &"this build of ees leaves `sns:` out; build it with `--features sns`",
    ))
}
