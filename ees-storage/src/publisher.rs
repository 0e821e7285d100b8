//! Opens a publisher.

use std::sync::Arc;

use ees_core::adapter::Publisher;

use crate::OpenError;
use crate::adapter::scheme;

/// Opens the publisher that a URL names.
///
/// # Errors
/// [`OpenError::Url`] if the URL is wrong or this build lacks its adapter.
#[cfg_attr(not(feature = "sns"), allow(clippy::unused_async))]
pub async fn open_publisher(url: &str) -> Result<Arc<dyn Publisher>, OpenError> {
    match scheme(url) {
        #[cfg(feature = "sns")]
        "sns" => {
            let config: ees_sns::SnsConfig =
                url.parse().map_err(|error| OpenError::url(url, error))?;
            let sdk = config.endpoint.sdk_from_environment().await;
            Ok(Arc::new(ees_sns::SnsPublisher::new(&config, &sdk)))
        }
        #[cfg(not(feature = "sns"))]
        "sns" => Err(OpenError::left_out(url, "sns")),
        _ => Err(OpenError::url(
            url,
            "it names no publisher; known is `sns:changesets=ARN&events=ARN`",
        )),
    }
}
