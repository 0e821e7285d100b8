//! Random schedules of commits and reads.

use std::fmt;

use proptest::prelude::*;

use crate::model::Model;
use crate::subject::{Ask, Expect, Read};

/// How many streams a schedule writes to.
pub(crate) const STREAMS: usize = 3;

/// Something to ask of both.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Commit(Commit),
    Head(usize),
    Changesets(usize, Read),
    Events(usize, Read),
}

/// A commit so far from the end of its stream.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    stream: usize,
    by_event: bool,
    off: i64,
    events: u64,
    metadata: Option<&'static str>,
    pub(crate) key: Option<&'static str>,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit(commit) => {
                let kind = if commit.by_event {
                    "event"
                } else {
                    "changeset"
                };
                let Commit {
                    stream,
                    off,
                    events,
                    ..
                } = commit;
                write!(
                    f,
                    "commit of {events} events to stream {stream}, which expects its last {kind}"
                )?;
                if *off != 0 {
                    write!(f, " {off:+}")?;
                }
                if let Some(metadata) = commit.metadata {
                    write!(f, ", metadata {metadata}")?;
                }
                commit.key.map_or(Ok(()), |key| write!(f, ", key {key}"))
            }
            Self::Head(stream) => write!(f, "head of stream {stream}"),
            Self::Changesets(stream, read) => write!(f, "changesets of stream {stream} {read}"),
            Self::Events(stream, read) => write!(f, "events of stream {stream} {read}"),
        }
    }
}

impl Commit {
    /// The commit, where the model has come so far.
    pub(crate) fn ask(&self, model: &Model, names: &[String]) -> Ask {
        let name = &names[self.stream];
        let end = model.end(name).unwrap_or_default();
        let last = |end: u64| end.saturating_add_signed(self.off);
        let expect = if self.by_event {
            Expect::Event(last(end.event))
        } else {
            Expect::Changeset(last(end.changeset))
        };
        let events: Vec<String> = (0..self.events).map(|n| n.to_string()).collect();
        Ask {
            stream: name.clone(),
            expect,
            events: format!("[{}]", events.join(",")),
            metadata: self.metadata.map(str::to_owned),
            key: self.key.map(str::to_owned),
        }
    }
}

/// Any operation.
pub(crate) fn operation() -> impl Strategy<Value = Operation> {
    let stream = 0..STREAMS;
    prop_oneof![
        5 => commit().prop_map(Operation::Commit),
        1 => stream.clone().prop_map(Operation::Head),
        2 => (stream.clone(), read()).prop_map(|(s, read)| Operation::Changesets(s, read)),
        2 => (stream, read()).prop_map(|(s, read)| Operation::Events(s, read)),
    ]
}

/// Few contents and few keys, so that repeats and reused keys come about.
fn commit() -> impl Strategy<Value = Commit> {
    let off = prop_oneof![3 => Just(0), 3 => -4..0_i64, 1 => 1..3_i64];
    let metadata = prop::option::of(prop::sample::select(vec!["{}", "null"]));
    let key = prop::option::of(prop::sample::select(vec!["k", "l", "m", "ees-k"]));
    let what = (0..STREAMS, any::<bool>(), off, 1..4_u64, metadata, key);
    what.prop_map(|(stream, by_event, off, events, metadata, key)| Commit {
        stream,
        by_event,
        off,
        events,
        metadata,
        key,
    })
}

fn read() -> impl Strategy<Value = Read> {
    let bound = || prop::option::of(0..25_u64);
    let limit = prop::option::of(1..6_u64);
    (bound(), bound(), limit, any::<bool>()).prop_map(|(from, to, limit, backward)| {
        // A range that ends before it begins is refused over HTTP; the wire's cases see to that.
        let (from, to) = match (from, to) {
            (Some(from), Some(to)) => (Some(from.min(to)), Some(from.max(to))),
            other => other,
        };
        Read {
            from,
            to,
            limit,
            backward,
            ..Read::default()
        }
    })
}
