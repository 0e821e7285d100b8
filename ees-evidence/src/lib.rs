#![doc = include_str!("../README.md")]

mod edge;
mod error;
mod hash;
mod head;
mod key;
mod log;
mod sealer;

pub use error::{KeyError, LogError};
pub use hash::{Hash, leaf_of, void_leaf};
pub use head::{LogHead, Parent, SignedNote};
pub use key::{LogKey, SignedHead};
pub use log::Log;
pub use sealer::Sealer;
