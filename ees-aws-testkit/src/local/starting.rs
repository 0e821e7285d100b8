//! Starts the parts of a stack.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::running::Running;
use crate::asynchronous::Worker;
use crate::destinations::Destinations;
use crate::function::{Function, FunctionSettings};
use crate::mapping::{Controls, Parts, Reader};
use crate::services::Services;
use crate::template;
use crate::{Error, Options};

/// The state from which the parts of a stack are started.
pub(super) struct Starting {
    pub(super) services: Arc<Services>,
    pub(super) destinations: Arc<Destinations>,
    pub(super) options: Options,
    pub(super) tasks: JoinSet<()>,
}

impl Starting {
    /// Starts a function's host and its queue.
    pub(super) fn function(&mut self, settings: template::Function) -> Result<Running, Error> {
        let function = Arc::new(self.host(&settings)?);
        let (queue, worker) = Worker::new(
            Arc::clone(&function),
            &settings,
            Arc::clone(&self.destinations),
            self.options.pace,
        );
        self.tasks.spawn(worker.run());
        Ok(Running {
            settings,
            function,
            queue,
        })
    }

    /// The host of a function. Its environment has the endpoints of the services in addition to the
    /// template's variables.
    fn host(&self, function: &template::Function) -> Result<Function, Error> {
        let endpoints = self.options.endpoints.as_ref();
        let endpoints = endpoints.unwrap_or(self.services.endpoints()).variables();
        let endpoints = endpoints.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let variables = function.environment.clone().into_iter().chain(endpoints);
        let limit = function
            .concurrency
            .and_then(|limit| usize::try_from(limit).ok());
        let host = Function::new(FunctionSettings {
            name: function.name.clone(),
            command: self.options.command.clone(),
            handler: function.handler.clone(),
            environment: variables.collect(),
            timeout: function.timeout,
            grace: self.options.grace,
            memory_mb: function.memory,
            concurrency: limit.unwrap_or(self.options.concurrency),
        });
        host.map_err(Error::start("a function's host"))
    }

    /// Starts a function's mappings, and registers them by name.
    pub(super) async fn mappings(
        &mut self,
        running: &Running,
        all: &mut BTreeMap<String, Vec<Arc<Controls>>>,
    ) -> Result<(), Error> {
        let enabled = running
            .settings
            .mappings
            .iter()
            .filter(|mapping| mapping.enabled);
        for mapping in enabled {
            let name = format!("{}/{}", running.settings.id, mapping.id);
            let controls = all.entry(name).or_default();
            for _ in 0..self.options.pollers {
                let reader = Reader::new(Parts {
                    mapping: mapping.clone(),
                    function: Arc::clone(&running.function),
                    services: Arc::clone(&self.services),
                    destinations: Arc::clone(&self.destinations),
                    pace: self.options.pace,
                });
                let reader = reader.await?;
                controls.push(Arc::clone(&reader.controls));
                self.tasks.spawn(reader.run());
            }
        }
        Ok(())
    }
}
