//! Server-sent events on the reads of the global order. A host that has none says so.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::HttpHarness;
use crate::subject::{EventStream, Remote, Sent, encode, unique};
use crate::support::{joined, together};
use crate::wire::{accepted, append, end_of_log, error, refused};

/// The two calls, and the names of their events and of their items.
const CALLS: [(&str, &str, &str); 2] = [
    ("/changesets", "changeset", "changesets"),
    ("/events", "event", "events"),
];

/// Whether the host sends event streams. One that does not names what to use instead.
async fn has_event_streams(remote: &Remote) -> bool {
    match remote
        .event_stream("/changesets?checkpoint=head", None)
        .await
    {
        Ok(_) => true,
        Err(answer) => {
            let message = refused(&answer, "NOT_ACCEPTABLE", None);
            assert!(
                message.contains("wait"),
                "G12: `{message}` names long polling"
            );
            false
        }
    }
}

async fn open(remote: &Remote, path_and_query: &str, last_event_id: Option<&str>) -> EventStream {
    let opened = remote.event_stream(path_and_query, last_event_id).await;
    opened.unwrap_or_else(|answer| panic!("G6: {path_and_query}: {}", answer.text()))
}

/// The next so many events.
async fn take(stream: &mut EventStream, count: usize) -> Vec<Sent> {
    let mut taken = Vec::new();
    while taken.len() < count {
        taken.push(stream.next().await.expect("G6: the stream goes on"));
    }
    taken
}

/// Some changesets of two events each in a stream of its own; where the order ended before.
async fn written(harness: &dyn HttpHarness, count: u64) -> (u64, String) {
    let remote = harness.remote();
    let (start, name) = (end_of_log(&remote).await, unique("sent"));
    for last in 0..count {
        let body = json!({"events": [{"type": "first", "n": last}, {"type": "second"}]});
        append(&remote, &name, last, body.to_string()).await;
    }
    harness.settle().await;
    (start, name)
}

/// The items of a page of the same query.
async fn items(remote: &Remote, path: &str, name: &str, query: &str) -> Vec<Value> {
    let page = accepted(&remote.get(&format!("{path}?limit=1000&{query}")).await);
    page[name].as_array().expect("items").clone()
}

/// An item as an event that a stream has to send.
fn as_sent(event: &str, item: &Value) -> (String, String, Value) {
    let checkpoint = &item["checkpoint"];
    let id = checkpoint
        .as_str()
        .map_or(checkpoint.to_string(), str::to_owned);
    (event.to_owned(), id, item.clone())
}

fn parsed(sent: &Sent) -> (String, String, Value) {
    let data = serde_json::from_str(&sent.data).expect("G6: data is JSON");
    (sent.event.clone(), sent.id.clone(), data)
}

/// A stream sends the items that pages have, with and without details and filters.
pub async fn send_what_pages_have(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    if !has_event_streams(&remote).await {
        return;
    }
    let (start, name) = written(harness, 5).await;
    for (path, event, list) in CALLS {
        for query in [
            String::new(),
            "&details=true".to_owned(),
            format!("&stream_prefix={}&event_type=second", encode(&name)),
        ] {
            let query = format!("checkpoint={start}{query}");
            let items = items(&remote, path, list, &query).await;
            let mut stream = open(&remote, &format!("{path}?{query}"), None).await;
            let sent = take(&mut stream, items.len()).await;
            let sent: Vec<_> = sent.iter().map(parsed).collect();
            let expected: Vec<_> = items.iter().map(|item| as_sent(event, item)).collect();
            assert_eq!(sent, expected, "G6: {path}?{query}");
        }
    }
}

/// Whoever connects again goes on behind the last event, wherever that was, and whatever the query
/// says.
pub async fn go_on_behind_the_last_event(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    if !has_event_streams(&remote).await {
        return;
    }
    let (start, name) = written(harness, 6).await;
    for (path, _, list) in CALLS {
        for filter in ["", "&event_type=first"] {
            let query = format!("stream_prefix={}{filter}", encode(&name));
            let count = items(&remote, path, list, &format!("checkpoint={start}&{query}")).await;
            let whole = format!("{path}?checkpoint={start}&{query}");
            let all = take(&mut open(&remote, &whole, None).await, count.len()).await;
            for (place, last) in all.iter().enumerate() {
                let rest = &all[place + 1..];
                for checkpoint in [start.to_string(), "head".to_owned(), String::new()] {
                    let again = format!("{path}?checkpoint={checkpoint}&{query}");
                    let mut stream = open(&remote, &again, Some(&last.id)).await;
                    let sent = take(&mut stream, rest.len()).await;
                    assert_eq!(sent, rest, "G6: {again} behind {}", last.id);
                }
            }
        }
    }
}

