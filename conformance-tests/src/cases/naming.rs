//! G11: a stream's id is kept byte for byte, and is never taken for another.

use crate::Harness;
use crate::subject::{Ask, Expect, Subject, unique};
use crate::support::{AHEAD, CONFLICT, commit, end_of_log, events, head, log, of_streams, stream};

/// Beginnings of names that a program which unescapes, normalises or splits them would change.
const NAMES: &[&str] = &[
    "a/b",
    "/",
    "//",
    "a/",
    "%",
    "%2F",
    "%00",
    "%zz",
    "?",
    "?a=b&c",
    "#",
    "\"",
    "'",
    "\\",
    "+",
    "&",
    "=",
    ";",
    ":",
    "@",
    ",",
    "<b>",
    "{}",
    "[]",
    "|",
    "^",
    "`",
    "~",
    "*",
    "!!!reserved",
    "./x",
    "../x",
    "x/../y",
    "x/./y",
    "a b",
    "é",
    "e\u{301}",
    "É",
    "日本",
    "😀",
    "\u{feff}",
    "\u{200b}",
    "A",
    "a",
    "\u{10ffff}",
    "changesets",
    "events",
    "x/changesets",
    "0",
    "null",
    "'; DROP TABLE changesets; --",
    "_",
    "%_",
];

/// Stream ids may be anything printable; none is taken for another.
pub async fn stream_ids_keep_their_bytes(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (start, mark) = (end_of_log(&*subject).await, unique(""));
    let names: Vec<String> = NAMES
        .iter()
        .map(|name| format!("{name}{mark}"))
        .chain([
            format!("{mark} "),
            format!(" {mark}"),
            format!("{mark}."),
            format!("{mark}/.."),
        ])
        .chain([format!("é{}{mark}", "x".repeat(1022 - mark.len()))])
        .collect();
    for name in &names {
        let ask = Ask::new(name, Expect::Changeset(0));
        let committed = commit(
            &*subject,
            &ask.events(serde_json::json!([name]).to_string()),
        )
        .await;
        assert_eq!(committed.stream, *name, "G11: the answer");
    }
    harness.settle().await;
    let placed = of_streams(&log(&*subject, start, 1000).await, &names);
    assert_eq!(placed.len(), names.len(), "G11: each stream id is separate");
    for name in &names {
        assert_eq!(head(&*subject, name).await.last_changeset, 1, "G11: {name}");
        let own = serde_json::json!([name]).to_string();
        let found = stream(&*subject, name).await;
        assert_eq!(found[0].events, own, "G11: the stream `{name}`");
        let placed = placed.iter().find(|c| c.stream == *name);
        let placed = placed.unwrap_or_else(|| panic!("G11: `{name}` in the global order"));
        assert_eq!(placed.events, own, "G11: `{name}` in the global order");
    }
}

/// Not even `.` and `..` are special. There is only one stream of each name, so others may have
/// written to it.
pub async fn dots_are_stream_ids(harness: &mut dyn Harness) {
    let subject = harness.subject();
    for name in [".", "..", "..."] {
        let mark = unique("dots");
        let id = append(&*subject, name, &events(&mark, 1)).await;
        let found = stream(&*subject, name).await;
        let found = found.iter().find(|c| c.changeset_id == id);
        let found = found.unwrap_or_else(|| panic!("G11: the stream `{name}`"));
        assert_eq!(found.events, events(&mark, 1), "G11: the stream `{name}`");
        assert_eq!(found.stream, name, "G11: its name");
    }
}

/// Appends at a stream's end, wherever that is.
async fn append(subject: &dyn Subject, name: &str, events: &str) -> u64 {
    loop {
        let last = subject.head(name).await.map_or(0, |end| end.last_changeset);
        let ask = Ask::new(name, Expect::Changeset(last)).events(events);
        match subject.commit(&ask).await {
            Ok(committed) => return committed.changeset_id,
            Err(failure) => assert!(
                [CONFLICT, AHEAD].contains(&failure.code.as_str()),
                "G11: the stream `{name}`: {failure:?}"
            ),
        }
    }
}
