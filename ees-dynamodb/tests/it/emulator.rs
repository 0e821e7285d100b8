//! DynamoDB in the test's own process, behind HTTP.

use dynoxide::Database;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// An endpoint of its own, with nothing in it; gone when it is dropped.
pub(crate) struct Emulator {
    pub(crate) endpoint: String,
    _stop: oneshot::Sender<()>,
}

impl Emulator {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel::<()>();
        let database = Database::memory().expect("a database");
        tokio::spawn(dynoxide::server::serve_with_shutdown(
            listener,
            database,
            async {
                let _ = stopped.await;
            },
        ));
        Self {
            endpoint: format!("http://{address}"),
            _stop: stop,
        }
    }
}
