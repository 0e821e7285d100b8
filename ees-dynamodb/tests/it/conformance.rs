//! The conformance suite on new tables, and what can differ on tables whose indexes hold whole
//! changesets, with indexers that run beside it. The suite on tables without local indexes is in
//! `faults.rs`.

use async_trait::async_trait;
use ees_dynamodb::DynamoConfig;

use crate::opening::tables_with_whole_indexes;
use crate::store::{Layout, New, Store};

/// Tables whose indexes hold whole changesets, the global one in pages of 1000.
pub(crate) struct WholeIndexes;

#[async_trait]
impl Layout for WholeIndexes {
    const INDEX_PAGE: u64 = 1000;

    async fn create(config: &DynamoConfig) {
        tables_with_whole_indexes(config).await;
    }
}

type Plain = Store<New>;
type OnWholeIndexes = Store<WholeIndexes>;

ees_conformance::adapter_suite!(Plain, mod suite);

ees_conformance::consumer_suite!(Plain, mod consumers);

ees_conformance::evidence_suite!(Plain, mod evidence);

/// What reads by the indexes and looks for heads. Some of the other cases need changesets that are larger
/// than these tables take.
mod whole_indexes {
    use super::*;

    ees_conformance::__cases!(OnWholeIndexes, atomic);
    ees_conformance::__cases!(OnWholeIndexes, backward);
    ees_conformance::__cases!(OnWholeIndexes, client_keys);
    ees_conformance::__cases!(OnWholeIndexes, dense);
    ees_conformance::__cases!(OnWholeIndexes, durable);
    ees_conformance::__cases!(OnWholeIndexes, filters);
    ees_conformance::__cases!(OnWholeIndexes, global_order);
    ees_conformance::__cases!(OnWholeIndexes, idempotent);
    ees_conformance::__cases!(OnWholeIndexes, set_keys);
    ees_conformance::__cases!(OnWholeIndexes, stream_reads);
    ees_conformance::__adapter_cases!(OnWholeIndexes, page_limits);
    ees_conformance::__adapter_cases!(OnWholeIndexes, stored_values);
}
