//! G14: the port that writes a copy of another store's order.

use ees_core::adapter::{Import, ImportOutcome};
use ees_core::{
    Checkpoint, Error, EventStore, Events, Expectation, GlobalPage, Json, NewChangeset, Receipt,
};

use super::scene::{Source, assert_all, at, import, micros, page, stored_from, take};
use crate::EvidenceHarness;
use crate::support::{events_of_size, store_over};

/// JSON that a parser would change.
const EVENTS: [&str; 6] = [
    "[\n  {\n    \"type\": \"init\",\r\n\t\"a\" : [1,  2]\n  },\n  {\"b\":null}\n]",
    "[{\"type\":\"ünï\",\"text\":\"\u{2028}\u{2029}\u{1f600}\\u0000\\/\\u00e9é\"}]",
    "[1.50e+10, -0, 1E400, 12345678901234567890.10]",
    r#"[{"a":1,"a":2,"type":"first","type":"last"}]"#,
    r#"[ "", " ", null, true, [], {} ]"#,
    r#"[{"type":"'quoted' \\\"\n$1"}]"#,
];

const METADATA: [&str; 5] = [
    "{}",
    "{ \"by\" :  \"\u{e4}\\u00e4\" }",
    "null",
    "[\n1 ,2.0]",
    r#"{"'":"\\"}"#,
];

/// Times out of order, and before 1970.
const TIMES: [i64; 5] = [
    1_700_000_000_123_456,
    -1,
    0,
    -2_208_988_800_000_001,
    4_102_444_800_000_000,
];

/// Payloads, ids, times, marks of sets and positions are those of the source.
pub async fn every_field_comes_back(harness: &mut dyn EvidenceHarness) {
    let mut source = Source::default();
    let streams = ["order-17", "Order-17", "\u{df}\u{1f600} x", "a/b?c", "'"];
    let keys = ["key", "KEY", "\u{e4}", "k'\"\\", "0"];
    for round in 0..12 {
        let added = source.add(streams[round % 5], EVENTS[round % 6]);
        added.metadata = Json::parse(METADATA[round % 5]).expect("JSON");
        added.timestamp = micros(TIMES[(round + round / 5) % 5]);
        if round % 3 == 0 {
            let key = format!("{}{round}", keys[round % 5]);
            added.commit_id = key.parse().expect("a key");
        }
    }
    for (place, stream) in (1..).zip(&streams[..3]) {
        let added = source.add(stream, EVENTS[0]);
        let mark = format!("{place}/3:{}", "0f".repeat(32));
        added.set = Some(mark.parse().expect("a mark"));
        added.commit_id = "of the set".parse().expect("a key");
    }
    import(harness, &source, 7).await;
    assert_all(harness, &source).await;
}

/// Commits a changeset, which must be the next of its stream.
async fn append(store: &EventStore, stream: &str, last: u64) -> Receipt {
    let expectation = Expectation::LastChangeset(last);
    let receipt = commit(store, stream, expectation, None, "[1]").await;
    let receipt = receipt.unwrap_or_else(|error| panic!("G14: `{stream}` goes on: {error}"));
    assert_eq!(receipt.changeset_id.get(), last + 1, "G3: the next one");
    receipt
}

async fn commit(
    store: &EventStore,
    stream: &str,
    expectation: Expectation,
    key: Option<&str>,
    events: &str,
) -> Result<Receipt, Error> {
    let events = Events::parse(events).expect("events");
    let mut asked = NewChangeset::new(stream.parse().expect("a stream id"), expectation, events);
    asked.idempotency_key = key.map(|key| key.parse().expect("a key"));
    store.commit(asked).await
}

/// Takes what was committed since into the source, as a copy of the store.
async fn take_over(harness: &dyn EvidenceHarness, source: &mut Source) {
    harness.settle().await;
    let added = stored_from(harness, source.end(), 1000).await;
    source.take(&page(&added));
}

