//! The suite can fail: storages that break a promise are found out by the case that holds it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use conformance_tests::adapter_cases::{projecting, subscriptions};
use conformance_tests::cases::{
    atomic, concurrency, dense, durable, fidelity, global_order, idempotent, pages, refusal,
    statistics, stream_reads, sweep,
};
use conformance_tests::faults::{Fault, Faulty};
use conformance_tests::subject::{Direct, Subject};
use conformance_tests::{Adapter, AdapterHarness, Capabilities, Harness, run};
use ees_core::ports::{Outcome, Storage, StorageError};
use ees_core::{
    Changeset, Checkpoint, Commit, CommitId, Events, Expectation, GlobalPage, Head, Json, Page,
    PageLimit, Receipt, Refusal, Statistics, StreamId, StreamQuery,
};
use ees_memory::MemoryStorage;

/// A memory store with a fault.
struct Broken<F>(Arc<Faulty<F>>);

#[async_trait]
impl<F: Fault + Default> Harness for Broken<F> {
    const CAPABILITIES: Capabilities = Capabilities {
        durable: false,
        orders_at_commit: true,
        max_changeset_bytes: 6 * 1024 * 1024,
    };

    async fn start() -> Self {
        let limit = Self::CAPABILITIES.max_changeset_bytes;
        let storage = Arc::new(MemoryStorage::with_max_changeset_bytes(limit));
        Self(Faulty::new(storage, F::default()))
    }

    fn subject(&self) -> Arc<dyn Subject> {
        Direct::new(Arc::clone(&self.0))
    }

    async fn restart(&mut self) {
        *self = Self::start().await;
    }

    async fn settle(&self) {}
}

impl<F: Fault + Default> AdapterHarness for Broken<F> {
    type Storage = Faulty<F>;

    fn storage(&self) -> Arc<Faulty<F>> {
        Arc::clone(&self.0)
    }
}

/// Asserts that cases find a fault, say which guarantee it breaks, and pass without it.
macro_rules! found {
    ($($test:ident: $fault:ty => $($group:ident::$case:ident),+;)+) => {
        $(#[test]
        fn $test() {
            $(
                run::<Broken<NoFault>>($group::$case);
                assert_found(stringify!($case), || run::<Broken<$fault>>($group::$case));
            )+
        })+
    };
}

fn assert_found(case: &str, broken: impl FnOnce()) {
    let Err(panic) = catch_unwind(AssertUnwindSafe(broken)) else {
        panic!("{case} let the fault pass");
    };
    let said = panic.downcast_ref::<String>().map(String::as_str);
    let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
    let said = said.unwrap_or_default();
    let guarantee = (1..=14).any(|number| said.contains(&format!("G{number}: ")));
    assert!(guarantee, "{case} does not say what is broken: {said}");
}

