//! The binary, against servers of all kinds.

use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use ees_cli::args::Cli;
use ees_cli::server::Server;
use ees_conformance::cases::CASES;
use ees_conformance::faults::Faulty;
use ees_conformance::http_cases::HTTP_CASES;
use ees_conformance::subject::{Ask, Expect, Remote, Subject};
use ees_core::EventStore;
use ees_dynamodb_testkit::Emulator;
use ees_http::{Options, ServerLimits};
use ees_memory::MemoryStorage;
use ees_postgres_testkit::Database;
use tokio::net::TcpSocket;
use tokio_util::sync::CancellationToken;

use crate::binary::{assert_passed, run};
use crate::broken::order::SkipsACheckpoint;

/// `ees serve` on a free port, with time for a machine that stands still.
async fn serve(storage: &str) -> (Server, String) {
    let listen = ["--listen", "127.0.0.1:0", "--request-timeout", "3600"];
    let args = Cli::parse_from([&["ees", "--storage", storage], &listen[..]].concat());
    let started = Server::start(&args.serve).await;
    let server = started.unwrap_or_else(|failure| panic!("{failure}"));
    let url = format!("http://{}", server.address());
    (server, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_in_memory_passes_twice() {
    let (server, url) = serve("memory:").await;
    assert_passed(&run(&["--url", &url, "--json"]));
    // Again, beside what is there now: the cases that read what is not theirs alone.
    let mut again = vec!["--url", &url];
    for group in ["pages", "layout", "answers"] {
        again.extend(["--filter", group]);
    }
    let ended = run(&again);
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
    assert!(!ended.stdout.contains("BROKEN"), "{}", ended.stdout);
    server.stop().await.expect("the server stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_a_file_passes_beside_other_data() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ees.db");
    let limit = (6 * 1024 * 1024).to_string();
    let storage = format!("sqlite:{}?max_changeset_bytes={limit}", file.display());
    let (server, url) = serve(&storage).await;
    let remote = Remote::new(url.as_str());
    for last in 0..1234 {
        let ask = Ask::new("of another", Expect::Changeset(last));
        remote.commit(&ask).await.expect("a commit");
    }
    let limit = ["--max-changeset-bytes", &limit];
    let ended = run(&[&["--url", &url, "--json"], &limit[..]].concat());
    assert_passed(&ended);
    let head = remote.head("of another").await.expect("a stream");
    assert_eq!(head.last_changeset, 1234, "it is left alone");
    server.stop().await.expect("the server stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_postgres_passes() {
    let database = Database::fresh().expect("a database");
    let limit = (6 * 1024 * 1024).to_string();
    let settings = format!("max_changeset_bytes={limit}&allow_fsync_off=true");
    let (server, url) = serve(&format!("{}?{settings}", database.url())).await;
    assert_passed(&run(&[
        "--url",
        &url,
        "--json",
        "--max-changeset-bytes",
        &limit,
    ]));
    server.stop().await.expect("the server stops");
}

/// It orders after the commit: the binary waits for that where a case needs it.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_dynamodb_passes() {
    let emulator = Emulator::start().expect("DynamoDB");
    let storage = format!("dynamodb://ees_db?endpoint={}", emulator.endpoint());
    let made = Cli::parse_from(["ees", "admin", "create-tables", "--storage", &storage]);
    ees_cli::run(made).await.expect("tables");
    let (server, url) = serve(&storage).await;
    let limit = server.max_changeset_bytes().to_string();
    assert_passed(&run(&[
        "--url",
        &url,
        "--json",
        "--max-changeset-bytes",
        &limit,
    ]));
    server.stop().await.expect("the server stops");
}

/// A server over a storage that leaves a hole in the order.
async fn serve_broken() -> (CancellationToken, String) {
    let storage = Faulty::new(Arc::new(MemoryStorage::new()), SkipsACheckpoint);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut options = Options::default();
    options.request_timeout = Duration::from_hours(1);
    let closing = options.closing.clone();
    let router = ees_http::self_hosted_router(EventStore::new(storage), options);
    let limits = ServerLimits::default();
    tokio::spawn(ees_http::serve(listener, router, limits, closing.clone()));
    (closing, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_server_fails_with_the_guarantee_that_it_breaks() {
    let (closing, url) = serve_broken().await;
    let filters = ["--filter", "checkpoints_are_dense", "--filter", "dense::"];
    let ended = run(&[&["--url", &url], &filters[..]].concat());
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    let line = |number: &str| {
        let mut lines = ended.stdout.lines();
        lines.find(|line| line.starts_with(number)).expect("a line")
    };
    assert!(line("G6 ").contains("BROKEN"), "{}", ended.stdout);
    assert!(!line("G3 ").contains("BROKEN"), "{}", ended.stdout);
    let failure = "FAILED global_order::checkpoints_are_dense [G6]";
    assert!(ended.stdout.contains(failure), "{}", ended.stdout);
    assert!(ended.stdout.contains("G6: positions are dense"));
    let ended = run(&[&["--url", &url, "--json"], &filters[..]].concat());
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    assert_eq!(ended.json()["ok"], false);
    assert_eq!(ended.json()["failed"], 1);
    closing.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_runs_only_what_was_asked_for() {
    let (server, url) = serve("memory:").await;
    let ended = run(&[
        "--url", &url, "--json", "--filter", "G7", "--filter", "keys::",
    ]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let chosen = |name: &str, held: &[u8]| held.contains(&7) || name.contains("keys::");
    let all = CASES.iter().chain(HTTP_CASES);
    let asked = all.filter(|case| chosen(case.name, case.guarantees));
    let asked: Vec<_> = asked.map(|case| case.name).collect();
    let report = ended.json();
    let ran: Vec<_> = report["cases"].as_array().expect("cases").iter().collect();
    let ran: Vec<_> = ran
        .iter()
        .map(|case| case["name"].as_str().unwrap())
        .collect();
    assert_eq!(ran, asked);
    server.stop().await.expect("the server stops");
}

#[test]
fn the_list_names_every_case() {
    let ended = run(&["--list"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.stdout.lines().count(), CASES.len() + HTTP_CASES.len());
    let listed = run(&["--list", "--filter", "dense::commits"]).stdout;
    assert_eq!(listed, "dense::commits_get_the_next_ids [G3]\n");
}

#[test]
fn who_is_not_there_is_told_from_who_fails() {
    // The port stays taken, and nobody listens there.
    let socket = TcpSocket::new_v4().expect("a socket");
    let any = "127.0.0.1:0".parse().expect("an address");
    socket.bind(any).expect("a port");
    let url = format!("http://{}", socket.local_addr().expect("an address"));
    let ended = run(&["--url", &url]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("cannot be reached"),
        "{}",
        ended.stderr
    );
}

#[test]
fn nonsense_is_refused() {
    let url = "http://127.0.0.1:1";
    for (args, said) in [
        (&[][..], "--url"),
        (&["--url", "example.com"], "http://"),
        (
            &["--url", "http://example.com/?stage=prod"],
            "only a path may follow",
        ),
        (&["--url", url, "--sigv4"], "AWS_ACCESS_KEY_ID"),
        (&["--url", url, "--filter", "nothing at all"], "no case"),
        (&["--url", url, "--filter", "durable::"], "cannot restart"),
        (&["--url", url, "--jobs", "0"], "--jobs"),
        (&["--url", url, "--max-changeset-bytes", "9"], "at least"),
        (&["--url", url, "--nonsense"], "--nonsense"),
    ] {
        let ended = run(args);
        assert_eq!(ended.code, Some(2), "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{args:?}: {}", ended.stderr);
    }
}
