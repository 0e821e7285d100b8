//! G11: reads return the committed bytes.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::Harness;
use crate::subject::{Ask, Expect, unique};
use crate::support::{
    CONFLICT, commit, end_of_log, event_log, events, fill, head, log, of_streams, split, stream,
    stream_events,
};

/// Values that change, or fail, if a program parses and serialises them again.
const VALUES: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-0.0",
    "1.10",
    "1e2",
    "1E400",
    "1E+2",
    "-1.5e-300",
    "123456789012345678901234567890",
    "18446744073709551616",
    "9007199254740993",
    "0.1000000000000000055511151231257827021181583404541015625",
    "\"\"",
    "[]",
    "{}",
    "[[]]",
    r#"{"":{"":""}}"#,
    r#"{"b":1,"a":2,"c":3}"#,
    r#"{"a":1,"a":2,"a":1}"#,
    r#"{"10":1,"9":2}"#,
    r#""\u0000\u001f\u007f""#,
    r#""\/\\\"\b\f\n\r\t""#,
    r#""\ud83d\ude00 \u00e9 \u00E9""#,
    r#""\u2028\u2029""#,
    "\"\u{2028}\u{2029}\u{feff}\u{7f}\"",
    "\"é e\u{301} 日本 😀 👩‍👩‍👧\"",
    "\"\u{fffd}\u{ffff}\u{10ffff}\"",
    r#""</script> <!-- & ' %00 ${x} {{x}}""#,
    r#""'; it''s \\' $1], ARRAY[' --""#,
    r#"{"S":"x","N":"1","M":{},"NULL":true}"#,
    r#"{"$ref":1,"__proto__":2,"toString":3}"#,
    "{ \"a\" : [ 1 , 2 ] ,\n\t\"b\" :\r\n null }",
    "[ ]",
    "{\n}",
];

/// Commits events and metadata to a new stream and reads them back in every way.
async fn comes_back(harness: &dyn Harness, events: &[String], metadata: Option<&str>) {
    let subject = harness.subject();
    let (start, name) = (end_of_log(&*subject).await, unique("fidelity"));
    let array = format!("[{}]", events.join(" ,\n"));
    let mut ask = Ask::new(&name, Expect::Changeset(0)).events(&array);
    ask.metadata = metadata.map(str::to_owned);
    commit(&*subject, &ask).await;
    harness.settle().await;
    let metadata = metadata.unwrap_or("{}");
    let placed = of_streams(
        &log(&*subject, start, 100).await,
        std::slice::from_ref(&name),
    );
    for found in stream(&*subject, &name).await.iter().chain(&placed) {
        assert_eq!(found.events, array, "G11: events");
        assert_eq!(found.metadata, metadata, "G11: metadata");
    }
    assert_eq!(placed.len(), 1, "G6: placed");
    let single = stream_events(&*subject, &name).await.into_iter();
    let single: Vec<String> = single.map(|event| event.data).collect();
    assert_eq!(single, events, "G11: each event of the stream");
    let mut placed = event_log(&*subject, (start, 0), 100).await;
    placed.retain(|event| event.stream == name);
    let placed: Vec<String> = placed.into_iter().map(|event| event.data).collect();
    assert_eq!(placed, events, "G11: each event of the global order");
}

/// Numbers, strings, objects and white space as they were written.
pub async fn values_keep_their_bytes(harness: &mut dyn Harness) {
    let values: Vec<String> = VALUES.iter().map(|&value| value.to_owned()).collect();
    comes_back(harness, &values, None).await;
}

/// So does metadata, which may be any value; `null` is not the same as none.
pub async fn metadata_keeps_its_bytes(harness: &mut dyn Harness) {
    let events = ["1".to_owned()];
    comes_back(harness, &events, None).await;
    for value in VALUES {
        comes_back(harness, &events, Some(value)).await;
    }
}