found! {
    a_lost_commit: LosesACommit =>
        concurrency::writers_that_retry_all_succeed, stream_reads::reads_see_what_was_just_written;
    two_winners: ForgetsConcurrency =>
        concurrency::one_of_racing_commits_succeeds, sweep::the_store_answers_as_the_model;
    a_doubled_commit: CommitsTwice =>
        concurrency::writers_that_retry_all_succeed, dense::commits_get_the_next_ids;
    a_conflict_that_tells_of_what_never_was: TellsOfAnother =>
        concurrency::writers_that_retry_all_succeed;
    half_a_changeset: TearsChangesets =>
        atomic::a_reader_never_sees_part_of_a_changeset;
    a_refusal_that_writes: WritesWhatItRefuses =>
        atomic::a_refused_commit_changes_nothing;
    a_stale_head: StaleHead =>
        stream_reads::reads_see_what_was_just_written, refusal::no_events_are_refused;
    a_page_cut_without_a_next: CutsStreams =>
        stream_reads::a_large_stream_comes_in_pages, sweep::the_store_answers_as_the_model;
    a_skipped_checkpoint: SkipsACheckpoint =>
        global_order::checkpoints_are_dense, global_order::every_limit_gives_the_same_order;
    a_skipped_changeset: SkipsAChangeset =>
        global_order::checkpoints_are_dense,
        global_order::readers_miss_nothing_and_repeat_nothing;
    an_order_that_changes: ReordersPages =>
        global_order::streams_keep_their_order, global_order::every_limit_gives_the_same_order;
    a_lost_page_boundary: LosesTheFirstOfAPage =>
        pages::reads_cross_a_page_boundary, pages::every_limit_crosses_a_page_boundary;
    a_forgotten_key: ForgetsKeys =>
        idempotent::a_repeat_is_answered_as_the_first, idempotent::repeats_at_once_are_one_commit;
    one_key_for_all: TakesEveryKeyForTheSame =>
        idempotent::content_alone_makes_no_repeat;
    json_that_was_parsed: ParsesJson =>
        fidelity::values_keep_their_bytes, fidelity::any_json_keeps_its_bytes;
    metadata_that_is_dropped: DropsNullMetadata =>
        fidelity::metadata_keeps_its_bytes;
    streams_that_are_mixed_up: IgnoresCase =>
        fidelity::stream_ids_keep_their_bytes;
    counts_that_are_doubled: AlwaysSwaps =>
        projecting::a_swap_needs_the_right_version, projecting::one_of_racing_swaps_succeeds;
    counts_that_are_wrong: MiscountsEvents =>
        statistics::counts_are_exact, projecting::projectors_at_once_count_nothing_twice;
    a_subscription_that_skips: SkipsAChangeset =>
        subscriptions::a_subscription_resumes_where_it_was_saved;
    a_store_that_keeps_what_it_should_lose: KeepsEverything =>
        durable::streams_survive_a_restart;
}

#[derive(Default)]
struct NoFault;
impl Fault for NoFault {}

/// Acknowledges one commit in ten without writing it.
#[derive(Default)]
struct LosesACommit(AtomicU64);

#[async_trait]
impl Fault for LosesACommit {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        let head = inner.head(&commit.stream_id).await?;
        let verdict = commit
            .expectation
            .judge(head.as_ref(), commit.events.count());
        match verdict {
            ees_core::Verdict::Append(slot) if self.0.fetch_add(1, Ordering::SeqCst) % 10 == 5 => {
                let end = inner.next_checkpoint().await?;
                let receipt = Changeset::new(commit, slot, Some(end)).receipt();
                Ok(Outcome::Committed(receipt))
            }
            _ => inner.commit(commit).await,
        }
    }
}

/// Appends whatever was expected.
#[derive(Default)]
struct ForgetsConcurrency;

#[async_trait]
impl Fault for ForgetsConcurrency {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        append_anyway(inner, commit).await
    }
}

/// Appends at the end of a stream, wherever that is.
async fn append_anyway(inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
    loop {
        let head = inner.head(&commit.stream_id).await?;
        let last = head.map_or(0, |head| head.last_changeset.get());
        let commit = Commit {
            expectation: Expectation::LastChangeset(last),
            ..commit.clone()
        };
        let outcome = inner.commit(&commit).await?;
        if matches!(outcome, Outcome::Committed(_)) {
            return Ok(outcome);
        }
    }
}

/// Writes what it acknowledges twice.
#[derive(Default)]
struct CommitsTwice;

#[async_trait]
impl Fault for CommitsTwice {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        let outcome = inner.commit(commit).await?;
        if matches!(outcome, Outcome::Committed(Receipt { .. })) {
            append_anyway(inner, commit).await?;
        }
        Ok(outcome)
    }
}

/// Refuses, and writes all the same.
#[derive(Default)]
struct WritesWhatItRefuses;

#[async_trait]
impl Fault for WritesWhatItRefuses {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        let outcome = inner.commit(commit).await?;
        if matches!(outcome, Outcome::Refused(Refusal::Outdated)) {
            append_anyway(inner, commit).await?;
        }
        Ok(outcome)
    }
}

