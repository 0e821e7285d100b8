//! The HTTP client unless another is given.

use crate::Error;

/// A client that follows no redirect, with the certificates that the system trusts.
pub(crate) fn client() -> Result<reqwest::Client, Error> {
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    #[cfg(feature = "tls")]
    let builder = builder.tls_backend_preconfigured(tls()?);
    let built = builder.build();
    built.map_err(|error| Error::Refused(format!("the HTTP client cannot be made: {error}")))
}

#[cfg(feature = "tls")]
fn tls() -> Result<rustls::ClientConfig, Error> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions();
    let config = config.map_err(|error| Error::Refused(format!("TLS cannot be used: {error}")))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
