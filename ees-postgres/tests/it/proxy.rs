//! A connection to the database that is cut at COMMIT, or falls silent.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use ees_postgres::PostgresConfig;
use ees_postgres_testkit::Database;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The end of a message that asks to commit.
const COMMIT: &[u8] = b"COMMIT\0";

/// Where a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Before the database has heard of COMMIT.
    Before,
    /// After it has committed, and before anyone has heard of that.
    After,
}

/// A way to the database that cuts so many connections.
pub(crate) struct Proxy {
    pub(crate) config: PostgresConfig,
    plan: Arc<Plan>,
}

/// What is to happen.
#[derive(Default)]
struct Plan {
    left: AtomicUsize,
    silences: AtomicUsize,
    /// Whether nothing leads to the database behind a connection that is cut.
    shuts: AtomicBool,
    is_shut: AtomicBool,
    /// Where connections are cut from now on, if not where they were to be at first.
    cut: Mutex<Option<Cut>>,
    then: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Proxy {
    pub(crate) async fn start(database: &Database, cut: Cut) -> Self {
        Self::start_with(database, cut, "").await
    }

    /// The same, for a store with further settings of the URL.
    pub(crate) async fn start_with(database: &Database, cut: Cut, settings: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = database.url();
        let (place, name) = url.rsplit_once('/').unwrap();
        let (user, behind) = place.rsplit_once('@').unwrap();
        let url = format!("{user}@127.0.0.1:{port}/{name}?allow_fsync_off=true{settings}");
        let plan = Arc::<Plan>::default();
        let (behind, followed) = (behind.to_owned(), Arc::clone(&plan));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if followed.is_shut.load(Ordering::SeqCst) {
                    continue;
                }
                if let Ok(server) = TcpStream::connect(&behind).await {
                    tokio::spawn(pass(client, server, cut, Arc::clone(&followed)));
                }
            }
        });
        Self {
            config: url.parse().unwrap(),
            plan,
        }
    }

    /// Cuts the next so many COMMITs.
    pub(crate) fn cut_next(&self, count: usize) {
        self.plan.left.store(count, Ordering::SeqCst);
    }

    /// Cuts all COMMITs from now on, there; behind the first that has lasted, nothing leads to the
    /// database any more.
    pub(crate) fn cut_all(&self, cut: Cut) {
        *self.plan.cut.lock().unwrap() = Some(cut);
        self.plan.shuts.store(cut == Cut::After, Ordering::SeqCst);
        self.cut_next(usize::MAX);
    }

    /// Cuts nothing more.
    pub(crate) fn mend(&self) {
        self.cut_next(0);
        self.plan.is_shut.store(false, Ordering::SeqCst);
    }

    /// Does something before the next one who is cut hears of it.
    pub(crate) fn then(&self, then: impl FnOnce() + Send + 'static) {
        *self.plan.then.lock().unwrap() = Some(Box::new(then));
    }

    /// Swallows from now on what comes on the connections there are, and leaves them open.
    pub(crate) fn silence(&self) {
        self.plan.silences.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn has_cut_all(&self) -> bool {
        self.plan.left.load(Ordering::SeqCst) == 0
    }
}

/// Passes everything on, until it is time to cut.
async fn pass(mut client: TcpStream, mut server: TcpStream, cut: Cut, plan: Arc<Plan>) {
    let (mut asked, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let silences = || plan.silences.load(Ordering::SeqCst);
    let begun = silences();
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(1..) = read else { return };
                let asked = &asked[..read.unwrap()];
                if silences() > begun {
                    continue;
                }
                if asked.ends_with(COMMIT) && take_one(&plan.left) {
                    let cut = plan.cut.lock().unwrap().unwrap_or(cut);
                    if cut == Cut::After {
                        server.write_all(asked).await.unwrap();
                        let heard = server.read(&mut answered).await.unwrap();
                        assert!(answered[..heard].starts_with(b"C"), "it is committed");
                        let shuts = plan.shuts.load(Ordering::SeqCst);
                        plan.is_shut.store(shuts, Ordering::SeqCst);
                    }
                    if let Some(then) = plan.then.lock().unwrap().take() {
                        tokio::task::block_in_place(then);
                    }
                    return;
                }
                if server.write_all(asked).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(1..) = read else { return };
                if silences() > begun {
                    continue;
                }
                if client.write_all(&answered[..read.unwrap()]).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn take_one(left: &AtomicUsize) -> bool {
    let taken = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
    taken.is_ok()
}
