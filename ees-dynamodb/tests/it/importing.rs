//! G14: importing the order of another store: what only DynamoDB can get wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::Client;
use ees_core::adapter::{Import, ImportOutcome, Index, Outcome, Refusal, Storage};
use ees_core::indexer::Indexer;
use ees_core::{
    Changeset, ChangesetId, CheckpointStore, CommitId, EventId, Events, GlobalPage, Json,
    StorageError, StreamId, Timestamp,
};
use ees_dynamodb::admin::{AdminError, Options};
use ees_dynamodb::{DynamoConfig, DynamoStorage};
use ees_dynamodb_testkit::{Call, Emulator, Fate, Plan, Proxy};

use crate::failing::length;
use crate::order::{admin, at, entry, key, order};
use crate::store::{Layout, WithoutLocalIndexes, asked, commit, config, create, open, sdk, sweep};

/// A changeset of one event at a position. Each stream has a changeset for each of its events.
pub(crate) fn changeset(position: u64, stream: &str, id: u64) -> Changeset {
    Changeset {
        stream_id: StreamId::new(stream).unwrap(),
        changeset_id: ChangesetId::new(id).unwrap(),
        first_event_id: EventId::new(id).unwrap(),
        last_event_id: EventId::new(id).unwrap(),
        timestamp: Timestamp::from_micros(1_700_000_000_000_000).unwrap(),
        commit_id: CommitId::new(&format!("key {id}")).unwrap(),
        set: None,
        events: Events::parse("[ 1 ]").unwrap(),
        metadata: Json::default(),
        checkpoint: Some(at(position)),
    }
}

pub(crate) fn page(changesets: Vec<Changeset>) -> GlobalPage {
    let last = changesets.last().unwrap().checkpoint.unwrap();
    GlobalPage {
        next: last.plus(1),
        changesets,
    }
}

fn refusal(outcome: ImportOutcome) -> String {
    match outcome {
        ImportOutcome::Refused(refusal) => refusal,
        outcome => panic!("{outcome:?}"),
    }
}

pub(crate) async fn begun(storage: &DynamoStorage, from: u64) {
    assert_eq!(storage.begin_import().await.unwrap(), at(from));
}

pub(crate) async fn imported(storage: &DynamoStorage, from: u64, page: &GlobalPage) {
    let outcome = storage.import(at(from), page).await.unwrap();
    assert_eq!(outcome, ImportOutcome::Imported);
}

fn said(error: &StorageError, what: &str) {
    let is_it = matches!(error, StorageError::Unavailable { .. });
    assert!(is_it && error.to_string().contains(what), "{error}");
}

/// The ids of the items of the analysis table that an import makes.
async fn records(config: &DynamoConfig) -> Vec<String> {
    let client = Client::new(&sdk(config).await);
    let scan = client.scan().table_name(&config.analysis_table);
    let items = scan.send().await.unwrap().items.unwrap();
    let ids = items
        .iter()
        .map(|item| item["projection_id"].as_s().unwrap().clone());
    ids.filter(|id| id.starts_with("ees:import:")).collect()
}

/// Passes so many calls. The next one is answered or not, and all others are refused.
struct Kill {
    left: AtomicU64,
    last: Fate,
}

impl Plan for Kill {
    fn begin(&self, _: &mut Call) -> Fate {
        let take = |left: u64| left.checked_sub(1);
        let left = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take);
        match left {
            Err(_) => Fate::Refused(400, "ValidationException"),
            Ok(1) => self.last,
            Ok(_) => Fate::Through,
        }
    }
}

/// Imports two pages through a process that dies at its `calls`th call. Returns whether it lived.
async fn import_until(config: &DynamoConfig, calls: u64, last: Fate) -> bool {
    let kill = Arc::new(Kill {
        left: AtomicU64::new(u64::MAX),
        last,
    });
    let endpoint = config.endpoint.url.clone().unwrap();
    let proxy = Proxy::start(&endpoint, Arc::clone(&kill) as _).await;
    let proxy = proxy.unwrap();
    let mut config = config.clone();
    config.endpoint.url = Some(proxy.endpoint.clone());
    let storage = open(&config).await;
    kill.left.store(calls, Ordering::SeqCst);
    import_all(&storage).await.is_ok()
}

