//! What is answered about the verifiable log.

use ees_evidence::{Hash, LogHead, Parent};
use serde::Serialize;
use utoipa::ToSchema;

/// The head of the verifiable log.
#[derive(Serialize, ToSchema)]
pub(crate) struct SealedLog {
    /// The number of leaves: every position below it is sealed.
    #[schema(minimum = 1)]
    size: u64,
    /// The root of the tree over them, in base64.
    root: String,
    /// The newest signed head, as a signed note. Its size may be smaller. Absent if nobody signs.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_note: Option<String>,
    /// The log that this one goes on from, if the store was restored or copied from another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<ParentLog>,
}

/// The log of the store that this one was restored or copied from.
#[derive(Serialize, ToSchema)]
pub(crate) struct ParentLog {
    /// The id of that store.
    store: String,
    /// The size up to which both logs are the same.
    #[schema(minimum = 1)]
    size: u64,
    /// The root of both at that size, in base64.
    root: String,
}

impl From<LogHead> for SealedLog {
    fn from(mut head: LogHead) -> Self {
        Self {
            size: head.size,
            root: head.root.to_string(),
            signed_note: head.signed.pop().map(|signed| signed.note),
            parent: head.parent.map(ParentLog::from),
        }
    }
}

impl From<Parent> for ParentLog {
    fn from(parent: Parent) -> Self {
        Self {
            store: parent.store.to_string(),
            size: parent.size,
            root: parent.root,
        }
    }
}

/// The proof that a log is a beginning of another one.
#[derive(Serialize, ToSchema)]
pub(crate) struct LogConsistency {
    /// The hashes of RFC 6962, section 2.1.2, in base64.
    hashes: Vec<String>,
}

impl LogConsistency {
    pub(crate) fn new(hashes: &[Hash]) -> Self {
        Self {
            hashes: hashes.iter().map(Hash::to_string).collect(),
        }
    }
}
