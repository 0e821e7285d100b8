//! G19: files with one changed byte, or without their end. Every read tells the truth or an error.
//!
//! `EES_FLIPS` is the number of flips of each area, and `EES_FLIPS_SEED` seeds them. The figures in
//! docs/operating.md are of 1,000:
//!
//! ```sh
//! EES_FLIPS=1000 cargo test -p ees-sqlite --test it -- flips --nocapture
//! ```

mod whole;

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;

use fastrand::Rng;
use rusqlite::Connection;

use whole::{Told, Whole, whole};

/// How many flips of each area a short run makes.
const FLIPS: u64 = 25;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} must be a number, not `{text}`")),
    )
}

/// The bytes of the pages of each kind: <https://sqlite.org/fileformat2.html#b_tree_pages>.
fn areas(file: &[u8]) -> BTreeMap<&'static str, Vec<Range<usize>>> {
    let mut areas: BTreeMap<_, Vec<_>> = BTreeMap::new();
    areas.insert("header", std::iter::once(0..100).collect());
    for (number, page) in file.chunks(4096).enumerate().skip(1) {
        let area = match page[0] {
            2 | 10 => "index",
            _ => "table",
        };
        let start = number * 4096;
        areas
            .entry(area)
            .or_default()
            .push(start..start + page.len());
    }
    areas
}

fn flips(whole: &Whole, ending: &str, area: &str, places: &[Range<usize>]) {
    let seed = number("EES_FLIPS_SEED").unwrap_or(19);
    let mut random = Rng::with_seed(seed);
    let mut told = Told::default();
    for _ in 0..number("EES_FLIPS").unwrap_or(FLIPS) {
        let range = random.choice(places).unwrap().clone();
        let (place, change) = (random.usize(range), random.u8(1..));
        let folder = whole.harmed(ending, |bytes| bytes[place] ^= change);
        let described = format!("seed {seed}, {area}, byte {place} ^ {change}");
        whole.outcome(&folder, &mut told, &described);
    }
    println!("{area}: {told:?}");
}

#[test]
fn every_flip_of_the_file_is_told() {
    let whole = whole(true);
    assert!(!whole.kept("-wal").exists());
    let bytes = fs::read(whole.kept("")).unwrap();
    for (area, places) in areas(&bytes) {
        flips(&whole, "", area, &places);
    }
}

#[test]
fn every_flip_of_the_log_is_told() {
    let whole = whole(false);
    let bytes = fs::read(whole.kept("-wal")).unwrap();
    assert!(bytes.len() > 100_000, "most of the store is in its log");
    flips(
        &whole,
        "-wal",
        "log",
        std::slice::from_ref(&(0..bytes.len())),
    );
}

#[test]
fn every_cut_is_told() {
    for (ending, is_closed) in [("", true), ("-wal", false)] {
        let whole = whole(is_closed);
        let bytes = fs::metadata(whole.kept(ending)).unwrap().len();
        let mut random = Rng::with_seed(number("EES_FLIPS_SEED").unwrap_or(19));
        let mut told = Told::default();
        for _ in 0..number("EES_FLIPS").unwrap_or(FLIPS) {
            let length = random.u64(..bytes);
            let cut = usize::try_from(length).unwrap();
            let folder = whole.harmed(ending, |bytes| bytes.truncate(cut));
            whole.outcome(
                &folder,
                &mut told,
                &format!("cut{ending} to {length} of {bytes}"),
            );
        }
        println!("cut{ending}: {told:?}");
    }
}

/// What the test itself relies on: the untouched files are sound.
#[test]
fn without_a_flip_nothing_differs() {
    for is_closed in [true, false] {
        let whole = whole(is_closed);
        let mut told = Told::default();
        let folder = whole.harmed("", |_| {});
        whole.outcome(&folder, &mut told, "nothing");
        assert_eq!(told.no_difference, 1, "{told:?}");
        let path = folder.path().join("ees.db");
        let check = Connection::open(path).unwrap();
        let check = check.query_row("PRAGMA integrity_check", [], |row| row.get(0));
        assert_eq!(check, Ok("ok".to_owned()));
    }
}
