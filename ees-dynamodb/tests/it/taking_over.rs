//! Taking over a table of the Python original.

use std::future::ready;
use std::sync::Arc;

use ees_core::adapter::{Index, IndexState, Storage};
use ees_core::{
    EventStore, Events, Expectation, NewChangeset, PageLimit, Projector, StreamQuery, StreamRange,
};
use ees_dynamodb::DynamoStorage;
use ees_dynamodb::admin::{AdminError, Options, Rebuilt};
use ees_dynamodb_testkit::{Call, Emulator, Fate, Plan, Proxy};

use crate::order::{admin, at, entry, order};
use crate::original::Original;
use crate::store::{open, sdk, sweep};

pub(crate) async fn take_over(original: &Original) -> Result<Rebuilt, AdminError> {
    let admin = admin(&original.config).await;
    admin.take_over(Options::default(), ready(())).await
}

/// A table in which most has gone wrong that can.
async fn worn(endpoint: &str) -> Original {
    let original = Original::deploy(endpoint).await;
    original.begin_counting().await;
    original.append("a", 1, 1, 2).await;
    original.index((0, 0), "a", 1).await;
    original.append("a", 2, 3, 0).await;
    original.index((0, 1), "a", 2).await;
    original.append("b", 1, 1, 1).await;
    // It stopped between the two, and never came back to position 2.
    original.give((0, 2), "b", 1).await;
    original.index((0, 3), "b", 1).await;
    original.index((0, 4), "ghost", 7).await;
    original.append("c", 1, 1, 3).await;
    original.give((0, 5), "c", 1).await;
    original.append("d", 1, 1, 1).await;
    original
}

/// G6: what had a position keeps it, what was lost is passed, what was given is written.
#[tokio::test]
async fn a_worn_table_is_taken_over() {
    let emulator = Emulator::start().expect("an emulator");
    let original = worn(emulator.endpoint()).await;
    let sdk = sdk(&original.config).await;
    let error = DynamoStorage::open(&original.config, &sdk)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("ees admin take-over"), "{error}");

    let dry = Options {
        dry_run: true,
        ..Options::default()
    };
    let told = admin(&original.config)
        .await
        .take_over(dry, ready(()))
        .await
        .unwrap();
    assert!(original.can_count().await, "nothing was changed");
    let taken = take_over(&original).await.unwrap();
    assert_eq!(taken, told);
    assert!(!original.can_count().await, "the original is fenced off");
    assert_eq!(taken.voids, [(2, 2), (4, 4)]);
    assert_eq!((taken.state.base, taken.state.next()), (at(5), at(6)));
    let survey = &taken.survey;
    assert_eq!(
        (survey.changesets, survey.unindexed, survey.empty),
        (5, 2, 1)
    );
    assert_eq!(survey.unreadable.count, 1);
    assert!(survey.unreadable.first[0].contains("changeset 7 of stream `ghost`"));
    assert!(matches!(
        take_over(&original).await,
        Err(AdminError::HasState)
    ));

    let storage = open(&original.config).await;
    let given = [
        entry(0, "a", 1),
        entry(1, "a", 2),
        entry(3, "b", 1),
        entry(5, "c", 1),
    ];
    assert_eq!(order(&storage, 0).await, given, "before any indexer ran");
    sweep(Arc::clone(&storage) as Arc<dyn Index>).await;
    let all = [&given[..], &[entry(6, "d", 1)]].concat();
    assert_eq!(order(&storage, 0).await, all);
    assert_eq!(order(&storage, 4).await, all[3..]);
    let status = admin(&original.config).await.status().await.unwrap();
    assert_eq!((status.next, status.voids, status.pending), (at(7), 2, 0));
    let counted = Projector::new(&EventStore::new(storage))
        .catch_up()
        .await
        .unwrap();
    assert_eq!((counted.version, counted.total_streams), (at(7), 4));
    assert_eq!((counted.total_changesets, counted.total_events), (5, 7));
}

