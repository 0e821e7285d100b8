//! A storage that tells damage (G19), those that do not quite, and the table of the cases that find them.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::{Mutex, OnceLock};

use async_trait::async_trait;
use ees_conformance::faults::Fault;
use ees_conformance::{Adapter, Damage, DamageHarness, damage_cases};
use ees_core::adapter::{Commit, CommitSet, Outcome, SetOutcome, trusted_events};
use ees_core::{
    Changeset, Checkpoint, Filter, GlobalPage, Head, Page, PageLimit, StorageError, StreamId,
    StreamQuery, Timestamp,
};

use super::Broken;
use super::found::{assert_found, case_named};

/// What is wrong with a storage that tells damage.
trait Wrong: Default + Send + Sync + 'static {
    /// The damage that it answers as it stands.
    const OVERLOOKS: &[Damage] = &[];
    /// It tells damage of a page, and not what stands before.
    const FAILS_WHOLE_PAGES: bool = false;
    /// It ends pages at damage, also where nothing stands before.
    const STOPS_SILENTLY: bool = false;
    /// It does not look at what a filter passes.
    const FILTERS_BLINDLY: bool = false;
    /// It takes what stands last for the end.
    const MISSES_LOST_ENDS: bool = false;
    /// It says that what is damaged is missing.
    const TAKES_ALL_FOR_HOLES: bool = false;
    /// It tells the head of a damaged changeset.
    const TRUSTS_HEADS: bool = false;
    const COMMITS_ON: bool = false;
    const COMMITS_SETS_ON: bool = false;
    const SEEMS_SOUND: bool = false;
    const SEEMS_WRITABLE: bool = false;
    /// It reads nothing more.
    const STOPS_READING: bool = false;
}

/// Keeps beside a correct store what is damaged of it.
#[derive(Default)]
struct Telling<W> {
    damaged: Mutex<HashMap<(String, u64), Damage>>,
    met: OnceLock<StorageError>,
    wrong: PhantomData<W>,
}

impl<W: Wrong> Telling<W> {
    fn of(&self, changeset: &Changeset) -> Option<Damage> {
        let (stream, id) = (&changeset.stream_id, changeset.changeset_id);
        let damaged = self.damaged.lock().unwrap();
        damaged.get(&(stream.to_string(), id.get())).copied()
    }

    /// Notes and tells damage.
    fn met(&self, changeset: &Changeset, damage: Damage) -> StorageError {
        let position = changeset.checkpoint.unwrap();
        let error = if damage == Damage::Lost || W::TAKES_ALL_FOR_HOLES {
            GlobalPage::hole(position, "nothing")
        } else {
            StorageError::Corrupt(format!("the changeset at checkpoint {position}"))
        };
        self.met.get_or_init(|| error.clone());
        error
    }

    fn check(&self) -> Result<(), StorageError> {
        self.met.get().cloned().map_or(Ok(()), Err)
    }

    /// What stands of a page, and the first damaged changeset of it.
    fn cut(
        &self,
        page: Vec<Changeset>,
    ) -> Result<(Vec<Changeset>, Option<Changeset>), StorageError> {
        if W::STOPS_READING {
            self.check()?;
        }
        let mut standing = Vec::new();
        for mut changeset in page {
            match self.of(&changeset) {
                None => {}
                Some(damage) if W::OVERLOOKS.contains(&damage) => match damage {
                    Damage::Lost => continue,
                    Damage::Payload => {
                        changeset.events = trusted_events("[{},{}]", 2);
                    }
                    Damage::Frame => changeset.timestamp = Timestamp::now(),
                },
                Some(_) if W::STOPS_SILENTLY => return Ok((standing, Some(changeset))),
                Some(damage) => {
                    if standing.is_empty() || W::FAILS_WHOLE_PAGES {
                        return Err(self.met(&changeset, damage));
                    }
                    return Ok((standing, Some(changeset)));
                }
            }
            standing.push(changeset);
        }
        Ok((standing, None))
    }

