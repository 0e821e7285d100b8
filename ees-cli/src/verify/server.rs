//! A server that is asked until it answers.

use std::error::Error;
use std::fmt::Display;
use std::sync::OnceLock;
use std::time::Duration;

use ees_core::{StorageError, StoreId};
use ees_evidence::LogError;

use crate::Failure;
use crate::args::RemoteArgs;
use crate::client::{Answer, Client};

/// The longest time that one answer may take: longer than a server takes unless it is set otherwise.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often a request is sent that no answer came to, or that the server had no time for.
const TRIES: u32 = 4;

/// The pause before the second try. It doubles.
const PAUSE: Duration = Duration::from_millis(250);

/// Why an answer is none of a store.
const NO_STORE: &str = "the answer does not tell the id of a store (`EES-Store`)";

/// The server of one store.
pub(super) struct Server {
    client: Client,
    /// The id of the store, once an answer has told it.
    store: OnceLock<StoreId>,
}

impl Server {
    pub(super) fn of(args: &RemoteArgs) -> Result<Self, Failure> {
        let client = Client::new(args).map_err(Failure::Usage)?;
        Ok(Self {
            client: client.waiting(PATIENCE),
            store: OnceLock::new(),
        })
    }

    /// The id of the store.
    pub(super) async fn store_id(&self) -> Result<StoreId, LogError> {
        let path = "/version";
        self.get(path).await?;
        let id = self.store.get().copied();
        id.ok_or_else(|| self.unread(path, NO_STORE))
    }

    /// What is at a path.
    pub(super) async fn get(&self, path: &str) -> Result<Answer, LogError> {
        let answer = self.ask(path).await?;
        self.accepted(path, answer)
    }

    /// What is at a path; `None` if the server says, with one of these codes, that it does not have it.
    pub(super) async fn find(
        &self,
        path: &str,
        absent: &[&str],
    ) -> Result<Option<Answer>, LogError> {
        let answer = self.ask(path).await?;
        let code = answer.text("error").filter(|_| answer.status == 404);
        if code.is_some_and(|code| absent.contains(&code)) {
            return Ok(None);
        }
        self.accepted(path, answer).map(Some)
    }

    /// Sends a request until it is answered.
    async fn ask(&self, path: &str) -> Result<Answer, LogError> {
        let (mut tries, mut pause) = (1, PAUSE);
        loop {
            let problem = match self.client.get(path).await {
                Ok(answer) if !matches!(answer.status, 408 | 429 | 502..=504) => {
                    return Ok(answer);
                }
                Ok(answer) => answer.refusal(),
                Err(problem) => problem,
            };
            if tries == TRIES {
                return Err(self.unread(path, problem));
            }
            tokio::time::sleep(pause).await;
            (tries, pause) = (tries + 1, pause * 2);
        }
    }

    /// An answer that is no refusal, and one of the same store as those before.
    fn accepted(&self, path: &str, answer: Answer) -> Result<Answer, LogError> {
        if answer.status == 500 && answer.text("error") == Some("INTERNAL") {
            // A server does not tell more of what it cannot read.
            let request = answer.text("request_id").unwrap_or("unknown");
            let why = format!("{} (request {request})", answer.refusal());
            let why: Box<dyn Error + Send + Sync> = why.into();
            return Err(StorageError::Backend(why.into()).into());
        }
        if answer.status != 200 {
            return Err(self.unread(path, answer.refusal()));
        }
        let store = answer.store.as_deref().and_then(|id| id.parse().ok());
        let store = store.ok_or_else(|| self.unread(path, NO_STORE))?;
        if *self.store.get_or_init(|| store) != store {
            let why = "another store answers now: verify it from the beginning";
            return Err(self.unread(path, why));
        }
        Ok(answer)
    }

    pub(super) fn unread(&self, path: &str, why: impl Display) -> LogError {
        let url = self.client.url();
        LogError::Unread(format!("{url}: GET {path}: {why}"))
    }
}
