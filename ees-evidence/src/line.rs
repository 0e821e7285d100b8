//! The parts of an export as lines of JSON.

use std::borrow::Cow;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ees_core::consumer::{ConsumerCopy, PartitionCopy};
use ees_core::{Checkpoint, FormerId, Identity, StoreId};
use serde::{Deserialize, Serialize};

use crate::changeset_line;
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
        let mut line = Vec::new();
        self.write_line(&mut line);
        String::from_utf8(line).unwrap_or_default()
    }

    /// Writes the part as a line, without its end.
    pub fn write_line(&self, out: &mut Vec<u8>) {
        let written = match self {
            Self::Header(header) => serde_json::to_writer(
                out,
                &HeaderLine {
                    format: FORMAT.into(),
                    version: VERSION,
                    store_id: header.identity.id,
                    former: header.identity.former.clone(),
                    from: header.from,
                    root: header.root.to_string().into(),
                },
            ),
            Self::Changeset(changeset) => return changeset_line::write(out, changeset),
            Self::Void(void) => serde_json::to_writer(
                out,
                &VoidLine {
                    void: (void.start, void.end),
                },
            ),
            Self::Root { size, root } => serde_json::to_writer(
                out,
                &RootLine {
                    until: *size,
                    root: root.to_string(),
                },
            ),
            Self::Subscription { name, checkpoint } => serde_json::to_writer(
                out,
                &SubscriptionLine {
                    subscription: name.into(),
                    checkpoint: *checkpoint,
                },
            ),
            Self::Consumer(consumer) => serde_json::to_writer(
                out,
                &ConsumerLine {
                    consumer: (&consumer.name).into(),
                    definition: (&consumer.definition).into(),
                },
            ),
            Self::Partition(partition) => serde_json::to_writer(
                out,
                &PartitionLine {
                    partition: partition.number,
                    of: (&partition.id).into(),
                    revision: partition.revision,
                    document: (&partition.document).into(),
                    parked: partition
                        .parked
                        .iter()
                        .map(|(slot, document)| (*slot, document.into()))
                        .collect(),
                },
            ),
            Self::Check(check) => serde_json::to_writer(
                out,
                &CheckLine {
                    check: check.to_string(),
                },
            ),
            Self::End { size, root, check } => serde_json::to_writer(
                out,
                &EndLine {
                    size: *size,
                    root: root.to_string(),
                    check: check.to_string(),
                },
            ),
        };
        // Plain data, which always serialises, and memory, which can always be written to.
        let _ = written;
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
            "checkpoint" => Self::Changeset(changeset_line::read(line)?),
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

/// Reads a hash.
pub(crate) fn hash(text: &str) -> Result<Hash, String> {
    let bytes = BASE64_STANDARD.decode(text).ok();
    let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
    Ok(Hash(bytes.ok_or("a hash is 32 bytes in base64")?))
}
