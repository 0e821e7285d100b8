//! Following one changeset of 1000 against COPY of the small columns.

use benches::in_process;
use benches::report::{Rounds, compare, rate};
use ees_core::{Checkpoint, Filter};
use ees_postgres_testkit::Server;
use sqlx::{Connection, PgConnection};

use crate::{baseline, setup};

/// One changeset of 1000 has another type.
const MARK: &str = "UPDATE ees.changesets SET event_types = 'paid',
        events = replace(events::text, 'order_line_added', 'paid')::json
    WHERE checkpoint % 1000 = 500";

pub(crate) async fn run(server: &Server, rounds: Rounds, changesets: u64) {
    let database = server.database().unwrap();
    let store = setup::store(&database).await;
    setup::fill(&database, changesets);
    database.sql(MARK).unwrap();
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    for (what, filter) in [
        ("type", Filter::default().event_type("paid")),
        ("stream", Filter::default().stream_prefix("order-999")),
    ] {
        let filtered = store.with_filter(filter);
        let mut next = Checkpoint::FIRST;
        compare(
            &format!(
                "following one {what} of 1000 among {changesets} on PostgreSQL, against COPY of the \
                 small columns"
            ),
            rounds,
            async |length| {
                rate(length, async || {
                    in_process::follow(&filtered, &mut next, changesets).await
                })
                .await
            },
            async |length| {
                rate(length, async || {
                    assert!(baseline::copy(&mut connection, baseline::SMALL).await > 0);
                    changesets
                })
                .await
            },
        )
        .await;
    }
}
