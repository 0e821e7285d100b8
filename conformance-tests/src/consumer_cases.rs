//! The cases for storages that keep durable consumers: the port, and the use cases over it (G16).

mod dying;
mod scene;

pub mod consumer_store;
pub mod cut;
pub mod delivery;
pub mod failing;
pub mod killed;
pub mod operating;
pub mod reading;

list! { $
    /// The cases for storages that keep durable consumers: one test each for a
    /// [`ConsumerHarness`](crate::ConsumerHarness).
    consumer_cases: CONSUMER_CASES, __consumer_cases, ConsumerHarness:
    consumer_store {
        a_name_has_one_definition [16];
        names_are_listed_in_order [16];
        a_partition_is_swapped_by_its_revision [16];
        parked_streams_change_with_their_partition [16];
        one_of_racing_swaps_wins [16];
        a_consumer_is_removed_with_everything [16];
        consumers_survive_a_restart [16, 4];
    }
    cut {
        a_call_that_was_cut_may_be_repeated [16];
    }
    delivery {
        everything_is_delivered_in_each_streams_order [16];
        a_worker_that_sleeps_is_fenced [16];
        a_lost_answer_is_given_again [16];
        a_released_batch_is_handed_out_again [16];
        an_acknowledgement_must_fit_its_batch [16, 12];
        a_filter_that_matches_nothing_reaches_the_head [16];
        a_claim_that_waits_is_woken [16, 8];
        workers_that_stop_anywhere_skip_nothing [16];
    }
    failing {
        a_failure_parks_its_stream_alone [16];
        a_parked_stream_catches_up_in_order [16];
        a_stream_waits_for_an_operator_after_its_last_try [16];
        a_consumer_that_stops_holds_its_partition [16];
        many_failures_at_once_are_all_kept [16];
    }
    killed {
        a_server_killed_at_any_step_skips_nothing [16];
    }
    operating {
        a_definition_is_the_same_or_refused [16];
        a_skipped_changeset_is_not_delivered [16];
        a_reset_ends_the_batch_and_delivers_again [16];
        a_consumer_that_is_removed_ends_its_batches [16];
        a_report_says_how_far_it_has_come [16];
    }
    reading {
        what_a_filter_does_not_select_is_not_read [15, 16];
        a_batch_is_given_again_whole [16];
    }
}
