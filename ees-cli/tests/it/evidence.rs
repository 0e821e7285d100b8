//! The verifiable log from outside: its keys, its proofs, and the page that explains them (G17).

mod keys;
pub(crate) mod page;
mod proofs;

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use ees_evidence::LogKey;
use serde_json::Value;

use crate::http;
use crate::process::{Ees, LONG, ees, run};

/// Writes the key of a log into a new file, without the program.
pub(crate) fn write_key(file: &Path) {
    let key = LogKey::generate("example.com/shop").expect("a key");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(file).expect("a file");
    file.write_all(key.to_secret_text().as_bytes())
        .expect("a file");
}

/// The part of a key's text that nobody else may see.
pub(crate) fn secret(text: &str) -> &str {
    text.trim().splitn(5, '+').nth(4).expect("a secret")
}

/// Makes the key of a log by the program, which shows nothing of it.
pub(crate) fn make_key(file: &Path) {
    let out = file.display().to_string();
    let made = run(&[
        "log",
        "keygen",
        "--origin",
        "example.com/shop",
        "--out",
        &out,
    ]);
    assert_eq!((made.0, made.1.as_str()), (Some(0), ""), "{}", made.2);
    let text = std::fs::read_to_string(file).expect("a key");
    LogKey::parse(&text).expect("a key");
    assert!(!made.2.contains(secret(&text)), "{}", made.2);
}

/// Starts a server that signs the log of its storage.
pub(crate) fn serve_signed(storage: &str, key: &Path) -> Ees {
    let key = key.display().to_string();
    let args = ["--storage", storage, "--listen", "127.0.0.1:0"];
    Ees::spawn(ees(&[&args[..], &["--log-key", &key]].concat()))
}

/// The head of the log, once it has a size.
pub(crate) fn wait_until_sealed(ees: &Ees, size: u64) -> Value {
    let begun = Instant::now();
    loop {
        let head = http::request(&ees.address(), "GET", "/log/head", "").expect("an answer");
        let body: Value = serde_json::from_str(&head.body).expect("JSON");
        if body["size"].as_u64() >= Some(size) {
            return body;
        }
        assert!(begun.elapsed() < LONG, "not sealed up to {size}: {body}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The end of the global order.
pub(crate) fn end_of_order(ees: &Ees) -> u64 {
    let page = ees.ok("GET", "/changesets?checkpoint=head", "");
    page["next_checkpoint"].as_u64().expect("a checkpoint")
}
