//! The cases for servers: the REST contract as it is on the wire, row by row.
//!
//! They add to [`CASES`](crate::cases::CASES), which test a server like any other store. They check
//! what is specific to HTTP: the bodies' fields, every error with its status, the order of the
//! checks, the limits on sizes.

pub mod answers;
pub mod body_limit;
pub mod check_order;
pub mod commit_bodies;
pub mod conflicts;
pub mod description;
pub mod directions;
pub mod durable_consumers;
pub mod endpoints;
pub mod event_streams;
pub mod expectations;
pub mod filter_parameters;
pub mod global_head;
pub mod identity;
pub mod integers;
pub mod keys;
pub mod layout;
pub mod links;
pub mod parameters;
pub mod ranges;
pub mod raw_http;
pub mod set_bodies;
pub mod sizes;
pub mod stream_paths;
pub mod verifiable_log;

list! { $
    /// The cases for servers, in addition to [`CASES`](crate::cases::CASES): one test each for an
    /// [`HttpHarness`](crate::HttpHarness).
    http_cases: HTTP_CASES, __http_cases, HttpHarness:
    answers {
        a_commit [3];
        a_streams_end [5];
        a_streams_changesets [5];
        a_streams_events [5];
        all_changesets [6];
        all_events [6];
        statistics [13];
        what_the_service_says_of_itself [12];
        an_answer_ends_with_a_line_break [12];
        a_head_request_has_the_same_headers [5];
        a_range_that_holds_nothing [5];
    }
    global_head {
        an_empty_page_ends_there [6];
        a_checkpoint_beyond_it_is_refused [6, 12];
    }
    identity {
        every_answer_tells_it [6];
        another_store_is_refused [6, 12];
        it_is_checked_before_the_checkpoint [6, 12];
        what_is_no_id_is_refused [12];
        it_survives_a_restart [6, 4];
    }
    parameters {
        an_empty_parameter_counts_as_not_given [12];
        a_parameter_given_twice_is_refused [12];
        a_read_refuses_unknown_parameters [12];
        a_commit_refuses_unknown_parameters [12];
        names_with_an_underscore_are_ignored [12];
        bad_words_are_refused [12];
    }
    integers {
        bad_integers_are_refused [12];
        the_largest_integer_is_taken [12, 5];
        a_limit_is_one_or_more [12, 5];
        a_global_limit_has_a_maximum [6];
        a_wait_has_a_maximum [12];
    }
    ranges {
        a_range_is_not_upside_down [12];
        ids_begin_at_one_but_ranges_at_zero [5];
        checkpoints_have_their_forms [6, 12];
    }
    filter_parameters {
        may_be_given_more_than_once [15];
        empty_ones_count_as_not_given [15, 12];
        have_a_largest_number [12, 15];
    }
    directions {
        a_read_backward_does_not_wait [12];
        a_read_backward_begins_at_the_head [6];
    }
    expectations {
        one_kind_is_given [12, 2];
        an_expectation_beyond_the_end_is_invalid [12, 2];
        none_means_a_new_stream [2];
    }
    stream_paths {
        an_empty_one_is_missing [12];
        an_encoding_that_is_no_text_is_invalid [12];
        what_no_stream_may_be_called_is_invalid [12];
        any_other_text_works_in_every_call [5, 11];
        a_missing_stream_is_not_found [12];
    }
    check_order {
        method_and_path_come_first [12];
        the_stream_id_comes_before_the_parameters [12];
        parameters_come_in_the_order_of_the_contract [12];
        parameters_come_before_headers [12];
        headers_come_before_the_body [12];
        the_body_comes_before_the_storage [12];
        parameters_come_before_the_storage [12];
    }
    set_bodies {
        a_set_is_answered_in_its_order [3];
        a_repeat_says_so [10];
        a_conflict_has_all_that_does_not_hold [2];
        what_is_wrong_is_named [12];
        it_takes_no_parameters_of_a_single_commit [12];
    }
    commit_bodies {
        what_is_no_json_object_is_refused [12];
        a_key_given_twice_is_refused [12];
        events_are_an_array [12];
        no_events_are_refused [12];
        other_keys_are_refused [12];
        null_metadata_is_not_absent_metadata [11];
        a_hundred_levels_of_nesting_and_no_more [11, 12];
        thousands_of_levels_do_no_harm [12];
        half_a_surrogate_pair_is_refused [12];
        the_content_type_is_not_looked_at [12];
    }
    sizes {
        a_changeset_over_the_storages_limit_is_refused [12];
        a_body_over_the_limit_is_refused [12];
    }
    keys {
        bad_ones_are_refused [12, 10];
        the_longest_one_is_taken [10];
        a_repeat_is_answered_as_the_first [10];
        another_content_is_refused [10, 12];
        a_repeat_is_found_before_a_conflict_is_told [10, 2];
        the_key_comes_before_the_expectation [10, 12];
        reads_tell_them_where_asked [10];
    }
    conflicts {
        tell_what_came_after_the_expectation [2];
        tell_details_where_asked [2];
        list_no_more_than_was_asked_for [2];
        that_list_not_all_go_on_elsewhere [2, 5];
    }
    body_limit {
        no_page_of_a_stream_passes_it [5];
        no_page_of_the_global_order_passes_it [6];
        the_frames_of_tiny_events_count [5];
        the_frames_of_events_count_globally [6];
        white_space_counts [5];
        what_passes_it_alone_comes_alone [5, 6];
    }
    links {
        lead_through_all_pages [5];
    }
    layout {
        only_white_space_is_added [11];
        errors_are_laid_out_too [12];
    }
    endpoints {
        unknown_paths_are_not_found [12];
        other_methods_are_not_allowed [12];
        event_streams_are_sent_where_nothing_else_will_do [12];
    }
    event_streams {
        send_what_pages_have [6];
        go_on_behind_the_last_event [6];
        send_what_is_committed [8];
        skip_and_repeat_nothing [6];
        tell_how_far_a_filter_came [15];
        send_data_on_one_line [11];
        refuse_what_reads_refuse [12];
    }
    durable_consumers {
        are_defined_work_and_are_deleted [16];
        park_what_fails [16];
        refuse_what_is_wrong [12, 16];
        wait_where_asked [16, 8];
        are_described [12];
    }
    verifiable_log {
        every_leaf_is_that_of_its_changeset [17];
        tiles_are_read_by_their_paths [17];
        a_proof_leads_to_a_signed_head [17];
        it_only_grows [17];
        what_it_does_not_have_is_told [12, 17];
    }
    description {
        is_of_the_contract [12];
        names_every_error [12];
        closes_the_body_of_a_commit [12];
        lists_the_codes_of_errors [12];
        describes_every_error_body [12];
    }
    raw_http {
        requests_may_be_sent_ahead [5];
        a_body_may_come_in_chunks [11];
        old_clients_are_answered [5];
        what_is_no_http_is_refused [12];
        a_body_that_breaks_off_changes_nothing [12, 1];
        a_body_in_chunks_over_the_limit_is_refused [12];
    }
}
