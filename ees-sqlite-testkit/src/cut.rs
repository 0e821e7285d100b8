//! What a power cut leaves: what was flushed, and any part of what was written later.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::mem;
use std::path::Path;

use fastrand::Rng;

use crate::log::{Call, Entry};

/// A disk writes at least so many bytes or none.
const SECTOR: usize = 512;

/// Which of the writes that were not flushed reach the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// None.
    Nothing,
    /// All. This is what the death of the process leaves.
    Everything,
    /// Some, chosen with this seed, in any combination. A write may be torn between two sectors.
    Some(u64),
}

/// A file on the disk, and what was written to it since its last flush.
#[derive(Debug, Default)]
struct File {
    flushed: Option<Vec<u8>>,
    /// A deleted file and the next one of the same name follow each other.
    pending: Vec<Call>,
}

/// Writes the files of a disk after a cut into a folder.
pub(crate) fn write_files(log: &[Entry], keep: Keep, folder: &Path) -> io::Result<()> {
    let mut files: BTreeMap<&OsStr, File> = BTreeMap::new();
    for entry in log {
        files.entry(&entry.file).or_default().follow(&entry.call);
    }
    let mut rng = Rng::with_seed(if let Keep::Some(seed) = keep { seed } else { 0 });
    for (name, file) in files {
        if let Some(bytes) = file.after_the_cut(keep, &mut rng) {
            fs::write(folder.join(name), bytes)?;
        }
    }
    Ok(())
}

impl File {
    fn follow(&mut self, call: &Call) {
        match call {
            Call::Flush => {
                let pending = mem::take(&mut self.pending);
                self.flushed = pending.iter().fold(self.flushed.take(), apply);
            }
            Call::Lose => self.pending.clear(),
            change => self.pending.push(change.clone()),
        }
    }

    fn after_the_cut(self, keep: Keep, rng: &mut Rng) -> Option<Vec<u8>> {
        match keep {
            Keep::Nothing => self.flushed,
            Keep::Everything => self.pending.iter().fold(self.flushed, apply),
            Keep::Some(_) => {
                // A file that was made after a deletion exists only if the deletion reached the disk.
                let mut files = self.pending.split(|call| matches!(call, Call::Delete));
                let chosen = rng.usize(..files.clone().count());
                let calls = files.nth(chosen).unwrap_or_default();
                let before = self.flushed.filter(|_| chosen == 0);
                let kept = calls.iter().filter_map(|call| keep_some(call, rng));
                kept.fold(before, |file, call| apply(file, &call))
            }
        }
    }
}

/// What of a call reaches the disk.
fn keep_some(call: &Call, rng: &mut Rng) -> Option<Call> {
    match (rng.u8(..4), call) {
        (0, _) => None,
        (1, Call::Write { offset, bytes }) => {
            let sectors = rng.usize(..=bytes.len() / SECTOR);
            let bytes = bytes[..sectors * SECTOR].to_vec();
            let offset = *offset;
            Some(Call::Write { offset, bytes })
        }
        _ => Some(call.clone()),
    }
}

fn apply(file: Option<Vec<u8>>, call: &Call) -> Option<Vec<u8>> {
    let resized = |size: u64| {
        let mut bytes = file.clone().unwrap_or_default();
        bytes.resize(index(size), 0);
        bytes
    };
    match call {
        Call::Write { offset, bytes } => {
            let size = file.as_ref().map_or(0, Vec::len);
            let start = index(*offset);
            let end = start + bytes.len();
            let mut file = file.unwrap_or_default();
            file.resize(size.max(end), 0);
            file[start..end].copy_from_slice(bytes);
            Some(file)
        }
        Call::Truncate { size } => Some(resized(*size)),
        Call::Delete => None,
        Call::Flush | Call::Lose => file,
    }
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn write(offset: u64, text: &str) -> Call {
        let bytes = text.as_bytes().to_vec();
        Call::Write { offset, bytes }
    }

    /// The file after a cut.
    fn after(calls: &[Call], keep: Keep) -> Option<String> {
        let mut file = File::default();
        for call in calls {
            file.follow(call);
        }
        let bytes = file.after_the_cut(keep, &mut Rng::with_seed(7));
        bytes.map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn only_what_was_flushed_is_certain() {
        let calls = [write(0, "abc"), Call::Flush, write(1, "xyz")];
        assert_eq!(after(&calls, Keep::Nothing).unwrap(), "abc");
        assert_eq!(after(&calls, Keep::Everything).unwrap(), "axyz");
    }

    #[test]
    fn a_failed_flush_loses_what_it_should_have_kept() {
        let lost = [write(0, "abc"), Call::Lose, Call::Flush];
        assert_eq!(after(&lost, Keep::Everything), None);
        let again = [write(0, "abc"), Call::Lose, write(0, "abc"), Call::Flush];
        assert_eq!(after(&again, Keep::Nothing).unwrap(), "abc");
    }

    #[test]
    fn a_deleted_file_and_its_successor_are_not_mixed() {
        let calls = [write(0, "old"), Call::Flush, Call::Delete, write(1, "new")];
        for seed in 0..64 {
            let mut file = File::default();
            for call in &calls {
                file.follow(call);
            }
            let found = file.after_the_cut(Keep::Some(seed), &mut Rng::with_seed(seed));
            let found = found.map(|bytes| String::from_utf8(bytes).unwrap());
            let found = found.as_deref();
            assert!(
                [None, Some("old"), Some(""), Some("\0"), Some("\0new")].contains(&found),
                "{found:?}"
            );
        }
    }
}
