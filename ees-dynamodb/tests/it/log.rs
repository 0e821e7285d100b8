//! G17: the hashes of a log in items of the analysis table.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use ees_core::adapter::{LogStore, StoredLogHead, Tile, TileId};
use ees_dynamodb_testkit::{Emulator, Fate};

use crate::cost::{cost, costs, metered};
use crate::failing::{Meets, behind};
use crate::store::{config, create, open, sdk};

fn tile(number: u64, byte: u8) -> Tile {
    Tile {
        id: TileId { level: 0, number },
        hashes: vec![byte; 8192],
    }
}

fn head(revision: u64) -> StoredLogHead {
    StoredLogHead {
        revision,
        document: "{}".to_owned(),
    }
}

/// A tile is a binary attribute.
#[tokio::test]
async fn a_tile_is_stored_as_bytes() {
    let emulator = Emulator::start().expect("an emulator");
    let config = config(emulator.endpoint());
    create(&config).await;
    let storage = open(&config).await;
    assert!(storage.seal(None, &head(1), &[tile(7, 255)]).await.unwrap());
    let client = Client::new(&sdk(&config).await);
    let get = client.get_item().table_name(&config.analysis_table);
    let id = AttributeValue::S("ees:tile:0:7".to_owned());
    let found = get.key("projection_id", id.clone()).send().await.unwrap();
    let hashes = &found.item.unwrap()["hashes"];
    assert_eq!(hashes.as_b().unwrap().as_ref(), [255; 8192]);
    let put = client.put_item().table_name(&config.analysis_table);
    let put = put.item("projection_id", id);
    put.send().await.unwrap();
    let read = storage.load_tile(tile(7, 0).id).await.unwrap_err();
    let sealed = storage.seal(Some(1), &head(2), &[tile(7, 255)]).await;
    for error in [read, sealed.unwrap_err()] {
        let said = error.to_string();
        assert!(said.contains("item `ees:tile:0:7` of table"), "{said}");
    }
    assert_eq!(storage.load_log_head().await.unwrap(), Some(head(1)));
}

/// Where the answers to the writes were lost, what stands is what was meant.
#[tokio::test]
async fn a_seal_whose_answers_were_lost_is_done() {
    let plan = Meets::some("PutItem", Fate::Unanswered, 3);
    let store = behind(Arc::clone(&plan) as _).await;
    let tiles = [tile(0, 1), tile(1, 2)];
    assert!(store.storage.seal(None, &head(1), &tiles).await.unwrap());
    assert!(plan.tries() > 3);
    for tile in tiles {
        let found = store.plain.load_tile(tile.id).await.unwrap();
        assert_eq!(found, Some(tile.hashes));
    }
}

/// 9 write units for a tile, which is 256 changesets, and those of the head's document.
#[tokio::test]
async fn a_tile_is_nine_write_units() {
    let store = metered().await;
    let tiles: Vec<_> = (0..32).map(|number| tile(number, 1)).collect();
    assert!(store.storage.seal(None, &head(1), &tiles).await.unwrap());
    let wanted = costs([("PutItem", cost(33, 32.0 * 9.0 + 1.0))]);
    assert_eq!(store.meter.read(), wanted);
    store.storage.load_tile(tiles[0].id).await.unwrap();
    assert_eq!(store.meter.read(), costs([("GetItem", cost(1, 3.0))]));
}
