//! What a host tells its console.

use std::sync::Arc;

use ees_http::{Authorizer, MetricsText};
use tokio_util::sync::CancellationToken;

/// What a host tells its console.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// The storage, as people know it, without a password.
    pub storage: String,
    /// Recognises callers by their keys. `None`: whoever reaches the console may do everything.
    pub authorizer: Option<Arc<dyn Authorizer>>,
    /// The metrics of the process. `None`: the console has no plots of them.
    pub metrics: Option<MetricsText>,
    /// Whether clients reach the server by TLS. Cookies then have the attribute `Secure`.
    pub is_tls: bool,
    /// Whether this process lets the verifiable log follow the order.
    pub is_sealing: bool,
    /// Ends what waits, when it is cancelled.
    pub closing: CancellationToken,
}

impl Settings {
    /// The settings of a console over this storage, without keys, metrics and TLS, that
    /// does not seal.
    pub fn new(storage: impl Into<String>) -> Self {
        Self {
            storage: storage.into(),
            authorizer: None,
            metrics: None,
            is_tls: false,
            is_sealing: false,
            closing: CancellationToken::new(),
        }
    }
}
