//! The page about the log: a reader who follows it gets what it shows, in one folder, with a server of
//! his own.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use super::{end_of_order, serve_signed, wait_until_sealed, write_key};
use crate::process::{Ees, sqlite};
use crate::readme::{Step, read, steps};

const VERIFIER: &str = include_str!("../../../../examples/verify-log/verify_log.py");

/// Runs commands in a folder, where `ees` is this build, and the server is `EES_URL`.
fn bash(folder: &Path, commands: &str, url: &str) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_ees")).parent();
    let program = program.expect("a folder").display().to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", commands]);
    bash.current_dir(folder)
        .env("PATH", format!("{program}:{path}"));
    bash.env("EES_URL", url).output().expect("bash runs")
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("text")
}

/// A text without what no two stores share: ids, times, keys and hashes.
fn shared(text: &str) -> String {
    let is_of_a_store = |letter: char| letter.is_ascii_alphanumeric() || "+/=-.".contains(letter);
    let mut words = Vec::new();
    for word in text
        .split(|letter| !is_of_a_store(letter))
        .filter(|word| !word.is_empty())
    {
        words.push(if word.len() >= 26 { ".." } else { word });
    }
    words.join(" ")
}

pub(crate) fn run(folder: &Path, step: &Step, url: &str) {
    let output = bash(folder, &step.commands, url);
    let errors = text(output.stderr);
    assert!(output.status.success(), "{}\n{errors}", step.commands);
    if let Some(answer) = &step.answer {
        let printed = text(output.stdout);
        // The page shows the port that a server has unless another one is set.
        let as_shown = match url {
            "" => printed.clone(),
            url => printed.replace(url, "http://127.0.0.1:8080"),
        };
        assert_eq!(
            shared(&as_shown),
            shared(answer),
            "{}\n{printed}",
            step.commands
        );
    }
}

#[test]
fn the_page_about_the_log_shows_what_one_gets() {
    let page = read("docs/evidence.md");
    assert!(
        page.contains(VERIFIER.trim()),
        "the page shows the verifier as it is"
    );
    let folder = TempDir::new().expect("a folder");
    let path = folder.path();
    fs::write(path.join("verify_log.py"), VERIFIER).expect("a file");
    let mut steps = steps(&page).into_iter();
    let first = steps.next().expect("the first step makes the key");
    run(path, &first, "");
    let ees = serve_signed(&sqlite(&path.join("shop.db")), &path.join("shop-log.key"));
    let url = format!("http://{}", ees.address());
    let mut done = 0;
    for step in steps {
        run(path, &step, &url);
        let end = end_of_order(&ees);
        if end > 0 {
            wait_until_sealed(&ees, end);
        }
        done += 1;
    }
    assert!(done > 5, "the whole page, not {done} steps");
}

/// Follows a store with the verifier of the page.
fn verify(folder: &Path, ees: &Ees, more: &str) -> (bool, String) {
    let url = format!("http://{}", ees.address());
    let output = bash(
        folder,
        &format!("python3 verify_log.py \"$EES_URL\" {more}"),
        &url,
    );
    (
        output.status.success(),
        text(output.stdout) + &text(output.stderr),
    )
}

/// The verifier of the page over changesets of all kinds, in several pages, and over a forged head.
#[test]
fn the_verifier_notices_what_was_changed() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path();
    fs::write(path.join("verify_log.py"), VERIFIER).expect("a file");
    write_key(&path.join("log.key"));
    let ees = serve_signed("memory:", &path.join("log.key"));
    let (passed, told) = verify(path, &ees, "");
    assert!(!passed && told.contains("NOT_SEALED"), "{told}");
    for number in 0..45 {
        let commits: Vec<_> = (0..25)
            .map(|at| {
                format!(r#"{{"stream_id":"s {number}/{at}\u00fc","events":[ 1.10, {number}]}}"#)
            })
            .collect();
        let set = format!(r#"{{"commits":[{}]}}"#, commits.join(","));
        ees.ok("POST", "/commits", &set);
    }
    let saved = wait_until_sealed(&ees, 1125).to_string();
    fs::write(path.join("saved.json"), &saved).expect("a file");
    let pretty =
        "{\"metadata\": [\r\n 1e400 ], \"events\": [\"\\u00fc\u{2028}\", 12345678901234567890123]}";
    ees.ok("POST", "/streams/one%2Fmore", pretty);
    wait_until_sealed(&ees, 1126);
    let (passed, told) = verify(path, &ees, "saved.json");
    assert!(
        passed && told.contains("size 1126, root") && told.contains("2 head(s)"),
        "{told}"
    );
    let root = serde_json::from_str::<serde_json::Value>(&saved).expect("JSON");
    let root = root["root"].as_str().expect("a root");
    let letter = if root.starts_with('A') { "B" } else { "A" };
    for (from, to, expected) in [
        (
            root,
            format!("{letter}{}", &root[1..]),
            "the root at size 1125 is ",
        ),
        ("1125", "2000".to_owned(), "the changesets end at size 1126"),
    ] {
        fs::write(path.join("forged.json"), saved.replace(from, &to)).expect("a file");
        let (passed, told) = verify(path, &ees, "forged.json");
        assert!(!passed && told.contains(expected), "{told}");
    }
}
