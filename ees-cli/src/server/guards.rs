//! What a server has around its store: keys, TLS and metrics.

use std::time::Duration;

use ees_http::{Measured, Options};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join3, ready};
use tokio_util::sync::CancellationToken;

use super::exposure;
use super::keys::Keys;
use super::tls::Security;
use crate::Failure;
use crate::args::ServeArgs;
#[cfg(feature = "otlp")]
use crate::metrics::Sending;
use crate::metrics::{Metrics, storage_bytes};

/// How often recorded times are taken into their histograms.
const TIDY_EVERY: Duration = Duration::from_secs(5);

/// What a server has around its store.
pub(super) struct Guards {
    pub(super) keys: Keys,
    pub(super) security: Security,
    /// `None`: nothing is recorded.
    pub(super) metrics: Option<Metrics>,
    /// `None`: they are not sent.
    #[cfg(feature = "otlp")]
    pub(super) sending: Option<Sending>,
}

impl Guards {
    /// What the arguments ask for.
    ///
    /// # Errors
    /// [`Failure`] if a file of it cannot be used, or an address.
    pub(super) fn read(args: &ServeArgs) -> Result<Self, Failure> {
        let is_measured = !args.without_metrics;
        Ok(Self {
            keys: Keys::read(args)?,
            security: Security::read(args)?,
            metrics: is_measured.then(Metrics::start).transpose()?,
            #[cfg(feature = "otlp")]
            sending: match &args.otlp_endpoint {
                Some(endpoint) if is_measured => Some(Sending::to(endpoint)?),
                _ => None,
            },
        })
    }

    /// The options of the contract's router.
    pub(super) fn options(&self, args: &ServeArgs, closing: CancellationToken) -> Options {
        let mut options = Options::default();
        options.max_requests = usize::try_from(args.max_requests).unwrap_or(usize::MAX);
        options.request_timeout = Duration::from_secs(args.request_timeout.into());
        options.closing = closing;
        options.authorizer = self.keys.authorizer();
        options.hosts = exposure::hosts(args);
        let metrics = self.metrics.as_ref();
        options.metrics = metrics.map(|metrics| metrics.text(storage_bytes(&args.storage.url)));
        options
    }

    /// Reads files again when they change, and keeps the metrics small, until the server closes.
    pub(super) async fn follow(self, closing: CancellationToken) {
        let keys = self.keys.follow(closing.clone());
        let security = self.security.follow(closing.clone());
        let tidying = async {
            let pause = || closing.run_until_cancelled(tokio::time::sleep(TIDY_EVERY));
            while pause().await.is_some() {
                self.metrics.iter().for_each(Metrics::tidy);
            }
        };
        join3(keys, security, tidying).await;
    }

    /// Sends the metrics to the collector, if there is one, until the server has ended.
    #[cfg(feature = "otlp")]
    pub(super) fn send_metrics(
        &mut self,
        measured: Measured,
        ended: CancellationToken,
    ) -> BoxFuture<'static, ()> {
        match self.sending.take() {
            Some(sending) => sending.follow(measured, ended).boxed(),
            None => ready(()).boxed(),
        }
    }

    #[cfg(not(feature = "otlp"))]
    #[allow(clippy::unused_self, clippy::needless_pass_by_value)] // the signature of the feature
    pub(super) fn send_metrics(
        &mut self,
        _: Measured,
        _: CancellationToken,
    ) -> BoxFuture<'static, ()> {
        ready(()).boxed()
    }
}
