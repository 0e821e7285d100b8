//! The wake-up between servers: `NOTIFY` after commits, and `LISTEN` on a separate connection.
//!
//! The notification is not part of the commit's transaction, because PostgreSQL lets notifying
//! transactions of all its databases commit only one at a time. A lost wake-up delays a waiting
//! reader until its next poll.

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

/// Sends a notification. It need not be durable, so the statement waits for no fsync.
const NOTIFY: &str = "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)";

/// The minimum time between two notifications. One notification covers all commits since the last.
const PAUSE: Duration = Duration::from_millis(10);

/// A connection that receives nothing for this long is checked with a statement.
const QUIET: Duration = Duration::from_secs(5);

/// How long to wait before a retry.
const RETRY: Duration = Duration::from_secs(1);

/// Announces commits in this process and to other servers.
#[derive(Debug, Clone)]
pub(crate) struct Wake {
    pub(crate) news: Arc<News>,
    others: Arc<Notify>,
}

impl Wake {
    /// Starts to notify other servers and to listen to them, until the tasks are dropped.
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
                // Every failure is retried. Readers poll in the meantime.
                let _ = Box::pin(listen(&sessions, &channel, &own, &news)).await;
                sleep(RETRY).await;
            }
        });
        (wake, tasks)
    }

    /// Announces a commit.
    pub(crate) fn announce(&self) {
        self.news.announce();
        self.others.notify_one();
    }
}

/// Notifies other servers of commits. Retries a failed notification after [`RETRY`].
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

/// Announces the commits of other servers, until the connection is lost.
async fn listen(
    sessions: &Sessions,
    channel: &str,
    own: &str,
    news: &News,
) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(&sessions.pool()).await?;
    listener.eager_reconnect(false);
    Box::pin(within(sessions.timeout, listener.listen(channel))).await?;
    // Commits before `LISTEN` took effect were missed.
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
