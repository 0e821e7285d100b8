//! Reads the state of a stream.

use ees_core::{Changeset, CommitId, Page, StreamId, StreamQuery};

use super::{Done, Streams};
use crate::loaded::Folding;
use crate::patience::Patience;
use crate::{Decider, Error, Loaded, Snapshot, Store};

impl<D: Decider, S: Store> Streams<D, S> {
    /// Reads a stream. A stream that does not exist has the state [`Default`].
    ///
    /// # Errors
    /// [`Error::StreamId`], [`Error::Store`], [`Error::Unreadable`].
    pub async fn load(&self, stream: impl AsRef<str>) -> Done<Loaded<D>, D, S> {
        let stream = StreamId::new(stream.as_ref())?;
        Ok(self.folded(&stream, None).await?.at)
    }

    /// The state of a whole stream, with the help of its snapshot.
    pub(super) async fn folded(
        &self,
        stream: &StreamId,
        key: Option<&CommitId>,
    ) -> Done<Folding<D>, D, S> {
        let found = match &self.snapshots {
            Some(cache) => cache.find(stream).await,
            None => None,
        };
        if let Some((snapshot, state)) = found {
            return self.resumed(stream, key, &snapshot, state).await;
        }
        let mut folding = Folding::new(key.cloned());
        self.read_on(stream, &mut folding).await?;
        Ok(folding)
    }

    /// Reads what follows a state.
    pub(super) async fn read_on(
        &self,
        stream: &StreamId,
        folding: &mut Folding<D>,
    ) -> Done<(), D, S> {
        let from = folding.at.last_changeset + 1;
        let query = StreamQuery::all(stream.clone()).changesets(from..);
        self.read(query, folding, None).await.map(drop)
    }

    /// Reads on after a snapshot. One whose changeset is not in the stream is dropped.
    async fn resumed(
        &self,
        stream: &StreamId,
        key: Option<&CommitId>,
        snapshot: &Snapshot,
        state: D,
    ) -> Done<Folding<D>, D, S> {
        let mut folding = Folding::resumed(snapshot, state, key.cloned());
        let query = StreamQuery::all(stream.clone()).changesets(snapshot.changeset..);
        if self.read(query, &mut folding, Some(snapshot)).await? {
            return Ok(folding);
        }
        tracing::warn!(%stream, "a snapshot does not belong to the stream, and is dropped");
        let mut anew = Folding::new(key.cloned());
        anew.replace_snapshot();
        self.read_on(stream, &mut anew).await?;
        Ok(anew)
    }

    /// Reads and folds all pages of a query. Takes snapshots on the way, so that a read of a long stream
    /// that is interrupted goes on from there. Returns `false`, before it folds, if the first changeset is
    /// not that of the snapshot.
    async fn read(
        &self,
        query: StreamQuery,
        folding: &mut Folding<D>,
        mut snapshot: Option<&Snapshot>,
    ) -> Done<bool, D, S> {
        let mut rest = Some(query);
        while let Some(query) = rest {
            let page = self.page(&query).await?;
            if let Some(snapshot) = snapshot.take()
                && !page
                    .items
                    .first()
                    .is_some_and(|first| snapshot.is_after(first))
            {
                return Ok(false);
            }
            folding.fold(&page.items)?;
            self.keep(&query.stream_id, folding).await;
            rest = query.next_page(&page);
        }
        Ok(true)
    }

    /// Takes a snapshot, if one is due.
    pub(super) async fn keep(&self, stream: &StreamId, folding: &mut Folding<D>) {
        if let Some(cache) = &self.snapshots {
            cache.keep(stream, folding).await;
        }
    }

    async fn page(&self, query: &StreamQuery) -> Done<Page<Changeset>, D, S> {
        let mut patience = Patience::default();
        loop {
            match self.store.changesets(query).await {
                Ok(page) => return Ok(page),
                Err(error) => patience
                    .wait(&self.store, error)
                    .await
                    .map_err(Error::Store)?,
            }
        }
    }
}
