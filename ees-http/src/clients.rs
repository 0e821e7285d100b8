//! The clients of a server, and for how long each of them has made no progress.
//!
//! When room for them runs out, the one that has made no progress for longest is cut off. A client of
//! a router without a server of this crate is unknown here, and is never cut off.

mod half_closed;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::turned_away::TurnedAway;
#[cfg(feature = "server")]
pub(crate) use half_closed::Receiving;

/// Nobody is cut off who made progress within this time.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a server waits for: the next step is the client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// To send a request, while none of the connection runs.
    #[cfg(feature = "server")]
    Ask,
    /// To send the rest of a body.
    Send,
    /// To take the rest of an answer.
    Take,
}

impl Step {
    fn room(self) -> &'static str {
        match self {
            #[cfg(feature = "server")]
            Self::Ask => "connections",
            Self::Send => "bodies",
            Self::Take => "answers",
        }
    }
}

/// The clients that are connected.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clients(Arc<Connected>);

#[derive(Debug)]
struct Connected {
    begun: Instant,
    clients: Mutex<HashMap<u64, Client>>,
    #[cfg(feature = "server")]
    next: AtomicU64,
    cut_off: TurnedAway,
}

impl Default for Connected {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            clients: Mutex::default(),
            #[cfg(feature = "server")]
            next: AtomicU64::default(),
            cut_off: TurnedAway::default(),
        }
    }
}

/// A client, by its connection.
#[derive(Debug, Clone)]
pub(crate) struct Client(Arc<Connection>);

#[derive(Debug)]
struct Connection {
    clients: Clients,
    cut: CancellationToken,
    /// Cancelled when the client sends no more.
    half_closed: CancellationToken,
    /// How many bodies are on their way.
    #[cfg(feature = "server")]
    receiving: AtomicUsize,
    /// When the connection last moved a byte, in milliseconds.
    #[cfg(feature = "server")]
    moved: AtomicU64,
    /// How many of its requests run: the next step is the server's.
    running: AtomicUsize,
    /// How many requests it has begun.
    #[cfg(feature = "tls")]
    asked: AtomicU64,
    /// The bodies and the answers that the client has to move on.
    waits: Mutex<Vec<Arc<Wait>>>,
}

#[derive(Debug)]
struct Wait {
    step: Step,
    /// When it last moved on, in milliseconds.
    moved: AtomicU64,
}

/// A body or an answer that a client has to move on. It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Waiting {
    client: Client,
    wait: Arc<Wait>,
}

/// A request that runs, until it is dropped.
#[derive(Debug)]
pub(crate) struct Running(Client);

