#![doc = include_str!("../README.md")]

mod database;
mod error;
mod folder;
mod hold;
mod machine;
mod running;
mod server;
mod settings;
mod shared;

pub use database::Database;
pub use error::Error;
pub use hold::Held;
pub use server::Server;
pub use settings::Settings;
