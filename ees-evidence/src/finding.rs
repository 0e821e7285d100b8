//! What a verification finds.

use std::fmt;

use ees_core::Checkpoint;

/// The most findings that are listed.
pub(crate) const MAX_FINDINGS: usize = 20;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether something is gone, and not changed.
    pub is_missing: bool,
    /// Where, if it is one position.
    pub checkpoint: Option<Checkpoint>,
    /// What, for people.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_missing {
            "missing"
        } else {
            "altered"
        };
        match self.checkpoint {
            Some(checkpoint) => write!(f, "{kind}: checkpoint {checkpoint}: {}", self.what),
            None => write!(f, "{kind}: {}", self.what),
        }
    }
}

/// The findings so far, of which the first ones are kept.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) list: Vec<Finding>,
    pub(crate) count: u64,
    /// Whether a changeset is not the one of the log: all that is made of it differs too.
    pub(crate) is_data_altered: bool,
}

impl Findings {
    /// Something is changed.
    pub(crate) fn altered(&mut self, checkpoint: Option<Checkpoint>, what: impl Into<String>) {
        self.add(false, checkpoint, what.into());
    }

    /// Something is gone.
    pub(crate) fn missing(&mut self, checkpoint: Option<Checkpoint>, what: impl Into<String>) {
        self.add(true, checkpoint, what.into());
    }

    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= MAX_FINDINGS
    }

    fn add(&mut self, is_missing: bool, checkpoint: Option<Checkpoint>, what: String) {
        self.count += 1;
        if !self.is_full() {
            self.list.push(Finding {
                is_missing,
                checkpoint,
                what,
            });
        }
    }
}
