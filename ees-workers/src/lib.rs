#![doc = include_str!("../README.md")]

mod indexing;
mod logging;
mod projecting;
mod publishing;
mod retry;
mod sealing;
mod sweep;
mod sweeping;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod fakes;

pub use indexing::Indexing;
pub use projecting::project_statistics;
pub use publishing::{PublishFrom, Publishing};
pub use sealing::seal_log;
pub use sweep::Sweep;
/// The stop signal of workers.
pub use tokio_util::sync::CancellationToken;
