//! The conformance suite on new tables, and the global order on tables whose index holds whole
//! changesets, with indexers that run beside it. The suite on tables without local indexes is in
//! `faults.rs`.

use async_trait::async_trait;
use ees_dynamodb::DynamoConfig;

use crate::opening::tables_with_whole_index;
use crate::store::{Layout, New, Store};

/// Tables whose global index holds whole changesets, in pages of 1000.
pub(crate) struct WholeIndex;

#[async_trait]
impl Layout for WholeIndex {
    const INDEX_PAGE: u64 = 1000;

    async fn create(config: &DynamoConfig) {
        tables_with_whole_index(config).await;
    }
}

type Plain = Store<New>;
type OnWholeIndex = Store<WholeIndex>;

ees_conformance::adapter_suite!(Plain, mod suite);

ees_conformance::consumer_suite!(Plain, mod consumers);

ees_conformance::evidence_suite!(Plain, mod evidence);

/// What an index that holds whole changesets answers differently.
mod whole_index {
    use super::*;

    ees_conformance::__cases!(OnWholeIndex, global_order);
}
