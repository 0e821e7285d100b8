//! As whom AWS is reached.

use ees_aws::{Endpoint, SdkConfig};

/// Credentials as AWS tools find them; an emulator on this machine takes any.
pub(crate) async fn sdk(endpoint: &Endpoint) -> SdkConfig {
    if endpoint.is_emulator() && std::env::var_os("AWS_ACCESS_KEY_ID").is_none() {
        return endpoint.sdk_with_key("emulator", "emulator");
    }
    endpoint.sdk_from_environment().await
}
