//! What the thread that writes does each second: it looks at the file, and folds the log when idle.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::durable::fold;
use crate::watched::Watched;

/// The state of the upkeep.
#[derive(Debug)]
pub(crate) struct Upkeep {
    path: PathBuf,
    watched: Option<Watched>,
    /// How many rows had changed when the log was folded last, and at the last look.
    folded: u64,
    seen: u64,
}

impl Upkeep {
    pub(crate) fn begin(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            watched: Watched::begin(path),
            folded: 0,
            seen: 0,
        }
    }

    /// Looks at the file. The error says what has become of it.
    pub(crate) fn look(&mut self) -> Result<(), String> {
        if let Some(watched) = &mut self.watched {
            return watched.look();
        }
        self.watched = Watched::begin(&self.path);
        Ok(())
    }

    /// Folds the log into the file if something was written, but nothing since the last look. A file that
    /// is copied or kept without its log then has everything.
    pub(crate) fn fold_if_idle(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let changed = connection.total_changes();
        let is_idle = changed == self.seen;
        self.seen = changed;
        if is_idle && changed != self.folded {
            fold(connection)?;
            self.folded = changed;
        }
        Ok(())
    }
}
