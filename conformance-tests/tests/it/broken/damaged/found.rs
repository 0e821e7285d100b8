//! Storages that do not quite tell damage, and the table of the cases that find them.

use ees_conformance::{Damage, damage_cases};

use super::super::Broken;
use super::super::found::{assert_found, case_named};
use super::{Telling, Wrong};

/// Storages with one thing wrong.
macro_rules! wrong {
    ($($name:ident { $constant:ident: $kind:ty = $value:expr })+) => {
        $(#[derive(Default)]
        struct $name;
        impl Wrong for $name {
            const $constant: $kind = $value;
        })+
    };
}

wrong! {
    SkipsTheLost { OVERLOOKS: &[Damage] = &[Damage::Lost] }
    ServesPayloads { OVERLOOKS: &[Damage] = &[Damage::Payload] }
    ServesFrames { OVERLOOKS: &[Damage] = &[Damage::Frame] }
    FailsWholePages { FAILS_WHOLE_PAGES: bool = true }
    StopsSilently { STOPS_SILENTLY: bool = true }
    FiltersBlindly { FILTERS_BLINDLY: bool = true }
    MissesLostEnds { MISSES_LOST_ENDS: bool = true }
    TakesAllForHoles { TAKES_ALL_FOR_HOLES: bool = true }
    TrustsHeads { TRUSTS_HEADS: bool = true }
    CommitsOn { COMMITS_ON: bool = true }
    CommitsSetsOn { COMMITS_SETS_ON: bool = true }
    SeemsSound { SEEMS_SOUND: bool = true }
    SeemsWritable { SEEMS_WRITABLE: bool = true }
    ImportsApart { IMPORTS_APART: bool = true }
    StopsReading { STOPS_READING: bool = true }
}

/// Asserts that cases find what is wrong.
macro_rules! found {
    ($($test:ident: $wrong:ty => $($group:ident::$case:ident),+;)+) => {
        $(#[test]
        fn $test() {
            $(
                let case = case_named(stringify!($group), stringify!($case));
                assert_found(case, || damage_cases::run::<Broken<Telling<$wrong>>>(case.name));
            )+
        })+
    };
}

found! {
    lost_changesets_that_are_skipped: SkipsTheLost =>
        damaged_streams::a_lost_changeset_is_told, damaged_order::a_lost_changeset_is_told,
        damaged_streams::damage_of_every_kind_is_told, damaged_order::damage_of_every_kind_is_told,
        damaged_streams::ranges_of_events_tell, damaged_streams::streams_beside_it_are_read,
        after_damage::a_read_of_the_order_that_meets_damage_ends_commits,
        after_damage::no_commit_takes_a_lost_position;
    changed_payloads_that_are_served: ServesPayloads =>
        damaged_streams::a_changed_payload_is_told, damaged_order::a_changed_payload_is_told,
        damaged_filters::what_a_filter_selects_is_told,
        after_damage::a_read_of_a_stream_that_meets_damage_ends_commits;
    changed_frames_that_are_served: ServesFrames =>
        damaged_streams::a_changed_frame_is_told, damaged_order::a_changed_frame_is_told,
        damaged_filters::what_a_filter_passes_is_told,
        after_damage::a_filtered_read_that_meets_damage_ends_commits;
    sound_changesets_before_damage_that_are_withheld: FailsWholePages =>
        damaged_streams::a_changed_payload_is_told, damaged_streams::a_changed_frame_is_told,
        damaged_order::a_changed_payload_is_told, damaged_order::a_changed_frame_is_told;
    pages_that_end_at_damage_and_tell_nothing: StopsSilently =>
        damaged_streams::a_lost_changeset_is_told, damaged_streams::a_changed_payload_is_told,
        damaged_order::a_changed_frame_is_told, damaged_filters::what_a_filter_passes_is_told;
    a_filter_that_looks_at_what_it_selects_alone: FiltersBlindly =>
        damaged_filters::what_a_filter_passes_is_told, damaged_filters::a_lost_end_is_told;
    an_end_where_the_last_one_stands: MissesLostEnds =>
        damaged_order::a_lost_end_is_told, damaged_filters::a_lost_end_is_told,
        after_damage::a_read_that_meets_a_lost_end_ends_commits;
    damage_that_is_told_as_a_hole: TakesAllForHoles =>
        damaged_order::a_changed_payload_is_told, damaged_order::a_changed_frame_is_told;
    a_head_of_a_changed_frame: TrustsHeads => damaged_streams::a_head_is_true_or_told;
    commits_after_damage: CommitsOn =>
        after_damage::a_read_of_a_stream_that_meets_damage_ends_commits,
        after_damage::a_read_that_meets_a_lost_end_ends_commits;
    sets_after_damage: CommitsSetsOn =>
        after_damage::a_filtered_read_that_meets_damage_ends_commits;
    a_damaged_store_that_seems_sound: SeemsSound =>
        after_damage::a_read_of_the_order_that_meets_damage_ends_commits;
    a_damaged_store_that_seems_writable: SeemsWritable =>
        after_damage::a_read_of_the_order_that_meets_damage_ends_commits;
    damage_that_an_import_keeps_to_itself: ImportsApart =>
        after_damage::an_import_that_meets_damage_ends_commits;
    reads_that_end_with_the_commits: StopsReading =>
        damaged_streams::streams_beside_it_are_read,
        damaged_order::damage_of_every_kind_is_told,
        after_damage::a_read_of_a_stream_that_meets_damage_ends_commits;
}

/// What the wrong ones are made of passes all.
mod sound {
    use super::{Broken, Telling, Wrong};

    #[derive(Default)]
    struct Nothing;
    impl Wrong for Nothing {}

    type Memory = Broken<Telling<Nothing>>;
    ees_conformance::damage_suite!(Memory, mod memory);
}
