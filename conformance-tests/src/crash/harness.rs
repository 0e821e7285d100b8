//! What the crash tests need of an adapter.

use std::sync::Arc;
use std::time::Duration;

use crate::Adapter;
use crate::running::TIME_LIMIT;

/// A place for a store, and how a process opens the store there.
///
/// The place is owned by the test's own process and outlives the child processes that are killed.
pub trait CrashHarness: Sized + Send + Sync + 'static {
    /// The adapter.
    type Storage: Adapter;

    /// How many processes use one place at the same time. All of them are killed, one after
    /// another.
    const PROCESSES: usize = 1;

    /// Makes a place where no store is yet: a folder, a database, an emulator.
    fn start() -> impl Future<Output = Self> + Send;

    /// What a child process needs to find the place: a path, a URL.
    fn location(&self) -> String;

    /// Opens the store at a location, and makes it if there is none. It is called in the child
    /// processes, and in the end in the test's own. It panics if the store cannot be opened.
    fn open(location: &str) -> impl Future<Output = Arc<Self::Storage>> + Send;

    /// Returns once every acknowledged changeset has its checkpoint. It is called in the test's
    /// own process after the last kill. A store that orders at commit time has nothing to do.
    fn settle(&self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Twice the longest that the tests wait for one thing. It decides no test: it only ends one
    /// that would never end.
    fn time_limit(&self) -> Duration {
        TIME_LIMIT
    }
}
