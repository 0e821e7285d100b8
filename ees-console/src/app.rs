//! What the pages share.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ees_core::{Error, EventStore};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::attempts::Attempts;
use crate::fault::Fault;
use crate::history::History;
use crate::sessions::Sessions;
use crate::settings::Settings;

/// The longest time that a page waits for the storage.
const PATIENCE: Duration = Duration::from_secs(4);

/// The longest time that an action may take: a reset writes to every partition.
const ACTION_PATIENCE: Duration = Duration::from_secs(20);

/// How many pages may be made at the same time.
const AT_ONCE: usize = 32;

/// How long a page waits for its turn.
const TURN: Duration = Duration::from_secs(2);

/// How many live logs may wait at the same time.
const TAILS: usize = 256;

/// What the pages share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) store: EventStore,
    pub(crate) settings: Settings,
    pub(crate) sessions: Sessions,
    pub(crate) attempts: Attempts,
    pub(crate) history: History,
    pub(crate) begun: Instant,
    pages: Arc<Semaphore>,
    tails: Arc<Semaphore>,
}

impl App {
    pub(crate) fn new(store: EventStore, settings: Settings) -> Self {
        Self(Arc::new(Shared {
            store,
            settings,
            sessions: Sessions::default(),
            attempts: Attempts::default(),
            history: History::default(),
            begun: Instant::now(),
            pages: Arc::new(Semaphore::new(AT_ONCE)),
            tails: Arc::new(Semaphore::new(TAILS)),
        }))
    }

    /// Waits for a read of the storage, but not for ever.
    pub(crate) async fn read<T, E: Into<Fault>>(
        &self,
        read: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Fault> {
        let read = tokio::time::timeout(PATIENCE, read).await;
        let read = read.map_err(|_| Fault::silent(PATIENCE))?;
        read.map_err(Into::into)
    }

    /// Waits for an action, but not for ever.
    pub(crate) async fn act<T, E: Into<Error>>(
        &self,
        act: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Fault> {
        let act = tokio::time::timeout(ACTION_PATIENCE, act).await;
        let act = act.map_err(|_| Fault::silent(ACTION_PATIENCE))?;
        act.map_err(|error| Fault::from(error.into()))
    }

    /// The turn of a page.
    pub(crate) async fn turn(&self) -> Result<OwnedSemaphorePermit, Fault> {
        let turn = Arc::clone(&self.0.pages).acquire_owned();
        let turn = tokio::time::timeout(TURN, turn).await;
        turn.ok().and_then(Result::ok).ok_or(Fault::Busy)
    }

    /// The place of a live log that waits.
    pub(crate) fn tail(&self) -> Result<OwnedSemaphorePermit, Fault> {
        let place = Arc::clone(&self.0.tails).try_acquire_owned();
        place.map_err(|_| Fault::Busy)
    }
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}
