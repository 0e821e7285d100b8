//! Reading everything over HTTP in pages of 1000 against a scan of the same columns.

use hyper::Method;
use serde::Deserialize;
use sqlx::ConnectOptions;

use benches::report::{Rounds, compare, rate};
use benches::server;

use crate::{baseline, growth};

/// The number of changesets to read.
const CHANGESETS: u64 = 50_000;

/// The number of changesets per page.
const PAGE: u64 = 1000;

#[derive(Deserialize)]
struct Answer {
    next_checkpoint: u64,
}

pub(crate) async fn run(rounds: Rounds) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ees.db");
    growth::fill(&path, CHANGESETS).await;
    let mut connection = baseline::options(&path)
        .read_only(true)
        .connect()
        .await
        .unwrap();
    let address = server::start_sqlite(&path).await;
    let mut client = server::clients(address, 1).await.remove(0);
    let mut next = 0;
    let mut from = 0;
    compare(
        "changesets of the global order over HTTP, in pages of 1000, against a scan through sqlx",
        rounds,
        async |length| {
            rate(length, async || {
                let path = format!("/changesets?checkpoint={next}&limit={PAGE}");
                let body = client.call(Method::GET, &path, String::new()).await;
                // The end of the answer has the next checkpoint. The rest is not parsed.
                let tail = body.iter().rposition(|byte| *byte == b',').unwrap();
                let tail = format!("{{{}", std::str::from_utf8(&body[tail + 1..]).unwrap());
                let answer: Answer = serde_json::from_str(&tail).unwrap();
                let read = answer.next_checkpoint - next;
                next = if answer.next_checkpoint == CHANGESETS {
                    0
                } else {
                    answer.next_checkpoint
                };
                read
            })
            .await
        },
        async |length| {
            rate(length, async || {
                let page = i64::try_from(PAGE).unwrap();
                let read = baseline::scan(&mut connection, from, page).await as u64;
                from += i64::try_from(read).unwrap();
                if from.unsigned_abs() == CHANGESETS {
                    from = 0;
                }
                read
            })
            .await
        },
    )
    .await;
}
