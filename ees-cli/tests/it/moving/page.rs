//! The page about moving data: a reader who follows it gets what it shows, in one folder.

use tempfile::TempDir;

use super::commit;
use crate::evidence::page::run;
use crate::evidence::wait_until_sealed;
use crate::process::{Ees, sqlite};
use crate::readme::{read, steps};

#[test]
fn the_page_about_moving_shows_what_one_gets() {
    let folder = TempDir::new().expect("a folder");
    let mut server = Ees::serve(&sqlite(&folder.path().join("shop.db")));
    commit(&server, 3);
    wait_until_sealed(&server, 4);
    server.kill();
    let steps = steps(&read("docs/moving.md"));
    assert!(steps.len() >= 6, "{}", steps.len());
    for step in &steps {
        run(folder.path(), step, "");
    }
}
