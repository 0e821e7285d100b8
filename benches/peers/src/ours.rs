//! `ees serve` on SQLite, a process of its own.

use std::path::Path;
use std::time::Duration;

use benches_kit::client::{self, Client, each_to_its_own};
use benches_kit::load::{self, Streams};
use benches_kit::process::Process;
use ees_client::{EventStore, Events, Expectation, Follow, Json, NewChangeset};
use futures_util::StreamExt;
use tempfile::TempDir;

/// The number of changesets in a page.
const PAGE: u64 = 1000;

/// The server with a new file.
pub(crate) struct Ours {
    pub(crate) process: Process,
    _folder: TempDir,
}

impl Ours {
    pub(crate) fn start(binary: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ees.db");
        Self {
            process: Process::start(binary, &format!("sqlite:{}", file.display())),
            _folder: folder,
        }
    }

    /// Connects lean clients.
    pub(crate) async fn clients(&self, count: usize) -> Vec<Client> {
        client::clients(self.process.address.parse().unwrap(), count).await
    }

    /// Reads the global order, which has so many changesets, as an event stream. Returns its events.
    pub(crate) async fn stream(&self, changesets: u64) -> u64 {
        client::follow(self.process.address.parse().unwrap(), changesets - 1).await;
        3 * changesets
    }

    /// Makes clients of ees-client.
    pub(crate) fn own_clients(&self, count: usize) -> Vec<EventStore> {
        let address = format!("http://{}", self.process.address);
        let client = |_| EventStore::new(&address).unwrap();
        (0..count).map(client).collect()
    }

    /// Appends at least this number of changesets. Returns how many they are.
    pub(crate) async fn fill(&self, changesets: u64) -> u64 {
        let mut clients = self.clients(64).await;
        let streams = Streams::of_length(0);
        while streams.changesets() < changesets {
            client::append(&mut clients, &streams, Duration::from_millis(200)).await;
        }
        streams.changesets()
    }
}

/// Appends with ees-client. Returns commits per second.
pub(crate) async fn append(clients: &mut [EventStore], streams: &Streams, length: Duration) -> f64 {
    let commit = async |client: &mut EventStore, stream| {
        let last = streams.advance(stream);
        let name = format!("order-{stream}").parse().unwrap();
        let events = Events::parse(&load::events(last)).unwrap();
        let metadata = Json::parse(&load::metadata(last)).unwrap();
        let expected = Expectation::LastChangeset(last);
        let asked = NewChangeset::new(name, expected, events).with_metadata(metadata);
        client.commit(&asked).await.unwrap();
    };
    each_to_its_own(clients, length, commit).await
}

/// Reads the global order, which has so many changesets, without parsing it. Returns its events.
pub(crate) async fn read(client: &mut Client, changesets: u64) -> u64 {
    let mut next = 0;
    while next < changesets {
        next = client.page(next, PAGE).await;
    }
    3 * next
}

/// Follows the global order, which has so many changesets, with ees-client. Returns its events.
pub(crate) async fn follow(client: &EventStore, changesets: u64) -> u64 {
    let items = client.follow(Follow::default());
    let mut items = items.take(usize::try_from(changesets).unwrap());
    while let Some(item) = items.next().await {
        std::hint::black_box(item.unwrap());
    }
    3 * changesets
}
