//! Logs of SQLite, whole, cut and changed.

use std::fs;
use std::path::PathBuf;

use rusqlite::Connection;
use tempfile::TempDir;

use super::*;

const FRAME: usize = FRAME_HEADER_BYTES + 4096;

/// A log of several commits, which began anew before them if `is_restarted`.
fn log(is_restarted: bool) -> (TempDir, PathBuf, Vec<u8>) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("x.db");
    let connection = Connection::open(&file).unwrap();
    let begin = "PRAGMA journal_mode = WAL; CREATE TABLE t (x)";
    connection.execute_batch(begin).unwrap();
    let commits = |count: usize| {
        for _ in 0..count {
            let insert = "INSERT INTO t VALUES (randomblob(9000))";
            connection.execute(insert, []).unwrap();
        }
    };
    if is_restarted {
        commits(12);
        let restart = "PRAGMA wal_checkpoint(RESTART)";
        connection.query_row(restart, [], |_| Ok(())).unwrap();
    }
    commits(4);
    let bytes = fs::read(folder.path().join("x.db-wal")).unwrap();
    let copy = folder.path().join("copy-wal");
    (folder, copy, bytes)
}

/// The frames of the newest part of a log that end commits.
fn commits(log: &[u8]) -> Vec<usize> {
    let frames = log[HEADER_BYTES..].chunks_exact(FRAME).enumerate();
    let newest = frames.take_while(|(_, frame)| frame[8..16] == log[16..24]);
    let commits = newest.filter(|(_, frame)| number(frame, 4) != 0);
    commits.map(|(at, _)| at).collect()
}

#[test]
fn a_log_that_stops_is_no_damage() {
    for is_restarted in [false, true] {
        let (_folder, copy, log) = log(is_restarted);
        let mut lengths = vec![0, 1, HEADER_BYTES, HEADER_BYTES + 1, log.len()];
        lengths.extend((1..8).map(|frames| HEADER_BYTES + frames * FRAME - 7));
        for length in lengths {
            fs::write(&copy, &log[..length]).unwrap();
            assert!(!goes_on_behind_damage(&copy).unwrap(), "{length}");
        }
    }
}

/// A power cut may leave anything of the last commit, and whatever was there before behind it.
#[test]
fn a_commit_that_was_not_flushed_is_no_damage() {
    for is_restarted in [false, true] {
        let (_folder, copy, log) = log(is_restarted);
        let commits = commits(&log);
        let last = commits[commits.len() - 2] + 1..=commits[commits.len() - 1];
        for frame in last {
            for place in [0, 17, 24, FRAME - 1] {
                let mut torn = log.clone();
                torn[HEADER_BYTES + frame * FRAME + place] ^= 0x40;
                fs::write(&copy, &torn).unwrap();
                assert!(!goes_on_behind_damage(&copy).unwrap(), "{frame} {place}");
            }
        }
    }
}

#[test]
fn commits_behind_damage_are_found() {
    for is_restarted in [false, true] {
        let (_folder, copy, log) = log(is_restarted);
        let commits = commits(&log);
        assert!(commits.len() >= 4);
        let of_frame = |frame: usize, place: usize| HEADER_BYTES + frame * FRAME + place;
        for place in [
            of_frame(0, 0),
            of_frame(0, 3000),
            of_frame(commits[0], 20),
            of_frame(commits[1], 100),
            of_frame(commits[2] - 1, 4000),
            // Of the header: a salt, and the checksum.
            17,
            25,
        ] {
            let mut damaged = log.clone();
            damaged[place] ^= 0x40;
            fs::write(&copy, &damaged).unwrap();
            assert!(goes_on_behind_damage(&copy).unwrap(), "byte {place}");
        }
    }
}