/// A stream that begins at the head sends what is committed then.
pub async fn send_what_is_committed(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    if !has_event_streams(&remote).await {
        return;
    }
    for (path, ..) in CALLS {
        let name = unique("live");
        let query = format!("checkpoint=head&stream_prefix={}", encode(&name));
        let mut stream = open(&remote, &format!("{path}?{query}"), None).await;
        for last in 0..3 {
            append(&remote, &name, last, format!(r#"{{"events":[{last}]}}"#)).await;
            let sent = take(&mut stream, 1).await;
            let (_, _, data) = parsed(&sent[0]);
            assert_eq!(data["changeset_id"], last + 1, "G8: {path}: {data}");
        }
    }
}

/// Readers whose connections break all the time get everything once, in order, beside writers.
pub async fn skip_and_repeat_nothing(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    if !has_event_streams(&remote).await {
        return;
    }
    let (start, base) = (end_of_log(&remote).await, unique("beside"));
    let readers = CALLS.map(|(path, ..)| {
        let (remote, base) = (Arc::clone(&remote), base.clone());
        tokio::spawn(async move {
            let count = if path == "/events" { 80 } else { 40 };
            let query = format!("{path}?checkpoint={start}&stream_prefix={}", encode(&base));
            let (mut seen, mut last) = (Vec::<Sent>::new(), None);
            while seen.len() < count {
                let mut stream = open(&remote, &query, last.as_deref()).await;
                let some = (seen.len() % 7 + 1).min(count - seen.len());
                seen.extend(take(&mut stream, some).await);
                last = seen.last().map(|sent| sent.id.clone());
            }
            seen
        })
    });
    let writers = (0..4).map(|writer| {
        let (remote, name) = (Arc::clone(&remote), format!("{base}-{writer}"));
        async move {
            for last in 0..10 {
                append(&remote, &name, last, r#"{"events":[1,2]}"#).await;
            }
        }
    });
    together(writers).await;
    harness.settle().await;
    for (reader, (path, event, list)) in readers.into_iter().zip(CALLS) {
        let sent: Vec<_> = joined(reader).await.iter().map(parsed).collect();
        let query = format!("checkpoint={start}&stream_prefix={}", encode(&base));
        let items = items(&remote, path, list, &query).await;
        let expected: Vec<_> = items.iter().map(|item| as_sent(event, item)).collect();
        assert_eq!(sent, expected, "G6: {path}: everything once, in order");
    }
}

/// A filter that passed many changesets tells how far it came, and whoever connects again with that
/// id goes on from there.
pub async fn tell_how_far_a_filter_came(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    if !has_event_streams(&remote).await {
        return;
    }
    let (start, name) = (end_of_log(&remote).await, unique("far"));
    let writers = (0..8).map(|writer| {
        let (remote, passed) = (Arc::clone(&remote), format!("passed-{name}-{writer}"));
        async move {
            for last in 0..130 {
                append(&remote, &passed, last, r#"{"events":[1,2]}"#).await;
            }
        }
    });
    together(writers).await;
    append(&remote, &name, 0, r#"{"events":["wanted"]}"#).await;
    harness.settle().await;
    let head = end_of_log(&remote).await;
    let nowhere = encode(&unique("nowhere"));
    for (path, ..) in CALLS {
        let query = format!("{path}?checkpoint={start}&stream_prefix={nowhere}");
        let sent = take(&mut open(&remote, &query, None).await, 1).await;
        let (event, id, data) = parsed(&sent[0]);
        assert_eq!(event, "checkpoint", "G15: {path}: {data}");
        let reached: u64 = id
            .split('.')
            .next()
            .and_then(|c| c.parse().ok())
            .expect("an id");
        assert!(reached + 1 >= head, "G15: {path}: {id} is below {head}");
        let next = match path {
            "/events" => json!(format!("{}.0", reached + 1)),
            _ => json!(reached + 1),
        };
        let expected = json!({"next_checkpoint": next});
        assert_eq!(data, expected, "G15: {path}: behind {id}");
        let last = append(
            &remote,
            &name,
            u64::from(path == "/events") + 1,
            r#"{"events":[7]}"#,
        );
        let last = last.await["changeset_id"].clone();
        let query = format!("{path}?checkpoint={start}&stream_prefix={}", encode(&name));
        let sent = take(&mut open(&remote, &query, Some(&id)).await, 1).await;
        assert_eq!(
            parsed(&sent[0]).2["changeset_id"],
            last,
            "G15: {path} behind {id}"
        );
    }
}

/// Data is one line, whatever white space the committed JSON has; strings keep theirs.
pub async fn send_data_on_one_line(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    if !has_event_streams(&remote).await {
        return;
    }
    let (start, name) = (end_of_log(&remote).await, unique("lines"));
    let event = "{\"a\" :\r\n[1.10,\n\t\"x\\ny  z\\u00e9\"]}";
    append(&remote, &name, 0, format!("{{\"events\":[{event}]}}")).await;
    harness.settle().await;
    for (path, ..) in CALLS {
        let query = format!("{path}?checkpoint={start}&stream_prefix={}", encode(&name));
        let sent = take(&mut open(&remote, &query, None).await, 1).await;
        let expected = event.replace(['\r', '\n'], " ");
        let data = &sent[0].data;
        assert!(data.contains(&expected), "G11: {path}: {data}");
    }
}

/// What a read refuses is refused before a stream begins, as JSON.
pub async fn refuse_what_reads_refuse(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    if !has_event_streams(&remote).await {
        return;
    }
    for (path, ..) in CALLS {
        for (query, last, code) in [
            ("checkpoint=x", None, "INVALID_CHECKPOINT"),
            ("checkpoint=0", Some("x"), "INVALID_CHECKPOINT"),
            ("checkpoint=0", Some("-1"), "INVALID_CHECKPOINT"),
            ("details=maybe", None, "INVALID_PARAMETER"),
            (
                "checkpoint=1152921504606846976",
                None,
                "CHECKPOINT_BEYOND_HEAD",
            ),
            (
                "checkpoint=0",
                Some("1152921504606846976"),
                "CHECKPOINT_BEYOND_HEAD",
            ),
        ] {
            let query = format!("{path}?{query}");
            let opened = remote.event_stream(&query, last).await;
            let answer = opened
                .err()
                .unwrap_or_else(|| panic!("G12: {query} is refused"));
            error(&answer, code);
        }
    }
}
