//! The parameters of a read of the global order.

use ees_core::{Direction, Filter, StoreId, StoreIdError};

use super::{GlobalRead, Params, Start, invalid_parameter};
use crate::codes;
use crate::error::ApiError;

/// The parameters that a read of the global order takes.
const TAKEN: &[&str] = &[
    "checkpoint",
    "limit",
    "direction",
    "wait",
    "store",
    "stream_prefix",
    "event_type",
    "details",
    "pp",
];

/// The most items of a page of the global order.
const MAX_LIMIT: u64 = 1000;

/// The default for the items of a page of the global order.
const DEFAULT_LIMIT: u64 = 10;

/// How often each parameter of a filter may be given.
const MAX_FILTER_VALUES: usize = 100;

impl Params {
    /// The parameters of a read of the global order. `parse` reads a checkpoint, and `expected` says
    /// what it accepts.
    pub(crate) fn global_read<C>(
        &self,
        expected: &str,
        parse: impl Fn(&str) -> Option<C>,
    ) -> Result<GlobalRead<C>, ApiError> {
        let from = match self.text("checkpoint")? {
            None => None,
            Some("head") => Some(Start::Head),
            Some(text) => Some(Start::Checkpoint(parse(text).ok_or_else(|| {
                let message = format!("`checkpoint={text}`: expected {expected}, or `head`");
                ApiError::bad_request(codes::INVALID_CHECKPOINT, message)
            })?)),
        };
        let limit = self.clamped("limit", 1..=MAX_LIMIT, codes::INVALID_LIMIT)?;
        let direction = self.direction()?;
        let read = GlobalRead {
            from: from.unwrap_or(match direction {
                Direction::Forward => Start::Beginning,
                Direction::Backward => Start::Head,
            }),
            limit: limit.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT),
            direction,
            wait: self.wait_in(direction)?,
            store: self.store()?,
            filter: self.filter()?,
            common: self.common()?,
        };
        self.refuse_unknown(TAKEN)?;
        Ok(read)
    }

    fn store(&self) -> Result<Option<StoreId>, ApiError> {
        let Some(text) = self.text("store")? else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|error: StoreIdError| {
            invalid_parameter(format!(
                "`store={text}`: {error}; the header `EES-Store` has it"
            ))
        })
    }

    /// The filter of a read of the global order.
    pub(crate) fn filter(&self) -> Result<Filter, ApiError> {
        let prefixes = self.texts("stream_prefix")?;
        let filter = prefixes.fold(Filter::default(), Filter::stream_prefix);
        Ok(self.texts("event_type")?.fold(filter, Filter::event_type))
    }

    /// The values of a parameter that may be given more than once.
    fn texts(&self, name: &str) -> Result<impl Iterator<Item = &str>, ApiError> {
        let given = self.0.iter().filter(move |(key, _)| key == name);
        let values = given
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty());
        if values.clone().count() > MAX_FILTER_VALUES {
            let message = format!("`{name}` is given more than {MAX_FILTER_VALUES} times");
            return Err(invalid_parameter(message));
        }
        Ok(values)
    }
}