/// Imports what is missing of two pages.
async fn import_all(storage: &DynamoStorage) -> Result<(), StorageError> {
    let pages = [
        page(vec![
            changeset(1, "a", 1),
            changeset(2, "b", 1),
            changeset(5, "a", 2),
        ]),
        page(vec![changeset(6, "a", 3), changeset(9, "c", 1)]),
    ];
    let mut from = storage.begin_import().await?;
    for page in &pages {
        if page.next <= from {
            continue;
        }
        let outcome = storage.import(from, page).await?;
        assert_eq!(outcome, ImportOutcome::Imported);
        from = page.next;
    }
    storage.finish_import().await
}

fn all() -> Vec<(u64, String, u64)> {
    vec![
        entry(1, "a", 1),
        entry(2, "b", 1),
        entry(5, "a", 2),
        entry(6, "a", 3),
        entry(9, "c", 1),
    ]
}

/// After an import: its keys stand, commits go on behind it, and what it recorded is gone.
async fn check_finished(config: &DynamoConfig) {
    let storage = open(config).await;
    for from in 0..=10 {
        let wanted: Vec<_> = all().into_iter().filter(|one| one.0 >= from).collect();
        assert_eq!(order(&storage, from).await, wanted, "from {from}");
    }
    assert_eq!(records(config).await, [""; 0]);
    let mut again = asked("a", 0);
    again.commit_id = CommitId::new("key 2").unwrap();
    let outcome = storage.commit(&again).await.unwrap();
    let stands = Refusal::KeyStands(ChangesetId::new(2).unwrap());
    assert_eq!(outcome, Outcome::Refused(stands));
    commit(&storage, "a", 3).await;
    sweep(Arc::clone(&storage) as Arc<dyn Index>).await;
    assert_eq!(order(&storage, 6).await.last(), Some(&entry(10, "a", 4)));
}

/// What an import leaves that was given up: whole pages, and nothing else.
async fn give_up(storage: &DynamoStorage, config: &DynamoConfig, seen: usize) {
    storage.finish_import().await.unwrap();
    assert_eq!(records(config).await, [""; 0]);
    let end = storage.next_checkpoint().await.unwrap();
    let last = all()[..seen].last().map_or(0, |last| last.0 + 1);
    assert_eq!(end, at(last));
    let pages = [0, 3, 5].iter().position(|length| *length == seen).unwrap();
    for (stream, ids) in [("a", [0, 2, 3]), ("b", [0, 1, 1]), ("c", [0, 0, 1])] {
        assert_eq!(length(storage, stream).await, ids[pages], "{stream}");
    }
}

/// A killed import goes on where it was, wherever it was killed, also if its last call was carried
/// out, and also if it was given up first. Until then no reader sees a part of a page.
#[tokio::test]
async fn an_import_is_killed_at_every_call() {
    let emulator = Emulator::start().expect("an emulator");
    let mut lived = false;
    for calls in 1.. {
        if lived {
            assert!(calls > 30, "it died at few calls: {calls}");
            return;
        }
        let last = if calls % 4 < 2 {
            Fate::Through
        } else {
            Fate::Unanswered
        };
        let config = config(emulator.endpoint());
        WithoutLocalIndexes::create(&config).await;
        lived = import_until(&config, calls, last).await;
        let storage = open(&config).await;
        let seen = order(&storage, 0).await;
        assert!([0, 3, 5].contains(&seen.len()), "{calls}: {seen:?}");
        assert_eq!(seen, all()[..seen.len()], "{calls}");
        if calls % 2 == 1 {
            give_up(&storage, &config, seen.len()).await;
        }
        import_all(&storage).await.unwrap();
        check_finished(&config).await;
    }
}

