//! The failures bucket.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::error::{DisplayErrorContext, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectError;
use ees_aws::SdkConfig;

use crate::Failure;

/// The bucket in which Lambda stores the batches that failed.
pub(crate) struct Bucket {
    client: Client,
    name: String,
}

/// A page of a listing of the bucket.
pub(crate) struct Listed {
    pub(crate) keys: Vec<String>,
    /// The token of the next page; `None` at the end.
    pub(crate) next: Option<String>,
}

impl Bucket {
    pub(crate) fn new(name: &str, sdk: &SdkConfig) -> Self {
        // An endpoint that serves all buckets has their names in the path.
        let by_path = sdk.endpoint_url().is_some();
        let config = Builder::from(sdk).force_path_style(by_path).build();
        Self {
            client: Client::from_conf(config),
            name: name.to_owned(),
        }
    }

    /// The text of an object; `None` if the object does not exist.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<String>, Failure> {
        let get = self.client.get_object().bucket(&self.name).key(key);
        let found = match get.send().await {
            Ok(found) => found,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetObjectError::is_no_such_key) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(self.failed("GetObject", &error)),
        };
        let unread = |reason: String| Failure::Bucket {
            call: "GetObject",
            bucket: self.name.clone(),
            reason,
        };
        let body = found.body.collect().await;
        let bytes = body.map_err(|error| unread(error.to_string()))?.to_vec();
        String::from_utf8(bytes)
            .map(Some)
            .map_err(|error| unread(format!("object `{key}` is not UTF-8 text: {error}")))
    }

    /// Stores an object. An existing one becomes an earlier version.
    pub(crate) async fn put(&self, key: &str, text: String) -> Result<(), Failure> {
        let put = self.client.put_object().bucket(&self.name).key(key);
        let put = put.body(text.into_bytes().into()).send().await;
        put.map_err(|error| self.failed("PutObject", &error))?;
        Ok(())
    }

    /// Deletes an object. It is not an error if the object does not exist.
    pub(crate) async fn delete(&self, key: &str) -> Result<(), Failure> {
        let delete = self.client.delete_object().bucket(&self.name).key(key);
        let deleted = delete.send().await;
        deleted.map_err(|error| self.failed("DeleteObject", &error))?;
        Ok(())
    }

    /// Lists a page of the keys with a prefix, in order.
    pub(crate) async fn list(&self, prefix: &str, from: Option<String>) -> Result<Listed, Failure> {
        let list = self
            .client
            .list_objects_v2()
            .bucket(&self.name)
            .prefix(prefix);
        let listed = list.set_continuation_token(from).send().await;
        let listed = listed.map_err(|error| self.failed("ListObjectsV2", &error))?;
        let objects = listed.contents.unwrap_or_default().into_iter();
        Ok(Listed {
            keys: objects.filter_map(|object| object.key).collect(),
            next: listed.next_continuation_token,
        })
    }

    fn failed<E, R>(&self, call: &'static str, error: &SdkError<E, R>) -> Failure
    where
        SdkError<E, R>: std::error::Error,
    {
        Failure::Bucket {
            call,
            bucket: self.name.clone(),
            reason: DisplayErrorContext(error).to_string(),
        }
    }
}
