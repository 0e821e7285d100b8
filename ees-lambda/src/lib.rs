#![doc = include_str!("../README.md")]
// The nested futures exceed the default limit in an optimized build.
#![recursion_limit = "256"]

mod api;
mod batch;
mod bucket;
mod deadline;
mod failure;
mod indexer;
mod logs;
mod metrics;
mod projector;
mod publisher;
mod redrive;
mod sealer;
mod settings;
mod store;
mod sweep;

use std::pin::Pin;

use lambda_runtime::Error;

pub use failure::Failure;
pub use settings::{Handler, Settings};

/// Runs the function that the settings name, until Lambda stops the process.
///
/// # Errors
/// [`Failure`] if the function cannot start, or if the Lambda runtime cannot be reached.
pub async fn run(settings: Settings) -> Result<(), Failure> {
    logs::start(&settings.log)?;
    let store = settings.store();
    let running: Pin<Box<dyn Future<Output = Result<(), Error>>>> = match settings.handler {
        Handler::Api => Box::pin(api::run(store)),
        Handler::Indexer => Box::pin(indexer::run(store)),
        Handler::Projector => Box::pin(projector::run(store)),
        Handler::Publisher => {
            let (publishing, failures) = (settings.publishing()?, settings.failures()?);
            Box::pin(publisher::run(publishing, failures))
        }
        Handler::Redrive => {
            let (publishing, failures) = (settings.publishing()?, settings.failures()?);
            Box::pin(redrive::run(store, publishing, failures))
        }
        Handler::Sealer => Box::pin(sealer::run(store)),
        Handler::Sweep => Box::pin(sweep::run(store)),
    };
    let ran = running.await;
    ran.map_err(|error| Failure::Runtime(error.to_string()))
}
