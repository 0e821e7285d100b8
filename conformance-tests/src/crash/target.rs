//! A store that may go away at any moment.

use async_trait::async_trait;

use crate::subject::{Ask, Committed, Failure, GlobalPage, GlobalRead, Subject};

/// The code of a failure where no answer came, or none that says whether the commit stands.
pub const LOST: &str = "STORAGE_UNAVAILABLE";

/// What [`Writer`](super::Writer) and [`Reader`](super::Reader) ask.
#[async_trait]
pub trait Target: Send + Sync {
    /// Commits. A failure with the code [`LOST`] leaves open whether the commit stands.
    async fn commit(&self, ask: &Ask) -> Result<Committed, Failure>;

    /// A page of the global order.
    async fn page(&self, read: &GlobalRead<u64>) -> Result<GlobalPage, Failure>;
}

/// Who works on a store until it is gone, and goes on when it is there again.
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

    async fn page(&self, read: &GlobalRead<u64>) -> Result<GlobalPage, Failure> {
        self.global_changesets(read).await
    }
}

/// What is known of a call that got no answer.
pub(super) fn lost() -> Failure {
    Failure {
        code: LOST.to_owned(),
        message: "no answer came".to_owned(),
        forthcoming: None,
    }
}
