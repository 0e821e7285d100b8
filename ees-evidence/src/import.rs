//! Importing: a store made of the parts of an export.

use std::fmt;
use std::time::Duration;

use ees_core::adapter::ImportOutcome;
use ees_core::{Changeset, Checkpoint, GlobalPage, Identity, MAX_PAGE_BYTES};
use futures_timer::Delay;

use crate::digest::LinesDigest;
use crate::hash::{Hash, leaf_of, void_leaf};
use crate::import_rest::{Progressed, RestWriter};
use crate::known::{Leaves, tree_of};
use crate::moving::MovableStore;
use crate::moving_error::MoveError;
use crate::part::{BLOCK_ITEMS, Header, Part};
use crate::sealer::Sealer;
use crate::tree::Tree;

/// How often the store is sealed again, although its order goes on, and the pause between. The reads of
/// a storage that orders after the commit may lag.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);

/// The most bytes of parts behind the changesets between two checks.
const MAX_REST_BYTES: usize = 64 * 1024 * 1024;

/// What an import has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// The end of the global order.
    pub size: u64,
    /// The root of the tree over it, in base64.
    pub root: String,
    /// The changesets that this call has written; the others stood already.
    pub changesets: u64,
    /// How far readers had come.
    pub progress: Progressed,
}

/// An import that runs: it takes the parts of an export, in their order.
///
/// The store is empty, or has a beginning of what is imported: then the import goes on behind it. A page
/// is written when the root behind it in the export is the one over its changesets. Before the
/// checkpoints of readers are written, everything that was imported is read back and compared.
pub struct Importer {
    target: MovableStore,
    sealer: Option<Sealer>,
    with_progress: bool,
    source: Option<Identity>,
    /// The tree over all parts so far.
    tree: Tree,
    /// The position of the last root.
    checked: Checkpoint,
    /// The changesets behind the last root, and their leaves, with those of void positions.
    block: Vec<Changeset>,
    block_bytes: usize,
    leaves: Vec<Hash>,
    /// What the store had before the import.
    stood: Option<Leaves>,
    stood_until: Checkpoint,
    /// Where the store ends.
    end: Checkpoint,
    is_writing: bool,
    stage: Stage,
    /// The parts behind the changesets that no check has followed yet.
    rest: Vec<Part>,
    rest_bytes: usize,
    digest: LinesDigest,
    writer: RestWriter,
    imported: Imported,
    lines: u64,
}

/// How far an import has come.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// It takes changesets.
    Order,
    /// Everything was read back; how far readers had come follows.
    Readers,
    /// It is done.
    Done,
}

impl Importer {
    /// An import into a store.
    pub fn new(target: &MovableStore) -> Self {
        let first = Checkpoint::FIRST;
        Self {
            target: target.clone(),
            sealer: Sealer::of(&target.store, None),
            with_progress: true,
            source: None,
            tree: Tree::default(),
            checked: first,
            block: Vec::new(),
            block_bytes: 0,
            leaves: Vec::new(),
            stood: None,
            stood_until: first,
            end: first,
            is_writing: false,
            stage: Stage::Order,
            rest: Vec::new(),
            rest_bytes: 0,
            digest: LinesDigest::default(),
            writer: RestWriter::new(target),
            imported: Imported::default(),
            lines: 0,
        }
    }

    /// The same import, which leaves out how far subscriptions and consumers had come.
    #[must_use]
    pub fn without_progress(mut self) -> Self {
        self.with_progress = false;
        self
    }

    /// Ends an import that will not be repeated: the store accepts commits behind what it has.
    ///
    /// # Errors
    /// [`MoveError::Log`] if the store fails.
    pub async fn abandon(target: &MovableStore) -> Result<(), MoveError> {
        Ok(target.import.finish_import().await?)
    }

    /// The longest line that an export for this store may have, in bytes: a reader of lines needs a limit.
    pub fn max_line_bytes(&self) -> usize {
        // As a JSON string a text of JSON has at most twice its length. A partition of a consumer has up
        // to 1000 parked streams.
        2 * self.target.store.max_changeset_bytes() + 16 * 1024 * 1024
    }

    /// The position of the next changeset.
    pub fn at(&self) -> Checkpoint {
        self.tree.next()
    }

    /// The root of the tree over everything so far.
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// Takes a line of an export, without its end.
    ///
    /// # Errors
    /// [`MoveError`]. What is written stays; the same import goes on behind it.
    pub async fn push_line(&mut self, line: &str) -> Result<(), MoveError> {
        match Part::of_line(line) {
            Ok(part) => self.push(part).await,
            Err(problem) if self.lines == 0 => Err(MoveError::NotAnExport(problem)),
            Err(problem) => {
                self.lines += 1;
                Err(self.wrong(problem))
            }
        }
    }

