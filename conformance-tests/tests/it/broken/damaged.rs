//! A storage that tells damage (G19), and what may be wrong with one.

mod found;

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;
use ees_conformance::faults::{Fault, Faulty};
use ees_conformance::{Adapter, Damage, DamageHarness};
use ees_core::adapter::{
    Commit, CommitSet, Import, ImportOutcome, Outcome, SetOutcome, Storage, trusted_events,
};
use ees_core::{
    Changeset, Checkpoint, Filter, GlobalPage, Head, Page, PageLimit, StorageError, StreamId,
    StreamQuery, Timestamp,
};

use super::Broken;

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
    /// What its imports meet ends no commits.
    const IMPORTS_APART: bool = false;
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

    fn import_target(&self) -> Option<Arc<dyn Import>> {
        Some(Arc::new(Target(Arc::clone(&self.0))))
    }
}

/// The target of imports. It takes none.
struct Target<W>(Arc<Faulty<Telling<W>>>);

#[async_trait]
impl<W: Wrong> Import for Target<W> {
    async fn begin_import(&self) -> Result<Checkpoint, StorageError> {
        self.0.next_checkpoint().await
    }

    async fn import(
        &self,
        from: Checkpoint,
        _page: &GlobalPage,
    ) -> Result<ImportOutcome, StorageError> {
        if W::IMPORTS_APART {
            return Err(StorageError::Corrupt("the end is lost".to_owned()));
        }
        let last = Checkpoint::new(from.get() - 1).unwrap();
        self.0.read_global(last, PageLimit::items(1)).await?;
        Ok(ImportOutcome::EndsAt(from))
    }

    async fn finish_import(&self) -> Result<(), StorageError> {
        Ok(())
    }

    async fn subscriptions(&self, _after: &str) -> Result<Vec<String>, StorageError> {
        Ok(Vec::new())
    }
}
