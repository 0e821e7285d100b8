//! What a server has around its store: keys, TLS and metrics.

use std::time::Duration;

use ees_http::Options;
use futures_util::future::join3;
use tokio_util::sync::CancellationToken;

use super::exposure;
use super::keys::Keys;
use super::tls::Security;
use crate::args::ServeArgs;
use crate::metrics::{Metrics, storage_bytes};

/// How often recorded times are taken into their histograms.
const TIDY_EVERY: Duration = Duration::from_secs(5);

/// What a server has around its store.
pub(super) struct Guards {
    pub(super) keys: Keys,
    pub(super) security: Security,
    /// `None`: nothing is recorded.
    pub(super) metrics: Option<Metrics>,
}

impl Guards {
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
}
