//! Requests signed as AWS wants them under IAM authorization: Signature Version 4,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SigningParams, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use hyper::Request;

/// Signs requests to a REST API, or to a function URL.
#[derive(Debug, Clone)]
pub struct Signer {
    identity: Identity,
    region: String,
    service: &'static str,
}

impl Signer {
    /// Signs with an access key for a REST API, in the endpoint's region.
    pub fn new(
        access_key_id: &str,
        secret_access_key: &str,
        session_token: Option<String>,
        region: impl Into<String>,
    ) -> Self {
        let credentials = Credentials::from_keys(access_key_id, secret_access_key, session_token);
        Self {
            identity: credentials.into(),
            region: region.into(),
            service: "execute-api",
        }
    }

    /// Signs for a function URL instead.
    #[must_use]
    pub fn for_function_url(mut self) -> Self {
        self.service = "lambda";
        self
    }

    pub(super) fn sign(&self, request: &mut Request<Bytes>) -> Result<(), String> {
        let params = v4::SigningParams::builder()
            .identity(&self.identity)
            .region(&self.region)
            .name(self.service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(failed)?;
        let headers = request.headers().iter().filter_map(|(name, value)| {
            let value = value.to_str().ok()?;
            Some((name.as_str(), value))
        });
        let uri = request.uri().to_string();
        let body = SignableBody::Bytes(request.body());
        let signable = SignableRequest::new(request.method().as_str(), uri, headers, body);
        let signed = sign(signable.map_err(failed)?, &SigningParams::V4(params));
        let (instructions, _) = signed.map_err(failed)?.into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }
}

fn failed(error: impl std::error::Error) -> String {
    format!("the request cannot be signed: {error}")
}
