//! Calls to services over the wire. Emulators do not check signatures, but read the service's name
//! from them.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::Error;

const JSON: &str = "application/x-amz-json-1.0";
const FORM: &str = "application/x-www-form-urlencoded";

/// A client of all services.
#[derive(Debug, Clone)]
pub(crate) struct Client(hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>);

/// A call to send.
struct Call<'a> {
    method: Method,
    url: String,
    service: &'a str,
    operation: &'a str,
    content_type: &'a str,
    body: Bytes,
}

impl Client {
    pub(crate) fn new() -> Self {
        let builder = hyper_util::client::legacy::Client::builder(TokioExecutor::new());
        Self(builder.build_http())
    }

    /// Calls an operation of a service that speaks JSON: `DynamoDB_20120810.CreateTable`.
    pub(crate) async fn json(
        &self,
        endpoint: &str,
        operation: &str,
        body: &Value,
    ) -> Result<Value, Error> {
        let (prefix, _) = operation.split_once('.').unwrap_or((operation, ""));
        let service = match prefix {
            "AmazonSQS" => "sqs",
            "Logs_20140328" => "logs",
            _ => "dynamodb",
        };
        let answer = self.send(Call {
            method: Method::POST,
            url: format!("{endpoint}/"),
            service,
            operation,
            content_type: JSON,
            body: body.to_string().into(),
        });
        let answer = answer.await?;
        // Some operations have an empty answer.
        Ok(serde_json::from_slice(&answer).unwrap_or(Value::Null))
    }

    /// Calls an operation of SNS.
    pub(crate) async fn sns(
        &self,
        endpoint: &str,
        operation: &str,
        parameters: &[(&str, &str)],
    ) -> Result<String, Error> {
        let service = ("sns", "2010-03-31");
        self.query(service, endpoint, operation, parameters).await
    }

    /// Calls an operation of a service, by its name and version, in the query protocol.
    pub(crate) async fn query(
        &self,
        (service, version): (&str, &str),
        endpoint: &str,
        operation: &str,
        parameters: &[(&str, &str)],
    ) -> Result<String, Error> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", operation)
            .append_pair("Version", version)
            .extend_pairs(parameters)
            .finish();
        let answer = self.send(Call {
            method: Method::POST,
            url: format!("{endpoint}/"),
            service,
            operation,
            content_type: FORM,
            body: form.into(),
        });
        answer.await.map(|body| text(&body))
    }

    /// Calls S3 with a method and an encoded path.
    pub(crate) async fn s3(
        &self,
        endpoint: &str,
        method: Method,
        path: &str,
        body: String,
    ) -> Result<String, Error> {
        let operation = format!("{method} {path}");
        let answer = self.send(Call {
            url: format!("{endpoint}{path}"),
            service: "s3",
            operation: &operation,
            method,
            content_type: "binary/octet-stream",
            body: body.into(),
        });
        answer.await.map(|body| text(&body))
    }

    async fn send(&self, call: Call<'_>) -> Result<Bytes, Error> {
        let scope = format!("local/20260101/us-east-1/{}/aws4_request", call.service);
        let mut request = Request::builder().method(call.method).uri(call.url);
        if call.content_type == JSON {
            request = request.header("x-amz-target", call.operation);
        }
        let request = request
            .header("content-type", call.content_type)
            .header("x-amz-date", "20260101T000000Z")
            .header(
                "authorization",
                format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
            )
            .body(Full::new(call.body));
        let failed = |said: String| Error::Service {
            operation: call.operation.to_owned(),
            said,
        };
        let request = request.map_err(|error| failed(error.to_string()))?;
        let answer = self.0.request(request).await;
        let answer = answer.map_err(|error| failed(error.to_string()))?;
        let status = answer.status();
        let body = answer.into_body().collect().await;
        let body = body.map_err(|error| failed(error.to_string()))?.to_bytes();
        if status.is_success() {
            Ok(body)
        } else {
            Err(failed(format!("{status} {}", text(&body))))
        }
    }
}

fn text(body: &Bytes) -> String {
    String::from_utf8_lossy(body).into_owned()
}
