//! The port to a host's own authentication.

use std::fmt;

use async_trait::async_trait;
use axum::http::request::Parts;

use super::caller::Caller;

/// Recognises callers. A host passes one in
/// [`Options::authorizer`](crate::Options::authorizer). The contract then answers only callers that
/// it recognises, within their rights, except on the public paths.
#[async_trait]
pub trait Authorizer: fmt::Debug + Send + Sync {
    /// The caller who sent a request, by its headers or by extensions that the host has added.
    async fn authenticate(&self, request: &Parts) -> Result<Caller, Unauthorized>;
}

/// The refusal of a request whose caller is not recognised: 401 `UNAUTHORIZED`.
#[derive(Debug, Clone)]
pub struct Unauthorized {
    pub(super) message: String,
    pub(super) key: Option<String>,
}

impl Unauthorized {
    /// A refusal. The message goes to the client and must not contain a secret.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            key: None,
        }
    }

    /// What the client is told.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Names the key that is not valid any more, for the log.
    #[must_use]
    pub fn of_key(self, name: impl Into<String>) -> Self {
        Self {
            key: Some(name.into()),
            ..self
        }
    }
}