/// An import goes on behind commits, also in their streams, and commits go on behind an import, with
/// the next ids and positions.
pub async fn commits_and_imports_take_turns(harness: &mut dyn EvidenceHarness) {
    let store = store_over(harness.storage());
    let mut source = Source::default();
    for round in 0..4 {
        let last = source.stream("both").len() as u64;
        if last > 0 {
            let outdated = Expectation::LastChangeset(last - 1);
            let refused = commit(&store, "both", outdated, None, "[2]").await;
            assert!(
                matches!(refused, Err(Error::Conflict(_))),
                "G2: the import counts, but the answer is {refused:?}"
            );
        }
        append(&store, "both", last).await;
        append(&store, &format!("committed-{round}"), 0).await;
        append(&store, "both", last + 1).await;
        take_over(harness, &mut source).await;
        assert_all(harness, &source).await;
        source.fill("both", 2);
        source.fill(&format!("imported-{round}"), 1);
        source.fill("import alone", 3);
        import(harness, &source, 4).await;
        assert_all(harness, &source).await;
    }
    append(&store, "import alone", 12).await;
    take_over(harness, &mut source).await;
    assert_all(harness, &source).await;
}

/// Asserts that a client's key stands in a changeset, for a repeat and for another content.
async fn assert_stands(store: &EventStore, number: u64, last: u64) {
    let key = format!("key-{number}");
    let expectation = Expectation::LastChangeset(last);
    let events = format!("[{number}]");
    let repeated = commit(store, "keyed", expectation, Some(&key), &events).await;
    let repeated = repeated.unwrap_or_else(|error| panic!("G10: `{key}` is recognised: {error}"));
    let told = (repeated.replayed, repeated.changeset_id.get());
    assert_eq!(told, (true, number), "G10: the changeset that has `{key}`");
    match commit(store, "keyed", expectation, Some(&key), r#"["other"]"#).await {
        Err(Error::IdempotencyKeyReused(stands)) => {
            assert_eq!(stands.changeset_id.get(), number, "G10: `{key}`");
        }
        answer => panic!("G10: `{key}` belongs to its changeset, but the answer is {answer:?}"),
    }
}

/// A client's key that was imported stands in its stream, also when the stream goes on.
pub async fn an_imported_key_stands(harness: &mut dyn EvidenceHarness) {
    let mut source = Source::default();
    for number in 1..=70 {
        let added = source.add("keyed", &format!("[{number}]"));
        // Every fifth has an id that the store generated.
        if number % 5 != 0 {
            added.commit_id = format!("key-{number}").parse().expect("a key");
        }
    }
    import(harness, &source, 50).await;
    let store = store_over(harness.storage());
    for number in [1, 31, 32, 33, 64, 66, 69] {
        assert_stands(&store, number, 70).await;
    }
    let elsewhere = commit(
        &store,
        "other",
        Expectation::NEW_STREAM,
        Some("key-1"),
        "[1]",
    )
    .await;
    let elsewhere = elsewhere.expect("G10: a key belongs to one stream");
    assert!(!elsewhere.replayed, "G10: a key belongs to one stream");
    for number in 71..=100 {
        let (last, key) = (
            Expectation::LastChangeset(number - 1),
            format!("key-{number}"),
        );
        let committed = commit(&store, "keyed", last, Some(&key), &format!("[{number}]")).await;
        let committed = committed.expect("G14: the stream goes on");
        assert_eq!(committed.changeset_id.get(), number, "G3: the next one");
    }
    for number in [1, 32, 33, 64, 66, 69, 71, 96, 97, 100] {
        assert_stands(&store, number, 100).await;
    }
}

async fn outcome(import: &dyn Import, from: Checkpoint, page: &GlobalPage) -> ImportOutcome {
    let outcome = import.import(from, page).await;
    outcome.expect("G14: an answer about the page")
}

