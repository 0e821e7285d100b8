//! What the tests of operators' acts look at.

use ees_core::adapter::{ChangesetKey, Storage};
use ees_core::{ChangesetId, Checkpoint, PageLimit};
use ees_dynamodb::{Admin, DynamoConfig, DynamoStorage};

use crate::store::sdk;

pub(crate) async fn admin(config: &DynamoConfig) -> Admin {
    Admin::new(config, &sdk(config).await).await.unwrap()
}

pub(crate) fn at(position: u64) -> Checkpoint {
    Checkpoint::new(position).unwrap()
}

pub(crate) fn key(stream: &str, id: u64) -> ChangesetKey {
    ChangesetKey {
        stream_id: stream.parse().unwrap(),
        changeset_id: ChangesetId::new(id).unwrap(),
    }
}

/// The order from a position on: position, stream and changeset.
pub(crate) async fn order(storage: &DynamoStorage, from: u64) -> Vec<(u64, String, u64)> {
    let (mut from, mut order) = (at(from), Vec::new());
    loop {
        let page = storage
            .read_global(from, PageLimit::items(2))
            .await
            .unwrap();
        order.extend(page.changesets.iter().map(|changeset| {
            let position = changeset.checkpoint.unwrap().get();
            let stream = changeset.stream_id.to_string();
            (position, stream, changeset.changeset_id.get())
        }));
        if page.next == from {
            return order;
        }
        from = page.next;
    }
}

pub(crate) fn entry(position: u64, stream: &str, id: u64) -> (u64, String, u64) {
    (position, stream.to_owned(), id)
}
