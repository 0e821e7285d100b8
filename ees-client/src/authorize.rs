//! Who sends a request.

use reqwest::Request;
use reqwest::header::{AUTHORIZATION, HeaderValue};

use crate::Error;

/// An error of [`Authorize`].
pub type AuthorizeError = Box<dyn std::error::Error + Send + Sync>;

/// Adds to each try of a request what proves who sends it.
#[async_trait::async_trait]
pub trait Authorize: Send + Sync {
    /// Changes the headers of a request that is complete otherwise.
    ///
    /// # Errors
    /// The request is not sent, and the try counts as failed without an effect.
    async fn authorize(&self, request: &mut Request) -> Result<(), AuthorizeError>;
}

/// The secret of a key of the server.
pub(crate) struct Bearer(HeaderValue);

impl Bearer {
    pub(crate) fn new(secret: &str) -> Result<Self, Error> {
        let header = HeaderValue::from_str(&format!("Bearer {secret}"));
        // The error must not show the secret.
        let refused = |_| Error::Refused("the key cannot be sent in a header".into());
        let mut header = header.map_err(refused)?;
        header.set_sensitive(true);
        Ok(Self(header))
    }
}

#[async_trait::async_trait]
impl Authorize for Bearer {
    async fn authorize(&self, request: &mut Request) -> Result<(), AuthorizeError> {
        request.headers_mut().insert(AUTHORIZATION, self.0.clone());
        Ok(())
    }
}
