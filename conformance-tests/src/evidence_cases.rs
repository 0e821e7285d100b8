//! The cases for storages that keep the hashes of a verifiable log (G17), take imports, and can be
//! fenced for a move (G14).

mod scene;

pub mod fence;
pub mod import;
pub mod import_reads;
pub mod log_store;

list! { $
    /// The cases for storages with a log and imports: one test each for an
    /// [`EvidenceHarness`](crate::EvidenceHarness).
    evidence_cases: EVIDENCE_CASES, __evidence_cases, EvidenceHarness:
    fence {
        a_fence_refuses_every_commit [14];
        a_fence_that_is_lifted_lets_commits_through [14];
        a_fence_survives_a_restart [14, 4];
        no_commit_is_stored_behind_a_fence [14];
        a_fence_holds_back_no_other_write [14];
    }
    import {
        every_field_comes_back [14, 11];
        commits_and_imports_take_turns [14, 3, 6];
        an_imported_key_stands [14, 10];
        a_page_goes_where_the_order_ends [14];
        what_does_not_follow_is_refused [14, 3];
        no_commit_gets_a_void_position [14, 6];
        the_largest_pages_are_taken [14];
        an_import_goes_on_after_a_restart [14, 4];
        subscriptions_are_listed_in_order [14];
    }
    import_reads {
        streams_are_read_as_they_were [14, 5];
        the_order_is_read_from_every_position [14, 6];
        the_order_is_read_backward [14, 6];
        filtered_reads_pass_void_positions [14, 15];
        subscriptions_pass_void_positions [14, 6];
        statistics_pass_void_positions [14, 13];
    }
    log_store {
        there_is_no_head_at_first [17];
        the_head_is_swapped_by_its_revision [17];
        a_stored_tile_stays [17];
        a_call_that_replaces_no_head_does_no_harm [17];
        one_of_racing_seals_wins [17];
        the_largest_call_is_stored_whole [17];
        tiles_keep_apart [17];
        the_log_survives_a_restart [17, 4];
    }
}
