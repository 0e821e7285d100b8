//! The cases for storages that tell damage (G19): what is not as it was written is never answered, and
//! ends the commits.

mod scene;

pub mod after_damage;
pub mod damaged_filters;
pub mod damaged_order;
pub mod damaged_streams;

list! { $
    /// The cases for storages that tell damage: one test each for a
    /// [`DamageHarness`](crate::DamageHarness).
    damage_cases: DAMAGE_CASES, __damage_cases, DamageHarness:
    after_damage {
        a_read_of_a_stream_that_meets_damage_ends_commits [19];
        a_read_of_the_order_that_meets_damage_ends_commits [19];
        a_filtered_read_that_meets_damage_ends_commits [19];
        a_read_that_meets_a_lost_end_ends_commits [19];
        an_import_that_meets_damage_ends_commits [19];
        no_commit_takes_a_lost_position [19];
    }
    damaged_filters {
        what_a_filter_selects_is_told [19];
        what_a_filter_passes_is_told [19];
        a_lost_end_is_told [19];
    }
    damaged_order {
        a_lost_changeset_is_told [19];
        a_changed_payload_is_told [19];
        a_changed_frame_is_told [19];
        damage_of_every_kind_is_told [19];
        a_lost_end_is_told [19];
    }
    damaged_streams {
        a_lost_changeset_is_told [19];
        a_changed_payload_is_told [19];
        a_changed_frame_is_told [19];
        damage_of_every_kind_is_told [19];
        ranges_of_events_tell [19];
        a_head_is_true_or_told [19];
        streams_beside_it_are_read [19];
    }
}
