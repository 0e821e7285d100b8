//! Query parameters, by the contract's rules.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::time::Duration;

use axum::http::{StatusCode, Uri};
use ees_core::adapter::parse_number;
use ees_core::{Direction, Expectation, MAX_ID, PageLimit};

use crate::error::ApiError;

/// The most items of a page of the global order.
pub(crate) const MAX_GLOBAL_LIMIT: u64 = 1000;

/// The items of a page of the global order unless told otherwise.
const DEFAULT_GLOBAL_LIMIT: u64 = 10;

/// The longest a reader may wait, in seconds.
const MAX_WAIT_SECONDS: u64 = 20;

/// The parameters of a request. Unknown ones are ignored, an empty one counts as not given, and
/// one given twice is refused when it is looked at.
pub(crate) struct Params<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Params<'a> {
    pub(crate) fn of(uri: &'a Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        Self(form_urlencoded::parse(query.as_bytes()).collect())
    }

    /// Whether the request asks to wait for something.
    pub(crate) fn waits(&self) -> bool {
        self.wait().is_ok_and(|wait| !wait.is_zero())
    }

    fn text(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let mut given = self.0.iter().filter(|(key, _)| key == name);
        let first = given.next().map(|(_, value)| value.as_ref());
        if given.next().is_some() {
            let message = format!("`{name}` is given more than once");
            return Err(invalid_parameter(message));
        }
        Ok(first.filter(|value| !value.is_empty()))
    }

    fn id(&self, name: &str, code: &'static str) -> Result<Option<u64>, ApiError> {
        self.number(name, 0..=MAX_ID, code)
    }

    fn number(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
        code: &'static str,
    ) -> Result<Option<u64>, ApiError> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let number = parse_number(text).filter(|number| range.contains(number));
        number.map(Some).ok_or_else(|| {
            let (least, most) = range.into_inner();
            let message = format!("`{name}={text}`: expected an integer from {least} to {most}");
            ApiError::bad_request(code, message)
        })
    }

    fn flag(&self, name: &str) -> Result<bool, ApiError> {
        match self.text(name)? {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => {
                let message = format!("`{name}={other}`: expected `true` or `false`");
                Err(invalid_parameter(message))
            }
        }
    }

    fn limit(&self) -> Result<Option<u64>, ApiError> {
        self.number("limit", 1..=MAX_ID, "INVALID_LIMIT")
    }

    fn wait(&self) -> Result<Duration, ApiError> {
        let wait = self.number("wait", 0..=MAX_WAIT_SECONDS, "INVALID_PARAMETER")?;
        Ok(Duration::from_secs(wait.unwrap_or(0)))
    }

    /// What a commit expects; neither parameter means a new stream.
    pub(crate) fn expectation(&self) -> Result<Expectation, ApiError> {
        let changeset = "expected_last_changeset";
        let event = "expected_last_event";
        let by_changeset = self.id(changeset, "INVALID_EXPECTED_CHANGESET_ID")?;
        let by_event = self.id(event, "INVALID_EXPECTED_EVENT_ID")?;
        match (by_changeset, by_event) {
            (Some(_), Some(_)) => Err(ApiError::bad_request(
                "BOTH_EXPECTED_CHANGESET_AND_EVENT_ARE_SET",
                format!("`{changeset}` and `{event}` are both given: give one of them"),
            )),
            (_, Some(last)) => Ok(Expectation::LastEvent(last)),
            (last, None) => Ok(Expectation::LastChangeset(last.unwrap_or(0))),
        }
    }

    /// What every call understands.
    pub(crate) fn common(&self) -> Result<Common, ApiError> {
        Ok(Common {
            details: self.flag("details")?,
            pretty: self.flag("pp")?,
        })
    }

    /// What a read of a stream understands; `code` is the error of its range.
    pub(crate) fn stream_read(&self, code: &'static str) -> Result<StreamRead, ApiError> {
        let from = self.id("from", code)?;
        let to = self.id("to", code)?;
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            let message = format!("`from={from}` lies behind `to={to}`");
            return Err(ApiError::bad_request(code, message));
        }
        let limit = self.limit()?;
        let direction = match self.text("direction")? {
            None | Some("forward") => Direction::Forward,
            Some("backward") => Direction::Backward,
            Some(other) => {
                let message = format!("`direction={other}`: expected `forward` or `backward`");
                return Err(invalid_parameter(message));
            }
        };
        Ok(StreamRead {
            range: from.unwrap_or(0)..=to.unwrap_or(MAX_ID),
            limit: limit.map_or_else(PageLimit::default, page_limit),
            direction,
            common: self.common()?,
        })
    }

    /// What a read of the global order understands; a checkpoint is read by `parse`.
    pub(crate) fn global_read<C>(
        &self,
        expected: &str,
        parse: impl Fn(&str) -> Option<C>,
    ) -> Result<GlobalRead<C>, ApiError> {
        let from = match self.text("checkpoint")? {
            None => From::Beginning,
            Some("head") => From::Head,
            Some(text) => From::Checkpoint(parse(text).ok_or_else(|| {
                let message = format!("`checkpoint={text}`: expected {expected}, or `head`");
                ApiError::bad_request("INVALID_CHECKPOINT", message)
            })?),
        };
        let limit = self.limit()?.unwrap_or(DEFAULT_GLOBAL_LIMIT);
        Ok(GlobalRead {
            from,
            limit: limit.min(MAX_GLOBAL_LIMIT),
            wait: self.wait()?,
            common: self.common()?,
        })
    }
}

/// What every call understands.
#[derive(Clone, Copy)]
pub(crate) struct Common {
    pub(crate) details: bool,
    pub(crate) pretty: bool,
}

/// A read of a stream.
pub(crate) struct StreamRead {
    pub(crate) range: RangeInclusive<u64>,
    pub(crate) limit: PageLimit,
    pub(crate) direction: Direction,
    pub(crate) common: Common,
}

/// A read of the global order.
pub(crate) struct GlobalRead<C> {
    pub(crate) from: From<C>,
    pub(crate) limit: u64,
    pub(crate) wait: Duration,
    pub(crate) common: Common,
}

impl<C> GlobalRead<C> {
    pub(crate) fn page_limit(&self) -> PageLimit {
        page_limit(self.limit)
    }
}

/// Where a read of the global order begins.
#[derive(Clone, Copy)]
pub(crate) enum From<C> {
    Beginning,
    Head,
    Checkpoint(C),
}

fn page_limit(limit: u64) -> PageLimit {
    PageLimit::items(usize::try_from(limit).unwrap_or(usize::MAX))
}

fn invalid_parameter(message: String) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "INVALID_PARAMETER", message)
}
