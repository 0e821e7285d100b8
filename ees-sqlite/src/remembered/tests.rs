//! What a lock file keeps.

use tempfile::TempDir;

use super::*;

fn file(folder: &TempDir, text: &str) -> Arc<File> {
    let path = folder.path().join("lock");
    std::fs::write(&path, text).unwrap();
    let mut options = File::options();
    Arc::new(options.read(true).write(true).open(path).unwrap())
}

#[test]
fn a_memory_reads_what_it_wrote() {
    let folder = TempDir::new().unwrap();
    let file = file(&folder, "");
    let memory = Memory::begin(Arc::clone(&file), &Remembered::read(&file));
    let mut expected = Remembered {
        process: Some(std::process::id()),
        ..Remembered::default()
    };
    assert_eq!(Remembered::read(&file), expected);
    for end in [u64::MAX >> 1, 7, 0] {
        let (store, end) = (StoreId::generate(), Checkpoint::new(end).unwrap());
        memory.store(store);
        memory.end(end);
        (expected.store, expected.end) = (Some(store), Some(end));
        assert_eq!(Remembered::read(&file), expected);
    }
}

/// An earlier version wrote the id of the process alone, and a file may hold anything.
#[test]
fn what_cannot_be_read_is_not_known() {
    let folder = TempDir::new().unwrap();
    let process = Some(4711);
    for (text, expected) in [
        ("4711", process),
        ("4711\n\n\n", process),
        ("4711\nx\n-1\n", process),
        ("", None),
        ("\0\0\0\n\0", None),
        (&"x".repeat(100_000), None),
    ] {
        let found = Remembered::read(&file(&folder, text));
        let expected = Remembered {
            process: expected,
            ..Remembered::default()
        };
        assert_eq!(found, expected, "{text:.20}");
    }
}
