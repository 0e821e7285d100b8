//! As whom AWS is reached.

use ees_aws::{Place, SdkConfig};

/// Credentials as AWS tools find them; an emulator on this machine takes any.
pub(crate) async fn sdk(place: &Place) -> SdkConfig {
    if place.is_emulator() && std::env::var_os("AWS_ACCESS_KEY_ID").is_none() {
        return place.sdk_with_key("emulator", "emulator");
    }
    place.sdk_from_environment().await
}
