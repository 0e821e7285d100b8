//! A function as a template describes it.

use std::ffi::OsString;
use std::time::Duration;

/// A function as a template describes it.
#[derive(Debug, Clone)]
pub struct FunctionSettings {
    /// The function's name.
    pub name: String,
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// The value of `_HANDLER`.
    pub handler: String,
    /// The environment variables in addition to those that Lambda sets for every function. The
    /// process has no others.
    pub environment: Vec<(String, String)>,
    /// The time limit of an invocation, as the function sees it.
    pub timeout: Duration,
    /// The additional time before the function is killed.
    pub grace: Duration,
    /// The memory in MB, as the function sees it.
    pub memory_mb: u32,
    /// The maximum number of concurrent invocations, each in its own process. Lambda would throttle
    /// further invocations; here they wait.
    pub concurrency: usize,
}

impl FunctionSettings {
    /// A function with a time limit of 30 seconds, 512 MB and one process.
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
