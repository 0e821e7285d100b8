#![doc = include_str!("../README.md")]

mod asynchronous;
mod control;
mod destinations;
mod error;
mod function;
mod gateway;
mod guard;
mod local;
mod mapping;
mod options;
mod pace;
mod policies;
mod queue;
mod record;
mod services;
pub mod template;
mod wire;

pub use error::Error;
pub use function::{Function, FunctionError, FunctionSettings};
pub use guard::{Call, Guard};
pub use local::LocalAws;
pub use mapping::{filter, retrying};
pub use options::Options;
pub use pace::Pace;
pub use services::{Endpoints, Services};
pub use wire::Wire;
