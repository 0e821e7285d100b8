//! Importing: a store made of the parts of an export.

use std::fmt;

use ees_core::{Changeset, Checkpoint, Identity};

use crate::hash::Hash;
use crate::import_kept::Kept;
use crate::import_order::OrderWriter;
use crate::import_rest::RestWriter;
use crate::import_target::ImportTarget;
use crate::imported::Imported;
use crate::moving::MovableStore;
use crate::moving_error::MoveError;
use crate::part::{Header, Part};

/// An import that runs: it takes the parts of an export, in their order.
///
/// The store is empty, or has a beginning of what is imported: then the import goes on behind it. A page
/// is written when the root behind it in the export is the one over its changesets. Before the
/// checkpoints of readers are written, everything that was imported is read back and compared.
pub struct Importer {
    target: ImportTarget,
    with_progress: bool,
    source: Option<Identity>,
    order: OrderWriter,
    stage: Stage,
    kept: Kept,
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
        Self {
            target: ImportTarget::new(target),
            with_progress: true,
            source: None,
            order: OrderWriter::new(target),
            stage: Stage::Order,
            kept: Kept::default(),
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
        self.target.max_line_bytes()
    }

    /// The position of the next changeset.
    pub fn at(&self) -> Checkpoint {
        self.order.at()
    }

    /// The root of the tree over everything so far.
    pub fn root(&self) -> Hash {
        self.order.tree.root()
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
                self.order.take_voids(void.end.get() - void.start.get());
                Ok(())
            }
            Part::Root { size, root } => self.order.take_root(size, root).await,
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
        let (tree, end) = self.target.begin(&header).await?;
        self.order.begin(tree, end).await?;
        self.kept.begin(&header);
        self.source = Some(header.identity);
        Ok(())
    }

    /// Refuses a part that is not at the next position.
    fn expect(&self, at: Checkpoint) -> Result<(), MoveError> {
        let next = self.at();
        if self.stage != Stage::Order || !self.kept.is_empty() {
            return Err(self.wrong("a changeset behind the part of the export for changesets"));
        }
        if at == next {
            return Ok(());
        }
        Err(self.wrong(format!("checkpoint {next} is missing: the line has {at}")))
    }

    fn take(&mut self, changeset: Changeset) -> Result<(), MoveError> {
        self.expect(changeset.checkpoint.unwrap_or(self.at()))?;
        self.order.take(changeset, self.lines)
    }

    /// Keeps a part behind the changesets until it is checked.
    fn keep(&mut self, part: Part) -> Result<(), MoveError> {
        if !self.order.is_checked() {
            return Err(self.wrong("there is no root (`until`) behind the last changeset"));
        }
        if self.kept.keep(part) {
            return Ok(());
        }
        Err(self.wrong("there is no `check` behind so many lines"))
    }

    fn take_check(&mut self, check: Hash) -> Result<(), MoveError> {
        if self.kept.fits(check) {
            return Ok(());
        }
        Err(MoveError::ChangedLine { line: self.lines })
    }

    async fn write_rest(&mut self) -> Result<(), MoveError> {
        if self.stage == Stage::Order {
            self.order.expect_end()?;
            self.target.read_back(self.at(), self.root()).await?;
            self.stage = Stage::Readers;
        }
        for part in self.kept.take() {
            if self.with_progress {
                self.writer.write(part).await?;
            }
        }
        Ok(())
    }

    async fn end(&mut self, size: u64, root: Hash, check: Hash) -> Result<(), MoveError> {
        self.order.expect_root(size, root)?;
        if !self.order.is_checked() {
            return Err(self.order.changed());
        }
        self.take_check(check)?;
        self.write_rest().await?;
        if self.with_progress {
            self.writer.finish().await?;
        }
        self.target.close(self.source.as_ref(), size, root).await?;
        self.imported = Imported {
            size,
            root: root.to_string(),
            changesets: self.order.written,
            progress: self.writer.progressed(),
        };
        self.stage = Stage::Done;
        Ok(())
    }

    fn wrong(&self, problem: impl Into<String>) -> MoveError {
        MoveError::Line {
            line: self.lines,
            at: self.at(),
            problem: problem.into(),
        }
    }
}

impl fmt::Debug for Importer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Importer")
            .field("at", &self.at())
            .finish_non_exhaustive()
    }
}
