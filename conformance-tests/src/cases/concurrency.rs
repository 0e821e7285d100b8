//! G2: optimistic concurrency.

use futures_util::future::join_all;

use crate::Harness;
use crate::subject::{Ask, Expect, unique};

/// Of many commits with one expectation exactly one succeeds; the others are told what it was.
pub async fn one_of_racing_commits_succeeds<H: Harness>(harness: &mut H) {
    let subject = harness.subject();
    let stream = unique("race");
    let asks: Vec<Ask> = (0..16)
        .map(|writer| Ask::new(&stream, Expect::Changeset(0)).events(format!("[{writer}]")))
        .collect();
    let results = join_all(asks.iter().map(|ask| subject.commit(ask))).await;
    let winners: Vec<_> = results.iter().filter_map(|r| r.as_ref().ok()).collect();
    assert_eq!(winners.len(), 1, "G2: one winner, but {winners:?}");
    let stands = subject
        .changesets(&stream, &crate::subject::Read::default())
        .await
        .unwrap()
        .items;
    for failure in results.iter().filter_map(|r| r.as_ref().err()) {
        assert_eq!(failure.code, "OPTIMISTIC_CONCURRENCY_EXCEPTION");
        let told = failure.forthcoming.as_ref().unwrap();
        assert_eq!(told.items, stands, "G2: told only what really stands");
    }
}
