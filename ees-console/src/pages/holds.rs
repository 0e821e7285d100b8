//! What holds a consumer back.

use ees_core::consumer::{ConsumerReport, OnFailure, PartitionReport};

use crate::view::span;

/// What holds a consumer back: what its partition waits for that is furthest behind.
pub(crate) fn holds(report: &ConsumerReport) -> String {
    let partitions = (0..).zip(&report.partitions);
    let behind = partitions.min_by_key(|(_, partition)| partition.checkpoint);
    let Some((number, partition)) = behind.filter(|_| report.lag_changesets > 0) else {
        return "nothing: it has come to the head".to_owned();
    };
    partition_holds(number, partition, report.definition.on_failure)
}

fn partition_holds(number: u64, partition: &PartitionReport, on_failure: OnFailure) -> String {
    if let Some(batch) = &partition.batch {
        let (worker, out) = (&batch.worker, span(batch.out));
        return format!("worker `{worker}` has a batch of partition {number} for {out}");
    }
    if on_failure == OnFailure::Stop && partition.parked > 0 {
        return format!("partition {number} has stopped at a changeset that failed");
    }
    format!("no worker claims partition {number}")
}

/// How many streams of a consumer are parked.
pub(crate) fn parked(report: &ConsumerReport) -> usize {
    report.partitions.iter().map(|one| one.parked).sum()
}
