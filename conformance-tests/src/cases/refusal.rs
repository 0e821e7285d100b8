//! G12: bad input gets the documented error and changes nothing.

use crate::Harness;
use crate::subject::{Ask, Expect, Read, Subject, unique};
use crate::support::{
    AHEAD, CONFLICT, TOO_LARGE, commit, events_of_size, fill, head, refused, stream,
};

const BODY: &str = "INVALID_BODY";
const STREAM_ID: &str = "INVALID_STREAM_ID";

/// Asks, at the end of a stream that exists and of one that does not, for what must be refused;
/// neither changes.
async fn refuses(subject: &dyn Subject, code: &str, change: impl Fn(Ask) -> Ask) {
    let (name, missing) = (unique("good"), unique("missing"));
    fill(subject, &name, &[2]).await;
    let before = (head(subject, &name).await, stream(subject, &name).await);
    let ask = Ask::new(&name, Expect::Changeset(1)).key("a key");
    refused(subject, &change(ask.clone()), code).await;
    let new = Ask::new(&missing, Expect::Changeset(0));
    refused(subject, &change(new), code).await;
    let after = (head(subject, &name).await, stream(subject, &name).await);
    assert_eq!(after.0, before.0, "G12: the head after {code}");
    assert_eq!(
        after.1.len(),
        before.1.len(),
        "G12: the stream after {code}"
    );
    let found = subject.head(&missing).await;
    assert!(
        found.is_err(),
        "G12: a commit refused with {code} created no stream"
    );
    let good = commit(subject, &ask).await;
    assert_eq!(
        good.changeset_id, 2,
        "G12: a valid commit succeeds afterwards"
    );
}

/// A stream id that breaks a rule is refused by every call.
pub async fn bad_stream_ids_are_refused(harness: &mut dyn Harness) {
    let subject = harness.subject();
    for (name, code) in [
        (String::new(), "MISSING_STREAM_ID"),
        ("x".repeat(1025), STREAM_ID),
        ("é".repeat(513), STREAM_ID),
        ("a\nb".to_owned(), STREAM_ID),
        ("\0".to_owned(), STREAM_ID),
        ("a\u{7f}".to_owned(), STREAM_ID),
        ("\u{85}a".to_owned(), STREAM_ID),
        ("!!!RESERVED".to_owned(), STREAM_ID),
        ("!!!RESERVED:GLOBAL-COUNTER!!!".to_owned(), STREAM_ID),
    ] {
        refused(&*subject, &Ask::new(&name, Expect::Changeset(0)), code).await;
        let read = Read::default();
        let answers = [
            subject.head(&name).await.err(),
            subject.changesets(&name, &read).await.err(),
            subject.events(&name, &read).await.err(),
        ];
        for answer in answers {
            let found = answer.unwrap_or_else(|| panic!("G12: reading {name:?} fails"));
            assert_eq!(found.code, code, "G12: {name:?}");
        }
    }
}

/// So is an idempotency key.
pub async fn bad_keys_are_refused(harness: &mut dyn Harness) {
    let subject = harness.subject();
    for key in ["", &"k".repeat(256), "schlüssel", "a\tb"] {
        refuses(&*subject, "INVALID_IDEMPOTENCY_KEY", |ask| ask.key(key)).await;
    }
}

/// A changeset holds something.
pub async fn no_events_are_refused(harness: &mut dyn Harness) {
    let subject = harness.subject();
    for events in ["[]", "[ \n ]"] {
        refuses(&*subject, "NO_EVENTS", |ask| ask.events(events)).await;
    }
}

/// Events are an array.
pub async fn events_must_be_an_array(harness: &mut dyn Harness) {
    let subject = harness.subject();
    for events in ["{}", "null", "1", "\"x\"", "true", r#"{"0":1}"#, "\"[1]\""] {
        refuses(&*subject, BODY, |ask| ask.events(events)).await;
    }
}