    /// Whether the order has lost its end from a position on.
    async fn has_lost(&self, inner: &dyn Adapter, from: Checkpoint) -> Result<bool, StorageError> {
        let rest = inner.read_global(from, PageLimit::default()).await?;
        let is_lost = |one| self.of(one) == Some(Damage::Lost);
        Ok(!rest.changesets.is_empty() && rest.changesets.iter().all(is_lost))
    }
}

#[async_trait]
impl<W: Wrong> Fault for Telling<W> {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        if !W::COMMITS_ON {
            self.check()?;
        }
        inner.commit(commit).await
    }

    async fn commit_set(
        &self,
        inner: &dyn Adapter,
        set: &CommitSet,
    ) -> Result<SetOutcome, StorageError> {
        if !W::COMMITS_SETS_ON {
            self.check()?;
        }
        inner.commit_set(set).await
    }

    async fn head(
        &self,
        inner: &dyn Adapter,
        stream_id: &StreamId,
    ) -> Result<Option<Head>, StorageError> {
        let last = StreamQuery::all(stream_id.clone()).backward().limit(1);
        let page = inner.read_stream(&last).await?;
        let Some(last) = page.items.first() else {
            return Ok(None);
        };
        match self.of(last) {
            Some(Damage::Frame) if W::TRUSTS_HEADS => Ok(Some(Head {
                last_timestamp: Timestamp::now(),
                ..last.head()
            })),
            Some(damage) if !W::TRUSTS_HEADS => Err(self.met(last, damage)),
            _ => Ok(Some(last.head())),
        }
    }

    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        let Page { items, more } = inner.read_stream(query).await?;
        let (items, damaged) = self.cut(items)?;
        let more = more || damaged.is_some();
        Ok(Page { items, more })
    }

    async fn read_global(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        if W::MISSES_LOST_ENDS && self.has_lost(inner, from).await? {
            let changesets = Vec::new();
            return Ok(GlobalPage {
                changesets,
                next: from,
            });
        }
        let page = inner.read_global(from, limit).await?;
        let (changesets, damaged) = self.cut(page.changesets)?;
        let next = damaged.map_or(page.next, |damaged| damaged.checkpoint.unwrap());
        Ok(GlobalPage { changesets, next })
    }

    async fn read_filtered(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
        filter: &Filter,
    ) -> Option<Result<GlobalPage, StorageError>> {
        if !W::FILTERS_BLINDLY {
            return None;
        }
        let page = inner.read_filtered(from, limit, filter).await.unwrap();
        Some(self.cut(page.changesets).map(|(changesets, damaged)| {
            let next = damaged.map_or(page.next, |damaged| damaged.checkpoint.unwrap());
            GlobalPage { changesets, next }
        }))
    }

    fn check_sound(&self, _inner: &dyn Adapter) -> Result<(), StorageError> {
        if W::SEEMS_SOUND {
            return Ok(());
        }
        self.check()
    }

    async fn check_writable(&self, _inner: &dyn Adapter) -> Result<(), StorageError> {
        if W::SEEMS_WRITABLE {
            return Ok(());
        }
        self.check()
    }
}

#[async_trait]
impl<W: Wrong> DamageHarness for Broken<Telling<W>> {
    async fn damage(&self, stream_id: &str, changeset_id: u64, damage: Damage) {
        let place = (stream_id.to_owned(), changeset_id);
        let damaged = &self.0.fault().damaged;
        damaged.lock().unwrap().insert(place, damage);
    }
}

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
    reads_that_end_with_the_commits: StopsReading =>
        damaged_streams::streams_beside_it_are_read,
        damaged_order::damage_of_every_kind_is_told,
        after_damage::a_read_of_a_stream_that_meets_damage_ends_commits;
}

/// What the wrong ones are made of passes all.
mod sound {
    use super::super::Broken;
    use super::{Telling, Wrong};

    #[derive(Default)]
    struct Nothing;
    impl Wrong for Nothing {}

    type Memory = Broken<Telling<Nothing>>;
    ees_conformance::damage_suite!(Memory, mod memory);
}
