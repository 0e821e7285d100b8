//! The wake hint between servers: `NOTIFY` after commits, and `LISTEN` on a connection of its own.
//!
//! It goes beside the commits, not in them: PostgreSQL lets the notifying transactions of all its
//! databases commit one at a time, and a hint that is lost costs a waiting reader no more than its
//! next poll.

use std::sync::Arc;
use std::time::Duration;

use ees_core::adapter::News;
use sqlx::postgres::{PgListener, PgNotification};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::PostgresConfig;
use crate::readers::Readers;
use crate::session::{Sessions, within};

/// A hint need not last, so no flush is waited for.
const NOTIFY: &str = "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)";

/// The least time between two notifications: many commits need no more than one.
const PAUSE: Duration = Duration::from_millis(10);

/// A connection that tells nothing for so long is asked whether it still is one.
const QUIET: Duration = Duration::from_secs(5);

/// How long to wait before something that failed is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Tells of commits, in this process and to all others.
#[derive(Debug, Clone)]
pub(crate) struct Wake {
    pub(crate) news: Arc<News>,
    others: Arc<Notify>,
}

impl Wake {
    /// Begins to tell others and to listen to them, until the tasks are dropped.
    pub(crate) fn start(
        config: &PostgresConfig,
        sessions: &Sessions,
        readers: &Arc<Readers>,
    ) -> (Self, JoinSet<()>) {
        let wake = Self {
            news: Arc::default(),
            others: Arc::default(),
        };
        let channel = format!("ees:{}", config.schema);
        let own = Uuid::new_v4().to_string();
        let sessions = sessions.clone();
        let news = Arc::clone(&wake.news);
        let mut tasks = JoinSet::new();
        let telling = tell(
            Arc::clone(readers),
            Arc::clone(&wake.others),
            channel.clone(),
            own.clone(),
        );
        tasks.spawn(telling);
        tasks.spawn(async move {
            loop {
                // Whatever goes wrong is tried again, and readers poll meanwhile.
                let _ = listen(&sessions, &channel, &own, &news).await;
                sleep(RETRY).await;
            }
        });
        (wake, tasks)
    }

    /// Says that something was committed.
    pub(crate) fn announce(&self) {
        self.news.announce();
        self.others.notify_one();
    }
}

/// Tells others of what was committed since the last time; where that fails, a little later.
async fn tell(readers: Arc<Readers>, commits: Arc<Notify>, channel: String, own: String) {
    loop {
        commits.notified().await;
        let notify = || sqlx::query(NOTIFY).bind(&channel).bind(&own);
        while readers.all(notify).await.is_err() {
            sleep(RETRY).await;
        }
        sleep(PAUSE).await;
    }
}

/// Announces what other servers committed, until the connection is lost.
async fn listen(
    sessions: &Sessions,
    channel: &str,
    own: &str,
    news: &News,
) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(&sessions.pool()).await?;
    listener.eager_reconnect(false);
    within(sessions.timeout, listener.listen(channel)).await?;
    // What came before the connection stood was missed.
    news.announce();
    while let Some(told) = next(&mut listener, sessions.timeout).await? {
        if told.payload() != own {
            news.announce();
        }
    }
    Ok(())
}

async fn next(
    listener: &mut PgListener,
    limit: Duration,
) -> Result<Option<PgNotification>, sqlx::Error> {
    loop {
        if let Ok(told) = timeout(QUIET, listener.try_recv()).await {
            return told;
        }
        let ask = sqlx::raw_sql("SELECT 1").execute(&mut *listener);
        within(limit, ask).await?;
    }
}