    /// Takes the next part.
    ///
    /// # Errors
    /// [`MoveError`]. What is written stays; the same import goes on behind it.
    pub async fn push(&mut self, part: Part) -> Result<(), MoveError> {
        self.lines += 1;
        if self.stage == Stage::Done {
            return Err(self.wrong("it follows the last line of the export"));
        }
        if self.source.is_none() {
            return match part {
                Part::Header(header) => self.begin(header).await,
                _ => Err(MoveError::NotAnExport(
                    "its first line is not that of an export".to_owned(),
                )),
            };
        }
        match part {
            Part::Header(_) => Err(self.wrong("it is the first line of an export")),
            Part::Changeset(changeset) => self.take(changeset),
            Part::Void(void) => {
                self.expect(void.start)?;
                for _ in void.start.get()..void.end.get() {
                    self.push_leaf(void_leaf());
                }
                Ok(())
            }
            Part::Root { size, root } => self.take_root(size, root).await,
            Part::Check(check) => {
                self.take_check(check)?;
                self.write_rest().await
            }
            Part::End { size, root, check } => self.end(size, root, check).await,
            part => self.keep(part),
        }
    }

    /// What was imported, after the last part.
    ///
    /// # Errors
    /// [`MoveError::Truncated`] if the last part is missing.
    pub fn finish(self) -> Result<Imported, MoveError> {
        if self.stage == Stage::Done {
            return Ok(self.imported);
        }
        if self.source.is_none() {
            return Err(MoveError::NotAnExport("it is empty".to_owned()));
        }
        Err(MoveError::Truncated { at: self.at() })
    }

    async fn begin(&mut self, header: Header) -> Result<(), MoveError> {
        let store = &self.target.store;
        let end = store.next_checkpoint().await?;
        let from = header.from;
        if from > end {
            return Err(MoveError::Behind { end, from });
        }
        self.seal(end).await?;
        let store = &self.target.store;
        self.tree = tree_of(store, from).await?;
        if self.tree.root() != header.root {
            return Err(MoveError::DiffersBelow(from));
        }
        self.stood = Some(Leaves::of(store, from, end).await?);
        (self.stood_until, self.end, self.checked) = (end, end, from);
        self.digest.add(&Part::Header(header.clone()));
        self.source = Some(header.identity);
        Ok(())
    }

    /// Refuses a part that is not at the next position.
    fn expect(&self, at: Checkpoint) -> Result<(), MoveError> {
        let next = self.at();
        if self.stage != Stage::Order || !self.rest.is_empty() {
            return Err(self.wrong("a changeset behind the part of the export for changesets"));
        }
        if at == next {
            return Ok(());
        }
        Err(self.wrong(format!("checkpoint {next} is missing: the line has {at}")))
    }

    fn take(&mut self, changeset: Changeset) -> Result<(), MoveError> {
        let at = changeset.checkpoint.unwrap_or(self.at());
        self.expect(at)?;
        let (size, limit) = (
            changeset.payload_bytes(),
            self.target.store.max_changeset_bytes(),
        );
        if size > limit {
            return Err(MoveError::TooLarge {
                checkpoint: at,
                size,
                limit,
            });
        }
        self.block_bytes += size;
        self.push_leaf(leaf_of(&changeset));
        self.block.push(changeset);
        let is_large = self.block_bytes > MAX_PAGE_BYTES && self.block.len() > 1;
        if is_large || self.block.len() > BLOCK_ITEMS {
            return Err(self.wrong(format!(
                "there is no root (`until`) between more than {BLOCK_ITEMS} changesets, or \
                 {MAX_PAGE_BYTES} bytes"
            )));
        }
        Ok(())
    }

    fn push_leaf(&mut self, leaf: Hash) {
        if self.at() < self.stood_until {
            self.leaves.push(leaf);
        }
        self.tree.push(leaf, &mut Vec::new());
    }

    async fn take_root(&mut self, size: u64, root: Hash) -> Result<(), MoveError> {
        if size != self.tree.size || root != self.tree.root() {
            return Err(MoveError::Changed {
                from: self.checked,
                to: self.at(),
            });
        }
        self.compare().await?;
        self.checked = self.at();
        self.write().await
    }

    /// Compares what stands with what would be imported.
    async fn compare(&mut self) -> Result<(), MoveError> {
        let mut at = self.checked;
        for leaf in self.leaves.drain(..) {
            let stands = match &mut self.stood {
                Some(stood) => stood.next().await?,
                None => None,
            };
            if stands.is_some_and(|stands| stands != leaf) {
                return Err(MoveError::Differs(at));
            }
            at = at.plus(1);
        }
        Ok(())
    }

