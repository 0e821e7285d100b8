//! Making a lost index state anew.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use ees_core::adapter::{Index, Storage};
use ees_dynamodb::admin::{AdminError, Options};
use ees_dynamodb::{DynamoConfig, DynamoStorage, OpenError};
use ees_dynamodb_testkit::Emulator;

use crate::order::{admin, at, entry, key, order};
use crate::store::{commit, config, create, open, sdk, sweep};

async fn forget_state(config: &DynamoConfig) {
    let client = Client::new(&sdk(config).await);
    let state = AttributeValue::S("ees:index".to_owned());
    let delete = client.delete_item().table_name(&config.analysis_table);
    delete.key("projection_id", state).send().await.unwrap();
}

/// G6: positions that are written stay; G8: what has none gets one.
#[tokio::test]
async fn a_lost_state_is_made_anew() {
    let emulator = Emulator::start().expect("an emulator");
    let config = config(emulator.endpoint());
    create(&config).await;
    let storage = open(&config).await;
    for last in 0..5 {
        commit(&storage, "a", last).await;
    }
    sweep(Arc::clone(&storage) as Arc<dyn Index>).await;
    commit(&storage, "b", 0).await;
    let before = order(&storage, 0).await;
    let error = admin(&config)
        .await
        .rebuild_index(Options::default())
        .await
        .unwrap_err();
    assert!(matches!(error, AdminError::HasState), "{error}");
    forget_state(&config).await;
    let error = storage.next_checkpoint().await.unwrap_err();
    assert!(
        error.to_string().contains("ees admin rebuild-index"),
        "{error}"
    );
    let rebuilt = admin(&config)
        .await
        .rebuild_index(Options::default())
        .await
        .unwrap();
    assert_eq!((rebuilt.state.next(), rebuilt.voids.len()), (at(5), 0));
    assert_eq!(rebuilt.survey.unindexed, 1);
    assert!(rebuilt.state.rev > 1_000_000, "no indexer knows it");
    let storage = open(&config).await;
    assert_eq!(order(&storage, 0).await, before);
    sweep(Arc::clone(&storage) as Arc<dyn Index>).await;
    let after = [&before[..], &[entry(5, "b", 1)]].concat();
    assert_eq!(order(&storage, 0).await, after);
}

/// A state with a block of one that was reserved and not written, and a position behind it that
/// somebody wrote by hand.
async fn promised(config: &DynamoConfig) -> Arc<DynamoStorage> {
    create(config).await;
    let storage = open(config).await;
    for last in 0..3 {
        commit(&storage, "a", last).await;
    }
    sweep(Arc::clone(&storage) as Arc<dyn Index>).await;
    commit(&storage, "b", 0).await;
    commit(&storage, "c", 0).await;
    let state = storage.load_state().await.unwrap();
    let next = state.reserve(vec![key("b", 1)]);
    assert!(storage.swap_state(state.rev, &next).await.unwrap());
    storage.write_position(&key("c", 1), at(4)).await.unwrap();
    storage
}

/// G6: what was promised is kept where the state is replaced.
#[tokio::test]
async fn a_replaced_state_keeps_what_was_promised() {
    let emulator = Emulator::start().expect("an emulator");
    let config = config(emulator.endpoint());
    let storage = promised(&config).await;
    let replace = Options {
        replace: true,
        ..Options::default()
    };
    let dry = Options {
        dry_run: true,
        ..replace
    };
    admin(&config).await.rebuild_index(dry).await.unwrap();
    assert_eq!(
        storage.load_state().await.unwrap().rev,
        2,
        "nothing was changed"
    );
    let rebuilt = admin(&config).await.rebuild_index(replace).await.unwrap();
    assert_eq!(rebuilt.voids, []);
    let state = storage.load_state().await.unwrap();
    assert_eq!((state.rev, state.next()), (3, at(5)));
    let all = [entry(2, "a", 3), entry(3, "b", 1), entry(4, "c", 1)];
    assert_eq!(order(&*open(&config).await, 2).await, all);
}

/// Where it was lost, what was promised and not written is void; what it was promised to comes at a
/// new position. What an act recorded before is forgotten.
#[tokio::test]
async fn a_hole_is_void_where_the_state_is_lost() {
    let emulator = Emulator::start().expect("an emulator");
    let config = config(emulator.endpoint());
    promised(&config).await;
    forget_state(&config).await;
    let rebuilt = admin(&config)
        .await
        .rebuild_index(Options::default())
        .await
        .unwrap();
    assert_eq!(rebuilt.voids, [(3, 3)]);
    let storage = open(&config).await;
    assert_eq!(
        order(&storage, 2).await,
        [entry(2, "a", 3), entry(4, "c", 1)]
    );
    storage.write_position(&key("b", 1), at(3)).await.unwrap();
    let replace = Options {
        replace: true,
        ..Options::default()
    };
    let rebuilt = admin(&config).await.rebuild_index(replace).await.unwrap();
    assert_eq!(rebuilt.voids, []);
    let all = [entry(2, "a", 3), entry(3, "b", 1), entry(4, "c", 1)];
    assert_eq!(order(&*open(&config).await, 2).await, all);
    let nowhere = crate::store::config(emulator.endpoint());
    let error = admin(&nowhere)
        .await
        .rebuild_index(replace)
        .await
        .unwrap_err();
    assert!(
        matches!(error, AdminError::Open(OpenError::Table { .. })),
        "{error}"
    );
}
