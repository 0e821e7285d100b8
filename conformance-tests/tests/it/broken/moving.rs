//! Storages whose log, import or fence breaks a promise, and the table of the cases that find them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use ees_conformance::evidence_cases;
use ees_conformance::faults::{Fault, Faulty};
use ees_conformance::subject::{Direct, Subject};
use ees_conformance::{Adapter, AdapterHarness, Capabilities, EvidenceHarness, Harness};
use ees_core::adapter::{
    Commit, CommitSet, Fence, Import, ImportOutcome, LogStore, Outcome, SetOutcome, StoredLogHead,
    Tile, TileId,
};
use ees_core::{Checkpoint, CommitId, GlobalPage, PageLimit, StorageError};
use ees_memory::MemoryStorage;

use super::MAX_CHANGESET_BYTES;
use super::found::{assert_found, case_named};

/// What is wrong with a memory store: with its storage port as [`Fault`] says, or with its other ports.
trait Flaw: Fault + Default {
    fn log(memory: Arc<MemoryStorage>) -> Arc<dyn LogStore> {
        memory
    }

    fn import(memory: Arc<MemoryStorage>) -> Arc<dyn Import> {
        memory
    }

    fn fence(self: Arc<Self>, memory: Arc<MemoryStorage>) -> Arc<dyn Fence> {
        memory
    }
}

/// A memory store with a flaw.
struct Flawed<F> {
    memory: Arc<MemoryStorage>,
    flaw: Arc<F>,
    log: Arc<dyn LogStore>,
}

#[async_trait]
impl<F: Flaw> Harness for Flawed<F> {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            durable: false,
            orders_at_commit: true,
            max_changeset_bytes: MAX_CHANGESET_BYTES,
        }
    }

    async fn start() -> Self {
        let memory = MemoryStorage::with_max_changeset_bytes(MAX_CHANGESET_BYTES);
        let memory = Arc::new(memory);
        Self {
            log: F::log(Arc::clone(&memory)),
            flaw: Arc::default(),
            memory,
        }
    }

    fn subject(&self) -> Arc<dyn Subject> {
        Direct::new(self.faulty())
    }

    async fn restart(&mut self) {
        *self = Self::start().await;
    }

    async fn settle(&self) {}
}

impl<F: Flaw> Flawed<F> {
    fn faulty(&self) -> Arc<Faulty<Shared<F>>> {
        Faulty::new(self.memory.clone(), Shared(Arc::clone(&self.flaw)))
    }
}

impl<F: Flaw> AdapterHarness for Flawed<F> {
    fn storage(&self) -> Arc<dyn Adapter> {
        self.faulty()
    }
}

impl<F: Flaw> EvidenceHarness for Flawed<F> {
    fn log(&self) -> Arc<dyn LogStore> {
        Arc::clone(&self.log)
    }

    fn import(&self) -> Arc<dyn Import> {
        F::import(Arc::clone(&self.memory))
    }

    fn fence(&self) -> Option<Arc<dyn Fence>> {
        Some(Arc::clone(&self.flaw).fence(Arc::clone(&self.memory)))
    }
}

/// A fault that several storages share.
struct Shared<F>(Arc<F>);

#[async_trait]
impl<F: Fault> Fault for Shared<F> {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        self.0.commit(inner, commit).await
    }

    async fn commit_set(
        &self,
        inner: &dyn Adapter,
        set: &CommitSet,
    ) -> Result<SetOutcome, StorageError> {
        self.0.commit_set(inner, set).await
    }

    async fn read_global(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        self.0.read_global(inner, from, limit).await
    }
}

#[derive(Default)]
struct NoFlaw;
impl Fault for NoFlaw {}
impl Flaw for NoFlaw {}

/// Takes a new tile for a stored one.
#[derive(Default)]
struct OverwritesTiles;
impl Fault for OverwritesTiles {}
impl Flaw for OverwritesTiles {
    fn log(memory: Arc<MemoryStorage>) -> Arc<dyn LogStore> {
        let tiles = Mutex::default();
        Arc::new(Overwriting { memory, tiles })
    }
}

struct Overwriting {
    memory: Arc<MemoryStorage>,
    tiles: Mutex<HashMap<TileId, Vec<u8>>>,
}

#[async_trait]
impl LogStore for Overwriting {
    async fn load_log_head(&self) -> Result<Option<StoredLogHead>, StorageError> {
        self.memory.load_log_head().await
    }