/// G6: voids that cross pages of the index, at the beginning of one and over whole ones, and a range
/// that grows with the next page of the import.
#[tokio::test]
async fn voids_are_passed_by_every_reader() {
    let emulator = Emulator::start().expect("an emulator");
    let config = config(emulator.endpoint());
    WithoutLocalIndexes::create(&config).await;
    let storage = open(&config).await;
    begun(&storage, 0).await;
    imported(&storage, 0, &page(vec![changeset(3, "a", 1)])).await;
    let more = vec![changeset(5, "a", 2), changeset(14, "a", 3)];
    imported(&storage, 4, &page(more)).await;
    imported(&storage, 15, &page(vec![changeset(17, "b", 1)])).await;
    let wanted = [
        entry(3, "a", 1),
        entry(5, "a", 2),
        entry(14, "a", 3),
        entry(17, "b", 1),
    ];
    // Of the importing process, and of one that reads the recorded voids.
    for storage in [Arc::clone(&storage), open(&config).await] {
        for from in 0..=18 {
            let from_there = wanted.iter().filter(|one| one.0 >= from);
            let from_there: Vec<_> = from_there.cloned().collect();
            assert_eq!(order(&storage, from).await, from_there, "from {from}");
        }
    }
    storage.finish_import().await.unwrap();
    let status = admin(&config).await.status().await.unwrap();
    assert_eq!((status.voids, status.next), (14, at(18)));
    // What an operator rebuilds agrees.
    let replace = Options {
        replace: true,
        ..Options::default()
    };
    let rebuilt = admin(&config).await.rebuild_index(replace).await.unwrap();
    assert_eq!(rebuilt.voids, [(0, 2), (4, 4), (6, 13), (15, 16)]);
}

/// More void ranges than one item takes. Only the items that change are written.
#[tokio::test]
async fn many_voids_are_recorded() {
    let emulator = Emulator::start().expect("an emulator");
    let config = config(emulator.endpoint());
    create(&config).await;
    let storage = open(&config).await;
    begun(&storage, 0).await;
    imported(&storage, 0, &page(vec![changeset(9_998, "a", 1)])).await;
    // Thousands of changesets would be slow, so that most ranges are recorded by hand.
    let ranges = (0..4_999_u64).flat_map(|n| [2 * n, 2 * n]);
    let ranges = ranges.map(|n| aws_sdk_dynamodb::types::AttributeValue::N(n.to_string()));
    let client = Client::new(&sdk(&config).await);
    let put = client.put_item().table_name(&config.analysis_table);
    let id = aws_sdk_dynamodb::types::AttributeValue::S("ees:void:0".to_owned());
    let put = put.item("projection_id", id);
    let ranges = aws_sdk_dynamodb::types::AttributeValue::L(ranges.collect());
    put.item("ranges", ranges).send().await.unwrap();
    let more = vec![changeset(10_001, "a", 2), changeset(10_003, "a", 3)];
    imported(&storage, 9_999, &page(more)).await;
    imported(&storage, 10_004, &page(vec![changeset(10_006, "a", 4)])).await;
    storage.finish_import().await.unwrap();
    let voids = admin(&config).await.status().await.unwrap().voids;
    assert_eq!(voids, 4_999 + 2 + 1 + 2);
    let order = order(&*open(&config).await, 9_998).await;
    let wanted = [
        entry(9_998, "a", 1),
        entry(10_001, "a", 2),
        entry(10_003, "a", 3),
        entry(10_006, "a", 4),
    ];
    assert_eq!(order, wanted);
}

