//! A function as a template describes it.

use std::ffi::OsString;
use std::time::Duration;

/// A function as a template describes it.
#[derive(Debug, Clone)]
pub struct FunctionSettings {
    /// Its name.
    pub name: String,
    /// The program, and its arguments if it has any.
    pub command: Vec<OsString>,
    /// What the program finds as `_HANDLER`.
    pub handler: String,
    /// What it finds in its environment, beside what Lambda sets for every function. Nothing else
    /// is there.
    pub environment: Vec<(String, String)>,
    /// How long an invocation may take, as the function is told.
    pub timeout: Duration,
    /// How much later it is killed.
    pub grace: Duration,
    /// What it is told of its memory.
    pub memory_mb: u32,
    /// How many invocations may run at once, each in a process of its own. Where Lambda would
    /// throttle, more wait here.
    pub concurrency: usize,
}

impl FunctionSettings {
    /// A function of 30 seconds, 512 MB and one environment.
    pub fn new(command: impl Into<OsString>, handler: &str) -> Self {
        Self {
            name: handler.to_owned(),
            command: vec![command.into()],
            handler: handler.to_owned(),
            environment: Vec::new(),
            timeout: Duration::from_secs(30),
            grace: Duration::ZERO,
            memory_mb: 512,
            concurrency: 1,
        }
    }

    /// The function's ARN.
    pub fn arn(&self) -> String {
        format!(
            "arn:aws:lambda:us-east-1:123456789012:function:{}",
            self.name
        )
    }
}