/// A page elsewhere than at the end of the order is not stored. A page that was stored and is sent
/// again is not stored twice.
pub async fn a_page_goes_where_the_order_ends(harness: &mut dyn EvidenceHarness) {
    let mut source = Source::default();
    source.fill("a", 3);
    source.skip(4);
    source.fill("a", 3);
    let [first, second] = source
        .pages(Checkpoint::FIRST, 3)
        .try_into()
        .expect("two pages");
    let import = harness.import();
    let begun = import.begin_import().await.expect("G14: to begin");
    assert_eq!(begun, Checkpoint::FIRST, "G14: an empty store");
    for wrong in [at(3), at(7)] {
        let answer = outcome(&*import, wrong, &second).await;
        let expected = ImportOutcome::EndsAt(Checkpoint::FIRST);
        assert_eq!(answer, expected, "G14: the order does not end at {wrong}");
    }
    take(harness, Checkpoint::FIRST, &first).await;
    for (wrong, page) in [
        (at(0), &first),
        (at(2), &first),
        (at(4), &second),
        (at(7), &second),
    ] {
        let answer = outcome(&*import, wrong, page).await;
        assert_eq!(answer, ImportOutcome::EndsAt(at(3)), "G14: not at {wrong}");
        let found = stored_from(harness, Checkpoint::FIRST, 1000).await;
        assert_eq!(found, first.changesets, "G14: nothing was stored");
    }
    take(harness, at(3), &second).await;
    let again = outcome(&*import, at(3), &second).await;
    assert_eq!(again, ImportOutcome::EndsAt(at(10)), "G14: stored before");
    import.finish_import().await.expect("G14: to finish");
    import.finish_import().await.expect("G14: harmless");
    assert_all(harness, &source).await;
}

/// A changeset that does not follow the one before it in its stream is refused, with its page.
pub async fn what_does_not_follow_is_refused(harness: &mut dyn EvidenceHarness) {
    let mut source = Source::default();
    source.fill("known", 2);
    import(harness, &source, 10).await;
    let import = harness.import();
    let from = import.begin_import().await.expect("G14: to begin");
    let mut next = Source::default();
    next.take(&page(&source.changesets));
    next.fill("new", 1);
    next.fill("known", 1);
    next.fill("new", 1);
    let good = page(&next.within(from..next.end()));
    for (at, name) in [(1, "known"), (2, "new"), (0, "new")] {
        for (changeset, event) in [(1, 0), (0, 1), (1, 1)] {
            let mut bad = good.clone();
            let wrong = &mut bad.changesets[at];
            wrong.changeset_id = number_of(wrong.changeset_id.get() + changeset);
            wrong.first_event_id = number_of(wrong.first_event_id.get() + event);
            wrong.last_event_id = number_of(wrong.last_event_id.get() + event);
            refused(harness, from, &bad, name).await;
        }
    }
    let mut again = good.clone();
    again.changesets[1].changeset_id = number_of(2);
    refused(harness, from, &again, "known").await;
    assert_all(harness, &source).await;
    take(harness, from, &good).await;
    import.finish_import().await.expect("G14: to finish");
    assert_all(harness, &next).await;
}

fn number_of<T: TryFrom<u64>>(number: u64) -> T {
    T::try_from(number).ok().expect("an id")
}

async fn refused(harness: &dyn EvidenceHarness, from: Checkpoint, page: &GlobalPage, stream: &str) {
    match outcome(&*harness.import(), from, page).await {
        ImportOutcome::Refused(text) => {
            assert!(text.contains(stream), "G14: it names `{stream}`: {text}");
        }
        answer => panic!("G14: changesets of `{stream}` do not follow, but: {answer:?}"),
    }
    let end = harness.storage().next_checkpoint().await;
    assert_eq!(end.ok(), Some(from), "G14: nothing was stored");
}

/// Commits go behind the last imported position, however many before it are void.
pub async fn no_commit_gets_a_void_position(harness: &mut dyn EvidenceHarness) {
    let mut source = Source::default();
    for round in 0..3 {
        source.skip(3);
        source.fill("a", 2);
        source.skip(7);
        source.fill("b", 1);
        import(harness, &source, 2).await;
        let store = store_over(harness.storage());
        let end = store.next_checkpoint().await.expect("G14: an end");
        assert_eq!(end, source.end(), "G6: the end");
        let own = format!("own-{round}");
        append(&store, &own, 0).await;
        append(&store, "a", source.stream("a").len() as u64).await;
        harness.settle().await;
        let found = stored_from(harness, end, 10).await;
        let positions = found.iter().map(|one| one.checkpoint);
        let positions: Vec<_> = positions.collect();
        assert_eq!(positions, [Some(end), Some(end.plus(1))], "G6: behind it");
        take_over(harness, &mut source).await;
        assert_all(harness, &source).await;
    }
}

