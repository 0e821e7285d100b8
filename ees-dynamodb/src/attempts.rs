//! Tracks the outcome of the attempts of one write.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_sdk_dynamodb::config::interceptors::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use ees_core::Written;

/// Counts the attempts that the SDK makes of one write. An attempt that was sent and answered with
/// neither success nor a refusal may have written, or may still write.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attempts(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    sent: AtomicU32,
    settled: AtomicU32,
}

impl Attempts {
    /// Whether an unanswered attempt may have written.
    pub(crate) fn written(&self) -> Written {
        let Counts { sent, settled } = &*self.0;
        if sent.load(Ordering::Relaxed) > settled.load(Ordering::Relaxed) {
            Written::Unknown
        } else {
            Written::None
        }
    }
}

impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "ees-attempts"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.sent.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let done = matches!(context.output_or_error(), Some(Ok(_)));
        let response = context.response();
        if done || response.is_some_and(|response| response.status().is_client_error()) {
            self.0.settled.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}
