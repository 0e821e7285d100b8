//! Concurrent histories and their checker.
