//! No body is longer than 4 MB, unless it holds one item; and none is cut before.

use serde_json::Value;

use crate::HttpHarness;
use crate::subject::{Remote, unique};
use crate::wire::paging::{LIMIT, Walk, large_stream};
use crate::wire::{accepted, append, end_of_log, path};

/// Walks through a stream's items; their ids.
async fn stream_ids(remote: &Remote, stream: &str, items: &'static str, query: &str) -> Vec<u64> {
    let id = if items == "events" {
        "id"
    } else {
        "changeset_id"
    };
    let found = Walk::stream(stream, items, query).follow(remote, 1).await;
    found.iter().filter_map(|item| item[id].as_u64()).collect()
}

/// Where in the global order a stream is to be found.
struct Written<'a> {
    stream: &'a str,
    begin: u64,
}

impl Written<'_> {
    /// Walks through the global order; the stream's ids.
    async fn ids(&self, remote: &Remote, items: &'static str, query: &str) -> Vec<u64> {
        let id = if items == "events" {
            "event_id"
        } else {
            "changeset_id"
        };
        let found = Walk::global(items, query).follow(remote, self.begin).await;
        let own = found.iter().filter(|item| item["stream_id"] == self.stream);
        own.filter_map(|item| item[id].as_u64()).collect()
    }
}

fn all(count: u64) -> Vec<u64> {
    (1..=count).collect()
}

/// Changesets and events of a stream.
pub async fn no_page_of_a_stream_passes_it(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("limit");
    let changesets = large_stream(&remote, &stream).await;
    for query in ["", "details=true&pp=true&"] {
        let ids = stream_ids(&remote, &stream, "changesets", query).await;
        assert_eq!(ids, all(changesets), "G5: all changesets by {query}");
        let ids = stream_ids(&remote, &stream, "events", query).await;
        assert_eq!(ids, all(changesets * 10), "G5: all events by {query}");
    }
}

/// Changesets and events of the global order.
pub async fn no_page_of_the_global_order_passes_it(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let begin = end_of_log(&remote).await;
    let stream = unique("limit");
    let changesets = large_stream(&remote, &stream).await;
    harness.settle().await;
    let written = Written {
        stream: &stream,
        begin,
    };
    for query in ["", "details=true&pp=true&"] {
        let ids = written.ids(&remote, "changesets", query).await;
        assert_eq!(ids, all(changesets), "G6: all changesets by {query}");
        let ids = written.ids(&remote, "events", query).await;
        assert_eq!(ids, all(changesets * 10), "G6: all events by {query}");
    }
}

/// A stream of one changeset of ever so many ones.
async fn tiny_events(remote: &Remote, count: usize) -> String {
    let stream = unique("limit-tiny");
    let events = vec!["1"; count].join(",");
    append(remote, &stream, 0, format!(r#"{{"events":[{events}]}}"#)).await;
    stream
}

/// Events of one byte each take more for their frames than for themselves.
pub async fn the_frames_of_tiny_events_count(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let count = 80_000;
    let stream = tiny_events(&remote, count).await;
    let ids = stream_ids(&remote, &stream, "events", "details=true&").await;
    assert_eq!(ids, all(count as u64), "G5: all events");
}

/// The same in the global order, where the stream's name comes with each.
pub async fn the_frames_of_events_count_globally(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let begin = end_of_log(&remote).await;
    // On the wire its name takes 2000 bytes.
    let stream = unique("limit") + &"\\".repeat(980);
    let event = format!(r#""{}""#, "x".repeat(3000));
    // Small enough for every storage; several make a body that passes the limit.
    let body = format!(r#"{{"events":[{}]}}"#, vec![event; 40].join(","));
    for last in 0..30 {
        append(&remote, &stream, last, body.clone()).await;
    }
    harness.settle().await;
    let written = Written {
        stream: &stream,
        begin,
    };
    let ids = written.ids(&remote, "events", "details=true&").await;
    assert_eq!(ids, all(1200), "G6: all events");
}

/// What pretty-printing adds counts too.
pub async fn white_space_counts(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("limit-space");
    let event = format!("{}1{}", "[".repeat(30), "]".repeat(30));
    let events = vec![event.as_str(); 700].join(",");
    for last in 0..2 {
        append(
            &remote,
            &stream,
            last,
            format!(r#"{{"events":[{events}]}}"#),
        )
        .await;
    }
    let ids = stream_ids(&remote, &stream, "events", "pp=true&").await;
    assert_eq!(ids, all(1400), "G5: all events");
}

/// An item that passes the limit by itself is answered all the same, alone.
pub async fn what_passes_it_alone_comes_alone(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let largest = harness.capabilities().max_changeset_bytes;
    if largest <= LIMIT {
        return;
    }
    let begin = end_of_log(&remote).await;
    let stream = unique("limit-alone");
    let text = "x".repeat(LIMIT + 1000);
    for (last, text) in (0..).zip(["small", &text, "small"]) {
        append(
            &remote,
            &stream,
            last,
            format!(r#"{{"events":["{text}"]}}"#),
        )
        .await;
    }
    harness.settle().await;
    let written = Written {
        stream: &stream,
        begin,
    };
    for items in ["changesets", "events"] {
        let ids = stream_ids(&remote, &stream, items, "").await;
        assert_eq!(ids, all(3), "G5: all {items}");
        let ids = written.ids(&remote, items, "").await;
        assert_eq!(ids, all(3), "G6: all {items}");
    }
    let ids = stream_ids(&remote, &stream, "changesets", "pp=true&").await;
    assert_eq!(ids, all(3), "G5: all changesets, laid out");
    let second = format!("{}/changesets?from=2", path(&stream));
    let page = accepted(&remote.get(&second).await);
    let count = page["changesets"].as_array().map(Vec::len);
    assert_eq!(
        (count, &page["next"]),
        (Some(1), &Value::from(3)),
        "G5: alone"
    );
}
