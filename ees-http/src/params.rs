//! Query parameters, by the contract's rules.

mod asked;

use std::ops::RangeInclusive;
use std::time::Duration;

use axum::http::Uri;
use ees_core::adapter::{parse_number, unknown_name};
use ees_core::{Direction, Expectation, Filter, MAX_FORTHCOMING, MAX_ID, PageLimit};

use crate::codes::{self, Code};
use crate::error::ApiError;

use asked::page_limit;
pub(crate) use asked::{CommitParams, Common, GlobalRead, Start, StreamRead};

/// The most items of a page of the global order.
pub(crate) const MAX_GLOBAL_LIMIT: u64 = 1000;

/// The default for the items of a page of the global order.
const DEFAULT_GLOBAL_LIMIT: u64 = 10;

/// The longest a reader may wait, in seconds.
const MAX_WAIT_SECONDS: u64 = 20;

/// How often each parameter of a filter may be given.
const MAX_FILTER_VALUES: usize = 100;

/// The parameters that a commit takes.
const OF_COMMITS: &[&str] = &[
    "expected_last_changeset",
    "expected_last_event",
    "forthcoming",
    "details",
    "pp",
];

/// The parameters of a request. Reads ignore unknown ones, commits refuse them. An empty one counts
/// as not given. One that is given more than once is an error when it is read, unless it may be.
#[derive(Debug)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn of(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        let parsed = form_urlencoded::parse(query.as_bytes());
        Self(parsed.into_owned().collect())
    }

    /// Whether the request is a long poll, if its call can be one.
    pub(crate) fn waits(&self) -> bool {
        self.wait().is_ok_and(|wait| !wait.is_zero())
    }

    fn text(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let mut given = self.0.iter().filter(|(key, _)| key == name);
        let first = given.next().map(|(_, value)| value.as_str());
        if given.next().is_some() {
            let message = format!("`{name}` is given more than once");
            return Err(invalid_parameter(message));
        }
        Ok(first.filter(|value| !value.is_empty()))
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

    fn id(&self, name: &str, code: Code) -> Result<Option<u64>, ApiError> {
        self.number(name, 0..=MAX_ID, code)
    }

    fn number(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
        code: Code,
    ) -> Result<Option<u64>, ApiError> {
        let (least, most) = (*range.start(), *range.end());
        let expected = || format!("an integer from {least} to {most}");
        self.integer(name, range, code, expected)
    }

    /// An integer. The error says what is `expected`.
    fn integer(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
        code: Code,
        expected: impl FnOnce() -> String,
    ) -> Result<Option<u64>, ApiError> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let number = parse_number(text).filter(|number| range.contains(number));
        number.map(Some).ok_or_else(|| {
            let message = format!("`{name}={text}`: expected {}", expected());
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
        self.number("limit", 1..=MAX_ID, codes::INVALID_LIMIT)
    }

    /// The limit of a read of the global order. One above the maximum counts as the maximum.
    fn global_limit(&self) -> Result<u64, ApiError> {
        let expected = || {
            format!(
                "an integer from 1 to {MAX_GLOBAL_LIMIT}; a larger one counts as {MAX_GLOBAL_LIMIT}"
            )
        };
        let limit = self.integer("limit", 1..=MAX_ID, codes::INVALID_LIMIT, expected)?;
        Ok(limit.unwrap_or(DEFAULT_GLOBAL_LIMIT).min(MAX_GLOBAL_LIMIT))
    }

    fn wait(&self) -> Result<Duration, ApiError> {
        let wait = self.number("wait", 0..=MAX_WAIT_SECONDS, codes::INVALID_PARAMETER)?;
        Ok(Duration::from_secs(wait.unwrap_or(0)))
    }

    /// The parameters of a commit. A misspelt expectation would mean a new stream, so a commit refuses
    /// what it does not know; it ignores names that begin with `_`, which make a URL unique.
    pub(crate) fn commit(&self) -> Result<CommitParams, ApiError> {
        let asked = CommitParams {
            expectation: self.expectation()?,
            forthcoming: self.forthcoming()?,
            common: self.common()?,
        };
        let mut names = self.0.iter().map(|(name, _)| name.as_str());
        let is_unknown = |name: &&str| !OF_COMMITS.contains(name) && !name.starts_with('_');
        match names.find(is_unknown) {
            Some(name) => Err(invalid_parameter(unknown_name(
                "parameter",
                name,
                OF_COMMITS,
            ))),
            None => Ok(asked),
        }
    }

    /// How many changesets a conflict lists at most.
    fn forthcoming(&self) -> Result<usize, ApiError> {
        let most = self.number("forthcoming", 0..=MAX_ID, codes::INVALID_PARAMETER)?;
        let most = most.and_then(|most| usize::try_from(most).ok());
        Ok(most.unwrap_or(MAX_FORTHCOMING).min(MAX_FORTHCOMING))
    }

    /// What a commit expects. Neither parameter means a new stream.
    fn expectation(&self) -> Result<Expectation, ApiError> {
        let changeset = "expected_last_changeset";
        let event = "expected_last_event";
        let by_changeset = self.id(changeset, codes::INVALID_EXPECTED_CHANGESET_ID)?;
        let by_event = self.id(event, codes::INVALID_EXPECTED_EVENT_ID)?;
        match (by_changeset, by_event) {
            (Some(_), Some(_)) => Err(ApiError::bad_request(
                codes::BOTH_EXPECTED_CHANGESET_AND_EVENT_ARE_SET,
                format!("`{changeset}` and `{event}` are both given: give one of them"),
            )),
            (_, Some(last)) => Ok(Expectation::LastEvent(last)),
            (last, None) => Ok(Expectation::LastChangeset(last.unwrap_or(0))),
        }
    }

    /// The parameters of every call.
    pub(crate) fn common(&self) -> Result<Common, ApiError> {
        Ok(Common {
            details: self.flag("details")?,
            pretty: self.flag("pp")?,
        })
    }

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
        let limit = self.limit()?;
        let limit = limit.map_or_else(PageLimit::default, page_limit);
        let direction = match self.text("direction")? {
            None | Some("forward") => Direction::Forward,
            Some("backward") => Direction::Backward,
            Some(other) => {
                let message = format!("`direction={other}`: expected `forward` or `backward`");
                return Err(invalid_parameter(message));
            }
        };
        Ok(StreamRead {
            ids: from.unwrap_or(0)..=to.unwrap_or(MAX_ID),
            limit,
            direction,
            common: self.common()?,
        })
    }

    /// The parameters of a read of the global order. `parse` reads a checkpoint, and `expected` says
    /// what it accepts.
    pub(crate) fn global_read<C>(
        &self,
        expected: &str,
        parse: impl Fn(&str) -> Option<C>,
    ) -> Result<GlobalRead<C>, ApiError> {
        let from = match self.text("checkpoint")? {
            None => Start::Beginning,
            Some("head") => Start::Head,
            Some(text) => Start::Checkpoint(parse(text).ok_or_else(|| {
                let message = format!("`checkpoint={text}`: expected {expected}, or `head`");
                ApiError::bad_request(codes::INVALID_CHECKPOINT, message)
            })?),
        };
        Ok(GlobalRead {
            from,
            limit: self.global_limit()?,
            wait: self.wait()?,
            filter: self.filter()?,
            common: self.common()?,
        })
    }

    /// The filter of a read of the global order.
    fn filter(&self) -> Result<Filter, ApiError> {
        let prefixes = self.texts("stream_prefix")?;
        let filter = prefixes.fold(Filter::default(), Filter::stream_prefix);
        Ok(self.texts("event_type")?.fold(filter, Filter::event_type))
    }
}

fn invalid_parameter(message: String) -> ApiError {
    ApiError::bad_request(codes::INVALID_PARAMETER, message)
}
