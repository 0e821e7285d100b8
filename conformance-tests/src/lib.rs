#![doc = include_str!("../README.md")]
// A test says what is wrong by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

#[macro_use]
mod list;

pub mod adapter_cases;
pub mod cases;
pub mod faults;
pub mod history;
pub mod model;
pub mod subject;

mod harness;
mod support;

#[cfg(feature = "http")]
pub use harness::HttpHarness;
pub use harness::{Adapter, AdapterHarness, Capabilities, Harness, run};
pub use list::Case;

/// Makes a test of every case that an adapter can be held to in its own process: those of
/// [`suite!`] and those of [`adapter_cases!`](crate::adapter_cases!).
#[macro_export]
macro_rules! adapter_suite {
    ($harness:ty) => {
        $crate::suite!($harness);
        $crate::adapter_cases!($harness);
    };
}
