//! Commands on several streams that are executed together or not at all.

use ees_core::{CommitId, NewSet, Receipt, SetConflict, StreamId};
use futures_util::TryStreamExt;
use futures_util::stream::FuturesOrdered;

use super::execute::command_id;
use super::{Done, Executed, Streams};
use crate::loaded::{Folding, Found};
use crate::patience::Patience;
use crate::{Decider, Error, SetOutcome, Store};

/// One of the commands.
struct Member<D: Decider> {
    stream: StreamId,
    command: D::Command,
    folding: Folding<D>,
}

/// What is decided on each stream, in their order.
type Decided<D> = Vec<Vec<<D as Decider>::Event>>;

impl<D: Decider, S: Store> Streams<D, S> {
    /// Executes commands, each on a stream of its own, together: all of their events are committed, or
    /// none. A command that is decided without events commits nothing, but its stream has to be as it was
    /// when it was decided. If others were faster, all are decided again.
    ///
    /// # Errors
    /// [`Error`]: none of the commands was executed, or, with [`Error::Store`], that is unknown.
    pub async fn execute_all<I: AsRef<str>>(
        &self,
        commands: impl IntoIterator<Item = (I, D::Command)>,
    ) -> Done<Vec<Executed<D>>, D, S> {
        let members = self.members(commands, None).await?;
        self.run_all(members, None).await
    }

    /// As [`Streams::execute_all`], once: a repeat with the same id writes nothing and gets the first
    /// receipts. The id names these commands on these streams.
    ///
    /// # Errors
    /// [`Error`]: none of the commands was executed, or, with [`Error::Store`], that is unknown.
    pub async fn execute_all_once<I: AsRef<str>>(
        &self,
        id: impl AsRef<str>,
        commands: impl IntoIterator<Item = (I, D::Command)>,
    ) -> Done<Vec<Executed<D>>, D, S> {
        let id = command_id(id.as_ref())?;
        let members = self.members(commands, Some(&id)).await?;
        self.run_all(members, Some(&id)).await
    }

    /// Reads the streams.
    async fn members<I: AsRef<str>>(
        &self,
        commands: impl IntoIterator<Item = (I, D::Command)>,
        id: Option<&CommitId>,
    ) -> Done<Vec<Member<D>>, D, S> {
        let mut asked = Vec::new();
        for (stream, command) in commands {
            asked.push((StreamId::new(stream.as_ref())?, command));
        }
        let mut members = FuturesOrdered::new();
        for (stream, command) in asked {
            members.push_back(self.member(stream, command, id));
        }
        members.try_collect().await
    }

    async fn member(
        &self,
        stream: StreamId,
        command: D::Command,
        id: Option<&CommitId>,
    ) -> Done<Member<D>, D, S> {
        let folding = self.folded(&stream, id).await?;
        Ok(Member {
            stream,
            command,
            folding,
        })
    }

    async fn commit_set(&self, asked: NewSet) -> Done<SetOutcome, D, S> {
        let mut patience = Patience::default();
        loop {
            match self.store.commit_all(asked.clone()).await {
                Ok(outcome) => return Ok(outcome),
                Err(error) => patience
                    .wait(&self.store, error)
                    .await
                    .map_err(Error::Store)?,
            }
        }
    }

    async fn run_all(
        &self,
        mut members: Vec<Member<D>>,
        id: Option<&CommitId>,
    ) -> Done<Vec<Executed<D>>, D, S> {
        for _ in 0..self.tries {
            if members.iter().any(|member| member.folding.done.is_some()) {
                return self.found_all(members, id).await;
            }
            let decided = decide(&members);
            let is_nothing = |all: &Decided<D>| all.iter().all(Vec::is_empty);
            if decided.as_ref().map_or(true, is_nothing) {
                return self.nothing_to_do_all(members, id, decided).await;
            }
            let decided = decided.map_err(Error::Refused)?;
            let key = id.cloned().unwrap_or_else(CommitId::generate);
            let asked = self
                .set(&members, &decided)?
                .with_idempotency_key(key.clone());
            match self.commit_set(asked).await? {
                SetOutcome::Stored(receipts) => {
                    return self.stored_all(members, &decided, &key, receipts).await;
                }
                SetOutcome::KeyStands(_) => return self.found_all(members, id).await,
                SetOutcome::Conflict(conflict) => {
                    self.catch_up(&mut members, &conflict, id).await?;
                }
            }
        }
        Err(Error::TooManyConflicts { tries: self.tries })
    }

    /// The set of what was decided, without a key.
    fn set(&self, members: &[Member<D>], decided: &Decided<D>) -> Done<NewSet, D, S> {
        let mut set = NewSet::default();
        for (member, events) in members.iter().zip(decided) {
            set = if events.is_empty() {
                set.check(member.stream.clone(), member.folding.at.expectation())
            } else {
                set.commit(self.changeset(&member.stream, &member.folding, events)?)
            };
        }
        Ok(set)
    }