/// Tells the losers of a race of something else than what won.
#[derive(Default)]
struct TellsOfAnother;

#[async_trait]
impl Fault for TellsOfAnother {
    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        let mut page = inner.read_stream(query).await?;
        // Only what follows an expectation is read so.
        if !query.range_is_all() {
            for changeset in &mut page.items {
                changeset.events = Events::from_storage("[\"another\"]", changeset.events.count());
            }
        }
        Ok(page)
    }
}

trait Range {
    fn range_is_all(&self) -> bool;
}

impl Range for StreamQuery {
    fn range_is_all(&self) -> bool {
        *self == StreamQuery::all(self.stream_id.clone())
    }
}

/// Changes the changesets that a stream's readers get.
async fn changed(
    inner: &dyn Adapter,
    query: &StreamQuery,
    change: impl FnMut(&mut Changeset),
) -> Result<Page<Changeset>, StorageError> {
    let mut page = inner.read_stream(query).await?;
    page.items.iter_mut().for_each(change);
    Ok(page)
}

/// Shows the first events of the newest changeset only, once in a while.
#[derive(Default)]
struct TearsChangesets(AtomicU64);

#[async_trait]
impl Fault for TearsChangesets {
    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        let torn = self.0.fetch_add(1, Ordering::SeqCst) % 3 == 1;
        changed(inner, query, |changeset| {
            if torn {
                changeset.events = Events::from_storage("[1]", 1);
            }
        })
        .await
    }
}

/// Tells the head as it was one changeset ago.
#[derive(Default)]
struct StaleHead;

#[async_trait]
impl Fault for StaleHead {
    async fn head(
        &self,
        inner: &dyn Adapter,
        stream_id: &StreamId,
    ) -> Result<Option<Head>, StorageError> {
        let head = inner.head(stream_id).await?;
        Ok(head.filter(|head| head.last_changeset.get() > 1))
    }
}

/// Ends a page without saying that more remains.
#[derive(Default)]
struct CutsStreams;

#[async_trait]
impl Fault for CutsStreams {
    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        let mut page = inner.read_stream(query).await?;
        page.more = false;
        Ok(page)
    }
}

/// Leaves a hole in the positions.
#[derive(Default)]
struct SkipsACheckpoint;

#[async_trait]
impl Fault for SkipsACheckpoint {
    async fn read_global(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        let mut page = inner.read_global(from, limit).await?;
        for changeset in &mut page.changesets {
            let position = changeset.checkpoint.unwrap_or(from);
            changeset.checkpoint = Some(position.plus(u64::from(position.get() >= 3)));
        }
        Ok(page)
    }
}

/// Leaves out a changeset, and leads readers past it.
#[derive(Default)]
struct SkipsAChangeset;

#[async_trait]
impl Fault for SkipsAChangeset {
    async fn read_global(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        let mut page = inner.read_global(from, limit).await?;
        page.changesets
            .retain(|changeset| changeset.checkpoint.is_none_or(|c| c.get() != 3));
        Ok(page)
    }
}

/// Orders each page in its own way: positions stay dense, but not what stands at them.
#[derive(Default)]
struct ReordersPages;

#[async_trait]
impl Fault for ReordersPages {
    async fn read_global(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        let mut page = inner.read_global(from, limit).await?;
        page.changesets.reverse();
        for (index, changeset) in (0..).zip(&mut page.changesets) {
            changeset.checkpoint = Some(from.plus(index));
        }
        Ok(page)
    }
}

/// Takes the last of an index page for the end of the order.
#[derive(Default)]
struct LosesTheFirstOfAPage;

#[async_trait]
impl Fault for LosesTheFirstOfAPage {
    async fn read_global(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        let mut page = inner.read_global(from, limit).await?;
        page.changesets
            .retain(|changeset| changeset.checkpoint.is_none_or(|c| c.get() < 1000));
        page.next = from.plus(page.changesets.len() as u64);
        Ok(page)
    }
}

