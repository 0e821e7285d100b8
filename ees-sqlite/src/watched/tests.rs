//! Each thing that can become of a file that is served.

use std::fs::{self, OpenOptions};

use tempfile::TempDir;

use super::*;
use crate::lock::WriterLock;
use crate::opening::{Opened, open_writer};

struct Fixture {
    _folder: TempDir,
    path: PathBuf,
    opened: Opened,
    watched: Watched,
}

fn opened() -> Fixture {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ees.db");
    let opened = open_writer(&path, &WriterLock::acquire(&path).unwrap()).unwrap();
    let watched = Watched::begin(&path).unwrap();
    Fixture {
        _folder: folder,
        path,
        opened,
        watched,
    }
}

impl Fixture {
    fn write(&self, rows: usize) {
        let write = "INSERT INTO checkpoints SELECT hex(randomblob(1000)), 1 FROM
                     (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n LIMIT ?1)";
        self.opened.connection.execute(write, [rows]).unwrap();
    }

    fn log(&self) -> PathBuf {
        beside(&self.path, LOG)
    }
}

#[test]
fn what_the_store_does_itself_is_no_loss() {
    let mut fixture = opened();
    for rows in [1, 500, 3] {
        fixture.write(rows);
        fixture.watched.look().unwrap();
        // Other programs may fold the log, and empty it.
        for mode in ["PASSIVE", "TRUNCATE"] {
            let fold = format!("PRAGMA wal_checkpoint({mode})");
            let other = Connection::open(&fixture.path).unwrap();
            other.query_row(&fold, [], |_| Ok(())).unwrap();
            fixture.watched.look().unwrap();
        }
    }
}

type Harm<'h> = (&'h dyn Fn(&Fixture), &'h str);

#[test]
fn every_loss_is_told() {
    let cut = |path: &Path, part: u64| {
        let file = OpenOptions::new().write(true).open(path).unwrap();
        let bytes = file.metadata().unwrap().len();
        file.set_len(bytes / part).unwrap();
    };
    let replace = |path: &Path| {
        let other = path.with_extension("other");
        fs::copy(path, &other).unwrap();
        fs::rename(&other, path).unwrap();
    };
    let harms: [Harm<'_>; 6] = [
        (&|f| fs::remove_file(&f.path).unwrap(), "ees.db` is gone"),
        (&|f| replace(&f.path), "ees.db` was replaced"),
        (&|f| cut(&f.path, 2), "ees.db` was cut"),
        (
            &|f| fs::remove_file(f.log()).unwrap(),
            "ees.db-wal` is gone",
        ),
        (&|f| replace(&f.log()), "ees.db-wal` was replaced"),
        (&|f| cut(&f.log(), 50), "ees.db-wal` was cut"),
    ];
    for (harm, told) in harms {
        let mut fixture = opened();
        fixture.write(500);
        fixture.watched.look().unwrap();
        // Its newest state is in the log alone.
        let touch = "UPDATE state SET last_checksum = 1";
        fixture.opened.connection.execute_batch(touch).unwrap();
        fixture.watched.look().unwrap();
        harm(&fixture);
        let said = fixture.watched.look().expect_err(told);
        assert!(said.contains(told), "{said}");
    }
}
