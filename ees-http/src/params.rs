//! Query parameters, by the contract's rules.

mod asked;
mod commits;
mod consumers;
mod global;
mod log;
mod streams;

use std::ops::RangeInclusive;
use std::time::Duration;

use axum::http::Uri;
use ees_core::adapter::{parse_number, unknown_name};
use ees_core::{Direction, MAX_ID};

use crate::codes::{self, Code};
use crate::error::ApiError;

pub(crate) use commits::one_expectation;

pub(crate) use asked::{CommitParams, Common, GlobalRead, SetParams, Start, StreamRead, Wait};

/// The longest a reader may wait, in seconds.
pub(crate) const MAX_WAIT_SECONDS: u64 = 20;

/// The parameters that every call takes.
const OF_ALL: &[&str] = &["details", "pp"];

/// The parameters of a request. Every call refuses those that it does not take. An empty one counts as
/// not given. One that is given more than once is an error when it is read, unless it may be.
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
        self.wait().is_ok_and(|wait| !wait.time.is_zero())
    }

    /// The parameters of every call.
    pub(crate) fn common(&self) -> Result<Common, ApiError> {
        Ok(Common {
            details: self.flag("details")?,
            pretty: self.flag("pp")?,
        })
    }

    /// The parameters of a call that takes no others.
    pub(crate) fn only_common(&self) -> Result<Common, ApiError> {
        let common = self.common()?;
        self.refuse_unknown(OF_ALL)?;
        Ok(common)
    }

    /// Refuses what a call does not take, after the known parameters were checked: a misspelt one would
    /// be taken for its default. Names that begin with `_`, which make a URL unique, are ignored.
    fn refuse_unknown(&self, known: &[&'static str]) -> Result<(), ApiError> {
        let mut names = self.0.iter().map(|(name, _)| name.as_str());
        let is_unknown = |name: &&str| !known.contains(name) && !name.starts_with('_');
        match names.find(is_unknown) {
            Some(name) => Err(invalid_parameter(unknown_name("parameter", name, known))),
            None => Ok(()),
        }
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

    /// A number of which one above the maximum counts as the maximum.
    fn clamped(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
        code: Code,
    ) -> Result<Option<u64>, ApiError> {
        let (least, most) = (*range.start(), *range.end());
        let expected =
            || format!("an integer from {least} to {most}; a larger one counts as {most}");
        self.integer(name, least..=MAX_ID, code, expected)
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

    fn direction(&self) -> Result<Direction, ApiError> {
        match self.text("direction")? {
            None | Some("forward") => Ok(Direction::Forward),
            Some("backward") => Ok(Direction::Backward),
            Some(other) => {
                let message = format!("`direction={other}`: expected `forward` or `backward`");
                Err(invalid_parameter(message))
            }
        }
    }

    /// How long to wait. One above the maximum counts as the maximum, which the answer then tells.
    fn wait(&self) -> Result<Wait, ApiError> {
        let range = 0..=MAX_WAIT_SECONDS;
        let asked = self.clamped("wait", range, codes::INVALID_PARAMETER)?;
        let asked = asked.unwrap_or(0);
        Ok(Wait {
            time: Duration::from_secs(asked.min(MAX_WAIT_SECONDS)),
            told: (asked > MAX_WAIT_SECONDS).then_some(MAX_WAIT_SECONDS),
        })
    }

    /// How long to wait, for a read in a direction. New items are at the end, where only a read that
    /// goes forward looks for more.
    fn wait_in(&self, direction: Direction) -> Result<Wait, ApiError> {
        let wait = self.wait()?;
        if direction == Direction::Backward && !wait.time.is_zero() {
            let message = "`wait` is given with `direction=backward`: only a read that goes forward \
                           can wait";
            return Err(invalid_parameter(message.to_owned()));
        }
        Ok(wait)
    }
}

fn invalid_parameter(message: String) -> ApiError {
    ApiError::bad_request(codes::INVALID_PARAMETER, message)
}
