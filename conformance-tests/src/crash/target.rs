//! A store that may go away at any moment.

use async_trait::async_trait;

use crate::subject::{Ask, AskSet, Committed, Failure, GlobalPage, GlobalRead, Subject};

/// The code of a failure that leaves open whether the commit is stored.
pub const LOST: &str = "STORAGE_UNAVAILABLE";

/// The calls of [`Writer`](super::Writer), [`Mover`](super::Mover) and [`Reader`](super::Reader).
#[async_trait]
pub trait Target: Send + Sync {
    /// Commits. A failure with the code [`LOST`] leaves open whether the commit is stored.
    async fn commit(&self, ask: &Ask) -> Result<Committed, Failure>;

    /// Commits to several streams. A failure with the code [`LOST`] leaves open whether they are
    /// stored.
    async fn commit_all(&self, ask: &AskSet) -> Result<Vec<Committed>, Failure>;

    /// A page of the global order.
    async fn page(&self, read: &GlobalRead<u64>) -> Result<GlobalPage, Failure>;
}

/// A client that works on a store until its process ends, and continues when it runs again.
#[async_trait]
pub trait Client: Send + 'static {
    /// Works until no answer comes.
    ///
    /// # Panics
    /// If an answer breaks a guarantee.
    async fn work(&mut self, target: &dyn Target);
}

#[async_trait]
impl<S: Subject> Target for S {
    async fn commit(&self, ask: &Ask) -> Result<Committed, Failure> {
        Subject::commit(self, ask).await
    }

    async fn commit_all(&self, ask: &AskSet) -> Result<Vec<Committed>, Failure> {
        Subject::commit_all(self, ask).await
    }

    async fn page(&self, read: &GlobalRead<u64>) -> Result<GlobalPage, Failure> {
        self.global_changesets(read).await
    }
}

/// The failure of a call that got no answer.
pub(super) fn lost() -> Failure {
    Failure {
        code: LOST.to_owned(),
        message: "no answer came".to_owned(),
        forthcoming: None,
        has_the_key: None,
        conflicts: None,
    }
}
