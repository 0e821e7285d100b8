//! A store over HTTP: the REST contract's client.

mod access;
mod event_stream;
mod front;
mod remote;
mod response;
#[cfg(feature = "sigv4")]
mod signer;
mod wire;

use std::time::{Duration, Instant};

use async_trait::async_trait;
use hyper::{Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

pub use access::Access;
pub use event_stream::{EventStream, Sent};
pub use front::Front;
pub use remote::Remote;
pub use response::Response;
#[cfg(feature = "sigv4")]
pub use signer::Signer;
use wire::{
    WireChangesets, WireCommitted, WireCommittedSet, WireEnd, WireError, WireEvents, WireGlobal,
    WireGlobalEvents, WireHead, WireStatistics, WireUnmet,
};

use super::{
    Ask, AskSet, Changeset, Committed, Event, Expect, Failure, GlobalEvent, GlobalEventPage,
    GlobalPage, GlobalRead, Head, Page, Read, Statistics, Subject,
};

/// The characters that a path segment or a query value may contain unencoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// How long statistics may take to reach a version.
const STATISTICS_WITHIN: Duration = Duration::from_mins(4);

/// Writes a stream id as a path segment.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

fn accept(response: &Response) -> Result<(), Failure> {
    if response.status == StatusCode::OK {
        return Ok(());
    }
    let error: WireError = response.read();
    Err(Failure {
        code: error.error,
        message: error.message,
        forthcoming: error.forthcoming_changesets.map(|items| Page {
            next: error.next,
            items: items
                .into_iter()
                .map(|item| item.into_changeset(error.stream_id.as_deref()))
                .collect(),
        }),
        has_the_key: error
            .changeset
            .map(|item| Box::new(item.into_changeset(error.stream_id.as_deref()))),
        conflicts: error.conflicts.map(|conflicts| {
            let conflicts = conflicts.into_iter();
            conflicts.map(WireUnmet::into_unmet).collect()
        }),
    })
}

impl Remote {
    async fn read<T>(
        &self,
        path_and_query: &str,
        take: impl FnOnce(&Response) -> T,
    ) -> Result<T, Failure> {
        let response = self.get(path_and_query).await;
        accept(&response)?;
        Ok(take(&response))
    }
}

#[async_trait]
impl Subject for Remote {
    async fn commit(&self, ask: &Ask) -> Result<Committed, Failure> {
        let (name, last) = parameter(ask.expect);
        let path = format!(
            "/streams/{}?{name}={last}&details=true",
            encode(&ask.stream)
        );
        let body = match &ask.metadata {
            Some(metadata) => format!(r#"{{"metadata":{metadata},"events":{}}}"#, ask.events),
            None => format!(r#"{{"events":{}}}"#, ask.events),
        };
        let key = ask.key.as_deref().map(|key| ("idempotency-key", key));
        let response = self.send(Method::POST, &path, key.as_slice(), body).await;
        accept(&response)?;
        let wire: WireCommitted = response.read();
        let replayed = response.header("idempotency-replayed") == Some("true");
        Ok(wire.into_committed(replayed))
    }

    async fn commit_all(&self, ask: &AskSet) -> Result<Vec<Committed>, Failure> {
        let commits = ask.commits.iter().map(|commit| {
            let metadata = commit.metadata.as_ref();
            let metadata =
                metadata.map_or_else(String::new, |text| format!(r#","metadata":{text}"#));
            let (member, events) = (member(&commit.stream, commit.expect), &commit.events);
            format!(r#"{{{member},"events":{events}{metadata}}}"#)
        });
        let checks = ask.checks.iter();
        let checks = checks.map(|(stream, expect)| format!("{{{}}}", member(stream, *expect)));
        let (commits, checks): (Vec<_>, Vec<_>) = (commits.collect(), checks.collect());
        let body = format!(
            r#"{{"commits":[{}],"checks":[{}]}}"#,
            commits.join(","),
            checks.join(",")
        );
        let path = "/commits?details=true";
        let key = ask.key.as_deref().map(|key| ("idempotency-key", key));
        let response = self.send(Method::POST, path, key.as_slice(), body).await;
        accept(&response)?;
        let wire: WireCommittedSet = response.read();
        let replayed = response.header("idempotency-replayed") == Some("true");
        let commits = wire.commits.into_iter();
        Ok(commits
            .map(|commit| commit.into_committed(replayed))
            .collect())
    }

    async fn head(&self, stream: &str) -> Result<Head, Failure> {
        let path = format!("/streams/{}", encode(stream));
        self.read(&path, |response| {
            let wire: WireHead = response.read();
            assert_eq!(wire.stream_id, stream);
            Head {
                last_changeset: wire.last_changeset,
                last_event: wire.last_event,
                last_timestamp: wire.last_timestamp,
            }
        })
        .await
    }

    async fn changesets(&self, stream: &str, read: &Read) -> Result<Page<Changeset>, Failure> {
        let path = format!("/streams/{}/changesets?{}", encode(stream), query(read));
        self.read(&path, |response| {
            let wire: WireChangesets = response.read();
            assert_eq!(wire.stream_id, stream);
            let items = wire.changesets.into_iter();
            Page {
                next: wire.next,
                items: items
                    .map(|item| item.into_changeset(Some(stream)))
                    .collect(),
            }
        })
        .await
    }

    async fn events(&self, stream: &str, read: &Read) -> Result<Page<Event>, Failure> {
        let path = format!("/streams/{}/events?{}", encode(stream), query(read));
        self.read(&path, |response| {
            let wire: WireEvents = response.read();
            assert_eq!(wire.stream_id, stream);
            let items = wire.events.into_iter().map(|event| Event {
                id: event.id,
                data: event.data.get().to_owned(),
            });
            Page {
                next: wire.next,
                items: items.collect(),
            }
        })
        .await
    }

    async fn global_changesets(&self, read: &GlobalRead<u64>) -> Result<GlobalPage, Failure> {
        let path = format!(
            "/changesets?checkpoint={}&details=true{}",
            read.checkpoint,
            parameters(read)
        );
        self.read(&path, |response| {
            let wire: WireGlobal = response.read();
            assert_eq!(wire.checkpoint, read.checkpoint);
            let items = wire.changesets.into_iter();
            GlobalPage {
                changesets: items.map(|item| item.into_changeset(None)).collect(),
                next_checkpoint: wire.next_checkpoint,
            }
        })
        .await
    }

    async fn global_events(
        &self,
        read: &GlobalRead<(u64, u64)>,
    ) -> Result<GlobalEventPage, Failure> {
        let (changeset, index) = read.checkpoint;
        let path = format!("/events?checkpoint={changeset}.{index}{}", parameters(read));
        self.read(&path, |response| {
            let wire: WireGlobalEvents = response.read();
            let events = wire.events.into_iter().map(|event| GlobalEvent {
                stream: event.stream_id,
                changeset_id: event.changeset_id,
                event_id: event.event_id,
                data: event.data.get().to_owned(),
                checkpoint: position(&event.checkpoint),
            });
            GlobalEventPage {
                events: events.collect(),
                next_checkpoint: position(&wire.next_checkpoint),
            }
        })
        .await
    }

    async fn next_checkpoint(&self) -> Result<u64, Failure> {
        self.read("/changesets?checkpoint=head", |response| {
            // Something may have been committed before the server looked for changesets there.
            response.read::<WireEnd>().checkpoint
        })
        .await
    }

    async fn statistics_at(&self, version: u64) -> Result<Statistics, Failure> {
        let begun = Instant::now();
        loop {
            let wire: WireStatistics = self.read("/streams", |response| response.read()).await?;
            if wire.statistics_version >= version {
                return Ok(Statistics {
                    total_streams: wire.total_streams,
                    total_changesets: wire.total_changesets,
                    total_events: wire.total_events,
                    max_stream_length: wire.max_stream_length,
                    version: wire.statistics_version,
                });
            }
            assert!(
                begun.elapsed() < STATISTICS_WITHIN,
                "G13: statistics stay at {}, before {version}",
                wire.statistics_version
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The parameter of an expectation and its value.
fn parameter(expect: Expect) -> (&'static str, u64) {
    match expect {
        Expect::Changeset(last) => ("expected_last_changeset", last),
        Expect::Event(last) => ("expected_last_event", last),
    }
}

/// The stream of a member of a set, and what is expected of it, as members of JSON.
fn member(stream: &str, expect: Expect) -> String {
    let stream = serde_json::to_string(stream).expect("a text");
    let (name, last) = parameter(expect);
    format!(r#""stream_id":{stream},"{name}":{last}"#)
}

fn query(read: &Read) -> String {
    let number = |name: &str, value: Option<u64>| {
        value.map_or_else(String::new, |value| format!("&{name}={value}"))
    };
    let wait = Some(read.wait.as_secs()).filter(|wait| *wait > 0);
    format!(
        "details=true{}{}{}{}{}",
        number("from", read.from),
        number("to", read.to),
        number("limit", read.limit),
        number("wait", wait),
        if read.backward {
            "&direction=backward"
        } else {
            ""
        }
    )
}

/// The parameters of a read of the global order but its checkpoint.
fn parameters<C>(read: &GlobalRead<C>) -> String {
    let limit = read.limit.map(|limit| format!("&limit={limit}"));
    let wait = read.wait.as_secs();
    let wait = (wait > 0).then(|| format!("&wait={wait}"));
    let direction = read.backward.then(|| "&direction=backward".to_owned());
    let prefixes = read.filter.stream_prefixes.iter();
    let prefixes = prefixes.map(|prefix| format!("&stream_prefix={}", encode(prefix)));
    let types = read.filter.event_types.iter();
    let types = types.map(|found| format!("&event_type={}", encode(found)));
    let all = limit.into_iter().chain(wait).chain(direction);
    all.chain(prefixes).chain(types).collect()
}

fn position(text: &str) -> (u64, u64) {
    let (changeset, index) = text.split_once('.').expect("a checkpoint `c.i`");
    (changeset.parse().unwrap(), index.parse().unwrap())
}
