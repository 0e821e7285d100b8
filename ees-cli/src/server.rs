//! `ees serve`.

#[cfg(feature = "console")]
mod console;
mod exposure;
mod files;
mod guards;
mod keys;
mod listeners;
mod sealing;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ees_core::adapter::Publisher;
use ees_evidence::Sealer;
use ees_http::{ServerLimits, self_hosted_routers};
use ees_storage::{OpenStore, open, open_publisher};
use ees_workers::{Indexing, Publishing, project_statistics, seal_log};
use futures_util::FutureExt;
#[cfg(feature = "console")]
use futures_util::future::join;
use futures_util::future::{BoxFuture, join_all, join3};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::args::{ServeArgs, Switch};
use crate::shown::shown;
#[cfg(feature = "otlp")]
use crate::traces::{Traces, with_spans};
use crate::{Failure, logs};
use guards::Guards;
use listeners::Listeners;
use sealing::Sealing;

/// Serves until a signal stops it.
///
/// # Errors
/// [`Failure`] if the server cannot start, or the listener fails.
pub async fn run(args: &ServeArgs) -> Result<(), Failure> {
    #[cfg(feature = "otlp")]
    let (traces, follower) = Traces::start(args.otlp_endpoint.as_deref())?;
    #[cfg(not(feature = "otlp"))]
    let follower = None;
    logs::start(&args.log, args.log_format, follower)?;
    let served = serve(args).await;
    #[cfg(feature = "otlp")]
    traces.stop().await;
    served
}

async fn serve(args: &ServeArgs) -> Result<(), Failure> {
    files::allow_enough();
    // Signals are handled before the server prints its address.
    let failed = |error| Failure::Run(format!("signals cannot be received: {error}"));
    let mut signals = Signals::new().map_err(failed)?;
    let server = Server::start(args).await?;
    println!(
        "ees {} serves {} on {}://{}",
        env!("CARGO_PKG_VERSION"),
        shown(&args.storage.url, &server.opened.store).await,
        server.scheme,
        server.address()
    );
    let stopped = tokio::select! {
        signal = signals.next() => signal,
        // The listener failed. `stop` returns the cause.
        () = server.ended() => "the listener's end",
    };
    tracing::info!("stopping on {stopped}: answering the accepted requests");
    tokio::select! {
        stopped = server.stop() => stopped,
        _ = signals.next() => Err(Failure::Run("stopped at once by a second signal".to_owned())),
    }
}

/// A running server.
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    opened: OpenStore,
    closing: CancellationToken,
    ended: CancellationToken,
    serving: JoinHandle<io::Result<()>>,
    working: JoinHandle<()>,
}

impl Server {
    /// Opens the storage, starts the background work and listens.
    ///
    /// # Errors
    /// [`Failure`] if the storage cannot be opened, or the address cannot be listened on.
    pub async fn start(args: &ServeArgs) -> Result<Self, Failure> {
        exposure::check(args)?;
        let guards = Guards::read(args)?;
        let sealing = Sealing::read(args)?;
        let publisher = match &args.publish {
            Some(url) => Some(open_publisher(url).await.map_err(Failure::of_publisher)?),
            None => None,
        };
        let opened = Box::pin(open(&args.storage.url)).await;
        let opened = opened.map_err(Failure::of_storage)?;
        if let Err(error) = opened.store.identity().await {
            tracing::warn!(%error, "the id of the store is not known yet");
        }
        let ready = sealing
            .begin(args, &opened, others_index(&opened, args))
            .and_then(|sealer| Ok((sealer, Listeners::open(args)?)));
        match ready {
            Ok((sealer, listeners)) => Ok(Self::begin(
                args, opened, publisher, sealer, listeners, guards,
            )),
            Err(failure) => {
                opened.store.close().await;
                Err(failure)
            }
        }
    }