/// G3: streams go on where the original left them, also behind a changeset without events.
#[tokio::test]
async fn streams_go_on_where_they_were() {
    let emulator = Emulator::start().expect("an emulator");
    let original = worn(emulator.endpoint()).await;
    take_over(&original).await.unwrap();
    for expectation in [Expectation::LastChangeset(2), Expectation::LastEvent(2)] {
        let storage = open(&original.config).await;
        let store = EventStore::new(Arc::clone(&storage));
        let asked = |stream: &str, expectation| {
            let events = Events::parse("[1]").unwrap();
            NewChangeset::new(stream.parse().unwrap(), expectation, events)
        };
        let head = storage.head(&"a".parse().unwrap()).await.unwrap().unwrap();
        if head.last_changeset.get() == 2 {
            let receipt = store.commit(asked("a", expectation)).await.unwrap();
            assert_eq!(
                (receipt.changeset_id.get(), receipt.first_event_id.get()),
                (3, 3)
            );
        }
        assert!(store.commit(asked("a", expectation)).await.is_err(), "G2");
    }
    let storage = open(&original.config).await;
    let events = |ids| StreamQuery::all("a".parse().unwrap()).range(StreamRange::Events(ids));
    for (ids, found) in [(1..=2, vec![1]), (2..=3, vec![1, 3]), (3..=9, vec![3])] {
        let page = storage.read_stream(&events(ids.clone())).await.unwrap();
        let changesets: Vec<_> = page.items.iter().map(|c| c.changeset_id.get()).collect();
        assert_eq!(changesets, found, "G5: events {ids:?}");
    }
    let all = StreamQuery::all("a".parse().unwrap());
    let page = storage.read_stream(&all).await.unwrap();
    let first = &page.items[0];
    assert_eq!(
        first.events.as_str(),
        r#"[{"type": "sold", "price": 1.10}, {"type": "sold", "price": 1.10}]"#
    );
    assert_eq!(first.timestamp.to_string(), "2021-01-05T13:15:30.123456Z");
    assert_eq!(page.items.len(), 3);
}

/// G6: a function that took a position before its counter was gone may write it yet.
#[tokio::test]
async fn a_position_that_is_still_being_written_is_not_lost() {
    let emulator = Emulator::start().expect("an emulator");
    let original = Original::deploy(emulator.endpoint()).await;
    for stream in ["a", "b"] {
        original.append(stream, 1, 1, 1).await;
    }
    original.give((0, 0), "a", 1).await;
    original.index((0, 1), "b", 1).await;
    let written = Box::pin(async {
        assert!(!original.can_count().await, "it takes no others");
        original.write((0, 0), "a", 1).await;
    });
    let admin = admin(&original.config).await;
    let taken = admin.take_over(Options::default(), written).await.unwrap();
    assert_eq!(taken.voids, []);
    let storage = open(&original.config).await;
    assert_eq!(
        order(&storage, 0).await,
        [entry(0, "a", 1), entry(1, "b", 1)]
    );
}

/// G6: readers that begin anywhere pass a position that was lost at the end of a page of the index.
#[tokio::test]
async fn a_lost_end_of_a_page_stops_nobody() {
    let emulator = Emulator::start().expect("an emulator");
    let original = Original::deploy(emulator.endpoint()).await;
    original.append("a", 1, 1, 1).await;
    original.index((0, 998), "a", 1).await;
    original.append("b", 1, 1, 1).await;
    original.give((0, 999), "b", 1).await;
    original.index((1, 0), "b", 1).await;
    let taken = take_over(&original).await.unwrap();
    assert_eq!(taken.voids, [(0, 997), (999, 999)]);
    let storage = open(&original.config).await;
    let all = [entry(998, "a", 1), entry(1000, "b", 1)];
    for from in [0, 1, 500, 998] {
        assert_eq!(order(&storage, from).await, all, "from {from}");
    }
    for from in [999, 1000] {
        assert_eq!(order(&storage, from).await, all[1..], "from {from}");
        let page = storage
            .read_global(at(from), PageLimit::items(1))
            .await
            .unwrap();
        assert_eq!(page.changesets.len(), 1, "at once, from {from}");
    }
}