/// While an import is under way nothing else is stored, by anybody who has looked at the state.
#[tokio::test]
async fn commits_and_indexers_wait_for_an_import() {
    let emulator = Emulator::start().expect("an emulator");
    let config = config(emulator.endpoint());
    create(&config).await;
    let stale = open(&config).await;
    let importer = open(&config).await;
    begun(&importer, 0).await;
    imported(&importer, 0, &page(vec![changeset(0, "a", 1)])).await;
    let opened = open(&config).await;
    for storage in [&importer, &opened] {
        let error = storage.commit(&asked("b", 0)).await.unwrap_err();
        said(&error, "an import is under way");
        let set = crate::sets::set(&[("b", 0), ("c", 0)], &[]);
        let error = storage.commit_set(&set).await.unwrap_err();
        said(&error, "accepts no commits");
    }
    // A process that was open before knows of it once it has looked.
    commit(&stale, "b", 0).await;
    let mut indexer = Indexer::new(Arc::clone(&stale) as Arc<dyn Index>);
    let failed = indexer.index([key("b", 1)]).await.unwrap_err();
    said(&failed.source, "assigns no positions");
    let error = stale.commit(&asked("b", 1)).await.unwrap_err();
    said(&error, "an import is under way");
    let replace = Options {
        replace: true,
        ..Options::default()
    };
    let error = admin(&config).await.rebuild_index(replace).await;
    assert!(matches!(error, Err(AdminError::Importing)));
    assert!(admin(&config).await.status().await.unwrap().importing);

    importer.finish_import().await.unwrap();
    importer.finish_import().await.unwrap();
    for (last, storage) in (1..).zip([&opened, &importer]) {
        commit(storage, "b", last).await;
    }
    sweep(Arc::clone(&stale) as Arc<dyn Index>).await;
    let wanted = [
        entry(0, "a", 1),
        entry(1, "b", 1),
        entry(2, "b", 2),
        entry(3, "b", 3),
    ];
    assert_eq!(order(&stale, 0).await, wanted, "what was committed stands");
}

/// What a stale process wrote meanwhile is found, and nothing of the page is stored.
#[tokio::test]
async fn an_import_does_not_write_over_a_commit() {
    let emulator = Emulator::start().expect("an emulator");
    let config = config(emulator.endpoint());
    create(&config).await;
    let stale = open(&config).await;
    let storage = open(&config).await;
    begun(&storage, 0).await;
    commit(&stale, "b", 0).await;
    let both = page(vec![changeset(0, "a", 1), changeset(1, "b", 1)]);
    let said = refusal(storage.import(at(0), &both).await.unwrap());
    assert!(said.contains("changeset 1 of stream `b` exists"), "{said}");
    assert_eq!(length(&storage, "a").await, 0);
    assert_eq!(storage.next_checkpoint().await.unwrap(), at(0));
    let behind = page(vec![changeset(0, "b", 2)]);
    let said = refusal(storage.import(at(0), &behind).await.unwrap());
    assert!(said.contains("changeset 1 of stream `b` has no position"));
    let hole = page(vec![changeset(0, "b", 4)]);
    let said = refusal(storage.import(at(0), &hole).await.unwrap());
    assert!(said.contains("the stream ends with changeset 1 and event 1"));
    let mut large = changeset(0, "a", 1);
    let text = "x".repeat(storage.max_changeset_bytes());
    large.events = Events::of(&[text]).unwrap();
    let said = refusal(storage.import(at(0), &page(vec![large])).await.unwrap());
    assert!(said.contains("changeset 1 of stream `a` has 4"), "{said}");
    let descends = vec![changeset(1, "a", 1), changeset(0, "a", 2)];
    let descends = GlobalPage {
        changesets: descends,
        next: at(1),
    };
    let said = refusal(storage.import(at(0), &descends).await.unwrap());
    assert!(said.contains("changeset 2 of stream `a` has no position from 2 on"));
    imported(&storage, 0, &page(vec![changeset(0, "a", 1)])).await;
    storage.finish_import().await.unwrap();
    sweep(Arc::clone(&storage) as Arc<dyn Index>).await;
    let wanted = [entry(0, "a", 1), entry(1, "b", 1)];
    assert_eq!(order(&storage, 0).await, wanted);
}

