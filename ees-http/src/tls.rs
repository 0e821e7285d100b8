//! TLS of the server: its certificate, and the clients' certificates.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::UnixTime;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{CertificateError, RootCertStore, ServerConfig};

/// The protocols that are offered, the preferred one first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The TLS of a server. Clones share it, and it can be replaced while the server runs.
#[derive(Clone)]
pub struct Tls(Arc<RwLock<Arc<ServerConfig>>>);

/// The files of [`Tls`], each as PEM.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct TlsFiles<'a> {
    /// The server's certificate, and after it those between it and a root.
    pub certificate: &'a str,
    /// The private key of the certificate.
    pub key: &'a str,
    /// The roots of the clients' certificates. `None`: clients need no certificate.
    pub client_roots: Option<&'a str>,
}

impl<'a> TlsFiles<'a> {
    /// A certificate with its private key.
    pub fn new(certificate: &'a str, key: &'a str) -> Self {
        Self {
            certificate,
            key,
            client_roots: None,
        }
    }

    /// Accepts only clients with a certificate from one of these roots.
    #[must_use]
    pub fn with_client_roots(self, roots: &'a str) -> Self {
        Self {
            client_roots: Some(roots),
            ..self
        }
    }
}

/// The reason why TLS cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsError(String);

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TlsError {}

impl Tls {
    /// TLS with these files.
    ///
    /// # Errors
    /// [`TlsError`] if a file is not PEM, the key does not belong to the certificate, or the
    /// certificate has expired.
    pub fn new(files: TlsFiles<'_>) -> Result<Self, TlsError> {
        let config = config(files).map_err(TlsError)?;
        Ok(Self(Arc::new(RwLock::new(Arc::new(config)))))
    }

    /// Uses other files for the connections that follow.
    ///
    /// # Errors
    /// As for [`Tls::new`]; nothing changes then.
    pub fn replace(&self, files: TlsFiles<'_>) -> Result<(), TlsError> {
        let config = Arc::new(config(files).map_err(TlsError)?);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

fn config(files: TlsFiles<'_>) -> Result<ServerConfig, String> {
    let chain = certificates(files.certificate, "the certificate")?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    check_time(&chain, &provider)?;
    let key = PrivateKeyDer::from_pem_slice(files.key.as_bytes());
    let key = key.map_err(|error| format!("the private key: no key was found in PEM: {error}"))?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?;
    let builder = match files.client_roots {
        None => builder.with_no_client_auth(),
        Some(roots) => {
            let roots = Arc::new(client_roots(roots)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
            let wrong = |error| format!("the roots of the clients' certificates: {error}");
            builder.with_client_cert_verifier(verifier.map_err(wrong)?)
        }
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                "the private key does not belong to the certificate".to_owned()
            }
            error => error.to_string(),
        })?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    Ok(config)
}

fn certificates(pem: &str, what: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let found = CertificateDer::pem_slice_iter(pem.as_bytes());
    let found: Result<Vec<_>, _> = found.collect();
    let found = found.map_err(|error| format!("{what}: {error}"))?;
    if found.is_empty() {
        return Err(format!("{what}: no certificate was found in PEM"));
    }
    Ok(found)
}

fn client_roots(pem: &str) -> Result<RootCertStore, String> {
    let what = "the roots of the clients' certificates";
    let mut roots = RootCertStore::empty();
    for root in certificates(pem, what)? {
        roots
            .add(root)
            .map_err(|error| format!("{what}: {error}"))?;
    }
    Ok(roots)
}

/// Refuses a certificate that no client would accept: the log tells sooner than the clients do.
fn check_time(chain: &[CertificateDer<'_>], provider: &CryptoProvider) -> Result<(), String> {
    let Some((certificate, between)) = chain.split_first() else {
        return Ok(());
    };
    let parsed = ParsedCertificate::try_from(certificate);
    let parsed = parsed.map_err(|error| format!("the certificate: {error}"))?;
    let verified = verify_server_cert_signed_by_trust_anchor(
        &parsed,
        // The root does not matter: the time is looked at first.
        &RootCertStore::empty(),
        between,
        UnixTime::now(),
        provider.signature_verification_algorithms.all,
    );
    match verified {
        Err(rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        )) => Err("the certificate has expired".to_owned()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn pair(until: i32) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_after = date_time_ymd(until, 1, 1);
        let certificate = params.self_signed(&key).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    #[test]
    fn what_is_wrong_with_the_files_is_told() {
        let (certificate, key) = pair(2999);
        let (expired, key_of_expired) = pair(2001);
        let (_, other_key) = pair(2999);
        let tls = Tls::new(TlsFiles::new(&certificate, &key)).unwrap();
        for (certificate, key, expected) in [
            (&key, &key, "the certificate: no certificate was found"),
            (
                &certificate,
                &certificate,
                "the private key: no key was found",
            ),
            (
                &certificate,
                &other_key,
                "does not belong to the certificate",
            ),
            (&expired, &key_of_expired, "the certificate has expired"),
        ] {
            let files = TlsFiles::new(certificate, key);
            let error = Tls::new(files).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert_eq!(tls.replace(files).unwrap_err().to_string(), error);
        }
        let files = TlsFiles::new(&certificate, &key).with_client_roots(&key);
        let error = Tls::new(files).unwrap_err().to_string();
        assert!(
            error.contains("the roots of the clients' certificates: no"),
            "{error}"
        );
        let files = TlsFiles::new(&certificate, &key).with_client_roots(&certificate);
        tls.replace(files).unwrap();
    }
}
