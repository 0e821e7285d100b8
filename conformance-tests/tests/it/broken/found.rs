//! The table: which case finds which fault.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ees_conformance::adapter_cases::{self, ADAPTER_CASES};
use ees_conformance::cases::{self, CASES};
use ees_conformance::damage_cases::DAMAGE_CASES;
use ees_conformance::evidence_cases::EVIDENCE_CASES;
use ees_conformance::fault_cases::{self, FAULT_CASES};
use ees_conformance::hints::GUIDE;
use ees_conformance::{AdapterHarness, Case};

use super::batched::OnDisk;
use super::keys::{self, Keyed};
use super::{
    Broken, Hanging, counts, disk, filters, identities, order, pages, reads, sets, values, waits,
    writes,
};

/// Asserts that cases find a fault, say which guarantee it breaks, and what usually is the cause.
macro_rules! found {
    ($($test:ident: $harness:ty => $($group:ident::$case:ident),+;)+) => {
        $(#[test]
        fn $test() {
            $(
                let case = case_named(stringify!($group), stringify!($case));
                assert_found(case, || run::<$harness>(case));
            )+
        })+
    };
}

/// The same, where what is waited for never comes.
macro_rules! waited_for {
    ($($test:ident: $fault:ty => $($group:ident::$case:ident),+;)+) => {
        $(#[test]
        fn $test() {
            $(
                let case = case_named(stringify!($group), stringify!($case));
                let said = assert_found(case, || run::<Hanging<$fault>>(case));
                assert!(said.contains("(waited "), "{said}");
            )+
        })+
    };
}

/// A case by its name.
pub(super) fn case_named(group: &str, name: &str) -> Case {
    let name = format!("{group}::{name}");
    let mut all = CASES
        .iter()
        .chain(ADAPTER_CASES)
        .chain(FAULT_CASES)
        .chain(EVIDENCE_CASES)
        .chain(DAMAGE_CASES);
    *all.find(|case| case.name == name)
        .expect("a case of this name")
}

fn run<H: AdapterHarness>(case: Case) {
    if CASES.contains(&case) {
        cases::run::<H>(case.name);
    } else if ADAPTER_CASES.contains(&case) {
        adapter_cases::run::<H>(case.name);
    } else {
        fault_cases::run::<H>(case.name);
    }
}

pub(super) fn assert_found(case: Case, broken: impl FnOnce()) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(broken)) else {
        panic!("{} let the fault pass", case.name);
    };
    let said = panic.downcast_ref::<String>().expect("a report").clone();
    let of_case = case.guarantees.iter().map(|number| format!("G{number}: "));
    let named = (1..=19).map(|number| format!("G{number}: "));
    let first = named
        .filter_map(|name| Some((said.find(&name)?, name)))
        .min();
    let first = first.map(|(_, name)| name);
    let holds = of_case.into_iter().any(|name| Some(name) == first);
    assert!(
        holds,
        "{} does not say what it is that breaks: {said}",
        case.name
    );
    assert!(
        said.contains(&format!("in the case {}", case.name)),
        "{said}"
    );
    assert!(said.contains(GUIDE), "no hint: {said}");
    said
}

