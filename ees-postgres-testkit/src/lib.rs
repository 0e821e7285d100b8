#![doc = include_str!("../README.md")]

mod database;
mod error;
mod folder;
mod hold;
mod machine;
mod server;
mod shared;

pub use database::Database;
pub use error::Error;
pub use hold::Held;
pub use server::{Server, Settings};
