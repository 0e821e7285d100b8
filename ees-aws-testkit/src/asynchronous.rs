//! Asynchronous invocations: the worker of a queue, its retries, and the destinations of failed
//! events.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::Pace;
use crate::destinations::{AsyncFailure, Destinations};
use crate::function::{Function, FunctionError};
use crate::queue::{Queue, Waiting, queue};
use crate::template;

/// Delivers the events of a queue to a function.
pub(crate) struct Worker {
    function: Arc<Function>,
    retries: u32,
    max_age: Duration,
    on_failure: Option<String>,
    dead_letters: Option<String>,
    destinations: Arc<Destinations>,
    pace: Pace,
    events: Waiting,
}

impl Worker {
    pub(crate) fn new(
        function: Arc<Function>,
        settings: &template::Function,
        destinations: Arc<Destinations>,
        pace: Pace,
    ) -> (Queue, Self) {
        let (queue, events) = queue();
        let worker = Self {
            function,
            retries: settings.async_retries,
            max_age: settings.async_max_age,
            on_failure: settings.async_on_failure.clone(),
            dead_letters: settings.dead_letters.clone(),
            destinations,
            pace,
            events,
        };
        (queue, worker)
    }

    /// Runs until it is dropped.
    pub(crate) async fn run(mut self) {
        while let Some(event) = self.events.next().await {
            self.deliver(&event).await;
            self.events.done();
        }
    }

    async fn deliver(&self, event: &Value) {
        let begun = Instant::now();
        let mut tried = 0;
        loop {
            let Err(error) = self.function.invoke(event).await else {
                return;
            };
            let is_old = begun.elapsed() > self.max_age;
            if tried == self.retries || is_old {
                let condition = if is_old {
                    "EventAgeExceeded"
                } else {
                    "RetriesExhausted"
                };
                return self.give_up(event, condition, tried + 1, &error).await;
            }
            sleep(self.pace.pause(tried)).await;
            tried += 1;
        }
    }

    async fn give_up(
        &self,
        event: &Value,
        condition: &'static str,
        invocations: u32,
        error: &FunctionError,
    ) {
        if let Some(destination) = &self.on_failure {
            let failure = AsyncFailure {
                function: self.function.settings().arn(),
                condition,
                invocations,
                error,
                event,
            };
            self.destinations
                .give_up_invocation(destination, failure)
                .await;
        }
        if let Some(queue) = &self.dead_letters {
            self.destinations.send_event(queue, event).await;
        }
    }
}
