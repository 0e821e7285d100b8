//! The cases for adapters in their own process: the ports that a user of the store never sees, and
//! the layers above them when a storage fails.

pub mod checkpoint_store;
pub mod closing;
pub mod identity;
pub mod outages;
pub mod page_limits;
pub mod projecting;
pub mod stored_values;
pub mod subscriptions;
pub mod wake_hint;

list! { $
    /// The cases for adapters, in addition to [`CASES`](crate::cases::CASES): one test each for an
    /// [`AdapterHarness`](crate::AdapterHarness).
    adapter_cases: ADAPTER_CASES, __adapter_cases, AdapterHarness:
    checkpoint_store {
        an_unknown_name_has_no_checkpoint [6];
        the_checkpoint_saved_last_wins [6];
        names_keep_apart [6];
        names_of_every_length_keep_apart [6];
        checkpoints_survive_a_restart [4, 6];
    }
    closing {
        a_closed_storage_is_unavailable [4];
        a_storage_may_be_closed_twice [4];
        what_was_acknowledged_before_closing_lasts [4, 1];
        a_closed_storage_opens_again [4];
    }
    identity {
        an_id_survives_a_restart [6, 4];
        stores_opened_at_once_agree [6];
        a_new_id_tells_what_is_the_same [6, 12];
        a_swap_needs_the_stored_identity [6];
        former_ids_survive_a_restart [6, 4];
    }
    outages {
        a_lost_answer_can_be_asked_for_again [10];
        a_lost_answer_never_turns_into_a_conflict [10, 2];
        a_refusal_can_be_asked_for_again [10, 2];
        a_caller_who_goes_away_may_ask_again [10];
    }
    page_limits {
        stream_pages_end_where_the_limit_says [5];
        event_ranges_end_where_the_limit_says [5];
        global_pages_end_where_the_limit_says [6];
    }
    projecting {
        statistics_begin_at_zero [13];
        a_swap_needs_the_right_version [13];
        one_of_racing_swaps_succeeds [13];
        projectors_at_once_count_nothing_twice [13];
        a_projector_that_stopped_goes_on [13];
    }
    stored_values {
        times_keep_their_microseconds [11];
        commit_ids_keep_their_characters [10];
        places_in_a_set_are_kept [10];
    }
    subscriptions {
        a_subscription_catches_up_and_goes_on_live [6, 7, 8];
        a_subscription_resumes_where_it_was_saved [6];
        a_dropped_call_loses_nothing [6];
        a_subscription_outlives_an_outage [6, 8];
    }
    wake_hint {
        a_commit_reaches_readers_that_no_wake_up_reaches [8];
        a_commit_wakes_who_listens [8];
        no_commit_is_missed_between_listening_and_reading [8];
    }
}
