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
        if batch.lease_left.is_zero() {
            return format!(
                "worker `{worker}` took a batch of partition {number} {out} ago, its lease is over, and \
                 no worker claims it"
            );
        }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ees_core::Checkpoint;
    use ees_core::consumer::BatchReport;

    use super::*;

    fn partition(lease_left: Option<u64>, parked: usize) -> PartitionReport {
        PartitionReport {
            checkpoint: Checkpoint::FIRST,
            generation: 1,
            batch: lease_left.map(|left| BatchReport {
                worker: "w1".to_owned(),
                out: Duration::from_mins(2),
                lease_left: Duration::from_secs(left),
            }),
            parked,
        }
    }

    #[test]
    fn a_partition_waits_for_a_worker_or_for_an_operator() {
        let park = |partition| partition_holds(3, &partition, OnFailure::Park);
        assert_eq!(
            park(partition(Some(5), 0)),
            "worker `w1` has a batch of partition 3 for 2 min 0 s"
        );
        assert!(park(partition(Some(0), 0)).contains("its lease is over"));
        assert_eq!(park(partition(None, 1)), "no worker claims partition 3");
        let stopped = partition_holds(3, &partition(None, 1), OnFailure::Stop);
        assert!(stopped.contains("has stopped"), "{stopped}");
    }
}
