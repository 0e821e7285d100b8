#![doc = include_str!("../README.md")]

use std::io;
use std::net::TcpListener;
use std::thread::JoinHandle;

use dynoxide::Database;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

mod proxy;
mod shards;

pub use proxy::{Call, Fate, Plan, Proxy};
pub use shards::{SKIPPED, Shards};

/// An empty DynamoDB emulator.
#[derive(Debug)]
pub struct Emulator {
    endpoint: String,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

impl Emulator {
    /// Starts an emulator in its own thread.
    ///
    /// # Errors
    /// [`io::Error`] if it cannot listen or start.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let database = Database::memory().map_err(io::Error::other)?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let serving = std::thread::Builder::new()
            .name("dynamodb".to_owned())
            .spawn(move || runtime.block_on(serve(listener, database, stopped)))?;
        Ok(Self {
            endpoint,
            stop: Some(stop),
            serving: Some(serving),
        })
    }

    /// The URL of the emulator: `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

async fn serve(listener: TcpListener, database: Database, stopped: oneshot::Receiver<()>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    tokio::select! {
        _ = dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()) => {}
        // Open connections need no answer any more.
        _ = stopped => {}
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(serving) = self.serving.take() {
            let _ = serving.join();
        }
    }
}
