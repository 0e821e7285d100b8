//! The `ees` binary and the server in it, from outside.

mod conformance;
mod serving;