/// A page may have 1000 changesets, and one changeset may be as large as a commit's.
pub async fn the_largest_pages_are_taken(harness: &mut dyn EvidenceHarness) {
    let mut source = Source::default();
    for number in 0..1000 {
        source.fill(&format!("stream-{}", number * 7 % 300), 1);
    }
    let most = harness.capabilities().max_changeset_bytes;
    // The metadata has two bytes.
    source.add("large", &events_of_size(most - 2));
    source.fill("large", 1);
    let import = harness.import();
    let from = import.begin_import().await.expect("G14: to begin");
    let many = page(&source.within(from..at(1000)));
    take(harness, from, &many).await;
    take(harness, at(1000), &page(&source.within(at(1000)..at(1001)))).await;
    take(harness, at(1001), &page(&source.within(at(1001)..at(1002)))).await;
    import.finish_import().await.expect("G14: to finish");
    assert_all(harness, &source).await;
}

/// An import that is begun again after a restart goes on behind what is durable.
pub async fn an_import_goes_on_after_a_restart(harness: &mut dyn EvidenceHarness) {
    let mut source = Source::default();
    source.skip(1);
    source.fill("a", 3);
    source.skip(2);
    source.fill("b", 2);
    let add_key = source.add("b", "[1]");
    add_key.commit_id = "key".parse().expect("a key");
    source.fill("a", 1);
    let first = source.pages(Checkpoint::FIRST, 4).remove(0);
    let begun = harness.import().begin_import().await;
    take(harness, begun.expect("G14: to begin"), &first).await;
    harness.restart().await;
    let durable = harness.capabilities().durable;
    let begun = harness
        .import()
        .begin_import()
        .await
        .expect("G14: to begin");
    let expected = if durable {
        first.next
    } else {
        Checkpoint::FIRST
    };
    assert_eq!(begun, expected, "G4: where the import goes on");
    import(harness, &source, 2).await;
    assert_all(harness, &source).await;
    harness.restart().await;
    if !durable {
        assert_eq!(
            stored_from(harness, at(0), 10).await,
            [],
            "G4: nothing is kept"
        );
        return;
    }
    assert_all(harness, &source).await;
    let store = store_over(harness.storage());
    append(&store, "a", 4).await;
    let repeated = commit(
        &store,
        "b",
        Expectation::LastChangeset(2),
        Some("key"),
        "[1]",
    )
    .await;
    assert!(
        repeated.is_ok_and(|one| one.replayed),
        "G10: the key stands"
    );
}

/// The names of saved checkpoints, by their bytes, each once, in pages.
pub async fn subscriptions_are_listed_in_order(harness: &mut dyn EvidenceHarness) {
    let (storage, import) = (harness.storage(), harness.import());
    let none = import.subscriptions("").await;
    assert_eq!(none.ok(), Some(Vec::new()), "G14: none was saved");
    let mut names = [
        "b", "a", "Z", "a.b", "a-b", "\u{e4}", "0", "aa", "a/b", "z z",
    ]
    .map(str::to_owned);
    for name in &names {
        for position in [1, 2] {
            let saved = storage.save_checkpoint(name, at(position)).await;
            saved.expect("G6: to save a checkpoint");
        }
    }
    names.sort_unstable();
    let mut after = String::new();
    let mut listed = Vec::new();
    loop {
        let page = import.subscriptions(&after).await.expect("G14: to list");
        let Some(last) = page.last() else { break };
        after.clone_from(last);
        listed.extend(page);
        assert!(listed.len() <= names.len(), "G14: each once: {listed:?}");
    }
    assert_eq!(listed, names, "G14: all, in their order");
    for (at, name) in names.iter().enumerate() {
        let rest = import.subscriptions(name).await.expect("G14: to list");
        assert_eq!(rest, names[at + 1..], "G14: those after `{name}`");
    }
    let between = import.subscriptions("a0").await.expect("G14: to list");
    assert_eq!(between, ["aa", "b", "z z", "\u{e4}"], "G14: after no name");
}
