//! How a stack is to run.

use std::ffi::OsString;
use std::time::Duration;

use crate::{Endpoints, Pace};

/// How a stack is to run.
#[derive(Debug)]
pub struct Options {
    /// The program that serves every function, as a custom runtime's `bootstrap`, and its arguments
    /// if it has any.
    pub command: Vec<OsString>,
    /// Where functions find services, if not where these are: at a proxy.
    pub endpoints: Option<Endpoints>,
    /// How many invocations of a function run at the same time where the template sets no limit;
    /// more wait.
    pub concurrency: usize,
    /// How many pollers each mapping has. One on AWS; more deliver every record more than once, at
    /// the same time.
    pub pollers: usize,
    /// Whether schedules run by themselves; [`LocalAws::run_schedule`](crate::LocalAws::run_schedule) always works.
    pub schedules: bool,
    /// How much longer than on AWS functions and the API may take, though functions are told no more
    /// than there: so that no clock decides a test on a machine under load.
    pub grace: Duration,
    /// How fast it goes.
    pub pace: Pace,
    /// The API's port on the loopback interface; 0 is any.
    pub port: u16,
}

impl Options {
    /// As AWS does it, only faster, with schedules at rest.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            command: vec![program.into()],
            endpoints: None,
            concurrency: 10,
            pollers: 1,
            schedules: false,
            grace: Duration::ZERO,
            pace: Pace::default(),
            port: 0,
        }
    }
}
