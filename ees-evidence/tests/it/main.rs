//! The log of a store in memory, read and verified.

#![allow(clippy::unwrap_used)]

mod proofs;
mod scene;
mod sealing;
