//! Checks signatures as IAM does: Signature Version 4, by the secret `test`.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SigningParams, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request};

/// Headers that the signer adds itself.
const ADDED: [&str; 3] = ["host", "x-amz-date", "x-amz-security-token"];

/// Whether a request is signed for this service. Its time is not checked.
pub(super) fn is_valid(head: &Parts, body: &[u8], service: &str) -> bool {
    let given = text(&head.headers, "authorization").and_then(Given::read);
    given.is_some_and(|given| {
        let made = given.made(head, body, service);
        given.service == service && made.is_some_and(|made| made == given.signature)
    })
}

/// The parts of an `Authorization` header.
struct Given<'a> {
    key: &'a str,
    region: &'a str,
    service: &'a str,
    headers: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Given<'a> {
    fn read(header: &'a str) -> Option<Self> {
        let header = header.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let part = |name: &str| {
            let mut parts = header.split(',').map(str::trim);
            parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
        };
        let scope: Vec<_> = part("Credential")?.split('/').collect();
        let [key, _, region, service, "aws4_request"] = scope[..] else {
            return None;
        };
        Some(Self {
            key,
            region,
            service,
            headers: part("SignedHeaders")?.split(';').collect(),
            signature: part("Signature")?,
        })
    }

    /// The signature that the request should have.
    fn made(&self, head: &Parts, body: &[u8], service: &str) -> Option<String> {
        let token = text(&head.headers, "x-amz-security-token").map(str::to_owned);
        let identity = Credentials::from_keys(self.key, "test", token).into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(service)
            .time(time(text(&head.headers, "x-amz-date")?)?)
            .settings(SigningSettings::default())
            .build()
            .ok()?;
        let signed = self.headers.iter().filter(|name| !ADDED.contains(name));
        let values = |name: &&'a str| {
            let values = head.headers.get_all(*name).iter();
            let name = *name;
            values.map(move |value| Some((name, value.to_str().ok()?)))
        };
        let headers: Vec<_> = signed.flat_map(values).collect::<Option<_>>()?;
        let host = text(&head.headers, "host")?;
        let uri = format!("http://{host}{}", head.uri.path_and_query()?);
        let request = SignableRequest::new(
            head.method.as_str(),
            &uri,
            headers.into_iter(),
            SignableBody::Bytes(body),
        );
        let output = sign(request.ok()?, &SigningParams::V4(params)).ok()?;
        let mut signed = Request::builder().uri(&uri).body(()).ok()?;
        output.into_parts().0.apply_to_request_http1x(&mut signed);
        let header = text(signed.headers(), "authorization")?;
        Some(Given::read(header)?.signature.to_owned())
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The time in the form `20261129T012345Z`.
fn time(text: &str) -> Option<SystemTime> {
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    let time = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some(time.into())
}
