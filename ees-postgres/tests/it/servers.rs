//! Several servers on one database.

use std::sync::Arc;

use ees_conformance::history::{History, check_reader, check_stream};
use ees_conformance::subject::{Ask, Changeset, Direct, Expect, GlobalRead, Read, Subject};
use ees_core::adapter::Storage;
use ees_postgres_testkit::Database;
use tokio::task::JoinHandle;

use crate::support::{commit, raw_append, try_open};

const SERVERS: usize = 3;
const STREAMS: usize = 3;
const WRITERS: usize = 6;
const COMMITS: usize = 25;

/// Ends a session of the servers, whatever it is doing.
const CUT_ONE: &str = "
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'ees' ORDER BY random() LIMIT 1";

/// G8: a commit on one server wakes who waits at another. Nothing but a notification ends this.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_wakes_who_listens_at_another_server() {
    let database = Database::fresh().unwrap();
    let one = try_open(&database, "").await.unwrap();
    let other = try_open(&database, "").await.unwrap();
    for last in 0..20 {
        let news = other.news();
        one.commit(&commit("s", last)).await.unwrap();
        // The first may be the news that the listener stands.
        news.await;
    }
    // Also when the connection that listens was lost.
    let news = other.news();
    database.cut_connections().unwrap();
    news.await;
    for last in 20..25 {
        let news = other.news();
        one.commit(&commit("s", last)).await.unwrap();
        news.await;
    }
}

/// G2 to G10: writers at three servers get in each other's way, sessions are cut, transactions of
/// others are held, rolled back and killed, and readers follow at each server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_doubled_or_skipped_in_a_storm() {
    let database = Arc::new(Database::fresh().unwrap());
    let mut servers = Vec::new();
    for _ in 0..SERVERS {
        let storage = try_open(&database, "&readers=3").await.unwrap();
        servers.push(Arc::new(storage));
    }
    let subjects: Vec<Arc<Direct>> = servers.iter().map(|s| Direct::new(Arc::clone(s))).collect();
    let history = Arc::new(History::default());
    let writers = (0..WRITERS).map(|id| {
        let subject = Arc::clone(&subjects[id % SERVERS]);
        tokio::spawn(write(id, subject, Arc::clone(&history)))
    });
    let writers: Vec<_> = writers.collect();
    let readers = (1_u64..)
        .zip(&subjects)
        .map(|(limit, subject)| tokio::spawn(follow(Arc::clone(subject), limit * limit)));
    let readers: Vec<_> = readers.collect();
    let storm = storm(Arc::clone(&database), &writers);
    storm.await;
    for writer in writers {
        writer.await.unwrap();
    }
    let log = read_from(&subjects[0], 0, 1000).await;
    for (position, changeset) in (0..).zip(&log) {
        assert_eq!(changeset.checkpoint, Some(position), "G6: dense");
    }
    let operations = history.operations();
    for stream in (0..STREAMS).map(|stream| format!("s{stream}")) {
        let stands: Vec<Changeset> = log.iter().filter(|c| c.stream == stream).cloned().collect();
        check_stream(&operations, &stream, &stands).unwrap_or_else(|v| panic!("{v} of {stream}"));
        let read = Read::default();
        let found = subjects[1].changesets(&stream, &read).await.unwrap();
        assert_eq!(found.items.len(), stands.len(), "G5: {stream}");
    }
    let acknowledged = operations.iter().filter(|o| o.answer.is_ok()).count();
    assert!(acknowledged >= WRITERS * COMMITS, "G10: each was answered");
    // The readers' end.
    servers[0].commit(&commit(END, 0)).await.unwrap();
    let log = read_from(&subjects[0], 0, 1000).await;
    for reader in readers {
        check_reader(&reader.await.unwrap(), &log).unwrap_or_else(|v| panic!("{v}"));
    }
}

/// The stream that tells readers to stop.
const END: &str = "end";

/// Commits so often, each time repeating until an answer comes.
async fn write(id: usize, subject: Arc<Direct>, history: Arc<History>) {
    for number in 0..COMMITS {
        let stream = format!("s{}", (id + number) % STREAMS);
        let mut attempt = 0;
        loop {
            let last = match subject.head(&stream).await {
                Ok(head) => head.last_changeset,
                Err(failure) if failure.code == "STREAM_NOT_FOUND" => 0,
                Err(_) => continue,
            };
            attempt += 1;
            let name = format!("{id}-{number}-{attempt}");
            let ask = Ask::new(&stream, Expect::Changeset(last));
            let ask = ask.events(format!("[\"{name}\"]")).key(name);
            if until_answered(&subject, &history, &ask).await {
                break;
            }
        }
    }
}

/// Repeats a commit until it is known what became of it; whether it stands.
async fn until_answered(subject: &Arc<Direct>, history: &History, ask: &Ask) -> bool {
    loop {
        match history.commit(&**subject, ask.clone()).await {
            Ok(_) => return true,
            Err(failure) if failure.code == "STORAGE_UNAVAILABLE" => {}
            Err(failure) => {
                assert_eq!(
                    failure.code, "OPTIMISTIC_CONCURRENCY_EXCEPTION",
                    "{failure:?}"
                );
                return false;
            }
        }
    }
}

/// Follows `next_checkpoint` until the end was read.
async fn follow(subject: Arc<Direct>, limit: u64) -> Vec<Changeset> {
    let mut read: Vec<Changeset> = Vec::new();
    let mut next = 0;
    while read.last().is_none_or(|last| last.stream != END) {
        let page = GlobalRead::from(next).limit(limit);
        // Cut off: asked again.
        if let Ok(page) = subject.global_changesets(&page).await {
            read.extend(page.changesets);
            next = page.next_checkpoint;
        }
    }
    read
}

async fn read_from(subject: &Direct, mut next: u64, limit: u64) -> Vec<Changeset> {
    let mut read = Vec::new();
    loop {
        let Ok(page) = subject
            .global_changesets(&GlobalRead::from(next).limit(limit))
            .await
        else {
            continue;
        };
        if page.changesets.is_empty() {
            return read;
        }
        read.extend(page.changesets);
        next = page.next_checkpoint;
    }
}

/// Makes trouble until all writers are done.
async fn storm(database: Arc<Database>, writers: &[JoinHandle<()>]) {
    for round in 0.. {
        if writers.iter().all(JoinHandle::is_finished) {
            return;
        }
        let database = Arc::clone(&database);
        let trouble = tokio::task::spawn_blocking(move || match round % 3 {
            0 => drop(database.sql(CUT_ONE).unwrap()),
            1 => {
                let held = database
                    .hold(&raw_append(&format!("raw{round}"), 1))
                    .unwrap();
                held.rollback().unwrap();
            }
            _ => drop(
                database
                    .hold(&raw_append(&format!("raw{round}"), 1))
                    .unwrap(),
            ),
        });
        trouble.await.unwrap();
    }
}