found! {

    a_lost_commit: Broken<writes::LosesACommit> =>
        concurrency::writers_that_retry_all_succeed, stream_reads::reads_see_what_was_just_written;
    two_winners: Broken<writes::ForgetsConcurrency> =>
        concurrency::one_of_racing_commits_succeeds, random_walk::the_store_answers_as_the_model;
    a_doubled_commit: Broken<writes::CommitsTwice> =>
        concurrency::writers_that_retry_all_succeed, dense::commits_get_the_next_ids;
    a_conflict_that_tells_of_what_never_was: Broken<reads::TellsOfAnother> =>
        concurrency::writers_that_retry_all_succeed;
    half_a_changeset: Broken<reads::TearsChangesets> =>
        atomic::a_reader_never_sees_part_of_a_changeset;
    a_refusal_that_writes: Broken<writes::WritesWhatItRefuses> =>
        atomic::a_refused_commit_changes_nothing;
    a_stale_head: Broken<reads::StaleHead> =>
        stream_reads::reads_see_what_was_just_written, refusal::no_events_are_refused;
    a_page_cut_without_a_next: Broken<reads::CutsStreams> =>
        stream_reads::a_large_stream_comes_in_pages, random_walk::the_store_answers_as_the_model;
    a_skipped_checkpoint: Broken<order::SkipsACheckpoint> =>
        global_order::checkpoints_are_dense, global_order::every_limit_gives_the_same_order;
    a_skipped_changeset: Broken<order::SkipsAChangeset> =>
        global_order::checkpoints_are_dense,
        global_order::readers_miss_nothing_and_repeat_nothing;
    an_order_that_changes: Broken<order::ReordersPages> =>
        global_order::streams_keep_their_order, global_order::every_limit_gives_the_same_order;
    a_lost_page_boundary: Broken<order::LosesTheFirstOfAPage> =>
        pages::reads_cross_a_page_boundary, pages::every_limit_crosses_a_page_boundary;
    a_forgotten_key: Broken<reads::ForgetsKeys> =>
        idempotent::a_repeat_is_answered_as_the_first, idempotent::repeats_at_once_are_one_commit;
    one_key_for_all: Broken<reads::TakesEveryKeyForTheSame> =>
        idempotent::content_alone_makes_no_repeat;
    json_that_was_parsed: Broken<reads::ParsesJson> =>
        fidelity::values_keep_their_bytes, fidelity::any_json_keeps_its_bytes;
    metadata_that_is_dropped: Broken<reads::DropsNullMetadata> =>
        fidelity::metadata_keeps_its_bytes;
    streams_that_are_mixed_up: Broken<writes::IgnoresCase> =>
        naming::stream_ids_keep_their_bytes;
    counts_that_are_doubled: Broken<counts::AlwaysSwaps> =>
        projecting::a_swap_needs_the_right_version, projecting::one_of_racing_swaps_succeeds;
    counts_that_are_wrong: Broken<counts::MiscountsEvents> =>
        statistics::counts_are_exact, projecting::projectors_at_once_count_nothing_twice;
    a_subscription_that_skips: Broken<order::SkipsAChangeset> =>
        subscriptions::a_subscription_resumes_where_it_was_saved;
    a_store_that_keeps_what_it_should_lose: Broken<reads::KeepsEverything> =>
        durable::streams_survive_a_restart;
    keys_without_a_separator: Broken<Keyed<keys::NoSeparator>> =>
        prefixes::longer_ids_are_written_first, prefixes::shorter_ids_are_written_first,
        prefixes::all_ids_are_written_in_turn;
    text_keys_without_a_separator: Broken<Keyed<keys::TextWithoutSeparator>> =>
        prefixes::longer_ids_are_written_first, prefixes::all_ids_are_written_in_turn;
    little_endian_keys: Broken<Keyed<keys::LittleEndian>> =>
        bounds::numbers_keep_their_order;
    numbers_as_text: Broken<Keyed<keys::TextNumbers>> =>
        bounds::numbers_keep_their_order, prefixes::all_ids_are_written_in_turn;
    numbers_of_two_bytes: Broken<Keyed<keys::ShortNumbers>> =>
        bounds::event_numbers_keep_their_order;
    stream_ids_cut_short: Broken<Keyed<keys::ShortNames>> =>
        bounds::stream_ids_of_every_length;
    stream_ids_trimmed: Broken<Keyed<keys::TrimmedNames>> =>
        prefixes::all_ids_are_written_in_turn, bounds::stream_ids_of_every_character,
        apart::the_same_key_in_streams_that_look_alike;
    stream_ids_folded: Broken<Keyed<keys::FoldedNames>> =>
        bounds::stream_ids_of_every_character, apart::the_same_key_in_streams_that_look_alike,
        apart::a_conflict_tells_of_its_own_stream_alone;
    times_cut_to_milliseconds: Broken<values::CutsTimes> =>
        stored_values::times_keep_their_microseconds;
    metadata_that_was_parsed: Broken<values::ParsesMetadata> =>
        fidelity::metadata_keeps_its_bytes;
    commit_ids_folded: Broken<values::FoldsCommitIds> =>
        bounds::keys_of_every_character, stored_values::commit_ids_keep_their_characters;
    commit_ids_cut_short: Broken<values::CutsCommitIds> =>
        bounds::keys_of_every_length, stored_values::commit_ids_keep_their_characters;
    a_commit_id_that_is_kept_too_late: Broken<values::RemembersKeysLate> =>
        outages::a_caller_who_goes_away_may_ask_again;
    a_checkpoint_that_never_goes_back: Broken<values::NeverGoesBack> =>
        checkpoint_store::the_checkpoint_saved_last_wins;
    subscriptions_folded: Broken<values::FoldsNames> =>
        checkpoint_store::names_keep_apart, checkpoint_store::names_of_every_length_keep_apart;
    an_identity_that_is_not_kept: Broken<identities::KeepsNone> =>
        identity::an_id_survives_a_restart, identity::stores_opened_at_once_agree,
        identity::a_new_id_tells_what_is_the_same, identity::a_swap_needs_the_stored_identity;
    an_identity_that_is_overwritten: Broken<identities::Overwrites> =>
        identity::a_swap_needs_the_stored_identity;
    an_identity_for_all_stores: Broken<identities::OneForAll> =>
        identity::a_swap_needs_the_stored_identity;
    an_identity_without_its_history: Broken<identities::ForgetsFormer> =>
        identity::a_new_id_tells_what_is_the_same;
    an_identity_that_a_restart_loses: OnDisk<disk::LosesItsIdentity> =>
        identity::an_id_survives_a_restart, identity::former_ids_survive_a_restart;
    full_pages_that_lead_on: Broken<pages::TakesFullForMore> =>
        page_limits::stream_pages_end_where_the_limit_says, stream_reads::every_range_of_changesets,
        random_walk::the_store_answers_as_the_model;
    a_page_that_skips_what_does_not_fit: Broken<pages::SkipsWhatDoesNotFit> =>
        page_limits::global_pages_end_where_the_limit_says,
        global_order::large_changesets_come_in_pages;
    a_page_cut_at_the_wrong_end: Broken<pages::CutsAtTheWrongEnd> =>
        page_limits::stream_pages_end_where_the_limit_says, stream_reads::every_range_of_changesets;
    a_range_that_begins_too_late: Broken<pages::LooksAtFirstEvents> =>
        stream_reads::every_range_of_events, bounds::ranges_reach_to_the_ends;
    a_commit_inside_a_changeset: Broken<pages::AppendsInsideAChangeset> =>
        concurrency::an_expectation_inside_a_changeset_is_outdated,
        random_walk::the_store_answers_as_the_model;
    keys_that_are_not_looked_up: OnDisk<disk::KnowsNoKeys> =>
        client_keys::a_key_is_found_whatever_is_expected,
        client_keys::a_reused_key_tells_of_its_changeset,
        client_keys::a_key_is_found_after_a_restart,
        random_walk::the_store_answers_as_the_model;
    heads_kept_in_memory: OnDisk<disk::CachesHeads> =>
        before_the_write::what_is_told_of_a_failed_commit_is_true,
        before_the_write::another_commit_may_take_the_place;
    checkpoints_from_a_counter: OnDisk<disk::Counts> =>
        before_the_write::the_order_goes_on_without_a_hole;
    a_write_that_is_denied: OnDisk<disk::Denies> =>
        after_the_write::what_is_told_of_a_failed_commit_is_true,
        after_the_write::a_repeat_is_answered_as_one_commit;
    an_answer_before_the_write: OnDisk<disk::AnswersEarly> =>
        before_the_write::what_is_told_of_a_failed_commit_is_true,
        before_the_write::a_restart_finds_what_was_told;
    types_of_first_events: Broken<filters::KnowsTheFirstType> =>
        filters::types_are_those_of_the_top_level, filters::many_types_are_found;
    types_that_are_searched_for: Broken<filters::SearchesForTheType> =>
        filters::types_are_those_of_the_top_level;
    prefixes_that_are_searched_for: Broken<filters::SearchesForThePrefix> =>
        filters::prefixes_are_beginnings;
    a_filter_that_stays_where_it_is: Broken<filters::StaysWhereItIs> =>
        moving_on::what_selects_nothing_reaches_the_head,
        moving_on::a_wait_in_vain_tells_how_far_it_came;
    a_filter_that_moves_on_slowly: Broken<filters::MovesOnSlowly> =>
        moving_on::what_selects_nothing_reaches_the_head;
    a_filter_that_leads_past_its_page: Broken<filters::LeadsPastThePage> =>
        filters::every_limit_selects_the_same;
    a_filter_that_leads_to_a_later_head: Broken<filters::LeadsToALaterHead> =>
        moving_on::readers_beside_writers_skip_nothing;
    sets_that_are_torn: Broken<sets::TearsSets> =>
        sets::one_that_does_not_hold_refuses_all, sets::one_that_is_ahead_refuses_all;
    checks_that_are_forgotten: Broken<sets::ForgetsChecks> =>
        sets::one_that_does_not_hold_refuses_all,
        set_races::a_check_holds_at_the_moment_of_the_commit;
    checks_before_the_commit: Broken<sets::ChecksBefore> =>
        set_races::a_check_holds_at_the_moment_of_the_commit;
    places_in_sets_that_are_forgotten: Broken<sets::ForgetsMarks> =>
        set_keys::a_set_is_repeated_as_a_whole, stored_values::places_in_a_set_are_kept;
    a_refusal_that_tells_one: Broken<sets::TellsOne> =>
        sets::all_that_do_not_hold_are_told;
    sets_that_are_reversed: Broken<sets::ReversesSets> =>
        sets::members_are_adjacent_in_the_global_order;
    a_write_that_is_seen_before_it_lasts: OnDisk<disk::ShowsEarly> =>
        before_the_write::nothing_is_read_that_does_not_last;
    a_write_that_never_comes_back: OnDisk<disk::GivesUp> =>
        late::a_late_commit_is_answered_in_the_end;
}

