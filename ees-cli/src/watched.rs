//! Files that a running server reads again when they change.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// How often the files are read. Comparing their content works on every file system and with every
/// way of replacing a file.
const EVERY: Duration = Duration::from_secs(1);

/// How often a problem that stays is logged again.
const REMIND_EVERY: Duration = Duration::from_mins(1);

/// The largest file that is read.
const MAX_BYTES: u64 = 1024 * 1024;

/// Files that are read together.
#[derive(Debug)]
pub(crate) struct Watched {
    /// The flags that name them, for the log.
    flags: &'static str,
    paths: Vec<PathBuf>,
    /// What they held when they were last read.
    known: Result<Vec<String>, String>,
    /// When the last problem was logged, while there is one.
    told: Option<Instant>,
}

impl Watched {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub(crate) fn read(flags: &'static str, paths: Vec<PathBuf>) -> Result<Self, String> {
        Ok(Self {
            flags,
            known: Ok(read_all(&paths)?),
            paths,
            told: None,
        })
    }

    /// The content of each file.
    pub(crate) fn texts(&self) -> &[String] {
        self.known.as_deref().unwrap_or_default()
    }

    /// Passes the content on whenever it has changed, until the server closes. If `accept` refuses
    /// it, that is logged. `tick` is called each time that the files were read.
    pub(crate) async fn follow(
        mut self,
        closing: CancellationToken,
        accept: impl Fn(&[String]) -> Result<String, String>,
        tick: impl Fn(),
    ) {
        while closing
            .run_until_cancelled(tokio::time::sleep(EVERY))
            .await
            .is_some()
        {
            let paths = self.paths.clone();
            let read = tokio::task::spawn_blocking(move || read_all(&paths)).await;
            self.take(read.unwrap_or_else(|error| Err(error.to_string())), &accept);
            tick();
        }
    }

    fn take(
        &mut self,
        now: Result<Vec<String>, String>,
        accept: impl Fn(&[String]) -> Result<String, String>,
    ) {
        let is_changed = now != self.known;
        let is_due = self.told.is_some_and(|told| told.elapsed() >= REMIND_EVERY);
        if !is_changed && !is_due {
            return;
        }
        let accepted = match &now {
            Ok(texts) => accept(texts),
            Err(error) => Err(error.clone()),
        };
        self.known = now;
        match accepted {
            Ok(done) => {
                self.told = None;
                tracing::info!("{}: read again: {done}", self.flags);
            }
            Err(error) => {
                self.told = Some(Instant::now());
                tracing::error!(
                    "{}: the change is not taken over, and what was read before stays in use: {error}",
                    self.flags
                );
            }
        }
    }
}

fn read_all(paths: &[PathBuf]) -> Result<Vec<String>, String> {
    let read = |path: &PathBuf| read(path).map_err(|error| format!("{}: {error}", path.display()));
    paths.iter().map(read).collect()
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let length = File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_string(&mut text)?;
    if u64::try_from(length).is_ok_and(|length| length <= MAX_BYTES) {
        return Ok(text);
    }
    Err(io::Error::other(format!("larger than {MAX_BYTES} bytes")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_taken_over_once_and_a_broken_one_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert!(Watched::read("--file", vec![path.clone()]).is_err());
        std::fs::write(&path, "1").unwrap();
        let mut watched = Watched::read("--file", vec![path.clone()]).unwrap();
        assert_eq!(watched.texts(), ["1"]);
        let taken = std::cell::RefCell::new(Vec::new());
        let mut look = |expect_problem: bool| {
            watched.take(read_all(&watched.paths), |texts| {
                taken.borrow_mut().push(texts[0].clone());
                if texts[0] == "broken" {
                    Err(String::new())
                } else {
                    Ok(String::new())
                }
            });
            assert_eq!(watched.told.is_some(), expect_problem);
        };
        look(false);
        for (text, is_broken) in [("2", false), ("broken", true), ("3", false)] {
            std::fs::write(&path, text).unwrap();
            look(is_broken);
            look(is_broken);
        }
        std::fs::remove_file(&path).unwrap();
        look(true);
        std::fs::write(&path, "3").unwrap();
        look(false);
        assert_eq!(*taken.borrow(), ["2", "broken", "3", "3"]);
    }
}