#[tokio::test]
async fn a_table_that_never_gave_a_position_begins_at_the_first() {
    let emulator = Emulator::start().expect("an emulator");
    let original = Original::deploy(emulator.endpoint()).await;
    let error = take_over(&original).await.unwrap_err();
    assert!(matches!(error, AdminError::NoCounter), "{error}");
    original.begin_counting().await;
    original.append("a", 1, 1, 1).await;
    assert_eq!(
        take_over(&original).await.unwrap().state,
        IndexState::default()
    );
    let storage = open(&original.config).await;
    sweep(Arc::clone(&storage) as Arc<dyn Index>).await;
    assert_eq!(order(&storage, 0).await, [entry(0, "a", 1)]);
}

/// What contradicts the counter, or another changeset, is told and not guessed at.
#[tokio::test]
async fn contradictions_are_refused() {
    let emulator = Emulator::start().expect("an emulator");
    let twice = Original::deploy(emulator.endpoint()).await;
    for stream in ["a", "b"] {
        twice.append(stream, 1, 1, 1).await;
        twice.index((0, 0), stream, 1).await;
    }
    let error = take_over(&twice).await.unwrap_err();
    assert!(matches!(error, AdminError::Twice(_)), "{error}");
    assert!(
        error.to_string().contains("changeset 1 of stream"),
        "{error}"
    );

    let beyond = Original::deploy(emulator.endpoint()).await;
    beyond.append("a", 1, 1, 1).await;
    beyond.write((0, 9), "a", 1).await;
    beyond.give((0, 0), "a", 1).await;
    let error = take_over(&beyond).await.unwrap_err();
    let said = "has position 9, but the Python original's counter assigned only 1";
    assert!(error.to_string().contains(said), "{error}");

    let disorder = Original::deploy(emulator.endpoint()).await;
    disorder.append("a", 1, 1, 1).await;
    disorder.append("a", 2, 2, 1).await;
    disorder.index((0, 0), "a", 2).await;
    let error = take_over(&disorder).await.unwrap_err();
    assert!(matches!(error, AdminError::OutOfOrder(_)), "{error}");
    assert!(
        error.to_string().contains("changeset 2 of stream `a`"),
        "{error}"
    );
    let accept = Options {
        accept_disorder: true,
        ..Options::default()
    };
    admin(&disorder.config)
        .await
        .take_over(accept, ready(()))
        .await
        .unwrap();
    let storage = open(&disorder.config).await;
    sweep(Arc::clone(&storage) as Arc<dyn Index>).await;
    assert_eq!(
        order(&storage, 0).await,
        [entry(0, "a", 2), entry(1, "a", 1)]
    );
}

/// Looks for a counter that has moved on.
struct Moved;

impl Plan for Moved {
    fn begin(&self, call: &mut Call) -> Fate {
        if call.operation == "UpdateItem" {
            call.asked["ExpressionAttributeValues"][":item"]["N"] = "77".into();
        }
        Fate::Through
    }
}

/// Answers the first of each kind of write with a broken connection.
#[derive(Default)]
struct Breaks(std::sync::Mutex<Vec<String>>);

impl Plan for Breaks {
    fn begin(&self, call: &mut Call) -> Fate {
        let mut seen = self.0.lock().unwrap();
        if ["PutItem", "UpdateItem"].contains(&&*call.operation) && !seen.contains(&call.operation)
        {
            seen.push(call.operation.clone());
            return Fate::Unanswered;
        }
        Fate::Through
    }
}

#[tokio::test]
async fn an_original_that_still_runs_is_told() {
    let emulator = Emulator::start().expect("an emulator");
    let mut original = worn(emulator.endpoint()).await;
    let moved = Proxy::start(emulator.endpoint(), Arc::new(Moved))
        .await
        .unwrap();
    original.config.endpoint.url = Some(moved.endpoint.clone());
    let error = take_over(&original).await.unwrap_err();
    assert!(matches!(error, AdminError::StillRuns), "{error}");
    assert!(original.can_count().await);
    let breaks = Proxy::start(emulator.endpoint(), Arc::new(Breaks::default()))
        .await
        .unwrap();
    original.config.endpoint.url = Some(breaks.endpoint.clone());
    take_over(&original).await.unwrap();
}
