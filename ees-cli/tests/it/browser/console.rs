//! The console, as people see it in a browser.

mod looks;
mod work;

use std::process::Command;

use tempfile::TempDir;

use super::devtools::Tab;
use crate::keys::{add, keys, revoke};
use crate::process::{Ees, ees, sqlite};

/// The address of a page.
fn page(ees: &Ees, path: &str) -> String {
    format!("http://{}{path}", ees.address())
}

fn assert_no_complaints(tab: &mut Tab, ees: &Ees) {
    let complaints = tab.complaints(&page(ees, "/"));
    assert!(complaints.is_empty(), "{complaints:#?}");
}

/// Runs the first command that a part of the page shows.
fn run_shown(tab: &mut Tab, part: &str) {
    let command = tab.eval(&format!(
        "document.querySelector('{part} code').textContent"
    ));
    let command = command.as_str().expect("a command");
    let ran = Command::new("bash").args(["-c", command]).output();
    let ran = ran.expect("bash runs");
    let answer = String::from_utf8_lossy(&ran.stdout);
    assert!(answer.contains("changeset_id"), "{command}: {answer}");
}

#[test]
fn a_newcomer_sees_the_first_commits_appear_and_gets_the_next_command() {
    let folder = TempDir::new().expect("a folder");
    let ees = Ees::serve(&sqlite(&folder.path().join("ees.db")));
    let mut tab = Tab::open();
    tab.go(&page(&ees, "/"));
    assert_eq!(tab.eval("location.pathname"), "/console");
    tab.until_text("No changeset yet");
    run_shown(&mut tab, ".first-steps");
    tab.until_text("expected_last_changeset=1");
    tab.until("document.querySelector('.row .stream').textContent === 'order-17'");
    run_shown(&mut tab, ".first-steps .command");
    tab.until_text("expected_last_changeset=2");
    // The log shows what is committed now, without loading the page again.
    tab.go(&page(&ees, "/console/log"));
    tab.eval("window.isTheSame = true");
    tab.until_text("Live: new changesets appear on top");
    ees.ok(
        "POST",
        "/streams/order-18",
        r#"{"events": [{"type": "seen-live"}]}"#,
    );
    tab.until("document.querySelector('#rows li .type').textContent === 'seen-live'");
    assert_eq!(tab.eval("window.isTheSame"), true);
    assert_eq!(
        tab.eval("document.querySelectorAll('#rows .row').length"),
        3
    );
    assert_no_complaints(&mut tab, &ees);
}

#[test]
fn a_login_opens_the_console_until_its_key_is_revoked() {
    let folder = TempDir::new().expect("a folder");
    let key = add(folder.path(), "night", &["--right", "read"]);
    let file = keys(folder.path()).display().to_string();
    let serve = [
        "--storage",
        "memory:",
        "--listen",
        "127.0.0.1:0",
        "--keys",
        &file,
    ];
    let ees = Ees::spawn(ees(&serve));
    let mut tab = Tab::open();
    tab.go(&page(&ees, "/console/log?type=paid"));
    tab.until("location.pathname === '/console/login'");
    tab.type_into("#key", "ees_wrong");
    tab.click("main button");
    tab.until_text("this is not a key");
    tab.type_into("#key", &key);
    tab.click("main button");
    tab.until("location.pathname + location.search === '/console/log?type=paid'");
    assert!(tab.text().contains("night"), "whose key it is");
    assert_eq!(
        tab.eval("document.cookie"),
        "",
        "no script reads the cookie"
    );
    let api = tab.eval("fetch('/streams').then(answer => answer.status)");
    assert_eq!(api, 401, "the API takes no cookie");
    tab.go(&page(&ees, "/console/consumers"));
    tab.until_text("lacks the right `consume`");
    // A page that is open leads to the login when its key is revoked.
    tab.go(&page(&ees, "/console"));
    tab.until_text("Overview");
    revoke(folder.path(), "night");
    tab.until("location.pathname === '/console/login'");
    assert_no_complaints(&mut tab, &ees);
}

#[test]
fn a_server_without_a_console_has_none() {
    let serve = [
        "--storage",
        "memory:",
        "--listen",
        "127.0.0.1:0",
        "--console",
        "off",
    ];
    let ees = Ees::spawn(ees(&serve));
    let mut tab = Tab::open();
    tab.go(&page(&ees, "/"));
    assert!(tab.text().contains("Elastic Event Store"), "{}", tab.text());
    assert_eq!(tab.eval("location.pathname"), "/");
    let console = tab.eval("fetch('/console').then(answer => answer.status)");
    assert_eq!(console, 404);
}
