//! The environment variables of a crash test. They are of its own run, and of its child processes.

use std::env;

/// Makes a test the child's side of itself. It holds the location of the store.
pub(super) const LOCATION: &str = "EES_CRASH_LOCATION";

/// The location, if this is a child process.
pub(super) fn location() -> Option<String> {
    env::var(LOCATION).ok()
}

/// How often to kill.
pub(super) fn rounds() -> Option<u64> {
    number("EES_CRASH_ROUNDS")
}

/// The seed of the schedule.
pub(super) fn seed() -> Option<u64> {
    number("EES_CRASH_SEED")
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{name} is a number, not `{text}`")))
}
