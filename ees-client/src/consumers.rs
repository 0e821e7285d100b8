//! Durable consumers: the calls of workers and of operators.

use std::time::Duration;

use ees_core::consumer::{ConsumerDefinition, ConsumerName};
use ees_core::{ChangesetId, Checkpoint, StreamId, Timestamp};
use futures_util::stream::{BoxStream, StreamExt, TryStreamExt, iter, try_unfold};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::client::EventStore;
use crate::request::{Judging, request};
use crate::settings::Settings;
use crate::transport::{Answer, Send};
use crate::{Error, place};

/// How far a consumer has come.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ConsumerReport {
    /// Its name.
    pub name: String,
    /// Its definition. What a newer server adds to it is left out.
    pub definition: ConsumerDefinition,
    /// How many changesets of the global order follow its lowest checkpoint.
    pub lag_changesets: u64,
    /// The age of the first of them; 0 if there is none.
    pub lag: Duration,
    /// Its partitions.
    pub partitions: Vec<PartitionReport>,
    /// Whether every partition is beyond the position that was asked for.
    pub passed: Option<bool>,
    /// How many streams are parked at or before that position.
    pub parked_before: Option<u64>,
}

/// How far a partition has come. The last three are known while a batch is out.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct PartitionReport {
    /// Its number, from 0.
    pub partition: u16,
    /// The first position that is not handled.
    pub checkpoint: Checkpoint,
    /// The generation of its last batch; 0 if there was none.
    pub generation: u64,
    /// How many streams are parked, or have stopped it.
    pub parked: u64,
    /// Who has the batch.
    pub worker: Option<String>,
    /// For how many seconds nobody else gets it.
    pub lease_seconds_left: Option<f64>,
    /// For how many seconds it has been out.
    pub batch_out_seconds: Option<f64>,
}

/// A stream that a consumer could not handle.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Parked {
    /// The stream.
    pub stream_id: StreamId,
    /// The first of its changesets that is not handled.
    pub from_changeset: ChangesetId,
    /// How often this changeset failed.
    #[serde(default)]
    pub attempts: u32,
    /// Why it failed last.
    #[serde(default)]
    pub error: String,
    /// When the stream was parked.
    pub since: Option<Timestamp>,
    /// When it is tried again; `None` if it waits for an operator.
    pub next_try: Option<Timestamp>,
    /// Whether its partition has stopped at this changeset.
    #[serde(default)]
    pub stopped: bool,
}

#[derive(Deserialize)]
struct WireReport {
    name: String,
    definition: Map<String, Value>,
    lag: Lag,
    partitions: Vec<PartitionReport>,
    passed: Option<bool>,
    parked_before: Option<u64>,
}

#[derive(Deserialize)]
struct Lag {
    changesets: u64,
    seconds: f64,
}

#[derive(Deserialize)]
struct Names {
    consumers: Vec<String>,
}

#[derive(Deserialize)]
struct ParkedPage {
    parked: Vec<Parked>,
    next: Option<String>,
}

impl EventStore {
    /// Defines a consumer. The same definition may be sent again; another one is an error.
    ///
    /// # Errors
    /// [`Error::Api`] with the code `CONSUMER_EXISTS` if it stands with another definition; every other
    /// [`Error`] of an answer.
    pub async fn define_consumer(
        &self,
        name: &ConsumerName,
        definition: &ConsumerDefinition,
    ) -> Result<ConsumerReport, Error> {
        let asked = Send::new(Method::PUT, place::consumer(name)?).json(&sent(definition)?)?;
        request(self.settings(), &asked, &Judging::default(), report_of).await
    }

    /// The names of all consumers.
    ///
    /// # Errors
    /// Every [`Error`] of an answer.
    pub async fn consumers(&self) -> Result<Vec<String>, Error> {
        let read = |answer: &Answer| {
            serde_json::from_slice::<Names>(&answer.body).map(|names| names.consumers)
        };
        let asked = Send::get("/consumers");
        request(self.settings(), &asked, &Judging::default(), read).await
    }

    /// How far a consumer has come.
    ///
    /// # Errors
    /// [`Error::ConsumerNotFound`], and every other [`Error`] of an answer.
    pub async fn consumer(&self, name: &ConsumerName) -> Result<ConsumerReport, Error> {
        let asked = Send::get(place::consumer(name)?);
        request(self.settings(), &asked, &Judging::default(), report_of).await
    }

    /// Waits until a consumer has passed a position, for at most `wait`:
    /// [`ConsumerReport::passed`] says whether it has.
    ///
    /// # Errors
    /// As [`EventStore::consumer`].
    pub async fn consumer_past(
        &self,
        name: &ConsumerName,
        position: Checkpoint,
        wait: Duration,
    ) -> Result<ConsumerReport, Error> {
        let mut asked = Send::get(place::consumer(name)?)
            .given("passed", Some(position))
            .given("wait", Some(wait.as_secs()));
        asked.wait = wait;
        request(self.settings(), &asked, &Judging::default(), report_of).await
    }

