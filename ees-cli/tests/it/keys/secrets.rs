//! Secrets are shown to nobody: not in logs, metrics, traces, answers or errors.

use std::fs;

use tempfile::TempDir;

use super::{add, keys, revoke};
use crate::http::{receive, send};
use crate::process::{Ees, ees, ended, run, sqlite};

/// A part of every other secret.
const TELLTALE: &str = "7e11-ta1e";

/// Whatever a client says with a key; all answers.
fn calls_with(server: &Ees, key: &str) -> String {
    let authorized = format!("Authorization: Bearer {key}\r\n");
    let basic = format!("Authorization: Basic {key}\r\n");
    let twice = format!("{authorized}{authorized}");
    let elsewhere = format!("Cookie: {key}{TELLTALE}\r\nX-Key: {key}\r\n{authorized}");
    let body = r#"{"events":[1]}"#;
    let mut answers = String::new();
    for headers in [&authorized, &basic, &twice, &elsewhere] {
        for (method, path, body) in [
            ("POST", "/streams/s", body),
            ("POST", "/streams/s", "{"),
            ("GET", "/streams/s/events", ""),
            ("GET", "/changesets", ""),
            ("GET", "/metrics", ""),
            ("PUT", "/consumers/c", "{}"),
            ("GET", "/nowhere", ""),
            ("BREW", "/streams", ""),
        ] {
            let sent = send(&server.address(), method, path, headers, body);
            // A head that cannot be read may break the connection.
            let answer = receive(sent.expect("a request"));
            answers += &answer.map(|answer| answer.body).unwrap_or_default();
        }
    }
    answers
}

#[test]
fn a_whole_run_shows_no_key() {
    let folder = TempDir::new().expect("a folder");
    let rights = "read,append,consume,metrics,admin";
    let all = add(folder.path(), "all", &["--right", rights]);
    let gone = add(folder.path(), "gone", &["--right", "read"]);
    revoke(folder.path(), "gone");
    let limited = ["--right", "read", "--stream-prefix", "o-"];
    let limited = add(folder.path(), "limited", &limited);
    let file = keys(folder.path());
    let storage = sqlite(&folder.path().join("ees.db"));
    // Nobody listens there: what cannot be sent is logged.
    let collector = "http://127.0.0.1:1";
    let mut command = ees(&["--storage", &storage, "--listen", "127.0.0.1:0"]);
    command.args(["--log", "trace", "--otlp-endpoint", collector, "--keys"]);
    command.arg(&file).env("OTEL_BSP_SCHEDULE_DELAY", "50");
    let secret_header = format!("authorization={TELLTALE}");
    command.env("OTEL_EXPORTER_OTLP_HEADERS", secret_header);
    let server = Ees::spawn(command);
    let wrong = format!("{all}x");
    let secrets = [&all, &gone, &limited, &wrong];
    let mut shown = String::new();
    for key in secrets {
        shown += &calls_with(&server, key);
        let url = format!("http://{}", server.address());
        for command in [&["check"][..], &["consumers", "list"]] {
            for (url, key) in [(&url, key), (&"http://127.0.0.1:1".to_owned(), key)] {
                let mut command = ees(&[command, &["--url", url]].concat());
                let (_, stdout, stderr) = ended({
                    command.env("EES_KEY", key);
                    command
                });
                shown += &(stdout + &stderr);
            }
        }
    }
    let sound = fs::read_to_string(&file).expect("a file");
    // Somebody takes the secret for the hash.
    fs::write(&file, format!("{sound}\n[[key]]\nhash = {all}\n")).expect("a file");
    server.wait_for_log("string values must be quoted");
    server.wait_for_log("traces cannot be sent");
    server.signal("TERM");
    let (code, stdout, log) = server.wait();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("answered"), "it was talkative: {log}");
    shown += &(stdout + &log);
    for secret in secrets {
        let hash = sound.lines().filter_map(|line| line.split_once("sha256:"));
        let hashes = hash.map(|(_, hash)| hash.trim_matches('"'));
        for secret in hashes.chain([&secret[4..], TELLTALE]) {
            let line = shown.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret} is shown");
        }
    }
}

#[test]
fn what_cannot_start_shows_no_secret() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, format!("hash = {TELLTALE}\n{TELLTALE}")).expect("a file");
    let file = file.display().to_string();
    let with_user = |rest: &str| rest.replace("SECRET", TELLTALE);
    let storage = |url: &str| vec!["--storage".to_owned(), with_user(url)];
    let memory = |more: &[&str]| {
        let args = [&["--storage", "memory:"], more].concat();
        args.into_iter().map(with_user).collect::<Vec<_>>()
    };
    for args in [
        storage("postgres://ees:SECRET@127.0.0.1:1/ees"),
        storage("postgres://ees:SECRET@127.0.0.1:1/ees?nonsense=1"),
        storage("postgers://ees:SECRET@127.0.0.1/ees"),
        storage("postgres:ees:SECRET@127.0.0.1/ees"),
        storage("postgres://ees:SECRET@"),
        memory(&["--keys", &file]),
        memory(&["--tls-cert", &file, "--tls-key", &file]),
        memory(&["--otlp-endpoint", "http://ees:SECRET@127.0.0.1:1"]),
        vec![
            "check".to_owned(),
            "--url".to_owned(),
            with_user("http://ees:SECRET@127.0.0.1:1"),
        ],
    ] {
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let (code, stdout, stderr) = run(&args);
        assert!(code.is_some_and(|code| code > 0), "{args:?} fails");
        assert!(!stderr.is_empty(), "{args:?}: it is told why");
        assert!(!(stdout + &stderr).contains(TELLTALE), "{args:?}: {stderr}");
    }
}
