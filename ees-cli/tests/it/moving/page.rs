//! The page about moving data: a reader who follows it gets what it shows, in one folder.

use tempfile::TempDir;

use super::store_of;
use crate::evidence::page::run;
use crate::readme::{read, steps};

#[test]
fn the_page_about_moving_shows_what_one_gets() {
    let folder = TempDir::new().expect("a folder");
    store_of(folder.path(), "shop.db", 3);
    let steps = steps(&read("docs/moving.md"));
    assert!(steps.len() >= 6, "{}", steps.len());
    for step in &steps {
        run(folder.path(), step, "");
    }
}