/// Events and metadata are JSON, as strict as its standard.
pub async fn what_is_not_json_is_refused(harness: &mut dyn Harness) {
    let subject = harness.subject();
    for value in [
        "",
        "[1,]",
        "[1",
        "1]",
        "[01]",
        "[+1]",
        "[.5]",
        "[1.]",
        "[NaN]",
        "[Infinity]",
        "['a']",
        "[\"a]",
        "[\"\n\"]",
        "[\"\\x\"]",
        "[\"\\u12\"]",
        "[tru]",
        "[1 2]",
        "[{a:1}]",
        "[{\"a\":1,}]",
        "[{\"a\"}]",
        "[1]//",
        "[\u{feff}1]",
        "[1]]",
    ] {
        refuses(&*subject, BODY, |ask| ask.events(value)).await;
        refuses(&*subject, BODY, |ask| ask.metadata(value)).await;
    }
}

/// Nesting ends at 100 levels, however much deeper it goes.
pub async fn what_is_nested_too_deep_is_refused(harness: &mut dyn Harness) {
    let subject = harness.subject();
    for levels in [101, 126, 127, 128, 129, 20_000] {
        let arrays = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let objects = format!("{}1{}", r#"{"":"#.repeat(levels), "}".repeat(levels));
        for value in [arrays, objects] {
            refuses(&*subject, BODY, |ask| ask.events(format!("[1,{value}]"))).await;
            refuses(&*subject, BODY, |ask| ask.metadata(&value)).await;
        }
    }
}

/// Half a surrogate pair is no text.
pub async fn lone_surrogates_are_refused(harness: &mut dyn Harness) {
    let subject = harness.subject();
    for value in [
        r#""\ud83d""#,
        r#""\ude00""#,
        r#""\ude00\ud83d""#,
        r#""\ud83d\ud83d\ude00""#,
        r#"{"\uDC00":1}"#,
        r#"{"a":["\\\ud83d"]}"#,
    ] {
        refuses(&*subject, BODY, |ask| ask.events(format!("[{value}]"))).await;
        refuses(&*subject, BODY, |ask| ask.metadata(value)).await;
    }
}

/// Input is looked at before the stream is: what is bad is not called outdated.
pub async fn bad_input_is_told_before_a_conflict(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let name = unique("order");
    fill(&*subject, &name, &[1, 1]).await;
    for (expect, otherwise) in [
        (Expect::Changeset(0), CONFLICT),
        (Expect::Changeset(9), AHEAD),
    ] {
        let ask = Ask::new(&name, expect);
        refused(&*subject, &ask, otherwise).await;
        refused(&*subject, &ask.clone().events("{}"), BODY).await;
        refused(&*subject, &ask.events("[]"), "NO_EVENTS").await;
    }
}

/// A changeset may have exactly as many bytes of events and metadata as the store declares.
pub async fn a_changeset_has_a_largest_size(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let largest = harness.capabilities().max_changeset_bytes;
    let metadata = r#"{"m":1}"#;
    let name = unique("largest");
    let ask = Ask::new(&name, Expect::Changeset(0)).metadata(metadata);
    let fitting = events_of_size(largest - metadata.len());
    let too_large = events_of_size(largest - metadata.len() + 1);
    refused(&*subject, &ask.clone().events(too_large), TOO_LARGE).await;
    let found = subject.head(&name).await;
    assert!(found.is_err(), "G12: nothing was written");
    commit(&*subject, &ask.events(&fitting)).await;
    let found = stream(&*subject, &name).await;
    assert!(
        found[0].events == fitting,
        "G11: the largest changeset is read unchanged"
    );
    let large_metadata = format!("\"{}\"", "m".repeat(largest - 4));
    let ask = Ask::new(&name, Expect::Changeset(1)).metadata(large_metadata);
    refused(&*subject, &ask.events("[12]"), TOO_LARGE).await;
    assert_eq!(head(&*subject, &name).await.last_changeset, 1, "G12");
}
