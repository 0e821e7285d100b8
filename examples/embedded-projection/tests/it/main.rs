//! The example, started twice.

// A test says what is wrong by panicking.
#![allow(clippy::expect_used)]

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use ees_core::{EventStore, Events, Expectation, NewChangeset};
use ees_sqlite::{SqliteConfig, SqliteStorage};
use tempfile::TempDir;

fn start(folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_embedded-projection"));
    command.arg(folder).output().expect("it starts")
}

fn run(folder: &Path) -> String {
    let output = start(folder);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(errors, "", "nothing to complain about");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn it_goes_on_where_it_was() {
    let folder = TempDir::new().expect("a folder");
    assert_eq!(
        run(folder.path()),
        "resumed at checkpoint 0\n\
         order-1 was placed: 20\n\
         order-2 was placed: 30\n\
         order-3 was placed: 50\n\
         order-1 was paid\n\
         up to checkpoint 4: 3 orders over 100, of which 20 is paid\n"
    );
    assert_eq!(
        run(folder.path()),
        "resumed at checkpoint 4\n\
         order-4 was placed: 20\n\
         order-5 was placed: 30\n\
         order-6 was placed: 50\n\
         order-4 was paid\n\
         up to checkpoint 8: 6 orders over 200, of which 40 is paid\n"
    );
}

/// Commits an event that the service does not know, as a newer version of it would.
async fn commit_unknown(folder: &Path) {
    let storage = SqliteStorage::open(&SqliteConfig::new(folder.join("ees.db"))).await;
    let store = EventStore::new(Arc::new(storage.expect("it opens")));
    let events = Events::parse(r#"[{"type": "order_cancelled"}]"#).expect("JSON");
    let stream = "order-2".parse().expect("a stream id");
    let asked = NewChangeset::new(stream, Expectation::LastChangeset(1), events);
    store.commit(asked).await.expect("it commits");
    store.close().await;
}

#[tokio::test]
async fn it_stops_at_an_event_that_it_does_not_know() {
    let folder = TempDir::new().expect("a folder");
    run(folder.path());
    commit_unknown(folder.path()).await;
    for _ in 0..2 {
        let output = start(folder.path());
        assert!(!output.status.success());
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(told.ends_with("up to checkpoint 4: 3 orders over 100, of which 20 is paid\n"));
        let errors = String::from_utf8_lossy(&output.stderr);
        let first =
            "the projection stops: event 2 of stream `order-2` cannot be read: unknown variant";
        assert!(errors.starts_with(first), "{errors}");
    }
}
