//! G17: the port that stores the hashes of a verifiable log.

use std::sync::Arc;

use ees_core::StorageError;
use ees_core::adapter::{LogStore, MAX_SEALED_TILES, StoredLogHead, Tile, TileId};

use crate::EvidenceHarness;
use crate::support::together;

/// The bytes of a tile.
const TILE_BYTES: usize = 256 * 32;

/// The largest document.
const DOCUMENT_BYTES: usize = 128 * 1024;

/// The largest number of a tile.
const LAST: u64 = (1 << 55) - 1;

fn head(revision: u64) -> StoredLogHead {
    StoredLogHead {
        revision,
        document: format!(r#"{{"revision": {revision}, "é":"\u0000"}}"#),
    }
}

/// A tile of arbitrary bytes, which differ with its place and the seed.
fn tile(level: u8, number: u64, seed: u64) -> Tile {
    let mut state = number ^ (u64::from(level) << 56) ^ (seed << 48) ^ 0x9e37_79b9_7f4a_7c15;
    let byte = |_| {
        // A xorshift generator: https://www.jstatsoft.org/article/view/v008i14
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    };
    Tile {
        id: TileId { level, number },
        hashes: (0..TILE_BYTES).map(byte).collect(),
    }
}

async fn load_head(log: &dyn LogStore) -> Option<StoredLogHead> {
    log.load_log_head().await.expect("G17: to load the head")
}

async fn load(log: &dyn LogStore, tile: &Tile) -> Option<Vec<u8>> {
    log.load_tile(tile.id).await.expect("G17: to load a tile")
}

async fn seal(
    log: &dyn LogStore,
    previous: Option<u64>,
    next: &StoredLogHead,
    tiles: &[Tile],
) -> bool {
    let sealed = log.seal(previous, next, tiles).await;
    sealed.expect("G17: to seal")
}

async fn assert_stored(log: &dyn LogStore, tiles: &[Tile]) {
    for tile in tiles {
        let stored = load(log, tile).await;
        assert!(
            stored.as_deref() == Some(&tile.hashes[..]),
            "G17: {:?} is stored as it was given",
            tile.id
        );
    }
}

/// A new store has neither a head nor a tile.
pub async fn there_is_no_head_at_first(harness: &mut dyn EvidenceHarness) {
    let log = harness.log();
    assert_eq!(load_head(&*log).await, None, "G17: no head");
    for missing in [tile(0, 0, 0), tile(7, LAST, 0)] {
        assert_eq!(load(&*log, &missing).await, None, "G17: no tile");
    }
}

/// A call that expects another revision replaces no head.
pub async fn the_head_is_swapped_by_its_revision(harness: &mut dyn EvidenceHarness) {
    let log = harness.log();
    let wrong = seal(&*log, Some(0), &head(1), &[]).await;
    assert!(!wrong, "G17: there is no head to replace");
    assert_eq!(load_head(&*log).await, None, "G17: still no head");
    assert!(seal(&*log, None, &head(7), &[]).await, "G17: the first");
    for wrong in [None, Some(0), Some(6), Some(8)] {
        let swapped = seal(&*log, wrong, &head(9), &[]).await;
        assert!(!swapped, "G17: the revision is 7, not {wrong:?}");
        assert_eq!(load_head(&*log).await, Some(head(7)), "G17: unchanged");
    }
    let largest = i64::MAX.cast_unsigned();
    let swapped = seal(&*log, Some(7), &head(largest), &[]).await;
    assert!(swapped, "G17: the right revision");
    assert_eq!(load_head(&*log).await, Some(head(largest)), "G17: swapped");
    let swapped = seal(&*log, Some(largest), &head(1), &[]).await;
    assert!(swapped, "G17: a revision need not be larger");
    assert_eq!(load_head(&*log).await, Some(head(1)), "G17: swapped");
}

/// A tile that is stored stays. Another one at its place is told as damage, and the head with it is
/// not stored.
pub async fn a_stored_tile_stays(harness: &mut dyn EvidenceHarness) {
    let log = harness.log();
    let first = tile(0, 3, 1);
    assert!(seal(&*log, None, &head(1), std::slice::from_ref(&first)).await);
    let again = seal(&*log, Some(1), &head(2), std::slice::from_ref(&first)).await;
    assert!(again, "G17: the same tile does no harm");
    let other = tile(0, 3, 2);
    for tiles in [
        vec![other.clone()],
        vec![tile(0, 4, 1), other.clone(), tile(1, 3, 1)],
    ] {
        let sealed = log.seal(Some(2), &head(3), &tiles).await;
        assert!(
            matches!(sealed, Err(StorageError::Corrupt(_))),
            "G17: a tile that differs is damage, but the answer is {sealed:?}"
        );
        assert_eq!(load_head(&*log).await, Some(head(2)), "G17: the head stays");
        assert_stored(&*log, std::slice::from_ref(&first)).await;
    }
    let wrong = log.seal(Some(1), &head(3), &[other]).await;
    assert!(
        !matches!(wrong, Ok(true)),
        "G17: neither the tile nor the revision fits"
    );
    assert_stored(&*log, &[first]).await;
    let after = tile(0, 4, 1);
    let goes_on = seal(&*log, Some(2), &head(3), std::slice::from_ref(&after)).await;
    assert!(goes_on, "G17: the right tiles are taken");
    assert_stored(&*log, &[after]).await;
}

/// A sealer that was overtaken has stored nothing, or the tiles that the other one stores too.
pub async fn a_call_that_replaces_no_head_does_no_harm(harness: &mut dyn EvidenceHarness) {
    let log = harness.log();
    let tiles = [tile(0, 0, 0), tile(0, 1, 0), tile(1, 0, 0)];
    assert!(seal(&*log, None, &head(1), &tiles[..1]).await, "G17");
    for wrong in [None, Some(2)] {
        assert!(
            !seal(&*log, wrong, &head(2), &tiles).await,
            "G17: {wrong:?}"
        );
        assert_eq!(load_head(&*log).await, Some(head(1)), "G17: unchanged");
    }
    for tile in &tiles {
        if let Some(stored) = load(&*log, tile).await {
            assert!(stored == tile.hashes, "G17: {:?} is whole", tile.id);
        }
    }
    assert!(seal(&*log, Some(1), &head(2), &tiles).await, "G17: again");
    assert_stored(&*log, &tiles).await;
}

/// Of sealers that replace one head at the same time, one does, and its tiles are stored.
pub async fn one_of_racing_seals_wins(harness: &mut dyn EvidenceHarness) {
    let log = harness.log();
    let mut previous = None;
    for round in 0..5 {
        let seals = (1..=8).map(|racer| {
            let log = Arc::clone(&log);
            let next = head(round * 100 + racer);
            async move {
                // All sealers make the same tiles, some of them more.
                let tiles: Vec<Tile> = (0..=racer % 3)
                    .map(|at| tile(0, round * 10 + at, 0))
                    .collect();
                let sealed = log.seal(previous, &next, &tiles).await;
                sealed.expect("G17: to seal").then_some((next, tiles))
            }
        });
        let mut winners: Vec<_> = together(seals).await.into_iter().flatten().collect();
        assert_eq!(winners.len(), 1, "G17: one winner");
        let (next, tiles) = winners.pop().expect("a winner");
        assert_eq!(
            load_head(&*log).await.as_ref(),
            Some(&next),
            "G17: its head"
        );
        assert_stored(&*log, &tiles).await;
        previous = Some(next.revision);
    }
}

/// The largest document and the most tiles, in one call.
pub async fn the_largest_call_is_stored_whole(harness: &mut dyn EvidenceHarness) {
    let log = harness.log();
    let next = StoredLogHead {
        revision: 1,
        document: format!(r#"["{}"]"#, "ä".repeat(DOCUMENT_BYTES / 2 - 2)),
    };
    assert_eq!(next.document.len(), DOCUMENT_BYTES);
    let tiles: Vec<Tile> = (0..)
        .map(|at| tile(0, at, 5))
        .take(MAX_SEALED_TILES)
        .collect();
    assert!(seal(&*log, None, &next, &tiles).await, "G17: stored");
    assert!(
        load_head(&*log).await.as_ref() == Some(&next),
        "G17: the document is stored whole"
    );
    assert_stored(&*log, &tiles).await;
}

/// Levels and numbers do not run into each other, up to the largest.
pub async fn tiles_keep_apart(harness: &mut dyn EvidenceHarness) {
    let log = harness.log();
    let numbers = [
        0,
        1,
        255,
        256,
        257,
        65_536,
        u64::from(u32::MAX),
        LAST - 1,
        LAST,
    ];
    let all = numbers.map(|number| (0..8).map(move |level| tile(level, number, 0)));
    let all: Vec<Tile> = all.into_iter().flatten().collect();
    let mut previous = None;
    for (revision, tiles) in (1..).zip(all.chunks(MAX_SEALED_TILES)) {
        assert!(seal(&*log, previous, &head(revision), tiles).await, "G17");
        previous = Some(revision);
    }
    assert_stored(&*log, &all).await;
    for missing in [tile(0, 2, 0), tile(7, LAST - 2, 0), tile(3, 65_535, 0)] {
        assert_eq!(load(&*log, &missing).await, None, "G17: {:?}", missing.id);
    }
}

/// A durable store keeps the head and the tiles. Another one begins without.
pub async fn the_log_survives_a_restart(harness: &mut dyn EvidenceHarness) {
    let tiles = [tile(0, 0, 0), tile(1, 0, 0)];
    let log = harness.log();
    assert!(seal(&*log, None, &head(1), &tiles[..1]).await, "G17");
    assert!(seal(&*log, Some(1), &head(2), &tiles[1..]).await, "G17");
    drop(log);
    harness.restart().await;
    let log = harness.log();
    if harness.capabilities().durable {
        assert_eq!(load_head(&*log).await, Some(head(2)), "G17: the head");
        assert_stored(&*log, &tiles).await;
        assert!(seal(&*log, Some(2), &head(3), &[]).await, "G17: goes on");
    } else {
        assert_eq!(load_head(&*log).await, None, "G4: nothing is kept");
        assert_eq!(load(&*log, &tiles[0]).await, None, "G4: nothing is kept");
    }
}
