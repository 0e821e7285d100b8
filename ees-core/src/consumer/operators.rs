//! What operators see of parked streams, and what they do: retry, skip, reset.

use super::records::Record;
use super::state::{Parked, Refused};
use super::{ConsumerError, ConsumerName, Consumers, partition_of};
use crate::{ChangesetId, Checkpoint, Error, Page, StreamId, StreamQuery, Timestamp};

/// A parked stream as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedStream {
    /// The stream.
    pub stream_id: StreamId,
    /// The first of its changesets that is not handled.
    pub from_changeset: ChangesetId,
    /// How often this changeset failed.
    pub attempts: u32,
    /// Why it failed last.
    pub error: String,
    /// When the stream was parked.
    pub since: Timestamp,
    /// When it is tried again; `None` if it waits for an operator.
    pub next_try: Option<Timestamp>,
    /// Whether the partition has stopped at this changeset.
    pub stopped: bool,
}

impl ParkedStream {
    fn new(parked: Parked, stopped: bool) -> Self {
        Self {
            stream_id: parked.stream_id,
            from_changeset: parked.from_changeset,
            attempts: parked.attempts,
            error: parked.error,
            since: parked.since,
            next_try: parked.next_try,
            stopped,
        }
    }
}

impl Consumers {
    /// The parked streams, by partition and stream id: at most `limit` after this stream.
    ///
    /// # Errors
    /// [`ConsumerError::NotFound`]; [`Error::Storage`] if the storage fails.
    pub async fn parked(
        &self,
        name: &ConsumerName,
        after: Option<&StreamId>,
        limit: usize,
    ) -> Result<Page<ParkedStream>, Error> {
        let record = self.records.record(name).await?;
        let partitions = record.definition.partitions;
        let first = after.map_or(0, |after| partition_of(after, partitions));
        let mut items = Vec::new();
        let loaded = self.records.partitions(&record).await?;
        for (partition, loaded) in (0..).zip(loaded).skip(usize::from(first)) {
            let loaded = self.records.with_parked(&record, partition, loaded).await?;
            let state = &loaded.state;
            let mut streams: Vec<_> = state.parked().map(|p| (p, false)).collect();
            streams.extend(state.stopped().map(|stopped| (stopped, true)));
            streams.sort_by(|a, b| a.0.stream_id.cmp(&b.0.stream_id));
            let after = after.filter(|_| partition == first);
            let streams = streams.into_iter();
            let rest = streams.filter(|(p, _)| after.is_none_or(|after| p.stream_id > *after));
            items.extend(rest.map(|(p, stopped)| ParkedStream::new(p.clone(), stopped)));
            if items.len() > limit {
                break;
            }
        }
        let more = items.len() > limit;
        items.truncate(limit);
        Ok(Page { items, more })
    }

    /// Tries a parked stream at once. Returns its entry.
    ///
    /// # Errors
    /// [`ConsumerError::NotFound`], [`ConsumerError::NotParked`]; [`Error::Storage`] if the storage
    /// fails.
    pub async fn retry(
        &self,
        name: &ConsumerName,
        stream_id: &StreamId,
    ) -> Result<ParkedStream, Error> {
        let (record, partition) = self.place(name, stream_id).await?;
        let now = self.now();
        self.change(&record, partition, |state| {
            let parked = state.retry(stream_id, now);
            let parked = parked.map_err(|refused| refusal(stream_id, None, refused))?;
            let stopped = state.parked_entry(stream_id).is_none();
            Ok(ParkedStream::new(parked, stopped))
        })
        .await
    }

    /// Skips the changesets of a parked stream up to this one. A batch of its partition that is out
    /// ends. Returns the stream's entry as it was.
    ///
    /// # Errors
    /// [`ConsumerError::NotFound`], [`ConsumerError::NotParked`]; [`ConsumerError::Invalid`] if the
    /// partition has not come to the changeset yet, or is past it; [`Error::Storage`] if the storage
    /// fails.
    pub async fn skip(
        &self,
        name: &ConsumerName,
        stream_id: &StreamId,
        through: ChangesetId,
    ) -> Result<ParkedStream, Error> {
        let (record, partition) = self.place(name, stream_id).await?;
        let id = through.get();
        let query = StreamQuery::all(stream_id.clone()).changesets(id..=id);
        let page = self.store.storage().read_stream(&query.limit(1)).await?;
        let found = page
            .items
            .first()
            .and_then(|changeset| changeset.checkpoint);
        let now = self.now();
        self.change(&record, partition, |state| {
            let stopped = state.parked_entry(stream_id).is_none();
            let skipped = match found {
                Some(position) => state.skip(stream_id, through, position, now),
                None if state.waiting(stream_id).is_none() => Err(Refused::NotParked),
                None => Err(Refused::NotPassed),
            };
            let parked = skipped.map_err(|r| refusal(stream_id, Some(through), r))?;
            Ok(ParkedStream::new(parked, stopped))
        })
        .await
    }

    /// Moves all partitions to a checkpoint. The batches that are out end. Parked streams that begin
    /// there or later are dropped, those before stay parked. After a failure call it again.
    ///
    /// # Errors
    /// [`ConsumerError::NotFound`]; [`Error::CheckpointBeyondHead`]; [`Error::Storage`] if the
    /// storage fails.
    pub async fn reset(&self, name: &ConsumerName, checkpoint: Checkpoint) -> Result<(), Error> {
        let record = self.records.record(name).await?;
        self.store.check_checkpoint(checkpoint.into()).await?;
        for partition in 0..record.definition.partitions {
            let reset = |state: &mut super::PartitionState| {
                state.reset(checkpoint);
                Ok(())
            };
            self.change(&record, partition, reset).await?;
            let drop = |state: &mut super::PartitionState| Ok(state.drop_unreached());
            while self.change(&record, partition, drop).await? {}
        }
        Ok(())
    }

    /// The consumer and the partition of a stream.
    async fn place(
        &self,
        name: &ConsumerName,
        stream_id: &StreamId,
    ) -> Result<(Record, u16), Error> {
        let record = self.records.record(name).await?;
        let partition = partition_of(stream_id, record.definition.partitions);
        Ok((record, partition))
    }
}

fn refusal(stream_id: &StreamId, through: Option<ChangesetId>, refused: Refused) -> Error {
    let id = through.map_or(0, ChangesetId::get);
    let problem = match refused {
        Refused::NotParked => return ConsumerError::NotParked(stream_id.clone()).into(),
        Refused::Handled => "is before the parked ones",
        Refused::NotPassed => "was not reached by the consumer yet",
    };
    let message = format!("`through_changeset` is {id}: this changeset of `{stream_id}` {problem}");
    ConsumerError::Invalid(message).into()
}
