//! Signatures for an event store behind IAM on AWS: Signature Version 4,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>.

use std::time::SystemTime;

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SigningParams, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use reqwest::Request;
use reqwest::header::{HeaderName, HeaderValue};

use crate::{Authorize, AuthorizeError};

/// Signs requests for API Gateway or for a function URL. Each try is signed anew, with the credentials and
/// the time of that moment.
#[derive(Debug, Clone)]
pub struct SigV4 {
    credentials: SharedCredentialsProvider,
    region: String,
    service: &'static str,
}

impl SigV4 {
    /// For an endpoint of API Gateway in this region. The crate `aws-config` finds credentials as the AWS
    /// command line does.
    pub fn api_gateway(
        credentials: impl ProvideCredentials + 'static,
        region: impl Into<String>,
    ) -> Self {
        Self {
            credentials: SharedCredentialsProvider::new(credentials),
            region: region.into(),
            service: "execute-api",
        }
    }

    /// For the URL of a Lambda function in this region; otherwise as [`SigV4::api_gateway`].
    pub fn function_url(
        credentials: impl ProvideCredentials + 'static,
        region: impl Into<String>,
    ) -> Self {
        Self {
            service: "lambda",
            ..Self::api_gateway(credentials, region)
        }
    }
}

#[async_trait::async_trait]
impl Authorize for SigV4 {
    async fn authorize(&self, request: &mut Request) -> Result<(), AuthorizeError> {
        let identity = self.credentials.provide_credentials().await?.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?;
        let headers = request.headers().iter();
        let headers =
            headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let body = request.body().and_then(reqwest::Body::as_bytes);
        let signable = SignableRequest::new(
            request.method().as_str(),
            request.url().as_str(),
            headers,
            SignableBody::Bytes(body.unwrap_or_default()),
        )?;
        let (instructions, _) = sign(signable, &SigningParams::V4(params))?.into_parts();
        for (name, value) in instructions.headers() {
            let name = HeaderName::from_bytes(name.as_bytes())?;
            request
                .headers_mut()
                .insert(name, HeaderValue::from_str(value)?);
        }
        Ok(())
    }
}
