//! Reading everything in pages of 1000 against a scan of the same columns.

use std::path::Path;
use std::sync::Arc;

use benches::client::Client;
use benches::report::{Rounds, compare, rate};
use benches::{in_process, server};
use ees_core::{Checkpoint, EventStore};
use ees_sqlite::{SqliteConfig, SqliteStorage};
use hyper::Method;
use rusqlite::Connection;
use serde::Deserialize;

use crate::{baseline, growth};

/// The number of changesets to read.
const CHANGESETS: u64 = 50_000;

/// The number of changesets per page.
const PAGE: u64 = 1000;

pub(crate) async fn run(rounds: Rounds) {
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
    compare(
        "changesets of the global order, in pages of 1000, against a scan",
        rounds,
        async |length| {
            let read = async || in_process::read_on(&store, &mut next, items, CHANGESETS).await;
            rate(length, read).await
        },
        async |length| rate(length, async || scan.page()).await,
    )
    .await;
}

pub(crate) async fn run_over_http(rounds: Rounds) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ees.db");
    growth::fill(&path, CHANGESETS).await;
    let address = server::start_sqlite(&path).await;
    let mut client = server::clients(address, 1).await.remove(0);
    let mut next = 0;
    let mut scan = Scan::of(&path);
    compare(
        "changesets of the global order over HTTP, in pages of 1000, against a scan",
        rounds,
        async |length| rate(length, async || page(&mut client, &mut next).await).await,
        async |length| rate(length, async || scan.page()).await,
    )
    .await;
}

/// Reads a page over HTTP. Returns the number of its changesets.
async fn page(client: &mut Client, next: &mut u64) -> u64 {
    #[derive(Deserialize)]
    struct Answer {
        next_checkpoint: u64,
    }
    let path = format!("/changesets?checkpoint={next}&limit={PAGE}");
    let body = client.call(Method::GET, &path, String::new()).await;
    // The end of the answer has the next checkpoint. The rest is not parsed.
    let tail = body.iter().rposition(|byte| *byte == b',').unwrap();
    let tail = format!("{{{}", std::str::from_utf8(&body[tail + 1..]).unwrap());
    let answer: Answer = serde_json::from_str(&tail).unwrap();
    let read = answer.next_checkpoint - *next;
    *next = answer.next_checkpoint % CHANGESETS;
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
