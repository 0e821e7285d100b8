//! The trait that an adapter implements for the crash tests.

use std::sync::Arc;
use std::time::Duration;

use crate::Adapter;
use crate::running::TIME_LIMIT;

/// A location for a store, and the way in which a process opens the store there.
///
/// The test's own process owns the location, which outlives the killed child processes.
pub trait CrashHarness: Sized + Send + Sync + 'static {
    /// The adapter.
    type Storage: Adapter;

    /// The number of processes that use one location at the same time. All of them are killed, one
    /// after another.
    const PROCESSES: usize = 1;

    /// Creates a location without a store: a folder, a database, an emulator.
    fn start() -> impl Future<Output = Self> + Send;

    /// The location as text for a child process: a path, a URL.
    fn location(&self) -> String;

    /// Opens the store at a location, and creates it if there is none. It is called in the child
    /// processes, and at the end in the test's own. It panics if the store cannot be opened.
    fn open(location: &str) -> impl Future<Output = Arc<Self::Storage>> + Send;

    /// Returns once every acknowledged changeset has its checkpoint. It is called in the test's
    /// own process after the last kill. A store that orders at commit time has nothing to do.
    fn settle(&self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Twice the time limit of one wait. The limit only ends a test that would never end; it must
    /// not decide a test.
    fn time_limit(&self) -> Duration {
        TIME_LIMIT
    }
}
