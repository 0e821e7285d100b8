//! The conformance suite on each layout of the tables, with indexers that run beside it.

use async_trait::async_trait;
use ees_dynamodb::schema::TableOptions;
use ees_dynamodb::{DynamoConfig, IndexPageSize};

use crate::opening::tables_with_whole_index;
use crate::store::{Layout, New, Store, create_with};

/// Tables whose global index holds whole changesets, in pages of 1000.
struct WholeIndex;

#[async_trait]
impl Layout for WholeIndex {
    const INDEX_PAGE: u64 = 1000;

    async fn create(config: &DynamoConfig) {
        tables_with_whole_index(config).await;
    }
}

/// Tables without local indexes, whose pages of the index are short enough to be crossed often.
struct WithoutLocalIndexes;

#[async_trait]
impl Layout for WithoutLocalIndexes {
    const INDEX_PAGE: u64 = 3;

    async fn create(config: &DynamoConfig) {
        let options = TableOptions {
            local_indexes: false,
            index_page: IndexPageSize::new(Self::INDEX_PAGE).unwrap(),
        };
        create_with(config, options).await;
    }
}

type Plain = Store<New>;
type OnWholeIndex = Store<WholeIndex>;
type OnTableAlone = Store<WithoutLocalIndexes>;

ees_conformance::adapter_suite!(Plain, mod suite);

ees_conformance::consumer_suite!(Plain, mod consumers);

ees_conformance::adapter_suite!(OnWholeIndex, mod whole_index);

ees_conformance::adapter_suite!(OnTableAlone, mod without_local_indexes);