/// Does not know by what commit a changeset was written.
#[derive(Default)]
struct ForgetsKeys;

#[async_trait]
impl Fault for ForgetsKeys {
    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        changed(inner, query, |changeset| {
            changeset.commit_id = CommitId::generate();
        })
        .await
    }
}

/// Says that what stands there was written by the one who asks.
#[derive(Default)]
struct TakesEveryKeyForTheSame(Mutex<Option<CommitId>>);

#[async_trait]
impl Fault for TakesEveryKeyForTheSame {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(commit.commit_id.clone());
        inner.commit(commit).await
    }

    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        let asking = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        changed(inner, query, |changeset| {
            changeset.commit_id = asking.clone().unwrap_or_else(CommitId::generate);
        })
        .await
    }
}

/// Parses events and writes them anew, as who stores them in columns of a JSON type would.
#[derive(Default)]
struct ParsesJson;

#[async_trait]
impl Fault for ParsesJson {
    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        changed(inner, query, |changeset| {
            let events = changeset.events.split().unwrap_or_default();
            let events = events.iter().map(|event| {
                let parsed = serde_json::from_str::<serde_json::Value>(event.as_str());
                parsed.map_or(event.as_str().to_owned(), |value| value.to_string())
            });
            let array = format!("[{}]", events.collect::<Vec<_>>().join(","));
            changeset.events = Events::from_storage(array, changeset.events.count());
        })
        .await
    }
}

/// Takes `null` for nothing.
#[derive(Default)]
struct DropsNullMetadata;

#[async_trait]
impl Fault for DropsNullMetadata {
    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        changed(inner, query, |changeset| {
            if changeset.metadata.as_str() == "null" {
                changeset.metadata = Json::default();
            }
        })
        .await
    }
}

/// Takes `a` and `A` for the same stream.
#[derive(Default)]
struct IgnoresCase;

#[async_trait]
impl Fault for IgnoresCase {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        let name = commit.stream_id.as_str().to_lowercase();
        let commit = Commit {
            stream_id: StreamId::new(&name).expect("lower case is legal"),
            ..commit.clone()
        };
        inner.commit(&commit).await
    }
}

/// Overwrites statistics that another projector has saved.
#[derive(Default)]
struct AlwaysSwaps;

#[async_trait]
impl Fault for AlwaysSwaps {
    async fn swap_statistics(
        &self,
        inner: &dyn Adapter,
        _: Checkpoint,
        statistics: &Statistics,
    ) -> Result<bool, StorageError> {
        let saved = inner.load_statistics().await?.version;
        inner.swap_statistics(saved, statistics).await
    }
}

/// Counts one event too many each time.
#[derive(Default)]
struct MiscountsEvents;

#[async_trait]
impl Fault for MiscountsEvents {
    async fn swap_statistics(
        &self,
        inner: &dyn Adapter,
        previous: Checkpoint,
        statistics: &Statistics,
    ) -> Result<bool, StorageError> {
        let total_events = statistics.total_events + 1;
        let wrong = Statistics {
            total_events,
            ..*statistics
        };
        inner.swap_statistics(previous, &wrong).await
    }
}

/// Says, of every stream, that it is there.
#[derive(Default)]
struct KeepsEverything;

#[async_trait]
impl Fault for KeepsEverything {
    async fn head(
        &self,
        _: &dyn Adapter,
        stream_id: &StreamId,
    ) -> Result<Option<Head>, StorageError> {
        let other = MemoryStorage::new();
        let commit = Commit {
            stream_id: stream_id.clone(),
            expectation: Expectation::NEW_STREAM,
            events: Events::from_storage("[1]", 1),
            metadata: Json::default(),
            commit_id: CommitId::generate(),
            timestamp: ees_core::Timestamp::now(),
        };
        other.commit(&commit).await?;
        other.head(stream_id).await
    }
}
