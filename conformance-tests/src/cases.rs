//! The list of cases: the suite owns it, so that no adapter can forget one.
//!
//! Each case names the guarantees that it checks. A case tolerates other data: it uses streams of
//! its own ([`unique`](crate::subject::unique)) and reads the global order from its head at the
//! start.

pub mod apart;
pub mod atomic;
pub mod backward;
pub mod beyond;
pub mod bounds;
pub mod client_keys;
pub mod concurrency;
pub mod dense;
pub mod durable;
pub mod fidelity;
pub mod filters;
pub mod global_order;
pub mod idempotent;
pub mod missed;
pub mod moving_on;
pub mod naming;
pub mod pages;
pub mod prefixes;
pub mod random_walk;
pub mod refusal;
pub mod set_keys;
pub mod set_races;
pub mod sets;
pub mod statistics;
pub mod stream_reads;
pub mod stream_waiting;
pub mod waiting;

list! { $
    /// The cases for every store, in process or over HTTP: one test each for a
    /// [`Harness`](crate::Harness).
    cases: CASES, __cases, Harness:
    atomic {
        a_changeset_is_stored_whole [1];
        a_reader_never_sees_part_of_a_changeset [1, 5];
        racing_commits_do_not_mix [1, 2];
        a_refused_commit_changes_nothing [1, 12];
    }
    concurrency {
        one_of_racing_commits_succeeds [2, 3];
        one_of_racing_commits_by_event_succeeds [2, 3];
        one_of_racing_commits_of_both_kinds_succeeds [2, 3];
        writers_that_retry_all_succeed [2, 3, 5];
        writers_that_retry_by_event_all_succeed [2, 3, 5];
        streams_do_not_disturb_each_other [2];
        a_new_stream_must_not_exist [2];
        an_expectation_inside_a_changeset_is_outdated [2];
        both_kinds_of_expectation_agree [2];
        an_expectation_ahead_is_refused [2, 12];
    }
    missed {
        a_conflict_lists_a_hundred_changesets [2];
        a_conflict_lists_256_kib [2];
        a_large_conflict_is_told_in_pages [2, 5];
    }
    dense {
        commits_get_the_next_ids [3];
        reads_tell_the_same_ids [3];
        refused_commits_take_no_ids [3, 12];
    }
    durable {
        streams_survive_a_restart [4];
        the_global_order_survives_a_restart [4, 6];
        commits_go_on_after_a_restart [4, 3, 6];
        idempotency_keys_survive_a_restart [4, 10];
        what_many_writers_wrote_survives [4];
    }
    stream_reads {
        reads_see_what_was_just_written [5];
        every_range_of_changesets [5];
        every_range_of_events [5];
        a_range_beyond_the_end_is_empty [5];
        following_next_gives_the_whole_answer [5];
        a_large_stream_comes_in_pages [5];
        a_changeset_larger_than_a_page_comes_alone [5];
        a_missing_stream_is_not_found [5, 12];
    }
    global_order {
        checkpoints_are_dense [6];
        streams_keep_their_order [7];
        a_checkpoint_always_answers_the_same [6];
        every_limit_gives_the_same_order [6];
        readers_miss_nothing_and_repeat_nothing [6, 7];
        events_can_be_read_from_each_on [6];
        every_limit_gives_the_same_events [6];
        large_changesets_come_in_pages [6];
        commits_tell_their_checkpoint [6];
    }
    backward {
        the_order_is_the_same_backward [6];
        large_changesets_come_in_pages_backward [6];
        the_beginning_has_nothing_before_it [6];
        a_checkpoint_beyond_the_head_is_refused_backward [6, 12];
    }
    beyond {
        a_checkpoint_beyond_the_head_is_refused [6, 12];
    }
    pages {
        reads_cross_a_page_boundary [6];
        every_limit_crosses_a_page_boundary [6];
        the_order_goes_on_at_a_page_boundary [6];
    }
    waiting {
        a_reader_does_not_wait_for_what_is_there [8];
        a_reader_waits_no_longer_than_asked [6];
        waiting_readers_get_what_is_committed [6, 8];
        no_commit_slips_past_a_waiting_reader [6, 8];
    }
    filters {
        types_are_those_of_the_top_level [15];
        events_come_without_their_neighbours [15];
        prefixes_are_beginnings [15];
        every_limit_selects_the_same [15];
        large_changesets_are_passed [15];
        many_types_are_found [15];
    }
    moving_on {
        what_selects_nothing_reaches_the_head [15];
        the_newest_come_first_backward [15];
        readers_beside_writers_skip_nothing [15, 6];
        a_reader_waits_at_the_head [15, 8];
        a_wait_in_vain_tells_how_far_it_came [15];
    }
    stream_waiting {
        a_reader_of_a_stream_gets_what_is_committed [5, 8];
        a_reader_waits_for_a_stream_that_is_not_there [5, 8];
        a_reader_of_a_stream_waits_no_longer_than_asked [5, 12];
    }
    idempotent {
        a_repeat_is_answered_as_the_first [10];
        a_place_is_the_same_by_event [10];
        a_key_may_be_used_elsewhere [10];
        repeats_at_once_are_one_commit [10, 2];
        a_key_stands_for_one_content [10];
        absent_metadata_is_an_empty_object [10, 11];
        content_alone_makes_no_repeat [10, 2];
        a_refused_commit_leaves_its_key [10, 12];
        every_legal_key_is_kept [10];
    }
    client_keys {
        a_key_is_found_whatever_is_expected [10];
        a_reused_key_tells_of_its_changeset [10, 12];
        a_key_wins_once_whatever_is_expected [10];
        a_key_is_found_after_a_restart [10, 4];
        a_key_of_the_store_counts_at_its_place [10, 2];
        reads_tell_keys [10];
        the_key_of_none_is_refused [10, 12];
    }
    sets {
        a_set_is_stored_whole [1, 3];
        the_largest_set_is_stored [1, 3];
        members_are_adjacent_in_the_global_order [6, 7];
        one_that_does_not_hold_refuses_all [1, 2, 12];
        one_that_is_ahead_refuses_all [1, 2, 12];
        all_that_do_not_hold_are_told [2];
        a_conflict_of_a_set_has_bounds [2];
        what_is_not_a_set_is_refused [12];
        sets_survive_a_restart [4, 1];
    }
    set_keys {
        a_set_is_repeated_as_a_whole [10];
        a_key_of_a_set_stands_for_that_set [10, 12];
        a_key_in_one_stream_refuses_the_set [10, 1];
        repeats_of_a_set_at_once_are_one [10, 1];
        a_refused_set_leaves_its_key [10, 12];
        a_set_is_repeated_after_a_restart [10, 4];
    }
    set_races {
        a_check_holds_at_the_moment_of_the_commit [2];
        checks_and_single_commits_exclude_each_other [2];
        transfers_keep_the_sum [1, 2, 5];
        overlapping_sets_do_not_stop_each_other [1, 2];
    }
    fidelity {
        values_keep_their_bytes [11];
        metadata_keeps_its_bytes [11];
        a_conflict_tells_the_same_bytes [11, 2];
        a_hundred_levels_of_nesting [11];
        a_thousand_events [11];
        any_json_keeps_its_bytes [11];
        times_are_told_the_same_everywhere [11];
    }
    naming {
        stream_ids_keep_their_bytes [11];
        dots_are_stream_ids [11];
    }
    prefixes {
        longer_ids_are_written_first [11, 5, 2, 3];
        shorter_ids_are_written_first [11, 5, 2, 3];
        all_ids_are_written_in_turn [11, 5, 2, 3];
    }
    apart {
        the_same_key_in_streams_that_look_alike [11, 10];
        a_conflict_tells_of_its_own_stream_alone [2];
    }
    bounds {
        numbers_keep_their_order [5, 2, 3, 6];
        event_numbers_keep_their_order [5, 2, 3];
        ranges_reach_to_the_ends [5, 3];
        the_largest_expectations_are_refused [12];
        stream_ids_of_every_length [11];
        stream_ids_of_every_character [11];
        keys_of_every_character [10];
        keys_of_every_length [10];
    }
    refusal {
        bad_stream_ids_are_refused [12];
        bad_keys_are_refused [12];
        no_events_are_refused [12];
        events_must_be_an_array [12];
        what_is_not_json_is_refused [12];
        what_is_nested_too_deep_is_refused [12];
        lone_surrogates_are_refused [12];
        bad_input_is_told_before_a_conflict [12];
        a_changeset_has_a_largest_size [12, 11];
    }
    statistics {
        counts_are_exact [13];
        counts_go_up_commit_by_commit [13];
        counts_span_pages [13];
        only_what_stands_counts [13];
        counts_survive_a_restart [13, 4];
    }
    random_walk {
        the_store_answers_as_the_model [2, 3, 5, 6, 7, 10];
    }
}
