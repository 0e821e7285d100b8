//! The loop: load, decide, commit.

use ees_core::{CommitId, Events, Expectation, MAX_ID, NewChangeset, Receipt, StreamId};

use super::{Done, Executed, Streams};
use crate::loaded::{Folding, Found};
use crate::patience::Patience;
use crate::{Decider, Error, Outcome, Store};

impl<D: Decider, S: Store> Streams<D, S> {
    /// Executes a command: reads the stream, decides, and commits the events. If others were faster, it
    /// decides again on what they committed, which the refusal contains, without another read.
    ///
    /// A repeat of this call executes the command again. [`Streams::execute_once`] does not.
    ///
    /// # Errors
    /// [`Error`]: the command was not executed, or, with [`Error::Store`], that is unknown.
    pub async fn execute(
        &self,
        stream: impl AsRef<str>,
        command: D::Command,
    ) -> Done<Executed<D>, D, S> {
        let stream = StreamId::new(stream.as_ref())?;
        self.run(&stream, None, &command).await
    }

    /// Executes a command that has an id, once. A repeat writes nothing and gets the first receipt, at
    /// any later time and from any process.
    ///
    /// The id names one command on one stream: take it from the caller, or derive it from what caused
    /// the command. Its commit has the id as idempotency key.
    ///
    /// # Errors
    /// [`Error`]: the command was not executed, or, with [`Error::Store`], that is unknown.
    pub async fn execute_once(
        &self,
        stream: impl AsRef<str>,
        id: impl AsRef<str>,
        command: D::Command,
    ) -> Done<Executed<D>, D, S> {
        let stream = StreamId::new(stream.as_ref())?;
        let id = command_id(id.as_ref())?;
        self.run(&stream, Some(&id), &command).await
    }

    async fn run(
        &self,
        stream: &StreamId,
        id: Option<&CommitId>,
        command: &D::Command,
    ) -> Done<Executed<D>, D, S> {
        let mut folding = self.folded(stream, id).await?;
        for _ in 0..self.tries {
            if let Some(found) = folding.done.take() {
                return self.found(stream, folding, found).await;
            }
            let decided = folding.at.state.decide(command);
            if decided.as_ref().map_or(true, Vec::is_empty) {
                return self.nothing_to_do(stream, id, folding, decided).await;
            }
            let events = decided.map_err(Error::Refused)?;
            let key = id.cloned().unwrap_or_else(CommitId::generate);
            let asked = self.changeset(stream, &folding, &events)?;
            let asked = asked.with_idempotency_key(key.clone());
            match self.commit(asked).await? {
                Outcome::Stored(receipt) => {
                    folding.apply(&events, &key, &receipt);
                    return self.executed(stream, folding, receipt).await;
                }
                Outcome::KeyStands(stands) => {
                    return self.found(stream, folding, Found::from(&*stands)).await;
                }
                Outcome::Conflict(conflict) => {
                    folding.fold(&conflict.forthcoming.items)?;
                    if folding.at.last_changeset < conflict.head.last_changeset.get() {
                        self.read_on(stream, &mut folding).await?;
                    }
                }
                // The stream was longer when it was read: the store was restored from a copy.
                Outcome::Ahead => folding = self.folded(stream, id).await?,
            }
        }
        Err(Error::TooManyConflicts { tries: self.tries })
    }

    /// The commit of events that were decided on a state, without a key.
    pub(super) fn changeset(
        &self,
        stream: &StreamId,
        folding: &Folding<D>,
        events: &[D::Event],
    ) -> Done<NewChangeset, D, S> {
        let expectation = folding.at.expectation();
        let asked = NewChangeset::new(stream.clone(), expectation, Events::of(events)?);
        Ok(asked.with_metadata(self.metadata.clone()))
    }

    async fn commit(&self, asked: NewChangeset) -> Done<Outcome, D, S> {
        let mut patience = Patience::default();
        loop {
            match self.store.commit(asked.clone()).await {
                Ok(outcome) => return Ok(outcome),
                Err(error) => patience
                    .wait(&self.store, error)
                    .await
                    .map_err(Error::Store)?,
            }
        }
    }

    /// The command is stored. The state may not contain it yet, if another process executed it.
    pub(super) async fn executed(
        &self,
        stream: &StreamId,
        mut folding: Folding<D>,
        receipt: Receipt,
    ) -> Done<Executed<D>, D, S> {
        if folding.at.last_changeset < receipt.changeset_id.get() {
            self.read_on(stream, &mut folding).await?;
        }
        self.keep(stream, &mut folding).await;
        Ok(Executed::new(folding.at, Some(receipt)))
    }

    /// The command was stored before.
    async fn found(
        &self,
        stream: &StreamId,
        folding: Folding<D>,
        found: Found,
    ) -> Done<Executed<D>, D, S> {
        if found.set.is_some() {
            return Err(Error::CommandIdReused {
                stream_id: stream.clone(),
            });
        }
        self.executed(stream, folding, found.receipt).await
    }

    /// The decider refuses the command, or has no events for it. If the command has an id, it may have
    /// been done before, in a part of the stream that was not read.
    async fn nothing_to_do(
        &self,
        stream: &StreamId,
        id: Option<&CommitId>,
        folding: Folding<D>,
        decided: Result<Vec<D::Event>, D::Error>,
    ) -> Done<Executed<D>, D, S> {
        if let Some(id) = id
            && let Some(found) = self.find(stream, id).await?
        {
            return self.found(stream, folding, found).await;
        }
        decided.map_err(Error::Refused)?;
        Ok(Executed::new(folding.at, None))
    }

    /// The changeset that has a key. A commit whose key stands is recognised whatever it expects, and no
    /// stream is as long as this one expects: it stores nothing.
    pub(super) async fn find(
        &self,
        stream: &StreamId,
        key: &CommitId,
    ) -> Done<Option<Found>, D, S> {
        let never = Expectation::LastChangeset(MAX_ID);
        let asked = NewChangeset::new(stream.clone(), never, Events::of(&[()])?)
            .with_idempotency_key(key.clone())
            .with_max_forthcoming(0);
        match self.commit(asked).await? {
            Outcome::Stored(receipt) => Ok(Some(Found { receipt, set: None })),
            Outcome::KeyStands(stands) => Ok(Some(Found::from(&*stands))),
            Outcome::Conflict(_) | Outcome::Ahead => Ok(None),
        }
    }
}

/// Reads the id of a command.
pub(super) fn command_id<R, E>(id: &str) -> Result<CommitId, Error<R, E>>
where
    R: std::fmt::Debug + std::fmt::Display,
    E: std::error::Error,
{
    let parsed = CommitId::new(id).ok().filter(CommitId::is_clients);
    parsed.ok_or_else(|| Error::CommandId {
        text: id.to_owned(),
    })
}