    /// Deletes a consumer.
    ///
    /// # Errors
    /// As [`EventStore::consumer`].
    pub async fn delete_consumer(&self, name: &ConsumerName) -> Result<(), Error> {
        let asked = Send::new(Method::DELETE, place::consumer(name)?);
        request(self.settings(), &asked, &Judging::default(), |_| Ok(())).await
    }

    /// Moves a consumer to a checkpoint.
    ///
    /// # Errors
    /// As [`EventStore::consumer`].
    pub async fn reset_consumer(
        &self,
        name: &ConsumerName,
        checkpoint: Checkpoint,
    ) -> Result<(), Error> {
        let asked = post(name, "reset", &json!({ "checkpoint": checkpoint }))?;
        request(self.settings(), &asked, &Judging::default(), |_| Ok(())).await
    }

    /// The streams that a consumer could not handle, page by page.
    ///
    /// # Errors
    /// The stream ends with an error as of [`EventStore::consumer`].
    pub fn parked(&self, name: &ConsumerName) -> BoxStream<'static, Result<Parked, Error>> {
        let (store, name) = (self.clone(), name.clone());
        let first = Some(None::<String>);
        let pages = try_unfold(first, move |after| {
            let (store, name) = (store.clone(), name.clone());
            async move {
                let Some(after) = after else {
                    return Ok(None);
                };
                let page = parked_page(store.settings(), &name, after).await?;
                Ok(Some((page.parked, page.next.map(Some))))
            }
        });
        pages
            .map_ok(|items| iter(items.into_iter().map(Ok)))
            .try_flatten()
            .boxed()
    }

    /// Tries a parked stream at once.
    ///
    /// # Errors
    /// [`Error::Api`] if the stream is not parked; otherwise as [`EventStore::consumer`].
    pub async fn retry_parked(
        &self,
        name: &ConsumerName,
        stream_id: &StreamId,
    ) -> Result<Parked, Error> {
        let asked = post(name, "retry", &json!({ "stream_id": stream_id }))?;
        request(self.settings(), &asked, &Judging::default(), entry).await
    }

    /// Skips the changesets of a parked stream, up to this one.
    ///
    /// # Errors
    /// As [`EventStore::retry_parked`].
    pub async fn skip_parked(
        &self,
        name: &ConsumerName,
        stream_id: &StreamId,
        through: ChangesetId,
    ) -> Result<Parked, Error> {
        let body = json!({ "stream_id": stream_id, "through_changeset": through });
        let asked = post(name, "skip", &body)?;
        request(self.settings(), &asked, &Judging::default(), entry).await
    }
}

/// A request to a call of a consumer.
pub(crate) fn post(name: &ConsumerName, call: &str, body: &impl Serialize) -> Result<Send, Error> {
    Send::new(Method::POST, format!("{}/{call}", place::consumer(name)?)).json(body)
}

async fn parked_page(
    settings: &Settings,
    name: &ConsumerName,
    after: Option<String>,
) -> Result<ParkedPage, Error> {
    let asked = Send::get(format!("{}/parked", place::consumer(name)?))
        .given("limit", Some(100))
        .given("after", after);
    let read = |answer: &Answer| serde_json::from_slice(&answer.body);
    request(settings, &asked, &Judging::default(), read).await
}

fn entry(answer: &Answer) -> Result<Parked, serde_json::Error> {
    serde_json::from_slice(&answer.body)
}

/// The members of a definition that are not the defaults of the store.
fn sent(definition: &ConsumerDefinition) -> Result<Map<String, Value>, Error> {
    let refused = |error| Error::Refused(format!("the definition: {error}"));
    let mut members = members(definition).map_err(refused)?;
    let defaults = self::members(&ConsumerDefinition::default()).map_err(refused)?;
    members.retain(|name, value| defaults.get(name) != Some(value));
    Ok(members)
}

fn members(definition: &ConsumerDefinition) -> Result<Map<String, Value>, serde_json::Error> {
    serde_json::from_value(serde_json::to_value(definition)?)
}

fn report_of(answer: &Answer) -> Result<ConsumerReport, serde_json::Error> {
    let mut report: WireReport = serde_json::from_slice(&answer.body)?;
    let known = members(&ConsumerDefinition::default())?;
    report.definition.retain(|name, _| known.contains_key(name));
    let lag = Duration::try_from_secs_f64(report.lag.seconds);
    Ok(ConsumerReport {
        name: report.name,
        definition: serde_json::from_value(Value::Object(report.definition))?,
        lag_changesets: report.lag.changesets,
        lag: lag.map_err(serde::de::Error::custom)?,
        partitions: report.partitions,
        passed: report.passed,
        parked_before: report.parked_before,
    })
}
