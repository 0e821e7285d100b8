#![doc = include_str!("../README.md")]

mod asynchronous;
mod destinations;
mod error;
mod function;
mod gateway;
mod guard;
mod local;
mod mapping;
mod pace;
mod policies;
mod services;
pub mod template;
mod wire;

pub use error::Error;
pub use function::{Function, FunctionError, FunctionSettings};
pub use guard::{Call, Guard};
pub use local::{LocalAws, Options};
pub use mapping::{filter, retrying};
pub use pace::Pace;
pub use services::{Endpoints, Services};
pub use wire::Wire;
