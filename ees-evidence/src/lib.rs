#![doc = include_str!("../README.md")]

mod edge;
mod error;
mod hash;
mod head;
mod key;
mod log;
mod proof;
mod sealer;

pub use error::{KeyError, LogError, ProofError};
pub use hash::{Hash, leaf_of, void_leaf};
pub use head::{LogHead, Parent, SignedNote};
pub use key::{LogKey, SignedHead};
pub use log::Log;
pub use proof::{Proof, check_verifier_key};
pub use sealer::Sealer;
