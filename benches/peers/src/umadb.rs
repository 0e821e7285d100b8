//! UmaDB with the settings of its own command: this program again, as a process of its own.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use benches_kit::client::each_to_its_own;
use benches_kit::load::{self, KINDS, STREAMS};
use benches_kit::process::Process;
use tempfile::TempDir;
use tokio::sync::oneshot;
use umadb_client::{AsyncUmaDbClient, UmaDbClient};
use umadb_dcb::{DcbAppendCondition, DcbEvent, DcbEventStoreAsync, DcbQuery, DcbQueryItem};
use umadb_server::{ServerOptions, StorageOptions, start_server_with_options};

/// The number of events in a part of an answer: as many as a page of 1000 changesets has.
const BATCH: u32 = 3000;

/// Serves a file until the process is killed.
pub(crate) async fn serve(file: &Path) {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    // Clients try again until it listens.
    println!("UmaDB on http://{address}");
    let options = ServerOptions {
        listen_addr: address.to_string(),
        tls: None,
        api_key: None,
        storage: StorageOptions::default().db_path(file),
    };
    let (_stop, stopped) = oneshot::channel();
    start_server_with_options(options, stopped).await.unwrap();
}

/// The server with a new file, and the position of the last event of each stream, 0 before the first.
pub(crate) struct UmaDb {
    pub(crate) process: Process,
    ends: Vec<AtomicU64>,
    _folder: TempDir,
}

impl UmaDb {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .arg("--serve-umadb")
            .arg(folder.path().join("uma.db"));
        Self {
            process: Process::run(&mut command),
            ends: (0..STREAMS).map(|_| AtomicU64::new(0)).collect(),
            _folder: folder,
        }
    }

    /// Connects clients, each with a connection of its own.
    pub(crate) async fn clients(&self, count: usize) -> Vec<Client> {
        let client = UmaDbClient::new(format!("http://{}", self.process.address));
        let client = client.batch_size(BATCH);
        let mut clients = Vec::new();
        for _ in 0..count {
            clients.push(Client(client.connect_async().await.unwrap()));
        }
        clients
    }

    /// Appends from concurrent clients, each to streams of its own. Returns commits per second.
    pub(crate) async fn append(&self, clients: &mut [Client], length: Duration) -> f64 {
        let commit = async |client: &mut Client, stream| client.commit(&self.ends, stream).await;
        each_to_its_own(clients, length, commit).await
    }

    /// Appends at least this number of changesets.
    pub(crate) async fn fill(&self, changesets: u64) {
        let mut clients = self.clients(64).await;
        while self.events() < 3 * changesets {
            self.append(&mut clients, Duration::from_millis(200)).await;
        }
    }

    /// The number of events: positions begin with 1.
    fn events(&self) -> u64 {
        let ends = self.ends.iter().map(|end| end.load(Ordering::Relaxed));
        ends.max().unwrap_or_default()
    }
}

/// A client with a connection of its own.
pub(crate) struct Client(AsyncUmaDbClient);

impl Client {
    /// A changeset is one append, which fails if the stream's tag has events behind those that are known.
    async fn commit(&self, ends: &[AtomicU64], stream: u64) {
        let end = &ends[usize::try_from(stream).unwrap()];
        let last = end.load(Ordering::Relaxed);
        let tag = format!("order-{stream}");
        let events = KINDS.map(|kind| {
            let event = DcbEvent::new().event_type(kind).tags([tag.as_str()]);
            event.data(load::event(kind, last))
        });
        let mut events = Vec::from(events);
        let metadata = [
            ("command", "change_order".to_owned()),
            ("issued_by", format!("user-{last:08}")),
        ];
        events[0] = events[0].clone().metadata(metadata);
        let condition = DcbAppendCondition {
            fail_if_events_match: DcbQuery::new().item(DcbQueryItem::new().tags([tag])),
            after: (last > 0).then_some(last),
        };
        let position = self.0.append(events, Some(condition), None).await.unwrap();
        end.store(position, Ordering::Relaxed);
    }

    /// Reads all events. Returns their number.
    pub(crate) async fn read(&self) -> u64 {
        let mut answer = self.0.read(None, None, false, None).await.unwrap();
        let mut events = 0;
        loop {
            let batch = std::hint::black_box(answer.next_batch().await.unwrap());
            if batch.is_empty() {
                return events;
            }
            events += batch.len() as u64;
        }
    }
}
