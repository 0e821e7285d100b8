//! Sets of two commits over HTTP on SQLite, against single commits of as many changesets.

use std::sync::Arc;

use benches::chart::{self, Panel};
use benches::load::Streams;
use benches::report::{Rounds, compare};
use benches::{client, server};

const CLIENTS: [usize; 3] = [1, 16, 64];

/// Both sides are told in changesets a second.
pub(crate) async fn run(rounds: Rounds) -> Panel {
    let mut panel = Panel::new("Changesets over HTTP on SQLite, a second");
    for count in CLIENTS {
        let folder = tempfile::tempdir().unwrap();
        let [sets, single] = ["sets.db", "single.db"].map(|name| folder.path().join(name));
        let (sets, single) = (
            server::start_sqlite(&sets).await,
            server::start_sqlite(&single).await,
        );
        let mut of_sets = server::clients(sets, count).await;
        let mut alone = server::clients(single, count).await;
        let [ours, theirs] = [(); 2].map(|()| Arc::new(Streams::of_length(0)));
        let compared = compare(
            &format!("sets of two commits over HTTP, clients: {count}, against single commits"),
            rounds,
            async |length| client::append_sets(&mut of_sets, &ours, length).await,
            async |length| client::append(&mut alone, &theirs, length).await,
        )
        .await;
        panel.add(
            &chart::clients(count as u64),
            ["sets of two", "single commits"],
            &compared,
        );
    }
    panel
}
