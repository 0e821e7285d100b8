#![doc = include_str!("../README.md")]
// A test reports an error by a panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

#[macro_use]
mod case_macro;
mod case;
mod environment;

pub mod adapter_cases;
pub mod cases;
pub mod consumer_cases;
pub mod crash;
pub mod damage_cases;
pub mod evidence_cases;
pub mod fault_cases;
pub mod faults;
pub mod hints;
pub mod history;
#[cfg(feature = "http")]
pub mod http_cases;
pub mod model;
pub mod subject;

mod harness;
mod place;
mod run;
mod running;
mod schedule;
mod support;
#[cfg(feature = "http")]
mod wire;

pub use case::{Case, Runnable};
#[cfg(feature = "http")]
pub use harness::HttpHarness;
pub use harness::{
    Adapter, AdapterHarness, Capabilities, ConsumerHarness, Damage, DamageHarness, EvidenceHarness,
    Harness, WriteFault, WriteFaults,
};
pub use run::run;
pub use running::note_panic;
#[cfg(feature = "http")]
pub use wire::tokens::tokens;

/// Generates a test for every case that applies to an adapter in its own process: those of
/// [`CASES`](cases::CASES) and [`ADAPTER_CASES`](adapter_cases::ADAPTER_CASES), and those of
/// [`FAULT_CASES`](fault_cases::FAULT_CASES) for the kinds of write failures that the harness can
/// cause.
///
/// All tests are in one module, `conformance_suite` if no other name is given:
///
/// ```text
/// ees_conformance::adapter_suite!(Redb);
/// ees_conformance::adapter_suite!(Redb, mod suite);
/// ees_conformance::adapter_suite!(Redb, mod suite, faults: before_the_write, late);
/// ```
#[macro_export]
macro_rules! adapter_suite {
    ($harness:ty $(, faults: $($fault:ident),+ $(,)?)?) => {
        $crate::adapter_suite!($harness, mod conformance_suite $(, faults: $($fault),+)?);
    };
    ($harness:ty, mod $name:ident $(, faults: $($fault:ident),+ $(,)?)?) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            $crate::__cases!($harness);
            $crate::__adapter_cases!($harness);
            $($($crate::__fault_cases!($harness, $fault);)+)?

            #[::core::prelude::v1::test]
            fn cases_that_are_not_run() {
                $crate::fault_cases::tell_what_is_not_run::<$harness>(
                    &[$($(stringify!($fault)),+)?],
                );
            }
        }
    };
}

/// Generates a test for every case that applies to a storage with durable consumers: those of
/// [`CONSUMER_CASES`](consumer_cases::CONSUMER_CASES). All tests are in one module, `consumer_suite`
/// if no other name is given: `consumer_suite!(Mine, mod name)`.
#[macro_export]
macro_rules! consumer_suite {
    ($harness:ty) => {
        $crate::consumer_suite!($harness, mod consumer_suite);
    };
    ($harness:ty, mod $name:ident) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            $crate::__consumer_cases!($harness);
        }
    };
}

/// Generates a test for every case that applies to a storage with a log and imports: those of
/// [`EVIDENCE_CASES`](evidence_cases::EVIDENCE_CASES). All tests are in one module, `evidence_suite`
/// if no other name is given: `evidence_suite!(Mine, mod name)`.
#[macro_export]
macro_rules! evidence_suite {
    ($harness:ty) => {
        $crate::evidence_suite!($harness, mod evidence_suite);
    };
    ($harness:ty, mod $name:ident) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            $crate::__evidence_cases!($harness);
        }
    };
}

/// Generates a test for every case that applies to a storage that tells damage: those of
/// [`DAMAGE_CASES`](damage_cases::DAMAGE_CASES). All tests are in one module, `damage_suite` if no
/// other name is given: `damage_suite!(Mine, mod name)`.
#[macro_export]
macro_rules! damage_suite {
    ($harness:ty) => {
        $crate::damage_suite!($harness, mod damage_suite);
    };
    ($harness:ty, mod $name:ident) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            $crate::__damage_cases!($harness);
        }
    };
}

/// Generates a test for every case that applies to any store: those of [`CASES`](cases::CASES). All
/// tests are in one module, `conformance_suite` if no other name is given: `suite!(Mine, mod
/// name)`.
#[macro_export]
macro_rules! suite {
    ($harness:ty) => {
        $crate::suite!($harness, mod conformance_suite);
    };
    ($harness:ty, mod $name:ident) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            $crate::__cases!($harness);
        }
    };
}

/// Generates a test for every case that applies to a server: those of [`CASES`](cases::CASES) and
/// [`HTTP_CASES`](http_cases::HTTP_CASES). All tests are in one module, `conformance_suite` if no
/// other name is given: `http_suite!(Mine, mod name)`.
#[cfg(feature = "http")]
#[macro_export]
macro_rules! http_suite {
    ($harness:ty) => {
        $crate::http_suite!($harness, mod conformance_suite);
    };
    ($harness:ty, mod $name:ident) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            $crate::__cases!($harness);
            $crate::__http_cases!($harness);
        }
    };
}
