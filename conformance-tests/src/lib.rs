#![doc = include_str!("../README.md")]
// A test says what is wrong by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

#[macro_use]
mod case_macro;

pub mod adapter_cases;
pub mod cases;
pub mod faults;
pub mod history;
#[cfg(feature = "http")]
pub mod http_cases;
pub mod model;
pub mod subject;

mod harness;
mod support;
#[cfg(feature = "http")]
mod wire;

pub use case_macro::{Case, Runnable};
#[cfg(feature = "http")]
pub use harness::HttpHarness;
pub use harness::{Adapter, AdapterHarness, Capabilities, Harness, run};
#[cfg(feature = "http")]
pub use wire::tokens::tokens;

/// Makes a test of every case that an adapter can be held to in its own process: those of
/// [`suite!`] and those of [`adapter_cases!`](crate::adapter_cases!).
#[macro_export]
macro_rules! adapter_suite {
    ($harness:ty) => {
        $crate::suite!($harness);
        $crate::adapter_cases!($harness);
    };
}

/// Makes a test of every case that a server can be held to: those of [`suite!`] and those of
/// [`http_cases!`](crate::http_cases!).
#[cfg(feature = "http")]
#[macro_export]
macro_rules! http_suite {
    ($harness:ty) => {
        $crate::suite!($harness);
        $crate::http_cases!($harness);
    };
}