/// The changesets in a conflict have the committed bytes too.
pub async fn a_conflict_tells_the_same_bytes(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let name = unique("told");
    let array = format!("[{}]", VALUES.join(", "));
    let ask = Ask::new(&name, Expect::Changeset(0)).events(&array);
    let ask = ask.metadata(r#"{"b": 1E400, "a":-0}"#);
    commit(&*subject, &ask).await;
    let failure = subject.commit(&ask).await.expect_err("G2: no key");
    assert_eq!(failure.code, CONFLICT, "G2: outdated");
    let told = failure
        .forthcoming
        .expect("G2: the conflict lists changesets")
        .items;
    assert_eq!(told[0].events, array, "G11: events");
    assert_eq!(told[0].metadata, r#"{"b": 1E400, "a":-0}"#, "G11: metadata");
}

/// Values may be nested to 100 levels.
pub async fn a_hundred_levels_of_nesting(harness: &mut dyn Harness) {
    let arrays = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let objects = format!("{}1{}", r#"{"k":"#.repeat(100), "}".repeat(100));
    let mixed = format!("{}0{}", r#"[{"k":"#.repeat(50), "}]".repeat(50));
    for metadata in [&arrays, &objects, &mixed] {
        let events = [arrays.clone(), objects.clone(), mixed.clone()];
        comes_back(harness, &events, Some(metadata)).await;
    }
}

/// A changeset may have many events, and each is still itself.
pub async fn a_thousand_events(harness: &mut dyn Harness) {
    comes_back(harness, &split(&events("many", 1000)), None).await;
}

/// Random JSON.
pub async fn any_json_keeps_its_bytes(harness: &mut dyn Harness) {
    let changesets = {
        let mut random = TestRunner::default();
        let changesets = (prop::collection::vec(json(), 12), json());
        let changesets = prop::collection::vec(changesets, 4);
        changesets.new_tree(&mut random).expect("JSON").current()
    };
    for (events, metadata) in changesets {
        comes_back(harness, &events, Some(&metadata)).await;
    }
}

fn json() -> impl Strategy<Value = String> {
    let string = || any::<String>().prop_map(|text| serde_json::to_string(&text).expect("text"));
    let leaf = prop_oneof![
        any::<i128>().prop_map(|number| number.to_string()),
        prop::num::f64::NORMAL.prop_map(|number| format!("{number:?}")),
        (any::<i16>(), any::<u16>(), any::<i8>()).prop_map(|(a, b, c)| format!("{a}.{b}E{c}")),
        string(),
        Just("null".to_owned()),
    ];
    let space = || prop::sample::select(vec!["", " ", "\n", "\t ", "\r\n"]);
    leaf.prop_recursive(5, 40, 6, move |inner| {
        let array = (prop::collection::vec(inner.clone(), 0..6), space());
        let field = (string(), space(), inner).prop_map(|(k, s, v)| format!("{k}{s}:{s}{v}"));
        let object = (prop::collection::vec(field, 0..6), space());
        prop_oneof![
            array.prop_map(|(items, s)| format!("[{s}{}{s}]", items.join(&format!("{s},{s}")))),
            object.prop_map(|(fields, s)| format!("{{{s}{}{s}}}", fields.join(&format!("{s},")))),
        ]
    })
}

/// All calls return the same time of a commit, in UTC.
pub async fn times_are_told_the_same_everywhere(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (start, name) = (end_of_log(&*subject).await, unique("time"));
    let told = fill(&*subject, &name, &[1, 2, 1]).await;
    harness.settle().await;
    let told: Vec<String> = told.into_iter().map(|c| c.timestamp).collect();
    assert!(told.iter().all(|time| time.ends_with('Z')), "G11: {told:?}");
    let end = head(&*subject, &name).await.last_timestamp;
    assert_eq!(Some(&end), told.last(), "G11: the head");
    let found = stream(&*subject, &name).await.into_iter();
    assert!(
        found.map(|c| c.timestamp).eq(told.clone()),
        "G11: the stream"
    );
    let found = of_streams(&log(&*subject, start, 100).await, &[name]);
    let found = found.into_iter().map(|c| c.timestamp);
    assert!(found.eq(told), "G11: the global order");
}