    async fn load_tile(&self, tile: TileId) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.tiles.lock().unwrap().get(&tile).cloned())
    }

    async fn seal(
        &self,
        previous: Option<u64>,
        next: &StoredLogHead,
        tiles: &[Tile],
    ) -> Result<bool, StorageError> {
        let new = tiles.iter().map(|tile| (tile.id, tile.hashes.clone()));
        self.tiles.lock().unwrap().extend(new);
        self.memory.seal(previous, next, &[]).await
    }
}

/// Replaces the head whatever its revision is.
#[derive(Default)]
struct IgnoresRevisions;
impl Fault for IgnoresRevisions {}
impl Flaw for IgnoresRevisions {
    fn log(memory: Arc<MemoryStorage>) -> Arc<dyn LogStore> {
        Arc::new(Careless(memory))
    }
}

struct Careless(Arc<MemoryStorage>);

#[async_trait]
impl LogStore for Careless {
    async fn load_log_head(&self) -> Result<Option<StoredLogHead>, StorageError> {
        self.0.load_log_head().await
    }

    async fn load_tile(&self, tile: TileId) -> Result<Option<Vec<u8>>, StorageError> {
        self.0.load_tile(tile).await
    }

    async fn seal(
        &self,
        _: Option<u64>,
        next: &StoredLogHead,
        tiles: &[Tile],
    ) -> Result<bool, StorageError> {
        let stands = self.0.load_log_head().await?;
        let revision = stands.map(|head| head.revision);
        self.0.seal(revision, next, tiles).await
    }
}

/// Imports a page that was changed.
struct Changing {
    memory: Arc<MemoryStorage>,
    change: fn(Checkpoint, &mut GlobalPage),
}

#[async_trait]
impl Import for Changing {
    async fn begin_import(&self) -> Result<Checkpoint, StorageError> {
        self.memory.begin_import().await
    }

    async fn import(
        &self,
        from: Checkpoint,
        page: &GlobalPage,
    ) -> Result<ImportOutcome, StorageError> {
        let mut page = page.clone();
        (self.change)(from, &mut page);
        self.memory.import(from, &page).await
    }

    async fn finish_import(&self) -> Result<(), StorageError> {
        self.memory.finish_import().await
    }

    async fn subscriptions(&self, after: &str) -> Result<Vec<String>, StorageError> {
        self.memory.subscriptions(after).await
    }
}

