//! The connection to a deployment: with or without TLS, with or without signed requests.

use bytes::Bytes;
use hyper::Request;
use hyper_util::client::legacy::connect::HttpConnector;

#[cfg(feature = "https")]
pub(super) type Connector = hyper_rustls::HttpsConnector<HttpConnector>;
#[cfg(not(feature = "https"))]
pub(super) type Connector = HttpConnector;

/// How a deployment is reached; plain HTTP, open to everybody, unless said otherwise.
#[derive(Debug, Clone, Default)]
pub struct Access {
    pub(super) front: super::Front,
    #[cfg(feature = "https")]
    tls: Option<rustls::ClientConfig>,
    #[cfg(feature = "sigv4")]
    signer: Option<super::Signer>,
}

impl Access {
    /// Expects of some requests what this front is known to do with them.
    #[must_use]
    pub fn behind(mut self, front: super::Front) -> Self {
        self.front = front;
        self
    }

    /// Speaks TLS where the URL says so, and trusts the certificates that this machine trusts.
    ///
    /// # Errors
    /// If this machine's certificates cannot be read.
    #[cfg(feature = "https")]
    pub fn over_tls(mut self) -> Result<Self, String> {
        self.tls = Some(client_config(trusted()?)?);
        Ok(self)
    }

    /// Signs every request.
    #[cfg(feature = "sigv4")]
    #[must_use]
    pub fn signed(mut self, signer: super::Signer) -> Self {
        self.signer = Some(signer);
        self
    }

    #[cfg(feature = "https")]
    pub(super) fn connector(&self) -> Connector {
        let config = self.tls.clone().unwrap_or_else(|| {
            client_config(rustls::RootCertStore::empty()).expect("ring speaks TLS 1.2 and 1.3")
        });
        let builder = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(config);
        builder.https_or_http().enable_http1().build()
    }

    #[cfg(not(feature = "https"))]
    #[allow(clippy::unused_self)] // with TLS it is used
    pub(super) fn connector(&self) -> Connector {
        HttpConnector::new()
    }

    #[cfg(feature = "sigv4")]
    pub(super) fn sign(&self, request: &mut Request<Bytes>) -> Result<(), String> {
        match &self.signer {
            Some(signer) => signer.sign(request),
            None => Ok(()),
        }
    }

    #[cfg(not(feature = "sigv4"))]
    #[allow(clippy::unused_self, clippy::unnecessary_wraps)] // with signatures they are used
    pub(super) fn sign(&self, _request: &mut Request<Bytes>) -> Result<(), String> {
        Ok(())
    }
}

#[cfg(feature = "https")]
fn client_config(roots: rustls::RootCertStore) -> Result<rustls::ClientConfig, String> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| format!("TLS: {error}"))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// The certificates that this machine trusts; `SSL_CERT_FILE` and `SSL_CERT_DIR` name others.
#[cfg(feature = "https")]
fn trusted() -> Result<rustls::RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let errors: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        return Err(format!(
            "this machine trusts no certificate authority ({}); SSL_CERT_FILE can name a file \
             with certificates in PEM",
            errors.join("; ")
        ));
    }
    Ok(roots)
}
