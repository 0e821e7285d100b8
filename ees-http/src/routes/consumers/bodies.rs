//! The bodies of the calls of consumers.

use axum::extract::Request;
use ees_core::consumer::{Ack, ConsumerName, Failure, MAX_BATCH};
use ees_core::{ChangesetId, Checkpoint, StreamId};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use crate::app::App;
use crate::codes;
use crate::context::RequestContext;
use crate::error::ApiError;
use crate::params::MAX_WAIT_SECONDS;
use crate::routes::streams::read_body;

/// The largest body of these calls.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// The longest name of a worker, in bytes.
const MAX_WORKER: usize = 100;

/// What defines a consumer.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)] // for the description
#[allow(dead_code)] // only described
pub(super) struct DefinitionBody {
    /// Where it begins: a checkpoint (default: 0), or `head` for what is committed from now on.
    #[schema(value_type = serde_json::Value, required = false)]
    from: u64,
    /// It gets streams whose id begins with one of these. Default: all.
    #[schema(required = false)]
    stream_prefixes: Vec<String>,
    /// It gets changesets with an event of one of these types. Default: all.
    #[schema(required = false)]
    event_types: Vec<String>,
    /// As many workers can work at the same time. Default: 1.
    #[schema(required = false, minimum = 1, maximum = 64)]
    partitions: u16,
    /// How long a worker has a batch. Default: 30.
    #[schema(required = false, minimum = 5, maximum = 3600)]
    lease_seconds: u64,
    /// The pauses before each try of a parked stream. Default: 1, 5, 30, 120.
    #[schema(required = false, max_items = 20)]
    retry_seconds: Vec<u64>,
    /// What a changeset does that cannot be handled: `park` its stream (default), or `stop` its
    /// partition.
    #[schema(required = false)]
    on_failure: String,
}

/// Who claims, and how much.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClaimBody {
    /// What the worker calls itself, for people: at most 100 bytes.
    pub(super) worker: String,
    /// The largest number of changesets. Default: 100.
    #[serde(default = "hundred")]
    #[schema(minimum = 1, maximum = 1000)]
    pub(super) limit: usize,
    /// The longest time to wait, in seconds. Default: 0.
    #[serde(default)]
    #[schema(maximum = 20)]
    pub(super) wait: u64,
}

/// What a worker did with its batch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AckBody {
    /// The batch's partition.
    pub(super) partition: u16,
    /// The batch's generation.
    generation: u64,
    /// The first position that is not handled.
    checkpoint: u64,
    /// The changesets before it that could not be handled.
    #[serde(default)]
    failed: Vec<FailedChangeset>,
    /// Asks for the next batch.
    #[serde(default)]
    pub(super) next: Option<NextBody>,
}

/// A changeset that could not be handled.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FailedChangeset {
    /// Its stream.
    stream_id: String,
    /// Its number in the stream.
    #[schema(minimum = 1)]
    changeset_id: u64,
    /// Why, for people. At most 256 bytes of it are kept.
    #[serde(default)]
    error: String,
}

/// How much of the next batch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NextBody {
    /// The largest number of changesets. Default: 100.
    #[serde(default = "hundred")]
    #[schema(minimum = 1, maximum = 1000)]
    pub(super) limit: usize,
    /// The longest time to wait, in seconds. Default: 0.
    #[serde(default)]
    #[schema(maximum = 20)]
    pub(super) wait: u64,
}

/// A batch to give back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReleaseBody {
    /// The batch's partition.
    pub(super) partition: u16,
    /// The batch's generation.
    pub(super) generation: u64,
}

/// A stream to try.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RetryBody {
    /// The stream.
    pub(super) stream_id: String,
}

/// A stream, and how much of it to skip.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SkipBody {
    /// The stream.
    pub(super) stream_id: String,
    /// The last changeset of it to skip.
    #[schema(minimum = 1)]
    pub(super) through_changeset: u64,
}

/// Where to go on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResetBody {
    /// The new checkpoint of all partitions.
    pub(super) checkpoint: u64,
}

fn hundred() -> usize {
    100
}

/// Reads a body. One that is empty counts as an empty object.
pub(super) async fn body<T: DeserializeOwned>(
    app: &App,
    context: &RequestContext,
    request: Request,
) -> Result<T, ApiError> {
    let held = read_body(app, MAX_BODY, &context.permit, request).await?;
    // A derived implementation would take an array for an object.
    let bytes = match held.bytes.trim_ascii() {
        [] => b"{}",
        object @ [b'{', ..] => object,
        _ => return Err(invalid("the body is not a JSON object".to_owned())),
    };
    let read = serde_json::from_slice(bytes);
    read.map_err(|error| invalid(format!("the body is not as expected: {error}")))
}

pub(super) fn name(text: &str) -> Result<ConsumerName, ApiError> {
    let name = text.parse::<ConsumerName>();
    name.map_err(|error| ApiError::bad_request(codes::INVALID_CONSUMER_NAME, error.to_string()))
}

pub(super) fn stream(text: &str) -> Result<StreamId, ApiError> {
    Ok(StreamId::new(text)?)
}

pub(super) fn changeset(id: u64) -> Result<ChangesetId, ApiError> {
    ChangesetId::new(id).map_err(|error| invalid(error.to_string()))
}

pub(super) fn checkpoint(position: u64) -> Result<Checkpoint, ApiError> {
    Checkpoint::new(position).map_err(|error| invalid(error.to_string()))
}

/// Checks how much is asked for.
pub(super) fn check_limits(limit: usize, wait: u64) -> Result<(), ApiError> {
    if !(1..=MAX_BATCH).contains(&limit) {
        return Err(invalid(format!(
            "`limit` is {limit}: expected an integer from 1 to {MAX_BATCH}"
        )));
    }
    if wait > MAX_WAIT_SECONDS {
        return Err(invalid(format!(
            "`wait` is {wait}: expected an integer from 0 to {MAX_WAIT_SECONDS}"
        )));
    }
    Ok(())
}

impl ClaimBody {
    pub(super) fn check(&self) -> Result<(), ApiError> {
        if self.worker.len() > MAX_WORKER {
            return Err(invalid(format!(
                "`worker` has more than {MAX_WORKER} bytes"
            )));
        }
        check_limits(self.limit, self.wait)
    }
}

impl AckBody {
    pub(super) fn ack(&self) -> Result<Ack, ApiError> {
        let failed = self.failed.iter().map(|failed| {
            Ok(Failure {
                stream_id: stream(&failed.stream_id)?,
                changeset_id: changeset(failed.changeset_id)?,
                error: failed.error.clone(),
            })
        });
        Ok(Ack {
            generation: self.generation,
            checkpoint: checkpoint(self.checkpoint)?,
            failed: failed.collect::<Result<_, ApiError>>()?,
        })
    }
}

fn invalid(message: String) -> ApiError {
    ApiError::bad_request(codes::INVALID_BODY, message)
}
