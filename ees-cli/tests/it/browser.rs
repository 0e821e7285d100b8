//! The server, as a real browser sees it.

mod console;
mod devtools;
mod relay;

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};
use tempfile::TempDir;

use self::relay::Relay;
use crate::process::{Ees, LONG, ended, sqlite};

/// A browser without a window, with a profile of its own.
fn chromium(profile: &Path) -> Command {
    let mut command = Command::new("chromium-headless-shell");
    command
        .arg(format!("--user-data-dir={}", profile.display()))
        // The sandbox is not for root, and containers have little shared memory.
        .args(["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"])
        .arg("--enable-logging=stderr")
        .stdin(Stdio::null())
        .process_group(0);
    command
}

#[test]
fn a_browser_shows_the_description_and_asks_no_other_host() {
    let folder = TempDir::new().expect("a folder");
    let ees = Ees::serve("memory:");
    let url = format!("http://{}/docs", ees.address());
    let begun = Instant::now();
    let (page, told) = loop {
        let mut browser = chromium(folder.path());
        browser.args(["--virtual-time-budget=20000", "--dump-dom", &url]);
        // Every name of another host is unknown.
        browser.arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1");
        let (code, page, told) = ended(browser);
        assert_eq!(code, Some(0), "{told}");
        // A loaded machine may show the page before it is complete.
        if page.contains("opblock-summary") || begun.elapsed() > LONG {
            break (page, told);
        }
    };
    let description: Value = serde_json::from_str(&ees_http::openapi_json()).expect("JSON");
    for path in description["paths"].as_object().expect("paths").keys() {
        let shown = format!(r#"data-path="{path}""#);
        assert!(page.contains(&shown), "{path} is shown: {page}");
    }
    for complaint in [
        "Content Security Policy",
        "ERR_",
        "Uncaught",
        "http://petstore",
    ] {
        assert!(!told.contains(complaint), "{complaint}: {told}");
    }
}

#[test]
fn a_browser_follows_the_global_order_over_a_broken_connection() {
    let folder = TempDir::new().expect("a folder");
    let ees = Ees::serve(&sqlite(&folder.path().join("ees.db")));
    let commit = |n: u64| {
        let body = json!({"events": [{"type": "Counted", "n": n, "text": "é\nü"}]});
        ees.ok("POST", &format!("/streams/s{n}"), &body.to_string());
    };
    (0..5).for_each(commit);
    // The first stream breaks inside the third changeset.
    let relay = Relay::start(&ees.address(), "id: 2\n");
    let profile = folder.path().join("profile");
    fs::create_dir(&profile).expect("a folder");
    let mut browser = chromium(&profile);
    let browser = browser
        .arg("--remote-debugging-port=0")
        .arg(format!("http://{}/page", relay.address))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromium-headless-shell starts: `./run-tests.sh` installs it");
    let _browser = Killed(browser);
    for n in 0..5 {
        assert_is(&relay.seen(), n);
    }
    assert_eq!(
        relay.resumed_behind(),
        ["", "1"],
        "it goes on behind what it had"
    );
    // What is committed now comes as it happens.
    for n in 5..8 {
        commit(n);
        assert_is(&relay.seen(), n);
    }
}

/// Checks what the page saw of a changeset.
fn assert_is(seen: &Value, n: u64) {
    assert_eq!(seen["id"], n.to_string(), "no skip and no repeat: {seen}");
    assert_eq!(seen["stream_id"], format!("s{n}"), "{seen}");
    assert_eq!(seen["events"][0]["n"], n, "{seen}");
    assert_eq!(seen["events"][0]["text"], "é\nü", "{seen}");
}

/// A process with those that it started, which end with the test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // The program is a script that starts another.
        let group = format!("-{}", self.0.id());
        let mut kill = Command::new("kill");
        let _ = kill.args(["-s", "KILL", "--", &group]).status();
        let _ = self.0.wait();
    }
}
