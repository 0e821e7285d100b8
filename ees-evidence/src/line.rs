//! The parts of an export as lines of JSON.

use std::borrow::Cow;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ees_core::adapter::StoredChangeset;
use ees_core::consumer::{ConsumerCopy, PartitionCopy};
use ees_core::{Changeset, Checkpoint, FormerId, Identity, StoreId};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::part::{Header, Part};

/// The name of the format.
const FORMAT: &str = "ees-export";

/// The version of the format.
const VERSION: u64 = 1;

/// The most void positions in a row: reading more would take hours.
const MAX_VOID: u64 = 100_000_000;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderLine<'a> {
    format: Cow<'a, str>,
    version: u64,
    store_id: StoreId,
    former: Vec<FormerId>,
    from: Checkpoint,
    root: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangesetLine<'a> {
    checkpoint: i64,
    #[serde(borrow)]
    stream_id: Cow<'a, str>,
    changeset_id: i64,
    first_event_id: i64,
    last_event_id: i64,
    timestamp: i64,
    #[serde(borrow)]
    commit_id: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    set: Option<Cow<'a, str>>,
    #[serde(borrow)]
    metadata: Cow<'a, str>,
    #[serde(borrow)]
    events: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VoidLine {
    void: (Checkpoint, Checkpoint),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RootLine {
    until: u64,
    root: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubscriptionLine<'a> {
    subscription: Cow<'a, str>,
    checkpoint: Checkpoint,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsumerLine<'a> {
    consumer: Cow<'a, str>,
    definition: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PartitionLine<'a> {
    partition: u16,
    of: Cow<'a, str>,
    revision: u64,
    document: Cow<'a, str>,
    parked: Vec<(u16, Cow<'a, str>)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckLine {
    check: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndLine {
    size: u64,
    root: String,
    check: String,
}

impl Part {
    /// The part as a line, without its end. JSON text has no line breaks of its own.
    pub fn to_line(&self) -> String {
        let line = match self {
            Self::Header(header) => serde_json::to_string(&HeaderLine {
                format: FORMAT.into(),
                version: VERSION,
                store_id: header.identity.id,
                former: header.identity.former.clone(),
                from: header.from,
                root: header.root.to_string().into(),
            }),
            Self::Changeset(changeset) => return changeset_line(changeset),
            Self::Void(void) => serde_json::to_string(&VoidLine {
                void: (void.start, void.end),
            }),
            Self::Root { size, root } => serde_json::to_string(&RootLine {
                until: *size,
                root: root.to_string(),
            }),
            Self::Subscription { name, checkpoint } => serde_json::to_string(&SubscriptionLine {
                subscription: name.into(),
                checkpoint: *checkpoint,
            }),
            Self::Consumer(consumer) => serde_json::to_string(&ConsumerLine {
                consumer: (&consumer.name).into(),
                definition: (&consumer.definition).into(),
            }),
            Self::Partition(partition) => serde_json::to_string(&PartitionLine {
                partition: partition.number,
                of: (&partition.id).into(),
                revision: partition.revision,
                document: (&partition.document).into(),
                parked: partition
                    .parked
                    .iter()
                    .map(|(slot, document)| (*slot, document.into()))
                    .collect(),
            }),
            Self::Check(check) => serde_json::to_string(&CheckLine {
                check: check.to_string(),
            }),
            Self::End { size, root, check } => serde_json::to_string(&EndLine {
                size: *size,
                root: root.to_string(),
                check: check.to_string(),
            }),
        };
        // Plain data, which always serialises.
        line.unwrap_or_default()
    }

    /// Reads a line. What it is, its first member says.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn of_line(line: &str) -> Result<Self, String> {
        let wrong = |error: serde_json::Error| format!("it cannot be read: {error}");
        let kind = line
            .strip_prefix("{\"")
            .and_then(|rest| rest.split_once('"'));
        let kind = kind.map_or("", |(kind, _)| kind);
        Ok(match kind {
            "format" => Self::Header(header(line)?),
            "checkpoint" => Self::Changeset(changeset(line)?),
            "void" => {
                let VoidLine { void: (from, to) } = serde_json::from_str(line).map_err(wrong)?;
                let count = to.get().saturating_sub(from.get());
                if !(1..=MAX_VOID).contains(&count) {
                    return Err(format!("`void` has 1 to {MAX_VOID} positions"));
                }
                Self::Void(from..to)
            }
            "until" => {
                let line: RootLine = serde_json::from_str(line).map_err(wrong)?;
                Self::Root {
                    size: line.until,
                    root: hash(&line.root)?,
                }
            }
            "subscription" => {
                let line: SubscriptionLine<'_> = serde_json::from_str(line).map_err(wrong)?;
                Self::Subscription {
                    name: line.subscription.into_owned(),
                    checkpoint: line.checkpoint,
                }
            }
            "consumer" => {
                let line: ConsumerLine<'_> = serde_json::from_str(line).map_err(wrong)?;
                Self::Consumer(ConsumerCopy {
                    name: line.consumer.into_owned(),
                    definition: line.definition.into_owned(),
                })
            }
            "partition" => {
                let line: PartitionLine<'_> = serde_json::from_str(line).map_err(wrong)?;
                let parked = line.parked.into_iter();
                Self::Partition(PartitionCopy {
                    id: line.of.into_owned(),
                    number: line.partition,
                    revision: line.revision,
                    document: line.document.into_owned(),
                    parked: parked
                        .map(|(slot, document)| (slot, document.into_owned()))
                        .collect(),
                })
            }
            "check" => {
                let line: CheckLine = serde_json::from_str(line).map_err(wrong)?;
                Self::Check(hash(&line.check)?)
            }
            "size" => {
                let line: EndLine = serde_json::from_str(line).map_err(wrong)?;
                Self::End {
                    size: line.size,
                    root: hash(&line.root)?,
                    check: hash(&line.check)?,
                }
            }
            _ => return Err("it is not a line of an export".to_owned()),
        })
    }
}

fn header(line: &str) -> Result<Header, String> {
    #[derive(Deserialize)]
    struct Kind<'a> {
        format: Cow<'a, str>,
        version: u64,
    }
    let kind: Kind<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    if kind.format != FORMAT {
        return Err(format!(
            "its format is `{}` and not `{FORMAT}`",
            kind.format
        ));
    }
    if kind.version != VERSION {
        return Err(format!(
            "it has version {} of the format, and this program reads version {VERSION}",
            kind.version
        ));
    }
    let line: HeaderLine<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let mut identity = Identity::generate(None);
    identity.id = line.store_id;
    identity.former = line.former;
    Ok(Header {
        identity,
        from: line.from,
        root: hash(&line.root)?,
    })
}

fn changeset_line(changeset: &Changeset) -> String {
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let line = ChangesetLine {
        checkpoint: signed(changeset.checkpoint.map_or(0, Checkpoint::get)),
        stream_id: changeset.stream_id.as_str().into(),
        changeset_id: signed(changeset.changeset_id.get()),
        first_event_id: signed(changeset.first_event_id.get()),
        last_event_id: signed(changeset.last_event_id.get()),
        timestamp: changeset.timestamp.as_micros(),
        commit_id: changeset.commit_id.as_str().into(),
        set: changeset.set.as_ref().map(|set| set.to_string().into()),
        metadata: changeset.metadata.as_str().into(),
        events: changeset.events.as_str().into(),
    };
    serde_json::to_string(&line).unwrap_or_default()
}

fn changeset(line: &str) -> Result<Changeset, String> {
    let line: ChangesetLine<'_> =
        serde_json::from_str(line).map_err(|error| format!("it cannot be read: {error}"))?;
    let stored = StoredChangeset {
        stream_id: &line.stream_id,
        changeset_id: line.changeset_id,
        first_event_id: line.first_event_id,
        last_event_id: line.last_event_id,
        timestamp_micros: line.timestamp,
        commit_id: &line.commit_id,
        set: line.set.as_deref(),
        events: &line.events,
        metadata: &line.metadata,
        checkpoint: Some(line.checkpoint),
    };
    let changeset = Changeset::try_from(stored).map_err(|error| error.to_string())?;
    // Stores read payloads without a check, so they are checked here.
    let events: Vec<IgnoredAny> = serde_json::from_str(&line.events)
        .map_err(|error| format!("`events` is not a JSON array: {error}"))?;
    if events.len() as u64 != changeset.events.count() {
        return Err(format!(
            "it has {} events, and ids for {}",
            events.len(),
            changeset.events.count()
        ));
    }
    serde_json::from_str::<IgnoredAny>(&line.metadata)
        .map_err(|error| format!("`metadata` is not JSON: {error}"))?;
    Ok(changeset)
}

/// Reads a hash.
pub(crate) fn hash(text: &str) -> Result<Hash, String> {
    let bytes = BASE64_STANDARD.decode(text).ok();
    let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
    Ok(Hash(bytes.ok_or("a hash is 32 bytes in base64")?))
}
