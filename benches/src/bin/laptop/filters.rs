//! Filters: following one changeset of 1,000, and what keeping the types costs a commit.

use std::path::Path;
use std::sync::Arc;

use benches::in_process;
use benches::in_process::costs::{SQLITE_WRITER, compare_costs};
use benches::load::{Load, Streams};
use benches::report::{Rounds, compare, rate};
use ees_core::{Checkpoint, EventStore, Filter};
use ees_sqlite::{SqliteConfig, SqliteStorage};
use rusqlite::Connection;

use crate::{baseline, growth};

/// The columns that a filter needs, in pages as long as one filtered read looks.
const SCAN: &str = "SELECT checkpoint, stream_id, event_types FROM changesets
    WHERE checkpoint >= ?1 ORDER BY checkpoint LIMIT 10000";

/// One changeset of 1,000 has another type.
const MARK: &str = "UPDATE changesets
    SET event_types = 'paid', events = replace(events, 'order_line_added', 'paid')
    WHERE checkpoint % 1000 = 500";

/// Follows a filter that selects one of 1,000, against a scan of the small columns.
pub(crate) async fn run(rounds: Rounds, changesets: u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ees.db");
    growth::fill(&path, changesets).await;
    baseline::connect(&path).execute(MARK, []).unwrap();
    let storage = SqliteStorage::open(&SqliteConfig::new(&path)).await;
    let store = EventStore::new(Arc::new(storage.unwrap()));
    for (what, filter) in [
        ("type", Filter::default().event_type("paid")),
        ("stream", Filter::default().stream_prefix("order-999")),
    ] {
        let filtered = store.with_filter(filter);
        let mut next = Checkpoint::FIRST;
        let mut scan = Scan::of(&path, changesets);
        compare(
            &format!("following one {what} of 1000 among {changesets}, against a scan of the small columns"),
            rounds,
            async |length| {
                rate(length, async || in_process::follow(&filtered, &mut next, changesets).await).await
            },
            async |length| rate(length, async || scan.page()).await,
        )
        .await;
    }
}

/// Commits whose events have types, against commits of the same size without.
pub(crate) async fn run_appends(rounds: Rounds) {
    for count in [1, 16] {
        let folder = tempfile::tempdir().unwrap();
        let open = async |name: &str| {
            let config = SqliteConfig::new(folder.path().join(name));
            EventStore::new(Arc::new(SqliteStorage::open(&config).await.unwrap()))
        };
        let (typed, plain) = (open("typed.db").await, open("plain.db").await);
        let [ours, theirs] = [(); 2].map(|()| Arc::new(Streams::of_length(0)));
        compare_costs(
            &format!(
                "append on SQLite of events with types, clients: {count}, against events without"
            ),
            rounds,
            SQLITE_WRITER,
            async |length| in_process::append(&typed, &ours, count, length).await,
            async |length| {
                in_process::append_as(Load::Untyped, &plain, &theirs, count, length).await
            },
        )
        .await;
    }
}

/// The baseline's reader.
struct Scan {
    connection: Connection,
    from: u64,
    changesets: u64,
}

impl Scan {
    fn of(path: &Path, changesets: u64) -> Self {
        Self {
            connection: baseline::connect(path),
            from: 0,
            changesets,
        }
    }

    fn page(&mut self) -> u64 {
        let mut statement = self.connection.prepare_cached(SCAN).unwrap();
        let mut rows = statement.query([self.from]).unwrap();
        let mut read = 0;
        while let Some(row) = rows.next().unwrap() {
            let stream = row.get_ref(1).unwrap().as_str().unwrap();
            let types = row.get_ref(2).unwrap().as_str_or_null().unwrap();
            std::hint::black_box((stream, types));
            read += 1;
        }
        self.from = (self.from + read) % self.changesets;
        read
    }
}
