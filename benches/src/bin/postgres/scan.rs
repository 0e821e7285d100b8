//! Reading everything in pages of 1000 against COPY of the same rows.

use benches::in_process;
use benches::report::{Rounds, compare, rate};
use ees_core::Checkpoint;
use ees_postgres_testkit::Server;
use sqlx::{Connection, PgConnection};

use crate::{baseline, setup};

/// The number of changesets to read.
const CHANGESETS: u64 = 100_000;

/// The number of changesets per page.
const PAGE: usize = 1000;

pub(crate) async fn run(server: &Server, rounds: Rounds) {
    let database = server.database().unwrap();
    let store = setup::store(&database).await;
    setup::fill(&database, CHANGESETS);
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    let mut next = Checkpoint::FIRST;
    compare(
        "changesets of the global order on PostgreSQL, in pages of 1000, against COPY",
        rounds,
        async |length| {
            rate(length, async || {
                in_process::read_on(&store, &mut next, PAGE, CHANGESETS).await
            })
            .await
        },
        async |length| {
            rate(length, async || {
                assert!(baseline::copy(&mut connection, baseline::WHOLE).await > 0);
                CHANGESETS
            })
            .await
        },
    )
    .await;
}
