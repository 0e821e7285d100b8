//! The suite can fail: storages that break a promise are found out by the case that holds it.

mod counts;
pub(crate) mod order;
mod reads;
mod writes;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use async_trait::async_trait;
use ees_conformance::adapter_cases::{projecting, subscriptions};
use ees_conformance::cases::{
    atomic, concurrency, dense, durable, fidelity, global_order, idempotent, naming, pages,
    random_walk, refusal, statistics, stream_reads,
};
use ees_conformance::faults::{Fault, Faulty};
use ees_conformance::subject::{Direct, Subject};
use ees_conformance::{AdapterHarness, Capabilities, Harness, run};
use ees_memory::MemoryStorage;

/// Small, so that the cases that go right up to it are quick.
const MAX_CHANGESET_BYTES: usize = 6 * 1024 * 1024;

/// A memory store with a fault.
struct Broken<F>(Arc<Faulty<F>>);

#[async_trait]
impl<F: Fault + Default> Harness for Broken<F> {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            durable: false,
            orders_at_commit: true,
            max_changeset_bytes: MAX_CHANGESET_BYTES,
        }
    }

    async fn start() -> Self {
        let storage = MemoryStorage::with_max_changeset_bytes(MAX_CHANGESET_BYTES);
        let storage = Arc::new(storage);
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
    a_lost_commit: writes::LosesACommit =>
        concurrency::writers_that_retry_all_succeed, stream_reads::reads_see_what_was_just_written;
    two_winners: writes::ForgetsConcurrency =>
        concurrency::one_of_racing_commits_succeeds, random_walk::the_store_answers_as_the_model;
    a_doubled_commit: writes::CommitsTwice =>
        concurrency::writers_that_retry_all_succeed, dense::commits_get_the_next_ids;
    a_conflict_that_tells_of_what_never_was: reads::TellsOfAnother =>
        concurrency::writers_that_retry_all_succeed;
    half_a_changeset: reads::TearsChangesets =>
        atomic::a_reader_never_sees_part_of_a_changeset;
    a_refusal_that_writes: writes::WritesWhatItRefuses =>
        atomic::a_refused_commit_changes_nothing;
    a_stale_head: reads::StaleHead =>
        stream_reads::reads_see_what_was_just_written, refusal::no_events_are_refused;
    a_page_cut_without_a_next: reads::CutsStreams =>
        stream_reads::a_large_stream_comes_in_pages, random_walk::the_store_answers_as_the_model;
    a_skipped_checkpoint: order::SkipsACheckpoint =>
        global_order::checkpoints_are_dense, global_order::every_limit_gives_the_same_order;
    a_skipped_changeset: order::SkipsAChangeset =>
        global_order::checkpoints_are_dense,
        global_order::readers_miss_nothing_and_repeat_nothing;
    an_order_that_changes: order::ReordersPages =>
        global_order::streams_keep_their_order, global_order::every_limit_gives_the_same_order;
    a_lost_page_boundary: order::LosesTheFirstOfAPage =>
        pages::reads_cross_a_page_boundary, pages::every_limit_crosses_a_page_boundary;
    a_forgotten_key: reads::ForgetsKeys =>
        idempotent::a_repeat_is_answered_as_the_first, idempotent::repeats_at_once_are_one_commit;
    one_key_for_all: reads::TakesEveryKeyForTheSame =>
        idempotent::content_alone_makes_no_repeat;
    json_that_was_parsed: reads::ParsesJson =>
        fidelity::values_keep_their_bytes, fidelity::any_json_keeps_its_bytes;
    metadata_that_is_dropped: reads::DropsNullMetadata =>
        fidelity::metadata_keeps_its_bytes;
    streams_that_are_mixed_up: writes::IgnoresCase =>
        naming::stream_ids_keep_their_bytes;
    counts_that_are_doubled: counts::AlwaysSwaps =>
        projecting::a_swap_needs_the_right_version, projecting::one_of_racing_swaps_succeeds;
    counts_that_are_wrong: counts::MiscountsEvents =>
        statistics::counts_are_exact, projecting::projectors_at_once_count_nothing_twice;
    a_subscription_that_skips: order::SkipsAChangeset =>
        subscriptions::a_subscription_resumes_where_it_was_saved;
    a_store_that_keeps_what_it_should_lose: reads::KeepsEverything =>
        durable::streams_survive_a_restart;
}

#[derive(Default)]
struct NoFault;
impl Fault for NoFault {}
