//! The TLS of a server, and the files that it is made of.

use ees_http::{Tls, TlsFiles};
use tokio_util::sync::CancellationToken;

use crate::Failure;
use crate::args::ServeArgs;
use crate::watched::Watched;

/// The TLS of a server, if it has any.
pub(super) struct Security(Option<(Tls, Watched)>);

impl Security {
    /// Reads the files of `--tls-cert`, `--tls-key` and `--tls-client-ca`.
    pub(super) fn read(args: &ServeArgs) -> Result<Self, Failure> {
        let (Some(certificate), Some(key)) = (&args.tls_cert, &args.tls_key) else {
            return Ok(Self(None));
        };
        let mut paths = vec![certificate.clone(), key.clone()];
        paths.extend(args.tls_client_ca.clone());
        let wrong = |wrong: String| Failure::Usage(format!("`--tls-cert`, `--tls-key`: {wrong}"));
        let watched = Watched::read("--tls-cert", paths).map_err(wrong)?;
        let tls = Tls::new(files(watched.texts()));
        let tls = tls.map_err(|error| wrong(error.to_string()))?;
        Ok(Self(Some((tls, watched))))
    }

    pub(super) fn tls(&self) -> Option<Tls> {
        self.0.as_ref().map(|(tls, _)| tls.clone())
    }

    /// The scheme of the server's URL.
    pub(super) fn scheme(&self) -> &'static str {
        if self.0.is_some() { "https" } else { "http" }
    }

    /// Reads the files again when they change, until the server closes.
    pub(super) async fn follow(self, closing: CancellationToken) {
        let Self(Some((tls, watched))) = self else {
            return;
        };
        let accept = |texts: &[String]| {
            let replaced = tls.replace(files(texts));
            replaced.map_err(|error| error.to_string())?;
            Ok("new connections use it".to_owned())
        };
        watched.follow(closing, accept, || ()).await;
    }
}

/// The texts of the files, in the order in which they are watched.
fn files(texts: &[String]) -> TlsFiles<'_> {
    let text = |at: usize| texts.get(at).map(String::as_str);
    let files = TlsFiles::new(text(0).unwrap_or_default(), text(1).unwrap_or_default());
    match text(2) {
        Some(roots) => files.with_client_roots(roots),
        None => files,
    }
}
