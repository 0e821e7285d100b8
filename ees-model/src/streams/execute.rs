//! The loop: load, decide, commit.

use ees_core::{
    CommitId, Events, Expectation, MAX_ID, NewChangeset, Receipt, StreamId, StreamQuery,
};

use super::{Executed, Streams};
use crate::loaded::{Folding, found};
use crate::patience::patiently;
use crate::{Decider, Error, Loaded, Outcome, Store};

/// The result of work for a decider over a store.
type Done<T, D, S> = Result<T, Error<<D as Decider>::Error, <S as Store>::Error>>;

impl<D: Decider, S: Store> Streams<D, S> {
    /// Reads a stream. A stream that does not exist has the state [`Default`].
    ///
    /// # Errors
    /// [`Error::StreamId`], [`Error::Store`], [`Error::Unreadable`].
    pub async fn load(&self, stream: impl AsRef<str>) -> Done<Loaded<D>, D, S> {
        let stream = StreamId::new(stream.as_ref())?;
        Ok(self.folded(&stream, None).await?.at)
    }

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
        let key = command_id(id.as_ref())?;
        self.run(&stream, Some(key), &command).await
    }

    async fn run(
        &self,
        stream: &StreamId,
        key: Option<CommitId>,
        command: &D::Command,
    ) -> Done<Executed<D>, D, S> {
        let mut folding = self.folded(stream, key.clone()).await?;
        for _ in 0..self.tries {
            if let Some(done) = folding.done.take() {
                return Ok(executed(folding, Some(done)));
            }
            let decided = folding.at.state.decide(command);
            let nothing = decided.as_ref().map_or(true, Vec::is_empty);
            if nothing {
                return self.nothing_to_do(stream, key, folding, decided).await;
            }
            let events = decided.map_err(Error::Refused)?;
            let asked = self.asked(stream, key.as_ref(), &folding.at, &events)?;
            match self.commit(asked).await.map_err(Error::Store)? {
                Outcome::Stored(receipt) => {
                    folding.apply(&events, &receipt);
                    return self.done(stream, folding, receipt).await;
                }
                Outcome::KeyStands(stands) => {
                    return self.done(stream, folding, found(&stands)).await;
                }
                Outcome::Conflict(conflict) => {
                    folding.fold(&conflict.forthcoming.items)?;
                    if folding.at.last_changeset < conflict.head.last_changeset.get() {
                        self.read_on(stream, &mut folding).await?;
                    }
                }
                // The stream was longer when it was read: the store was restored from a copy.
                Outcome::Ahead => folding = self.folded(stream, key.clone()).await?,
            }
        }
        Err(Error::TooManyConflicts {
            stream_id: stream.clone(),
            tries: self.tries,
        })
    }

    /// The commit of events that were decided on a state.
    fn asked(
        &self,
        stream: &StreamId,
        key: Option<&CommitId>,
        at: &Loaded<D>,
        events: &[D::Event],
    ) -> Done<NewChangeset, D, S> {
        // A key of its own makes the commit safe to repeat.
        let key = key.cloned().unwrap_or_else(CommitId::generate);
        let asked = NewChangeset::new(stream.clone(), at.expectation(), Events::of(events)?);
        let asked = asked.with_metadata(self.metadata.clone());
        Ok(asked.with_idempotency_key(key))
    }

    async fn commit(&self, asked: NewChangeset) -> Result<Outcome, S::Error> {
        let store = &self.store;
        patiently(store, async || store.commit(asked.clone()).await).await
    }

    /// The command is stored. The state may not contain it yet, if another process executed it.
    async fn done(
        &self,
        stream: &StreamId,
        mut folding: Folding<D>,
        receipt: Receipt,
    ) -> Done<Executed<D>, D, S> {
        if folding.at.last_changeset < receipt.changeset_id.get() {
            self.read_on(stream, &mut folding).await?;
        }
        Ok(executed(folding, Some(receipt)))
    }

    /// The decider refuses the command, or has no events for it. If the command has an id, it may have
    /// been done before, in a part of the stream that was not read.
    async fn nothing_to_do(
        &self,
        stream: &StreamId,
        key: Option<CommitId>,
        folding: Folding<D>,
        decided: Result<Vec<D::Event>, D::Error>,
    ) -> Done<Executed<D>, D, S> {
        if let Some(key) = &key
            && let Some(receipt) = self.find(stream, key).await?
        {
            return self.done(stream, folding, receipt).await;
        }
        decided.map_err(Error::Refused)?;
        Ok(executed(folding, None))
    }

    /// The receipt of the changeset that has a key. A commit whose key stands is recognised whatever it
    /// expects, and no stream is as long as this one expects: it stores nothing.
    async fn find(&self, stream: &StreamId, key: &CommitId) -> Done<Option<Receipt>, D, S> {
        let events = Events::of(&[()])?;
        let never = Expectation::LastChangeset(MAX_ID);
        let asked = NewChangeset::new(stream.clone(), never, events)
            .with_idempotency_key(key.clone())
            .with_max_forthcoming(0);
        match self.commit(asked).await.map_err(Error::Store)? {
            Outcome::Stored(receipt) => Ok(Some(receipt)),
            Outcome::KeyStands(stands) => Ok(Some(found(&stands))),
            Outcome::Conflict(_) | Outcome::Ahead => Ok(None),
        }
    }

    /// The state of a whole stream.
    async fn folded(&self, stream: &StreamId, key: Option<CommitId>) -> Done<Folding<D>, D, S> {
        let mut folding = Folding::new(key);
        self.read_on(stream, &mut folding).await?;
        Ok(folding)
    }

    /// Reads what follows a state.
    async fn read_on(&self, stream: &StreamId, folding: &mut Folding<D>) -> Done<(), D, S> {
        let from = folding.at.last_changeset + 1;
        let mut rest = Some(StreamQuery::all(stream.clone()).changesets(from..));
        while let Some(query) = rest {
            let store = &self.store;
            let page = patiently(store, async || store.changesets(&query).await).await;
            let page = page.map_err(Error::Store)?;
            folding.fold(&page.items)?;
            rest = query.next_page(&page);
        }
        Ok(())
    }
}

fn command_id<R, E>(id: &str) -> Result<CommitId, Error<R, E>>
where
    R: std::fmt::Debug + std::fmt::Display,
    E: std::error::Error,
{
    let parsed = CommitId::new(id).ok().filter(CommitId::is_clients);
    parsed.ok_or_else(|| Error::CommandId {
        text: id.to_owned(),
    })
}

fn executed<D>(folding: Folding<D>, receipt: Option<Receipt>) -> Executed<D> {
    Executed {
        receipt,
        state: folding.at.state,
        last_changeset: folding.at.last_changeset,
    }
}
