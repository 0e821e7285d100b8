//! The SQLite adapter: the conformance suite, and what only a file can get wrong.

mod backup;
mod conformance;
mod opening;
