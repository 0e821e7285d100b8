//! The log of a store in memory, read and verified.

#![allow(clippy::unwrap_used)]

mod bad_exports;
mod copying;
mod damage;
mod moving;
mod proofs;
mod rich;
mod scene;
mod sealing;
mod verifying;
