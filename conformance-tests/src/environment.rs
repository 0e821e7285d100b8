//! The environment variables of the tests that the suite makes: for one run, and for the child
//! processes of crash tests.

use std::env;
use std::time::Duration;

/// Set in a child process of a crash test. It contains the location of the store.
pub(crate) const LOCATION: &str = "EES_CRASH_LOCATION";

/// The location, if this is a child process.
pub(crate) fn location() -> Option<String> {
    env::var(LOCATION).ok()
}

/// The number of kills.
pub(crate) fn rounds() -> Option<u64> {
    number("EES_CRASH_ROUNDS")
}

/// The seed of the schedule.
pub(crate) fn seed() -> Option<u64> {
    number("EES_CRASH_SEED")
}

/// The time limit of each case.
pub(crate) fn time_limit() -> Option<Duration> {
    number("EES_CASE_SECONDS").map(Duration::from_secs)
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{name} must be a number, not `{text}`")))
}