    async fn stored_all(
        &self,
        members: Vec<Member<D>>,
        decided: &Decided<D>,
        key: &CommitId,
        receipts: Vec<Receipt>,
    ) -> Done<Vec<Executed<D>>, D, S> {
        let mut receipts = receipts.into_iter();
        let mut executed = Vec::with_capacity(members.len());
        for (mut member, events) in members.into_iter().zip(decided) {
            let receipt = if events.is_empty() {
                None
            } else {
                receipts.next()
            };
            if let Some(receipt) = &receipt {
                member.folding.apply(events, key, receipt);
            }
            executed.push(self.finished(member, receipt).await?);
        }
        Ok(executed)
    }

    async fn finished(
        &self,
        member: Member<D>,
        receipt: Option<Receipt>,
    ) -> Done<Executed<D>, D, S> {
        match receipt {
            Some(receipt) => self.executed(&member.stream, member.folding, receipt).await,
            None => Ok(Executed::new(member.folding.at, None)),
        }
    }

    /// Applies what others committed.
    async fn catch_up(
        &self,
        members: &mut [Member<D>],
        conflict: &SetConflict,
        id: Option<&CommitId>,
    ) -> Done<(), D, S> {
        for unmet in &conflict.unmet {
            let mut members = members.iter_mut();
            let Some(member) = members.find(|member| member.stream == unmet.stream_id) else {
                continue;
            };
            if unmet.is_ahead() {
                // The stream was longer when it was read: the store was restored from a copy.
                member.folding = self.folded(&member.stream, id).await?;
                continue;
            }
            member.folding.fold(&unmet.forthcoming.items)?;
            let end = unmet.head.map_or(0, |head| head.last_changeset.get());
            if member.folding.at.last_changeset < end {
                self.read_on(&member.stream, &mut member.folding).await?;
            }
        }
        Ok(())
    }

    /// A decider refuses its command, or none has events. If the commands have an id, they may have been
    /// done before, in parts of the streams that were not read.
    async fn nothing_to_do_all(
        &self,
        members: Vec<Member<D>>,
        id: Option<&CommitId>,
        decided: Result<Decided<D>, D::Error>,
    ) -> Done<Vec<Executed<D>>, D, S> {
        if let Some(id) = id {
            for member in &members {
                if self.find(&member.stream, id).await?.is_some() {
                    return self.found_all(members, Some(id)).await;
                }
            }
        }
        decided.map_err(Error::Refused)?;
        let states = members.into_iter();
        Ok(states
            .map(|one| Executed::new(one.folding.at, None))
            .collect())
    }

    /// The commands were done before: their id stands in at least one of the streams.
    async fn found_all(
        &self,
        members: Vec<Member<D>>,
        id: Option<&CommitId>,
    ) -> Done<Vec<Executed<D>>, D, S> {
        let mut all = Vec::with_capacity(members.len());
        for mut member in members {
            let found = match (member.folding.done.take(), id) {
                (None, Some(id)) => self.find(&member.stream, id).await?,
                (found, _) => found,
            };
            all.push((member, found));
        }
        if let Some(stream_id) = other_use(&all) {
            return Err(Error::CommandIdReused { stream_id });
        }
        let mut executed = Vec::with_capacity(all.len());
        for (member, found) in all {
            let receipt = found.map(|found| found.receipt);
            executed.push(self.finished(member, receipt).await?);
        }
        Ok(executed)
    }
}

/// Decides every command.
fn decide<D: Decider>(members: &[Member<D>]) -> Result<Decided<D>, D::Error> {
    let members = members.iter();
    members
        .map(|member| member.folding.at.state.decide(&member.command))
        .collect()
}

/// A stream which shows that the id was used for other commands than these. What a set stored says how
/// many changesets it has. Where that is not known, a stream without the id has to be one that its command
/// has no events for.
fn other_use<D: Decider>(all: &[(Member<D>, Option<Found>)]) -> Option<StreamId> {
    let stands = |(_, found): &&(Member<D>, Option<Found>)| found.is_some();
    let count = all.iter().filter(stands).count();
    let marks = all.iter().filter_map(|(_, found)| found.as_ref()?.set);
    let mark = marks.clone().next();
    let differs = |(member, found): &&(Member<D>, Option<Found>)| match (found, mark) {
        (Some(found), Some(mark)) => {
            found.set.is_none_or(|set| set.digest() != mark.digest())
                || usize::from(mark.count()) != count
        }
        (None, None) => {
            let decided = member.folding.at.state.decide(&member.command);
            decided.is_ok_and(|events| !events.is_empty())
        }
        _ => false,
    };
    all.iter()
        .find(differs)
        .map(|(member, _)| member.stream.clone())
}