    /// Writes the changesets that the store does not have.
    async fn write(&mut self) -> Result<(), MoveError> {
        let end = self.end;
        self.block
            .retain(|changeset| changeset.checkpoint >= Some(end));
        self.block_bytes = 0;
        let changesets = std::mem::take(&mut self.block);
        let Some(last) = changesets.last().and_then(|last| last.checkpoint) else {
            return Ok(());
        };
        self.open().await?;
        let count = changesets.len() as u64;
        let page = GlobalPage {
            changesets,
            next: last.plus(1),
        };
        match self.target.import.import(end, &page).await? {
            ImportOutcome::Imported => {}
            ImportOutcome::EndsAt(other) => return Err(others_write(other, end)),
            ImportOutcome::Refused(reason) => {
                return Err(MoveError::Refused { from: end, reason });
            }
        }
        self.end = page.next;
        self.imported.changesets += count;
        Ok(())
    }

    /// Prepares the store for writing, once.
    async fn open(&mut self) -> Result<(), MoveError> {
        if !self.is_writing {
            let end = self.target.import.begin_import().await?;
            if end != self.end {
                return Err(others_write(end, self.end));
            }
            self.is_writing = true;
        }
        Ok(())
    }

    /// Keeps a part behind the changesets until it is checked.
    fn keep(&mut self, part: Part) -> Result<(), MoveError> {
        if self.checked != self.at() {
            return Err(self.wrong("there is no root (`until`) behind the last changeset"));
        }
        self.rest_bytes += part.to_line().len();
        if self.rest_bytes > MAX_REST_BYTES || self.rest.len() >= 10 * BLOCK_ITEMS {
            return Err(self.wrong("there is no `check` behind so many lines"));
        }
        self.digest.add(&part);
        self.rest.push(part);
        Ok(())
    }

    fn take_check(&mut self, check: Hash) -> Result<(), MoveError> {
        if check != self.digest.check() {
            return Err(MoveError::ChangedLine { line: self.lines });
        }
        Ok(())
    }

    async fn write_rest(&mut self) -> Result<(), MoveError> {
        self.read_back().await?;
        self.rest_bytes = 0;
        for part in std::mem::take(&mut self.rest) {
            if self.with_progress {
                self.writer.write(part).await?;
            }
        }
        Ok(())
    }

    async fn end(&mut self, size: u64, root: Hash, check: Hash) -> Result<(), MoveError> {
        if size != self.tree.size || root != self.tree.root() || self.checked != self.at() {
            return Err(MoveError::Changed {
                from: self.checked,
                to: self.at(),
            });
        }
        self.take_check(check)?;
        self.write_rest().await?;
        if self.with_progress {
            self.writer.finish().await?;
        }
        let progress = self.writer.progressed();
        self.close(size, root).await?;
        self.imported.progress = progress;
        self.imported.size = size;
        self.imported.root = root.to_string();
        self.stage = Stage::Done;
        Ok(())
    }

    /// Records where the data came from, and opens the store for commits.
    async fn close(&mut self, size: u64, root: Hash) -> Result<(), MoveError> {
        if let Some(source) = &self.source {
            let store = &self.target.store;
            let own = store.identity().await?;
            if own.id != source.id {
                store
                    .copied_from(source, Checkpoint::FIRST.plus(size))
                    .await?;
                if let Some(sealer) = &self.sealer {
                    sealer.continues(source.id, size, root).await?;
                }
            }
        }
        Ok(self.target.import.finish_import().await?)
    }

    /// Reads what the store has, and compares it with what was imported. Later calls do nothing.
    async fn read_back(&mut self) -> Result<(), MoveError> {
        if self.stage != Stage::Order {
            return Ok(());
        }
        let at = self.at();
        if self.end > at {
            return Err(MoveError::Ahead {
                end: self.end,
                size: at,
            });
        }
        self.seal(at).await?;
        let stored = tree_of(&self.target.store, at).await?;
        if stored.root() != self.tree.root() {
            return Err(MoveError::ReadBack { size: at });
        }
        self.stage = Stage::Readers;
        Ok(())
    }

    /// Seals the log of the store up to a position, by reading.
    async fn seal(&self, until: Checkpoint) -> Result<(), MoveError> {
        let Some(sealer) = &self.sealer else {
            return Ok(());
        };
        for _ in 0..TRIES {
            if sealer.catch_up().await?.size >= until.get() {
                return Ok(());
            }
            Delay::new(PAUSE).await;
        }
        Err(MoveError::ReadBack { size: until })
    }

    fn wrong(&self, problem: impl Into<String>) -> MoveError {
        MoveError::Line {
            line: self.lines,
            at: self.at(),
            problem: problem.into(),
        }
    }
}

fn others_write(end: Checkpoint, expected: Checkpoint) -> MoveError {
    MoveError::OthersWrite { end, expected }
}

impl fmt::Debug for Importer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Importer")
            .field("at", &self.at())
            .finish_non_exhaustive()
    }
}
