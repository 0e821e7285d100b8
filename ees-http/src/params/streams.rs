//! The parameters of a read of a stream.

use ees_core::{MAX_ID, PageLimit};

use super::asked::page_limit;
use super::{Params, StreamRead};
use crate::codes::{self, Code};
use crate::error::ApiError;

/// The parameters that a read of a stream takes.
const TAKEN: &[&str] = &["from", "to", "limit", "direction", "wait", "details", "pp"];

impl Params {
    /// The parameters of a read of a stream. `code` is the error of an invalid range.
    pub(crate) fn stream_read(&self, code: Code) -> Result<StreamRead, ApiError> {
        let from = self.id("from", code)?;
        let to = self.id("to", code)?;
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            let message = format!("`from={from}` is greater than `to={to}`");
            return Err(ApiError::bad_request(code, message));
        }
        let limit = self.number("limit", 1..=MAX_ID, codes::INVALID_LIMIT)?;
        let limit = limit.map_or_else(PageLimit::default, page_limit);
        let direction = self.direction()?;
        let read = StreamRead {
            ids: from.unwrap_or(0)..=to.unwrap_or(MAX_ID),
            limit,
            direction,
            wait: self.wait_in(direction)?,
            common: self.common()?,
        };
        self.refuse_unknown(TAKEN)?;
        Ok(read)
    }
}
