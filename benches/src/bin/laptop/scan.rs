//! Reading everything in pages of 1000 against a scan of the same columns.

use std::path::Path;
use std::sync::Arc;

use benches::chart::Panel;
use benches::client::Client;
use benches::report::{Comparison, Rounds, compare, rate};
use benches::{in_process, server};
use ees_core::{Checkpoint, EventStore};
use ees_sqlite::{SqliteConfig, SqliteStorage};
use rusqlite::Connection;

use crate::{baseline, growth};

/// The number of changesets to read.
const CHANGESETS: u64 = 50_000;

/// The number of changesets per page.
const PAGE: u64 = 1000;

pub(crate) async fn run(rounds: Rounds) -> Panel {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ees.db");
    growth::fill(&path, CHANGESETS).await;
    let items = usize::try_from(PAGE).unwrap();
    let storage = SqliteStorage::open(&SqliteConfig::new(&path))
        .await
        .unwrap();
    let store = EventStore::new(Arc::new(storage));
    let mut next = Checkpoint::FIRST;
    let mut scan = Scan::of(&path);
    let compared = compare(
        "changesets of the global order, in pages of 1000, against a scan",
        rounds,
        async |length| {
            let read = async || in_process::read_on(&store, &mut next, items, CHANGESETS).await;
            rate(length, read).await
        },
        async |length| rate(length, async || scan.page()).await,
    )
    .await;
    panel("in process", "ees-sqlite", &compared)
}

pub(crate) async fn run_over_http(rounds: Rounds) -> Panel {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ees.db");
    growth::fill(&path, CHANGESETS).await;
    let address = server::start_sqlite(&path).await;
    let mut client = server::clients(address, 1).await.remove(0);
    let mut next = 0;
    let mut scan = Scan::of(&path);
    let compared = compare(
        "changesets of the global order over HTTP, in pages of 1000, against a scan",
        rounds,
        async |length| rate(length, async || page(&mut client, &mut next).await).await,
        async |length| rate(length, async || scan.page()).await,
    )
    .await;
    panel("over HTTP", "ees-http on ees-sqlite", &compared)
}

fn panel(place: &str, side: &str, compared: &Comparison) -> Panel {
    let mut panel = Panel::new(&format!("Changesets of the global order {place}, a second"));
    panel.add("pages of 1000", [side, "SQLite alone, a scan"], compared);
    panel
}

/// Reads a page over HTTP. Returns the number of its changesets.
async fn page(client: &mut Client, next: &mut u64) -> u64 {
    let end = client.page(*next, PAGE).await;
    let read = end - *next;
    *next = end % CHANGESETS;
    read
}

/// The baseline's reader.
struct Scan {
    connection: Connection,
    from: u64,
}

impl Scan {
    fn of(path: &Path) -> Self {
        Self {
            connection: baseline::connect(path),
            from: 0,
        }
    }

    fn page(&mut self) -> u64 {
        let read = baseline::scan(&self.connection, self.from, PAGE);
        self.from = (self.from + read) % CHANGESETS;
        read
    }
}
