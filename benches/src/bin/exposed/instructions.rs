//! The instructions of a request in user space, which valgrind counts: what the machine does beside does not
//! change them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use benches::client::Client;
use benches::load::{self, STREAMS};
use hyper::Method;

use crate::has::{Has, READ, keys};

/// A request is the difference of two runs of this many requests.
const REQUESTS: [u64; 2] = [1_000, 6_000];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Append,
    /// An append of events without types, on SQLite.
    Untyped,
    /// The same with types.
    Typed,
    Read,
}

/// Prints the instructions of an append and of a read on a storage in memory, by what the server has; and
/// those of an append on SQLite, by whether its events have types.
pub(crate) async fn run(binary: &Path, folder: &Path, secret: &str) {
    let has = |keys, metrics| Has {
        keys,
        metrics,
        log: false,
    };
    let each = async |has, kind| {
        let [few, many] = REQUESTS;
        let few_counted = count(binary, folder, secret, has, kind, few).await;
        let many_counted = count(binary, folder, secret, has, kind, many).await;
        many_counted.saturating_sub(few_counted) / (many - few)
    };
    for (what, kind) in [("an append", Kind::Append), ("a read", Kind::Read)] {
        for (with, has) in [
            ("neither keys nor metrics", has(false, false)),
            ("keys", has(true, false)),
            ("metrics", has(false, true)),
            ("both", has(true, true)),
        ] {
            println!("{what} with {with}: {}", each(has, kind).await);
        }
    }
    for (what, kind) in [("with types", Kind::Typed), ("without", Kind::Untyped)] {
        let instructions = each(has(false, false), kind).await;
        println!("an append on SQLite of events {what}: {instructions}");
    }
}

/// The instructions of a server that answers some requests.
async fn count(
    binary: &Path,
    folder: &Path,
    secret: &str,
    has: Has,
    kind: Kind,
    requests: u64,
) -> u64 {
    let counted = folder.join("callgrind");
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--tool=callgrind"]);
    command.arg(format!("--callgrind-out-file={}", counted.display()));
    command.arg(binary);
    // Several threads look for work that others have, now more and now less.
    command.env("TOKIO_WORKER_THREADS", "1");
    command.args(["--storage", &storage(folder, kind, requests)]);
    command.args(["--listen", "127.0.0.1:0"]);
    // The console reads the metrics now and then, which valgrind does not survive.
    command.args(["--seal", "off", "--console", "off"]);
    if has.keys {
        command.args(["--keys", &keys(folder)]);
    }
    if !has.metrics {
        command.arg("--without-metrics");
    }
    let mut server = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(server.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    let (_, address) = line.trim_end().rsplit_once("://").expect("it listens");
    ask(address.parse().unwrap(), secret, kind, requests).await;
    let pid = server.id().to_string();
    let stopped = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(stopped.unwrap().success() && server.wait().unwrap().success());
    let text = fs::read_to_string(counted).unwrap();
    let sum = text.lines().find_map(|line| line.strip_prefix("summary: "));
    sum.expect("a sum").parse().unwrap()
}

/// A storage that is empty.
fn storage(folder: &Path, kind: Kind, requests: u64) -> String {
    match kind {
        Kind::Append | Kind::Read => "memory:".to_owned(),
        Kind::Untyped | Kind::Typed => {
            let file = folder.join(format!("{kind:?}-{requests}.db"));
            format!("sqlite:{}", file.display())
        }
    }
}

async fn ask(address: SocketAddr, secret: &str, kind: Kind, requests: u64) {
    let mut client = Client::connect(address).await;
    // Without keys it is ignored.
    client.authorize(secret);
    for last in 0..20 {
        append(&mut client, kind, 1, last).await;
    }
    for at in 0..requests {
        if kind == Kind::Read {
            client.call(Method::GET, READ, String::new()).await;
        } else {
            append(&mut client, kind, STREAMS + at % STREAMS, at / STREAMS).await;
        }
    }
}

async fn append(client: &mut Client, kind: Kind, stream: u64, last: u64) {
    let path = format!("/streams/order-{stream}?expected_last_changeset={last}");
    let mut body = load::body(last);
    if kind == Kind::Untyped {
        body = body.replace("\"type\"", "\"kind\"");
    }
    client.call(Method::POST, &path, body).await;
}
