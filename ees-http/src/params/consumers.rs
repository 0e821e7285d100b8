//! The parameters of the calls of consumers.

use ees_core::{Checkpoint, StreamId};

use super::{OF_ALL, Params, Wait};
use crate::codes;
use crate::error::ApiError;

/// The most parked streams of a page.
const MAX_PARKED: u64 = 1000;

/// The default for the parked streams of a page.
const DEFAULT_PARKED: u64 = 10;

/// A read of how far a consumer has come.
pub(crate) struct ConsumerRead {
    /// The position that it shall have passed.
    pub(crate) passed: Option<Checkpoint>,
    pub(crate) wait: Wait,
}

/// A read of parked streams.
pub(crate) struct ParkedRead {
    pub(crate) limit: usize,
    pub(crate) after: Option<StreamId>,
}

impl Params {
    pub(crate) fn consumer_read(&self) -> Result<ConsumerRead, ApiError> {
        let passed = self.id("passed", codes::INVALID_CHECKPOINT)?;
        let read = ConsumerRead {
            passed: passed.and_then(|position| Checkpoint::new(position).ok()),
            wait: self.wait()?,
        };
        self.common()?;
        self.refuse_unknown(&[&["passed", "wait"], OF_ALL].concat())?;
        Ok(read)
    }

    pub(crate) fn parked_read(&self) -> Result<ParkedRead, ApiError> {
        let limit = self.clamped("limit", 1..=MAX_PARKED, codes::INVALID_LIMIT)?;
        let limit = limit.unwrap_or(DEFAULT_PARKED).min(MAX_PARKED);
        let after = self.text("after")?.map(StreamId::new).transpose()?;
        self.common()?;
        self.refuse_unknown(&[&["limit", "after"], OF_ALL].concat())?;
        Ok(ParkedRead {
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            after,
        })
    }
}