waited_for! {
    news_that_is_forgotten: waits::ForgetsNews =>
        wake_hint::a_commit_wakes_who_listens,
        wake_hint::no_commit_is_missed_between_listening_and_reading;
    news_before_the_commit_lasts: waits::AnnouncesEarly =>
        wake_hint::no_commit_is_missed_between_listening_and_reading;
    news_that_is_heard_when_polled: waits::ListensWhenPolled =>
        wake_hint::a_commit_wakes_who_listens;
    a_head_that_stays: waits::RemembersTheHead =>
        wake_hint::a_commit_reaches_readers_that_no_wake_up_reaches;
    a_close_that_closes_nothing: waits::ClosesNothing =>
        closing::what_was_acknowledged_before_closing_lasts;
    a_close_that_never_ends: waits::ClosesForEver =>
        closing::a_storage_may_be_closed_twice,
        closing::what_was_acknowledged_before_closing_lasts;
    a_close_that_aborts_the_writer: waits::AbortsItsWriter =>
        closing::what_was_acknowledged_before_closing_lasts;
    a_call_that_is_never_answered: waits::AnswersNoHead =>
        stream_reads::reads_see_what_was_just_written;
    a_call_that_blocks_its_thread: waits::BlocksItsThread =>
        stream_reads::reads_see_what_was_just_written;
}

found! {
    checkpoints_from_one: Hanging<waits::CountsFromOne> =>
        subscriptions::a_subscription_outlives_an_outage,
        subscriptions::a_subscription_catches_up_and_goes_on_live;
    checkpoints_with_a_hole: Hanging<waits::LeavesAHole> =>
        subscriptions::a_subscription_outlives_an_outage,
        global_order::checkpoints_are_dense;
}
