//! The publisher over the wire: what SNS is asked, and what becomes of its answers.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod fake;
mod publishing;
