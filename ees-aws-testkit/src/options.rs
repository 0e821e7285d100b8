//! The options of a stack.

use std::ffi::OsString;
use std::time::Duration;

use crate::{Endpoints, Pace};

/// The options of a stack.
#[derive(Debug)]
pub struct Options {
    /// The program of all functions, as a custom runtime's `bootstrap`, and its arguments.
    pub command: Vec<OsString>,
    /// The endpoints that functions use, such as those of a proxy. `None`: the services' own
    /// endpoints.
    pub endpoints: Option<Endpoints>,
    /// The maximum number of concurrent invocations of a function for which the template sets no
    /// limit. Further invocations wait.
    pub concurrency: usize,
    /// The number of shards of each stream. A mapping reads them side by side. AWS gives a new on-demand
    /// table four.
    pub shards: u64,
    /// The number of pollers of each mapping. AWS has one. With more, every record is delivered
    /// more than once, at the same time.
    pub pollers: usize,
    /// Whether schedules run automatically.
    /// [`LocalAws::run_schedule`](crate::LocalAws::run_schedule) always works.
    pub schedules: bool,
    /// The time that functions and the API get in addition to the limits of AWS, so that no clock
    /// decides a test on a busy machine. Functions see the limits of AWS.
    pub grace: Duration,
    /// The speed of polls and retries.
    pub pace: Pace,
    /// Whether the API refuses requests without a valid signature by the secret `test`. Otherwise it
    /// does not look at signatures.
    pub signed: bool,
    /// The API's port on the loopback interface. 0 selects a free port.
    pub port: u16,
}

impl Options {
    /// The behaviour of AWS with faster polls and retries, and without automatic schedules.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            command: vec![program.into()],
            endpoints: None,
            concurrency: 10,
            shards: 4,
            pollers: 1,
            schedules: false,
            grace: Duration::ZERO,
            pace: Pace::default(),
            signed: false,
            port: 0,
        }
    }
}
