//! Consumers at work, one of them stuck, and who repairs it.

use ees_postgres_testkit::Database;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{assert_no_complaints, page};
use crate::browser::devtools::Tab;
use crate::http::request;
use crate::process::{Ees, sqlite};

/// Text that would do something if it were not shown as text.
pub(super) const HOSTILE: &str =
    "</script><img src=x onerror=\"window.isHacked=1\">'\"&\u{202e}\u{200b}<b>";

/// A server whose consumer `billing` has parked two streams, one with an id that is hostile.
pub(super) fn stuck(storage: &str) -> Ees {
    let ees = Ees::serve(storage);
    let definition = r#"{"retry_seconds": [], "partitions": 1}"#;
    let defined = request(&ees.address(), "PUT", "/consumers/billing", definition);
    assert_eq!(defined.expect("an answer").status, 201);
    let events = json!({"events": [{"type": HOSTILE, (HOSTILE): format!("{HOSTILE}\0\u{1b}")}], "metadata": {(HOSTILE): 1}});
    for stream in ["order-1", HOSTILE] {
        let path = format!("/streams/{}", encoded(stream));
        ees.ok("POST", &path, &events.to_string());
    }
    let batch = ees.ok("POST", "/consumers/billing/claim", r#"{"worker": "w1"}"#);
    let failed = |stream: &str| json!({"stream_id": stream, "changeset_id": 1, "error": format!("no rate {HOSTILE}\u{1b}[31m")});
    acknowledge(&ees, &batch, &json!([failed("order-1"), failed(HOSTILE)]));
    ees
}

fn acknowledge(ees: &Ees, batch: &Value, failed: &Value) {
    let ack = json!({
        "partition": batch["partition"],
        "generation": batch["generation"],
        "checkpoint": batch["next_checkpoint"],
        "failed": failed,
    });
    ees.ok("POST", "/consumers/billing/ack", &ack.to_string());
}

pub(super) fn encoded(part: &str) -> String {
    utf8_percent_encode(part, NON_ALPHANUMERIC).to_string()
}

fn parked(ees: &Ees) -> Vec<String> {
    let parked = ees.ok("GET", "/consumers/billing/parked", "");
    let parked = parked["parked"].as_array().expect("a list").iter();
    let ids = parked.map(|parked| parked["stream_id"].as_str().expect("an id").to_owned());
    ids.collect()
}

/// Nothing of a hostile text has become a part of the page.
fn assert_is_text(tab: &mut Tab) {
    assert_eq!(tab.eval("typeof window.isHacked"), "undefined");
    assert_eq!(
        tab.eval("document.querySelectorAll('img, main b').length"),
        0
    );
    assert!(
        tab.text().contains(r"\u{202e}\u{200b}<b>"),
        "{}",
        tab.text()
    );
}

/// An operator finds the stuck stream, reads why, sees its events, retries it, and skips the other.
fn repairs(storage: &str) {
    let ees = stuck(storage);
    let mut tab = Tab::open();
    tab.go(&page(&ees, "/console"));
    tab.until_text("billing");
    assert_is_text(&mut tab);
    tab.click("a[href='/console/consumer?name=billing']");
    tab.until_text("waits for you");
    assert!(tab.text().contains("no rate </script>"), "{}", tab.text());
    assert!(tab.text().contains(r"\u{001b}[31m"), "{}", tab.text());
    assert_is_text(&mut tab);
    // What is in the stream.
    tab.eval("[...document.querySelectorAll('.parked .stream')].find(link => link.textContent.includes('script')).click()");
    tab.until("location.pathname === '/console/stream' && document.readyState === 'complete'");
    tab.until_text("Changeset 1");
    assert_is_text(&mut tab);
    tab.go(&page(&ees, "/console/log"));
    assert_is_text(&mut tab);
    // Retry one: its worker handles it now.
    tab.go(&page(&ees, "/console/consumer?name=billing"));
    assert_eq!(parked(&ees).len(), 2);
    tab.eval("[...document.querySelectorAll('.parked')].find(one => one.textContent.includes('order-1')).querySelector('form[action$=retry] button').click()");
    tab.until_text("the next worker that claims its partition tries it");
    let batch = ees.ok("POST", "/consumers/billing/claim", r#"{"worker": "w1"}"#);
    assert_eq!(batch["changesets"][0]["stream_id"], "order-1", "{batch}");
    acknowledge(&ees, &batch, &json!([]));
    assert_eq!(parked(&ees), [HOSTILE]);
    // Skip the other.
    tab.go(&page(&ees, "/console/consumer?name=billing"));
    tab.click(".parked summary");
    tab.click("form[action$=skip] button");
    tab.until_text("The changesets are skipped");
    let behind = ees.ok("GET", "/consumers/billing/parked", "");
    assert_eq!(behind["parked"][0]["from_changeset"], 2, "{behind}");
    assert_no_complaints(&mut tab, &ees);
}

#[test]
fn an_operator_repairs_a_stuck_consumer_on_sqlite() {
    let folder = TempDir::new().expect("a folder");
    repairs(&sqlite(&folder.path().join("ees.db")));
}

#[test]
fn an_operator_repairs_a_stuck_consumer_on_postgres() {
    let database = Database::fresh().expect("PostgreSQL");
    let url = database.url();
    let mark = if url.contains('?') { '&' } else { '?' };
    repairs(&format!(
        "{url}{mark}allow_fsync_off=true&connect_timeout=60"
    ));
}
