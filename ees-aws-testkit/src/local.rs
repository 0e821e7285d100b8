//! A template's stack on this machine.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::control;
use crate::destinations::Destinations;
use crate::function::Function;
use crate::gateway::{Front, Gateway, Target};
use crate::mapping::Controls;
use crate::queue::Queue;
use crate::services::Services;
use crate::template::{self, Template};
use crate::{Error, Options};

mod operated;
mod running;
mod schedule;
mod starting;

use running::Running;
use starting::Starting;

/// A stack on this machine. It ends when this value is dropped, or when the process ends for
/// whatever reason.
pub struct LocalAws {
    template: Template,
    services: Arc<Services>,
    destinations: Arc<Destinations>,
    functions: BTreeMap<String, Running>,
    /// The mappings by name: `IndexerFunction/Stream`.
    mappings: BTreeMap<String, Vec<Arc<Controls>>>,
    gateway: Gateway,
    /// The URL of the control plane.
    control: String,
    /// The background tasks, which end with the stack.
    _tasks: JoinSet<()>,
}

impl LocalAws {
    /// Creates the template's resources in these services, and starts its functions.
    ///
    /// # Errors
    /// [`Error`] if the template cannot be used, or if a resource cannot be created or started.
    pub async fn start(
        template: Template,
        mut services: Services,
        options: Options,
    ) -> Result<Self, Error> {
        services.divide(options.shards).await?;
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
        let front = front(&template, &functions)?;
        let gateway = Gateway::start(front, &starting.options).await?;
        let shipped = functions
            .values()
            .map(|it| Arc::clone(&it.function))
            .collect();
        let services = Arc::clone(&starting.services);
        let shipping = control::ship(services, template.clone(), shipped);
        starting.tasks.spawn(shipping);
        let operated = operated::stack(&template, &starting, gateway.url(), &functions, &mappings);
        let control = control::serve(operated, &mut starting.tasks).await?;
        Ok(Self {
            control,
            template,
            services: starting.services,
            destinations: starting.destinations,
            functions,
            mappings,
            gateway,
            _tasks: starting.tasks,
        })
    }

    /// The URL of the API's stage, `http://127.0.0.1:PORT/Prod`, or of the function that has a
    /// function URL, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        self.gateway.url()
    }

    /// The variables by which the AWS CLI finds the stack and all its services.
    pub fn variables(&self) -> Vec<(&'static str, &str)> {
        let mut all = Vec::from(self.services.endpoints().variables());
        all.push(("AWS_ENDPOINT_URL", self.services.others()));
        all.push(("AWS_ENDPOINT_URL_CLOUDFORMATION", &self.control));
        all.push(("AWS_ENDPOINT_URL_LAMBDA", &self.control));
        all
    }

    /// The template of the stack.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// The services of the stack.
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

    /// Stores an object in a bucket, and notifies the functions that the bucket's notifications
    /// name.
    ///
    /// # Errors
    /// [`Error::Service`] if there is no such bucket.
    pub async fn put_object(&self, bucket: &str, key: &str, body: String) -> Result<(), Error> {
        self.destinations.put(bucket, key, body).await
    }

    /// Changes the batches of a mapping (`IndexerFunction/Stream`). For each batch, the mapping
    /// delivers the batches that the shard's `disturbance` returns.
    ///
    /// # Errors
    /// [`Error::Unknown`] if there is no such mapping.
    pub fn disturb<F, D>(&self, mapping: &str, disturbance: F) -> Result<(), Error>
    where
        F: Fn() -> D + Clone + Send + 'static,
        D: FnMut(Vec<Value>) -> Vec<Vec<Value>> + Send + 'static,
    {
        for controls in self.controls(mapping)? {
            let disturbance = disturbance.clone();
            controls.disturb(Some(Box::new(move || Box::new(disturbance()))));
        }
        Ok(())
    }

    /// Delivers the batches of a mapping unchanged again.
    ///
    /// # Errors
    /// As [`LocalAws::disturb`].
    pub fn calm(&self, mapping: &str) -> Result<(), Error> {
        for controls in self.controls(mapping)? {
            controls.disturb(None);
        }
        Ok(())
    }

    /// Pauses or resumes a mapping. A paused mapping completes its current batch and begins no
    /// other.
    ///
    /// # Errors
    /// As [`LocalAws::disturb`].
    pub fn pause(&self, mapping: &str, paused: bool) -> Result<(), Error> {
        for controls in self.controls(mapping)? {
            controls.pause(paused);
        }
        Ok(())
    }

    /// Ends all shards of the streams behind what was read of them. Each has two children. Works once.
    pub fn split_shards(&self) {
        self.services.split();
    }

    /// Waits until every record that is in a stream now was delivered or given up, and no event
    /// waits for a function. It does not wait for paused mappings.
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

/// Whether the template's API treats every media type as binary, so that bodies arrive unchanged.
fn takes_any_bytes(template: &Template) -> bool {
    let mut apis = template.of_type("AWS::Serverless::Api");
    apis.any(|api| {
        let types = api.properties["BinaryMediaTypes"].as_array();
        types.is_some_and(|types| types.iter().any(|of| of == "*~1*" || of == "*/*"))
    })
}

fn front(template: &Template, functions: &BTreeMap<String, Running>) -> Result<Front, Error> {
    let Some(arn) = template.function_url()? else {
        let binary = takes_any_bytes(template);
        let targets = targets(functions);
        return Ok(Front::Rest { targets, binary });
    };
    let mut found = functions.values();
    let found = found.find(|running| running.settings.arn == arn);
    let found = found.ok_or_else(|| unknown("function", &arn, functions.keys()))?;
    Ok(Front::Url(Arc::clone(&found.function)))
}

fn targets(functions: &BTreeMap<String, Running>) -> Vec<Target> {
    let targets = functions.values().map(|running| Target {
        function: Arc::clone(&running.function),
        routes: running.settings.routes.clone(),
    });
    targets.collect()
}
