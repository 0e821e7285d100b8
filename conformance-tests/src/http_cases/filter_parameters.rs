//! The parameters of filters.

use serde_json::Value;

use crate::HttpHarness;
use crate::subject::{Remote, encode, unique};
use crate::wire::{accepted, append, assert_fields, end_of_log, global_calls, refused};

/// How often each parameter may be given.
const MOST: usize = 100;

/// Three streams with one changeset each; where the order ended before, and their names.
async fn streams(remote: &Remote) -> (u64, [String; 3]) {
    let start = end_of_log(remote).await;
    let base = unique("wanted");
    let names = ["a", "b", "b&c=d"].map(|end| format!("{base}-{end}"));
    for (name, kind) in names.iter().zip(["x y", "z+&", "z+&"]) {
        let body = format!(r#"{{"events":[{{"type":"{kind}"}},{{"type":"other"}}]}}"#);
        append(remote, name, 0, body).await;
    }
    (start, names)
}

/// The streams of what is selected, one for each item.
async fn found(remote: &Remote, path: &str, start: u64, query: &str) -> Vec<String> {
    let query = format!("{path}?checkpoint={start}&limit=1000{query}");
    let page = accepted(&remote.get(&query).await);
    let name = path.trim_start_matches('/');
    assert_fields(&page, &["checkpoint", "limit", name, "next_checkpoint"]);
    let items = page[name].as_array().expect("items").iter();
    let stream = |item: &Value| item["stream_id"].as_str().expect("a stream").to_owned();
    items.map(stream).collect()
}

/// Each may be given more than once: any of them. Both together: each of the two.
pub async fn may_be_given_more_than_once(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let (start, [a, b, c]) = streams(&remote).await;
    harness.settle().await;
    let prefix = |name: &str| format!("&stream_prefix={}", encode(name));
    let base = prefix(a.trim_end_matches('a'));
    for (query, expected, events) in [
        (prefix(&a), vec![&a], 2),
        (prefix(&b), vec![&b, &c], 2),
        (prefix(&c), vec![&c], 2),
        (format!("{}{}", prefix(&c), prefix(&a)), vec![&a, &c], 2),
        (format!("{base}&event_type=x%20y"), vec![&a], 1),
        (format!("{base}&event_type=x+y"), vec![&a], 1),
        (format!("{base}&event_type=z%2B%26"), vec![&b, &c], 1),
        (
            format!("{base}&event_type=z%2B%26&event_type=other"),
            vec![&b, &c],
            2,
        ),
        (format!("{}&event_type=x+y", prefix(&b)), vec![], 1),
    ] {
        let mut changesets = found(&remote, "/changesets", start, &query).await;
        // Streams that are committed to one after another may come in another order.
        changesets.sort();
        let mut expected: Vec<&String> = expected;
        if query.contains("other") {
            expected.insert(0, &a);
        }
        assert_eq!(
            changesets.iter().collect::<Vec<_>>(),
            expected,
            "G15: {query}"
        );
        let mut found = found(&remote, "/events", start, &query).await;
        found.sort();
        let both = query.contains("other");
        let expected: Vec<_> = expected
            .iter()
            .flat_map(|name| vec![*name; if both && **name == a { 1 } else { events }])
            .collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "G15: {query}");
    }
}

/// An empty one counts as not given, beside others too.
pub async fn empty_ones_count_as_not_given(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let (start, [a, ..]) = streams(&remote).await;
    harness.settle().await;
    let all = found(&remote, "/changesets", start, "").await;
    let empty = found(&remote, "/changesets", start, "&stream_prefix=&event_type=").await;
    assert_eq!(empty[..all.len()], all, "G15: empty ones select everything");
    let query = format!("&stream_prefix=&stream_prefix={}&event_type=", encode(&a));
    let one = found(&remote, "/changesets", start, &query).await;
    assert_eq!(one, [a], "G15: an empty one beside another");
}

/// Each may be given a hundred times.
pub async fn have_a_largest_number(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    for call in global_calls() {
        for name in ["stream_prefix", "event_type"] {
            let query = |count| vec![format!("{name}=a"); count].join("&");
            accepted(&call.send(&remote, &query(MOST)).await);
            let response = call.send(&remote, &query(MOST + 1)).await;
            let message = refused(&response, "INVALID_PARAMETER", None);
            assert!(message.contains(name), "G12: `{message}` names `{name}`");
        }
    }
}
