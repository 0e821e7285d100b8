//! A wire between a client and a service, that can be cut.

use std::io;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A proxy that hands bytes on until it is cut. It stops when it is dropped.
#[derive(Debug)]
pub struct Wire {
    endpoint: String,
    is_whole: Arc<watch::Sender<bool>>,
    accepting: JoinHandle<()>,
}

impl Wire {
    /// Begins to hand on to the service at this endpoint: `http://127.0.0.1:PORT`.
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

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Breaks every connection, also those to come.
    pub fn cut(&self) {
        self.is_whole.send_replace(false);
    }

    /// Lets connections through again.
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
    // Whichever side ends, the connection does.
    tokio::select! {
        biased;
        _ = is_whole.wait_for(|is_whole| !is_whole) => {}
        _ = through => {}
    }
}
