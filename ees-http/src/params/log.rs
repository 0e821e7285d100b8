//! The parameters of reads of the verifiable log.

use ees_core::{Checkpoint, MAX_ID};

use super::{OF_ALL, Params};
use crate::codes::{self, Code};
use crate::error::ApiError;

/// A read of a proof that a position is in a signed head.
pub(crate) struct ProofRead {
    pub(crate) checkpoint: Checkpoint,
    /// The size of the signed head; the newest without it.
    pub(crate) size: Option<u64>,
}

/// A read of a proof that the log has only grown.
pub(crate) struct ConsistencyRead {
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl Params {
    pub(crate) fn proof_read(&self) -> Result<ProofRead, ApiError> {
        let code = codes::INVALID_CHECKPOINT;
        let checkpoint = self.id("checkpoint", code)?;
        let checkpoint = checkpoint.and_then(|position| Checkpoint::new(position).ok());
        let read = ProofRead {
            checkpoint: checkpoint.ok_or_else(|| missing("checkpoint", code))?,
            size: self.log_size("size")?,
        };
        if let Some(size) = read.size
            && read.checkpoint.get() >= size
        {
            let message = format!(
                "`checkpoint={}` is not in a log of `size={size}`: it has the positions below its size",
                read.checkpoint
            );
            return Err(ApiError::bad_request(code, message));
        }
        self.common()?;
        self.refuse_unknown(&[&["checkpoint", "size"], OF_ALL].concat())?;
        Ok(read)
    }

    pub(crate) fn consistency_read(&self) -> Result<ConsistencyRead, ApiError> {
        let code = codes::INVALID_LOG_SIZE;
        let size = |name| self.log_size(name)?.ok_or_else(|| missing(name, code));
        let (from, to) = (size("from")?, size("to")?);
        if from > to {
            let message = format!("`from={from}` is greater than `to={to}`");
            return Err(ApiError::bad_request(code, message));
        }
        self.common()?;
        self.refuse_unknown(&[&["from", "to"], OF_ALL].concat())?;
        Ok(ConsistencyRead { from, to })
    }

    /// The size of a log that is not empty.
    fn log_size(&self, name: &str) -> Result<Option<u64>, ApiError> {
        self.number(name, 1..=MAX_ID, codes::INVALID_LOG_SIZE)
    }
}

fn missing(name: &str, code: Code) -> ApiError {
    ApiError::bad_request(code, format!("`{name}` is missing"))
}