/// An import begins only where every changeset has its position. What was promised is written first.
#[tokio::test]
async fn an_import_begins_behind_what_is_indexed() {
    let emulator = Emulator::start().expect("an emulator");
    let config = config(emulator.endpoint());
    create(&config).await;
    let storage = open(&config).await;
    let error = storage
        .import(at(0), &page(vec![changeset(0, "a", 1)]))
        .await;
    said(&error.unwrap_err(), "no import has begun");
    commit(&storage, "a", 0).await;
    commit(&storage, "b", 0).await;
    let error = storage.begin_import().await.unwrap_err();
    said(&error, "has no position in the global order yet");
    commit(&storage, "c", 0).await;
    let state = storage.load_state().await.unwrap();
    let next = state.reserve(vec![key("b", 1), key("a", 1)]);
    assert!(storage.swap_state(state.rev, &next).await.unwrap());
    let error = storage.begin_import().await.unwrap_err();
    said(&error, "changeset 1 of stream `c` has no position");
    sweep(Arc::clone(&storage) as Arc<dyn Index>).await;
    begun(&storage, 3).await;
    let behind = vec![changeset(3, "a", 2), changeset(4, "d", 1)];
    imported(&storage, 3, &page(behind)).await;
    storage.finish_import().await.unwrap();
    let wanted = [
        entry(0, "b", 1),
        entry(1, "a", 1),
        entry(2, "c", 1),
        entry(3, "a", 2),
        entry(4, "d", 1),
    ];
    assert_eq!(order(&storage, 0).await, wanted);
}

/// Of two imports the one that began last goes on.
#[tokio::test]
async fn an_import_that_was_taken_over_fails() {
    let emulator = Emulator::start().expect("an emulator");
    let mut config = config(emulator.endpoint());
    create(&config).await;
    let taken_over = Arc::new(TakeOver {
        config: config.clone(),
    });
    let proxy = Proxy::start(emulator.endpoint(), taken_over).await.unwrap();
    let other = open(&config).await;
    config.endpoint.url = Some(proxy.endpoint.clone());
    let storage = open(&config).await;
    begun(&storage, 0).await;
    let only = page(vec![changeset(0, "a", 1)]);
    let error = storage.import(at(0), &only).await.unwrap_err();
    said(&error, "another import is running");
    imported(&other, 0, &only).await;
    other.finish_import().await.unwrap();
    assert_eq!(order(&other, 0).await, [entry(0, "a", 1)]);
}

/// Another import begins when a changeset is written.
struct TakeOver {
    config: DynamoConfig,
}

impl Plan for TakeOver {
    fn begin(&self, call: &mut Call) -> Fate {
        let table = call.asked["TableName"].as_str();
        if call.operation == "PutItem" && table == Some(self.config.events_table.as_str()) {
            let config = self.config.clone();
            let begins = std::thread::spawn(move || {
                let runtime = tokio::runtime::Runtime::new().unwrap();
                runtime.block_on(async { open(&config).await.begin_import().await.unwrap() })
            });
            begins.join().unwrap();
        }
        Fate::Through
    }
}

/// Names are in the order of their bytes, and what is no subscription is none.
#[tokio::test]
async fn subscriptions_are_listed() {
    let emulator = Emulator::start().expect("an emulator");
    let config = config(emulator.endpoint());
    create(&config).await;
    let storage = open(&config).await;
    begun(&storage, 0).await;
    imported(&storage, 0, &page(vec![changeset(0, "a", 1)])).await;
    assert_eq!(storage.subscriptions("").await.unwrap(), [""; 0]);
    for name in ["b", "ü", "a:b", "a"] {
        storage.save_checkpoint(name, at(3)).await.unwrap();
    }
    let all = storage.subscriptions("").await.unwrap();
    assert_eq!(all, ["a", "a:b", "b", "ü"]);
    let rest = storage.subscriptions("a:b").await.unwrap();
    assert_eq!(rest, ["b", "ü"]);
}
