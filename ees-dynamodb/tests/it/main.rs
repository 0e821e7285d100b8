//! The DynamoDB adapter, over the real SDK: the conformance suite, and what only DynamoDB can get
//! wrong.
// A test says what is wrong by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
mod client_keys;
mod conformance;
mod cost;
mod cost_of_layouts;
mod crash;
mod empty;
mod failing;
mod faults;
mod following;
mod idle;
mod importing;
mod log;
mod malformed;
mod opening;
mod order;
mod original;
mod rebuilding;
mod set_faults;
mod sets;
mod store;
mod taking_over;