impl Clients {
    /// Cuts off the client that has not made this step for longest. `false` if each made progress
    /// just now.
    pub(crate) fn cut_longest(&self, step: Step) -> bool {
        let now = self.now();
        let longest = {
            let clients = lock(&self.0.clients);
            let clients = clients
                .values()
                .filter(|client| !client.0.cut.is_cancelled());
            let waiting = clients.filter_map(|client| Some((client.since(step)?, client)));
            let longest = waiting.min_by_key(|(since, _)| *since);
            longest.map(|(since, client)| (since, client.clone()))
        };
        let is_long = |since: u64| u128::from(now.saturating_sub(since)) >= PATIENCE.as_millis();
        let Some((_, client)) = longest.filter(|(since, _)| is_long(*since)) else {
            return false;
        };
        client.0.cut.cancel();
        if let Some(clients) = self.0.cut_off.due() {
            tracing::warn!(
                clients,
                "the room for {} ran out: the clients that made no progress for longest were cut off",
                step.room()
            );
        }
        true
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Client {
    /// Begins to wait for a step.
    pub(crate) fn wait(&self, step: Step) -> Waiting {
        let wait = Arc::new(Wait {
            step,
            moved: self.0.clients.now().into(),
        });
        lock(&self.0.waits).push(Arc::clone(&wait));
        Waiting {
            client: self.clone(),
            wait,
        }
    }

    /// Cuts off the client that has not made this step for longest.
    pub(crate) fn cut_longest(&self, step: Step) -> bool {
        self.0.clients.cut_longest(step)
    }

    /// Tells that a request runs.
    pub(crate) fn runs(&self) -> Running {
        #[cfg(feature = "tls")]
        self.0.asked.fetch_add(1, Ordering::Relaxed);
        self.0.running.fetch_add(1, Ordering::Relaxed);
        Running(self.clone())
    }

    /// Since when the server waits for this step; `None` if it does not.
    fn since(&self, step: Step) -> Option<u64> {
        #[cfg(feature = "server")]
        if step == Step::Ask {
            let runs = self.0.running.load(Ordering::Relaxed) > 0;
            return (!runs).then(|| self.0.moved.load(Ordering::Relaxed));
        }
        let waits = lock(&self.0.waits);
        let waits = waits.iter().filter(|wait| wait.step == step);
        waits.map(|wait| wait.moved.load(Ordering::Relaxed)).min()
    }
}

impl Waiting {
    /// Tells that the client has made progress.
    pub(crate) fn moved(&self) {
        let now = self.client.0.clients.now();
        self.wait.moved.store(now, Ordering::Relaxed);
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut waits = lock(&self.client.0.waits);
        waits.retain(|wait| !Arc::ptr_eq(wait, &self.wait));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What only a server does.
#[cfg(feature = "server")]
mod connections {
    #[cfg(feature = "tls")]
    use super::AtomicU64;
    use super::AtomicUsize;
    use super::{Arc, CancellationToken, Client, Clients, Connection, Mutex, Ordering, lock};

    /// A connection, until it is dropped.
    #[derive(Debug)]
    pub(crate) struct Connects {
        key: u64,
        pub(crate) client: Client,
    }

    impl Clients {
        /// Takes a new client in. Cancelling `cut` cuts it off.
        pub(crate) fn connect(&self, cut: CancellationToken) -> Connects {
            let client = Client(Arc::new(Connection {
                clients: self.clone(),
                cut,
                half_closed: CancellationToken::new(),
                receiving: AtomicUsize::default(),
                moved: self.now().into(),
                running: AtomicUsize::default(),
                #[cfg(feature = "tls")]
                asked: AtomicU64::default(),
                waits: Mutex::default(),
            }));
            let key = self.0.next.fetch_add(1, Ordering::Relaxed);
            lock(&self.0.clients).insert(key, client.clone());
            Connects { key, client }
        }
    }

    impl Drop for Connects {
        fn drop(&mut self) {
            lock(&self.client.0.clients.0.clients).remove(&self.key);
        }
    }

    impl Client {
        /// Resolves when the client is cut off.
        pub(crate) fn cut(&self) -> CancellationToken {
            self.0.cut.clone()
        }

        /// Tells that a byte was moved.
        pub(crate) fn moved(&self) {
            let now = self.0.clients.now();
            self.0.moved.store(now, Ordering::Relaxed);
        }
    }
}

/// What only a server with HTTP/2 asks: there a connection moves bytes that are no progress.
#[cfg(feature = "tls")]
impl Client {
    /// For how long the server has waited for a step; zero if it does not.
    pub(crate) fn waited(&self, step: Step) -> Duration {
        let now = self.0.clients.now();
        let since = self.since(step).unwrap_or(now);
        Duration::from_millis(now.saturating_sub(since))
    }

    /// How many requests it has begun.
    pub(crate) fn asked(&self) -> u64 {
        self.0.asked.load(Ordering::Relaxed)
    }

    /// Whether nothing of it runs, and nothing is on its way.
    pub(crate) fn is_idle(&self) -> bool {
        self.0.running.load(Ordering::Relaxed) == 0 && lock(&self.0.waits).is_empty()
    }
}
