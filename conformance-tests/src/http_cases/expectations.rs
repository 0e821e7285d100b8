//! The parameters with a commit's expectation.

use crate::HttpHarness;
use crate::subject::unique;
use crate::wire::{BODY, accepted, ahead, append, assert_untouched, commit_call, path, refused};

/// One kind of expectation is given, not both.
pub async fn one_kind_is_given(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("expectations");
    for values in [(0, 0), (0, 1), (7, 0), (1, 1)] {
        let (changeset, event) = values;
        let query = format!("expected_last_event={event}&expected_last_changeset={changeset}");
        let response = commit_call(&path(&stream)).send(&remote, &query).await;
        let code = "BOTH_EXPECTED_CHANGESET_AND_EVENT_ARE_SET";
        refused(&response, code, Some(&stream));
    }
    assert_untouched(&remote, &stream).await;
}

/// What lies beyond the stream's end, a missing stream's too, is no expectation, of either kind.
pub async fn an_expectation_beyond_the_end_is_invalid(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("expectations");
    let call = commit_call(&path(&stream));
    let kinds = ["expected_last_changeset", "expected_last_event"];
    for name in kinds {
        let response = call.send(&remote, &format!("{name}=1")).await;
        let message = ahead(&response, &stream, (0, 0));
        let given = format!("`{name}=1`");
        assert!(message.contains(&given), "G12: `{message}` names {given}");
    }
    assert_untouched(&remote, &stream).await;
    append(&remote, &stream, 0, r#"{"events":[1,2,3]}"#).await;
    for (name, beyond) in kinds.into_iter().zip([2, 4]) {
        let response = call.send(&remote, &format!("{name}={beyond}")).await;
        let message = ahead(&response, &stream, (1, 3));
        let given = format!("`{name}={beyond}`");
        assert!(message.contains(&given), "G12: `{message}` names {given}");
    }
    let next = accepted(&call.send(&remote, "expected_last_event=3").await);
    assert_eq!(next["changeset_id"], 2, "G3: refusals take no ids");
}

/// Neither kind, or 0 of either, means a stream that does not exist yet.
pub async fn none_means_a_new_stream(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    for query in ["", "expected_last_changeset=0", "expected_last_event=0"] {
        let stream = unique("expectations");
        let call = commit_call(&path(&stream));
        let first = accepted(&call.send(&remote, query).await);
        assert_eq!(first["changeset_id"], 1, "G2: `{query}` makes a stream");
        let again = call.send(&remote, query).await;
        assert_eq!(again.status, 409, "G2: `{query}` makes no stream twice");
    }
    let stream = unique("expectations");
    let path = path(&stream);
    accepted(&remote.post(&path, BODY).await);
}
