#![doc = include_str!("../README.md")]

mod digest;
mod edge;
mod error;
mod export;
mod export_rest;
mod hash;
mod head;
mod import;
mod import_rest;
mod key;
mod known;
mod line;
mod log;
mod moving;
mod moving_error;
mod part;
mod sealer;
mod tree;

pub use error::{KeyError, LogError};
pub use export::Export;
pub use hash::{Hash, leaf_of, void_leaf};
pub use head::{LogHead, Parent, SignedNote};
pub use import::{Imported, Importer};
pub use import_rest::Progressed;
pub use key::{LogKey, SignedHead};
pub use log::Log;
pub use moving::MovableStore;
pub use moving_error::MoveError;
pub use part::{Header, Part};
pub use sealer::Sealer;
