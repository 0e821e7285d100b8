//! A connection between a client and a service that a test can cut.

use std::io;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A proxy that forwards bytes until it is cut. It stops when it is dropped.
#[derive(Debug)]
pub struct Wire {
    endpoint: String,
    is_whole: Arc<watch::Sender<bool>>,
    accepting: JoinHandle<()>,
}

impl Wire {
    /// Starts a proxy for the service at this endpoint: `http://127.0.0.1:PORT`.
    ///
    /// # Errors
    /// [`io::Error`] if it cannot listen.
    pub async fn to(endpoint: &str) -> io::Result<Self> {
        let upstream = endpoint.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let is_whole = Arc::new(watch::Sender::new(true));
        let accepting = tokio::spawn(accept(listener, upstream, Arc::clone(&is_whole)));
        Ok(Self {
            endpoint,
            is_whole,
            accepting,
        })
    }

    /// The URL of the proxy: `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Breaks all connections, including new ones.
    pub fn cut(&self) {
        self.is_whole.send_replace(false);
    }

    /// Accepts connections again.
    pub fn mend(&self) {
        self.is_whole.send_replace(true);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, upstream: String, is_whole: Arc<watch::Sender<bool>>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(hand_on(stream, upstream.clone(), is_whole.subscribe()));
    }
}

async fn hand_on(mut near: TcpStream, upstream: String, mut is_whole: watch::Receiver<bool>) {
    let through = async {
        let mut far = TcpStream::connect(upstream).await?;
        copy_bidirectional(&mut near, &mut far).await
    };
    // The connection ends when either side ends.
    tokio::select! {
        biased;
        _ = is_whole.wait_for(|is_whole| !is_whole) => {}
        _ = through => {}
    }
}
