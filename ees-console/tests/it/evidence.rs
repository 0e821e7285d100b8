//! The page of the verifiable log, and its lag on the overview.

use std::sync::Arc;

use axum::http::StatusCode;
use ees_core::{Checkpoint, EventStore};
use ees_evidence::{Log, LogHead, LogKey, Sealer};
use ees_memory::MemoryStorage;

use crate::support::{Answer, Served};

async fn seal(served: &Served, key: Option<LogKey>) -> LogHead {
    let sealer = Sealer::of(&served.store, key).unwrap();
    sealer.catch_up().await.unwrap()
}

async fn evidence(served: &Served, query: &str) -> Answer {
    served.get(&format!("/console/evidence{query}"), "").await
}

fn assert_told(answer: &Answer, status: StatusCode, told: &[&str]) {
    assert_eq!(answer.status, status, "{}", answer.body);
    for told in told {
        assert!(answer.body.contains(told), "{told}: {}", answer.body);
    }
}

/// A text as it stands in a page.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('"', "&quot;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

#[tokio::test]
async fn a_store_without_a_log_or_without_anything_sealed_says_so() {
    let without = EventStore::new(Arc::new(MemoryStorage::new()));
    let without = Served::over(without, false, |_| {});
    let answer = evidence(&without, "").await;
    let none = "this storage keeps no verifiable log";
    assert_told(&answer, StatusCode::NOT_FOUND, &[none]);
    let overview = without.get("/console", "").await;
    assert!(!overview.body.contains("Verifiable log"));

    let served = Served::open();
    served.commit("s", "[1]").await;
    let answer = evidence(&served, "").await;
    let told = ["Nothing is sealed yet", "does not seal", "--seal off"];
    assert_told(&answer, StatusCode::OK, &told);
    let answer = evidence(&served, "?checkpoint=0").await;
    let told = ["There is no proof yet: no signed head is kept"];
    assert_told(&answer, StatusCode::NOT_FOUND, &told);
    let overview = served.get("/console", "").await;
    let told = ["Verifiable log", "1 changesets to seal, and this server"];
    assert_told(&overview, StatusCode::OK, &told);

    let sealing = |settings: &mut ees_console::Settings| settings.is_sealing = true;
    let served = Served::over(served.store.clone(), false, sealing);
    let answer = evidence(&served, "").await;
    assert_told(&answer, StatusCode::OK, &["about a second after"]);
    assert!(!answer.body.contains("does not seal"), "{}", answer.body);
}

#[tokio::test]
async fn a_head_that_is_not_signed_says_how_to_sign() {
    let served = Served::open();
    served.commit("s", "[1]").await;
    let head = seal(&served, None).await;
    let root = escaped(&head.root.to_string());
    let told = [&root, "all changesets are sealed", "--log-key", "/log/head"];
    assert_told(&evidence(&served, "").await, StatusCode::OK, &told);
    let overview = served.get("/console", "").await;
    let told = ["nothing: all changesets are sealed"];
    assert_told(&overview, StatusCode::OK, &told);
    served.commit("t", "[1]").await;
    let answer = evidence(&served, "").await;
    assert_told(&answer, StatusCode::OK, &["1 changesets to seal"]);
}

#[tokio::test]
async fn a_changeset_has_its_proof_once_a_signed_head_reaches_it() {
    let served = Served::open();
    for stream in ["a", "b", "c"] {
        served.commit(stream, "[1]").await;
    }
    let key = LogKey::generate("<b>\u{202e}/shop").unwrap();
    let head = seal(&served, Some(key)).await;
    served.commit("d", "[1]").await;
    let answer = evidence(&served, "?checkpoint=1").await;
    let log = Log::of(&served.store).unwrap();
    let proof = log.proof(Checkpoint::FIRST.plus(1), None).await.unwrap();
    let told = [
        &escaped(&proof),
        &escaped(&head.signed[0].note),
        "&lt;b&gt;<span class=\"hidden-character\">\\u{202e}</span>/shop/",
        "/log/proof?checkpoint=1'",
        "/changesets?checkpoint=1&amp;limit=1&amp;details=true'",
    ];
    assert_told(&answer, StatusCode::OK, &told);
    assert!(!answer.body.contains("<b>"), "{}", answer.body);
    let answer = evidence(&served, "?checkpoint=3").await;
    let told = ["There is no proof yet: checkpoint 3 is not in a log of size 3."];
    assert_told(&answer, StatusCode::NOT_FOUND, &told);
    let answer = evidence(&served, "?checkpoint=18446744073709551615").await;
    let told = ["There is no proof: checkpoint", "The order ends at 4."];
    assert_told(&answer, StatusCode::NOT_FOUND, &told);
}

#[tokio::test]
async fn a_restored_store_tells_its_parent_and_a_log_that_is_ahead_is_an_alarm() {
    let (former, served) = (Served::open(), Served::open());
    former.commit("s", "[1]").await;
    let head = seal(&former, None).await;
    let stored = former.store.log_store().unwrap().load_log_head().await;
    let stored = stored.unwrap().unwrap();
    let log = served.store.log_store().unwrap();
    assert!(log.seal(None, &stored, &[]).await.unwrap());
    let answer = evidence(&served, "").await;
    assert_told(&answer, StatusCode::OK, &["The log is ahead of the order"]);
    served.commit("s", "[1]").await;
    seal(&served, None).await;
    let former = former.store.identity().await.unwrap().id.to_string();
    let root = escaped(&head.root.to_string());
    let told = [former.as_str(), "Up to size 1 ", &root];
    let answer = evidence(&served, "").await;
    assert_told(&answer, StatusCode::OK, &told);
    assert!(!answer.body.contains("ahead"), "{}", answer.body);
}
