//! The whole of it: a template's stack on this machine.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::destinations::Destinations;
use crate::function::Function;
use crate::gateway::{Gateway, Target};
use crate::mapping::Controls;
use crate::queue::Queue;
use crate::services::Services;
use crate::template::{self, Template};
use crate::{Error, Options};

mod running;
mod schedule;
mod starting;

use running::Running;
use starting::Starting;

/// A stack on this machine. It ends when this is dropped, or when the process ends, however it
/// ends.
pub struct LocalAws {
    template: Template,
    services: Arc<Services>,
    destinations: Arc<Destinations>,
    functions: BTreeMap<String, Running>,
    /// By the name of the mapping: `IndexerFunction/Stream`.
    mappings: BTreeMap<String, Vec<Arc<Controls>>>,
    gateway: Gateway,
    /// What runs beside; ended with it.
    _tasks: JoinSet<()>,
}

impl LocalAws {
    /// Makes what the template asks for in these services, and starts its functions.
    ///
    /// # Errors
    /// [`Error`] if the template cannot be used or something cannot be made or started.
    pub async fn start(
        template: Template,
        services: Services,
        options: Options,
    ) -> Result<Self, Error> {
        services.create(&template).await?;
        let services = Arc::new(services);
        let destinations = Arc::new(Destinations::new(Arc::clone(&services), options.pace));
        let mut starting = Starting {
            services,
            destinations,
            options,
            tasks: JoinSet::new(),
        };
        let mut functions = BTreeMap::new();
        for settings in template.functions()? {
            functions.insert(settings.id.clone(), starting.function(settings)?);
        }
        starting.destinations.notify(triggers(&functions));
        let mut mappings = BTreeMap::new();
        for running in functions.values() {
            starting.mappings(running, &mut mappings).await?;
        }
        if starting.options.schedules {
            schedule::run(&functions, &mut starting.tasks);
        }
        let gateway = Gateway::start(
            targets(&functions),
            takes_any_bytes(&template),
            &starting.options,
        )
        .await?;
        Ok(Self {
            template,
            services: starting.services,
            destinations: starting.destinations,
            functions,
            mappings,
            gateway,
            _tasks: starting.tasks,
        })
    }

    /// The URL of the API's stage: `http://127.0.0.1:PORT/Prod`.
    pub fn url(&self) -> &str {
        self.gateway.url()
    }

    /// The template that it was made from.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// The services that it uses.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// The function with this logical id.
    ///
    /// # Errors
    /// [`Error::Unknown`] if there is none.
    pub fn function(&self, id: &str) -> Result<&Function, Error> {
        Ok(&self.running(id)?.function)
    }

    /// Invokes a function as its schedule would, and waits for its answer.
    ///
    /// # Errors
    /// [`Error::Unknown`] if there is no function with this logical id; [`Error::Function`] if it
    /// failed.
    pub async fn run_schedule(&self, id: &str) -> Result<Value, Error> {
        let running = self.running(id)?;
        let input = running.settings.schedules.first();
        let event = input.map_or_else(|| json!({}), schedule::event);
        let answer = running.function.invoke(&event).await;
        answer.map_err(|source| Error::Function {
            name: id.to_owned(),
            source,
        })
    }

    /// Stores an object in a bucket, of which the functions that its notifications go to are told.
    ///
    /// # Errors
    /// [`Error::Service`] if there is no such bucket.
    pub async fn put_object(&self, bucket: &str, key: &str, body: String) -> Result<(), Error> {
        self.destinations.put(bucket, key, body).await
    }

    /// Does something to every batch of a mapping (`IndexerFunction/Stream`): what it gives is
    /// delivered instead, batch by batch.
    ///
    /// # Errors
    /// [`Error::Unknown`] if there is no such mapping.
    pub fn disturb<F, D>(&self, mapping: &str, disturbance: F) -> Result<(), Error>
    where
        F: Fn() -> D,
        D: FnMut(Vec<Value>) -> Vec<Vec<Value>> + Send + 'static,
    {
        for controls in self.controls(mapping)? {
            controls.disturb(Some(Box::new(disturbance())));
        }
        Ok(())
    }

    /// Delivers the batches of a mapping as they are again.
    ///
    /// # Errors
    /// As [`LocalAws::disturb`].
    pub fn calm(&self, mapping: &str) -> Result<(), Error> {
        for controls in self.controls(mapping)? {
            controls.disturb(None);
        }
        Ok(())
    }

    /// Has a mapping rest: it delivers what it is at, and begins no other batch until it is to go on.
    ///
    /// # Errors
    /// As [`LocalAws::disturb`].
    pub fn pause(&self, mapping: &str, paused: bool) -> Result<(), Error> {
        for controls in self.controls(mapping)? {
            controls.pause(paused);
        }
        Ok(())
    }

    /// Waits until every record that is in a stream now was delivered or given up, and nothing
    /// waits for a function. Mappings that rest are not waited for.
    pub async fn settle(&self) {
        loop {
            for controls in self.mappings.values().flatten() {
                controls.settle().await;
            }
            if self
                .functions
                .values()
                .all(|running| running.queue.open() == 0)
            {
                return;
            }
            for running in self.functions.values() {
                running.queue.settle().await;
            }
        }
    }

    fn running(&self, id: &str) -> Result<&Running, Error> {
        let found = self.functions.get(id);
        found.ok_or_else(|| unknown("function", id, self.functions.keys()))
    }

    fn controls(&self, mapping: &str) -> Result<&[Arc<Controls>], Error> {
        let found = self.mappings.get(mapping).map(Vec::as_slice);
        found.ok_or_else(|| unknown("mapping", mapping, self.mappings.keys()))
    }
}

impl std::fmt::Debug for LocalAws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalAws")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}

fn unknown<'a>(what: &'static str, name: &str, known: impl Iterator<Item = &'a String>) -> Error {
    Error::Unknown {
        what,
        name: name.to_owned(),
        known: known.map(String::as_str).collect::<Vec<_>>().join(", "),
    }
}

fn triggers(functions: &BTreeMap<String, Running>) -> Vec<(template::Trigger, Queue)> {
    let of = |running: &Running| {
        let queue = running.queue.clone();
        let triggers = running.settings.triggers.clone().into_iter();
        triggers.map(move |trigger| (trigger, queue.clone()))
    };
    functions.values().flat_map(of).collect()
}

/// Whether every media type is binary to the template's API, so that bodies come as they were sent.
fn takes_any_bytes(template: &Template) -> bool {
    let mut apis = template.of_type("AWS::Serverless::Api");
    apis.any(|api| {
        let types = api.properties["BinaryMediaTypes"].as_array();
        types.is_some_and(|types| types.iter().any(|of| of == "*~1*" || of == "*/*"))
    })
}

fn targets(functions: &BTreeMap<String, Running>) -> Vec<Target> {
    let targets = functions.values().map(|running| Target {
        function: Arc::clone(&running.function),
        routes: running.settings.routes.clone(),
    });
    targets.collect()
}
