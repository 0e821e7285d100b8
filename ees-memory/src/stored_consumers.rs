//! The stored consumers.

use std::collections::BTreeMap;

use ees_core::adapter::StoredPartition;

/// The stored consumers.
#[derive(Debug, Default)]
pub(crate) struct Consumers {
    pub(crate) definitions: BTreeMap<String, String>,
    pub(crate) partitions: BTreeMap<(String, u16), Partition>,
}

#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) stored: StoredPartition,
    pub(crate) parked: BTreeMap<u16, String>,
}