    fn begin(
        args: &ServeArgs,
        opened: OpenStore,
        publisher: Option<Arc<dyn Publisher>>,
        sealer: Option<Sealer>,
        listeners: Listeners,
        mut guards: Guards,
    ) -> Self {
        let (address, scheme) = (listeners.address, guards.security.scheme());
        let closing = CancellationToken::new();
        #[cfg_attr(not(feature = "console"), allow(unused_mut))]
        let mut options = guards.options(args, closing.clone());
        #[cfg(feature = "console")]
        let history = console::add(args, &opened.store, &mut options, scheme, sealer.is_some());
        let publishing = publisher.map(|publisher| Publishing {
            store: opened.store.clone(),
            checkpoints: Arc::clone(&opened.checkpoints),
            publisher,
            from: args.publish_from.into(),
        });
        let working = work(&opened, args, publishing, sealer, closing.clone());
        let hosts = Some(exposure::listed(args));
        let served = self_hosted_routers(opened.store.clone(), options, hosts);
        #[cfg(feature = "otlp")]
        let clients = match args.otlp_endpoint {
            Some(_) => with_spans(served.clients),
            None => served.clients,
        };
        #[cfg(not(feature = "otlp"))]
        let clients = served.clients;
        let ended = CancellationToken::new();
        let limits = limits(args);
        let routers = (clients, served.operators);
        let serving = listeners.serve(routers, guards.security.tls(), &limits, &closing);
        let sending = guards.send_metrics(served.metrics, ended.clone());
        let guarding = guards.follow(closing.clone()).boxed();
        let working = join3(working, guarding, sending).map(drop);
        #[cfg(feature = "console")]
        let working = join(working, history).map(drop);
        let tell_end = ended.clone().drop_guard();
        Self {
            address,
            scheme,
            serving: tokio::spawn(async move {
                let _tell_end = tell_end;
                serving.await
            }),
            working: tokio::spawn(working),
            opened,
            closing,
            ended,
        }
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The limit of its storage on the events and metadata of a changeset, in bytes.
    pub fn max_changeset_bytes(&self) -> usize {
        self.opened.store.max_changeset_bytes()
    }

    /// Resolves when it has stopped serving, for any reason.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Stops accepting, answers every accepted request, and closes the storage.
    ///
    /// # Errors
    /// [`Failure::Run`] if serving had failed before.
    pub async fn stop(self) -> Result<(), Failure> {
        self.closing.cancel();
        let served = self.serving.await.map_err(io::Error::other).flatten();
        let worked = self.working.await;
        self.opened.store.close().await;
        served.map_err(|error| Failure::Run(format!("serving failed: {error}")))?;
        worked.map_err(|error| Failure::Run(format!("a background worker failed: {error}")))
    }
}

/// The workers that run until the server closes: the publisher, the sealer, the statistics, and, for a
/// storage that orders after the commit, the indexer. With `--indexer off`, other processes run the
/// latter three for such a storage.
fn work(
    opened: &OpenStore,
    args: &ServeArgs,
    publishing: Option<Publishing>,
    sealer: Option<Sealer>,
    closing: CancellationToken,
) -> impl Future<Output = ()> + use<> {
    let mut work: Vec<BoxFuture<'static, ()>> = Vec::new();
    if !others_index(opened, args) {
        work.push(project_statistics(opened.store.clone(), closing.clone()).boxed());
        work.extend(opened.order.clone().map(|order| {
            let sweep_every = sweep_every(args);
            Indexing { order, sweep_every }.run(closing.clone()).boxed()
        }));
    }
    let store = &opened.store;
    work.extend(sealer.map(|sealer| seal_log(store.clone(), sealer, closing.clone()).boxed()));
    work.extend(publishing.map(|publishing| publishing.run(closing).boxed()));
    join_all(work).map(drop)
}

/// Whether other processes do the background work of a storage that orders after the commit.
fn others_index(opened: &OpenStore, args: &ServeArgs) -> bool {
    opened.order.is_some() && args.indexer == Switch::Off
}

fn sweep_every(args: &ServeArgs) -> Option<Duration> {
    let hours = u64::from(args.sweep_hours);
    (hours > 0).then(|| Duration::from_hours(hours))
}

fn limits(args: &ServeArgs) -> ServerLimits {
    let mut limits = ServerLimits::default();
    limits.shutdown_timeout = Duration::from_secs(u64::from(args.request_timeout) + 5);
    limits
}

/// The signals that stop the server: SIGINT and SIGTERM.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// The signals that stop the server: Ctrl-C.
#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) -> &'static str {
        self.0.recv().await;
        "Ctrl-C"
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