/// Defines flaws that change an imported page.
macro_rules! changing {
    ($($(#[$doc:meta])* $name:ident: $change:expr;)+) => {
        $($(#[$doc])*
        #[derive(Default)]
        struct $name;
        impl Fault for $name {}
        impl Flaw for $name {
            fn import(memory: Arc<MemoryStorage>) -> Arc<dyn Import> {
                let change: fn(Checkpoint, &mut GlobalPage) = $change;
                Arc::new(Changing { memory, change })
            }
        })+
    };
}

changing! {
    /// Does not store the marks of sets.
    ForgetsSets: |_, page| page.changesets.iter_mut().for_each(|one| one.set = None);
    /// Stores every changeset as if the store had generated its id.
    MakesIds: |_, page| page
        .changesets
        .iter_mut()
        .for_each(|one| one.commit_id = CommitId::generate());
    /// Gives the next positions, so that void ones go to whatever comes next.
    ClosesGaps: |from, page| {
        for (offset, one) in (0..).zip(&mut page.changesets) {
            one.checkpoint = Some(from.plus(offset));
        }
    };
}

/// Takes a void position for a lost changeset.
#[derive(Default)]
struct StumblesOverVoids;

#[async_trait]
impl Fault for StumblesOverVoids {
    async fn read_global(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        let page = inner.read_global(from, limit).await?;
        GlobalPage::dense(from, page.changesets)
    }
}

impl Flaw for StumblesOverVoids {}

/// Leads on to where a void position may be read again and again.
#[derive(Default)]
struct CountsChangesets;

#[async_trait]
impl Fault for CountsChangesets {
    async fn read_global(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        let page = inner.read_global(from, limit).await?;
        Ok(GlobalPage {
            next: from.plus(page.changesets.len() as u64),
            ..page
        })
    }
}

impl Flaw for CountsChangesets {}

/// A fence that each commit looks at before it begins to write.
#[derive(Default)]
struct LetsBegunCommitsThrough {
    moved_to: Mutex<Option<String>>,
    begun: AtomicUsize,
    /// Whether somebody has read the order to its end behind the fence.
    is_read: AtomicBool,
}

/// How many commits do not wait for the fence.
const PROMPT: usize = 16;

impl LetsBegunCommitsThrough {
    fn check(&self) -> Result<(), StorageError> {
        match self.moved_to.lock().unwrap().clone() {
            Some(moved_to) => Err(StorageError::Fenced { moved_to }),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Fault for LetsBegunCommitsThrough {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        self.check()?;
        if self.begun.fetch_add(1, Ordering::SeqCst) >= PROMPT {
            while !self.is_read.load(Ordering::SeqCst) {
                tokio::task::yield_now().await;
            }
        }
        inner.commit(commit).await
    }

    async fn read_global(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        let page = inner.read_global(from, limit).await?;
        let is_end = page.changesets.is_empty() && self.check().is_err();
        self.is_read.fetch_or(is_end, Ordering::SeqCst);
        Ok(page)
    }
}

impl Flaw for LetsBegunCommitsThrough {
    fn fence(self: Arc<Self>, _: Arc<MemoryStorage>) -> Arc<dyn Fence> {
        self
    }
}

#[async_trait]
impl Fence for LetsBegunCommitsThrough {
    async fn fence(&self, moved_to: &str) -> Result<(), StorageError> {
        // At least one commit has begun and not written.
        while self.begun.load(Ordering::SeqCst) <= PROMPT {
            tokio::task::yield_now().await;
        }
        *self.moved_to.lock().unwrap() = Some(moved_to.to_owned());
        Ok(())
    }

    async fn lift_fence(&self) -> Result<(), StorageError> {
        *self.moved_to.lock().unwrap() = None;
        Ok(())
    }

    async fn fence_state(&self) -> Result<Option<String>, StorageError> {
        Ok(self.moved_to.lock().unwrap().clone())
    }
}

/// Acknowledges sets of commits behind a fence.
#[derive(Default)]
struct AcknowledgesSets;

#[async_trait]
impl Fault for AcknowledgesSets {
    async fn commit_set(
        &self,
        inner: &dyn Adapter,
        set: &CommitSet,
    ) -> Result<SetOutcome, StorageError> {
        let outcome = inner.commit_set(set).await;
        match outcome {
            Err(StorageError::Fenced { .. }) => Ok(SetOutcome::Committed(Vec::new())),
            outcome => outcome,
        }
    }
}

impl Flaw for AcknowledgesSets {}

/// Asserts that cases find a flaw.
macro_rules! found {
    ($($test:ident: $flaw:ty => $($group:ident::$case:ident),+;)+) => {
        $(#[test]
        fn $test() {
            $(
                let case = case_named(stringify!($group), stringify!($case));
                assert_found(case, || evidence_cases::run::<Flawed<$flaw>>(case.name));
            )+
        })+
    };
}

found! {
    a_tile_that_is_overwritten: OverwritesTiles => log_store::a_stored_tile_stays;
    a_head_that_is_swapped_blindly: IgnoresRevisions =>
        log_store::the_head_is_swapped_by_its_revision,
        log_store::a_call_that_replaces_no_head_does_no_harm,
        log_store::one_of_racing_seals_wins;
    marks_of_sets_that_are_lost: ForgetsSets => import::every_field_comes_back;
    ids_that_are_made_anew: MakesIds =>
        import::every_field_comes_back, import::an_imported_key_stands;
    void_positions_for_commits: ClosesGaps =>
        import::no_commit_gets_a_void_position, import_reads::the_order_is_read_backward;
    void_positions_that_stop_readers: StumblesOverVoids =>
        import_reads::the_order_is_read_from_every_position,
        import_reads::subscriptions_pass_void_positions,
        import_reads::statistics_pass_void_positions;
    pages_that_do_not_lead_past_void_positions: CountsChangesets =>
        import_reads::the_order_is_read_from_every_position;
    a_commit_behind_a_fence: LetsBegunCommitsThrough =>
        fence::no_commit_is_stored_behind_a_fence;
    a_set_that_is_acknowledged_behind_a_fence: AcknowledgesSets => fence::a_fence_refuses_every_commit;
}

/// What the flaws are made of passes all.
mod sound {
    use super::{Flawed, NoFlaw};

    type Memory = Flawed<NoFlaw>;
    ees_conformance::evidence_suite!(Memory, mod memory);
}
