//! Reading the log: tiles, and proofs made from them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fmt::Write;
use std::sync::Arc;

use ees_core::adapter::{LogStore, TileId};
use ees_core::{Checkpoint, EventStore};
use tlog_tiles::{
    Error as TreeError, HashReader, prove_record, prove_tree, split_stored_hash_index,
};

use crate::edge::{Edge, TILE_WIDTH, root_of_all};
use crate::error::{LogError, damaged};
use crate::hash::{Hash, hashes_of};
use crate::head::LogHead;
use crate::proof::PROOF;
use crate::tree::Tree;

/// The log of a store, as it is sealed.
#[derive(Clone)]
pub struct Log(Arc<dyn LogStore>);

impl Log {
    /// The log of a store; `None` if the store keeps none.
    pub fn of(store: &EventStore) -> Option<Self> {
        store.log_store().cloned().map(Self)
    }

    /// The head; `None` if nothing is sealed yet.
    ///
    /// # Errors
    /// [`LogError::Store`] if the storage fails, or the stored log is damaged.
    pub async fn head(&self) -> Result<Option<LogHead>, LogError> {
        let stored = self.0.load_log_head().await?;
        stored.as_ref().map(LogHead::read).transpose()
    }

    /// The first `width` hashes of a tile, at most 256, one after another; `None` unless so many are
    /// sealed.
    ///
    /// # Errors
    /// [`LogError::Store`] if the storage fails, or the stored log is damaged.
    pub async fn tile(&self, tile: TileId, width: usize) -> Result<Option<Vec<u8>>, LogError> {
        let Some(head) = self.head().await? else {
            return Ok(None);
        };
        let mut hashes = self.hashes(&head, tile).await?;
        let is_sealed = (1..=hashes.len()).contains(&width);
        hashes.truncate(width);
        let bytes = hashes.iter().flat_map(|hash| hash.0).collect();
        Ok(is_sealed.then_some(bytes))
    }

    /// The proof that a position is in the newest signed head, or in the one of a size that is kept:
    /// a text of [c2sp.org/tlog-proof](https://c2sp.org/tlog-proof), which is verified without the store.
    ///
    /// # Errors
    /// [`LogError::NotSigned`] without such a head, [`LogError::NotInside`] if the checkpoint is not
    /// below its size, [`LogError::Store`] if the storage fails or the stored log is damaged.
    pub async fn proof(
        &self,
        checkpoint: Checkpoint,
        size: Option<u64>,
    ) -> Result<String, LogError> {
        let head = self.head().await?.ok_or(LogError::NotSigned { size })?;
        let signed = head.signed(size)?;
        let (index, size) = (checkpoint.get(), signed.size);
        if index >= size {
            return Err(LogError::NotInside { checkpoint, size });
        }
        let path = self
            .prove(&head, |nodes| prove_record(size, index, nodes))
            .await?;
        let mut text = format!("{PROOF}\nindex {index}\n");
        for hash in path {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{hash}");
        }
        let _ = write!(text, "\n{}", signed.note);
        Ok(text)
    }

    /// The proof that the log of the smaller size is a beginning of the log of the larger one (RFC 6962,
    /// section 2.1.2).
    ///
    /// # Errors
    /// [`LogError::NoRange`] unless 1 ≤ `from` ≤ `to`, [`LogError::NotSealed`] if `to` is beyond the
    /// head, [`LogError::Store`] if the storage fails or the stored log is damaged.
    pub async fn consistency(&self, from: u64, to: u64) -> Result<Vec<Hash>, LogError> {
        if from == 0 || from > to {
            return Err(LogError::NoRange { from, to });
        }
        let head = self.head().await?;
        let size = head.as_ref().map_or(0, |head| head.size);
        match head {
            Some(head) if to <= size => {
                self.prove(&head, |nodes| prove_tree(to, from, nodes)).await
            }
            _ => Err(LogError::NotSealed { asked: to, size }),
        }
    }

    /// The tree over the first `size` positions, or over all that are sealed if these are fewer.
    pub(crate) async fn tree(&self, size: u64) -> Result<Tree, LogError> {
        let Some(head) = self.head().await? else {
            return Ok(Tree::default());
        };
        let size = size.min(head.size);
        let mut levels = Vec::new();
        for level in 0..u8::MAX {
            let sealed = sealed_of(size, level);
            if sealed == 0 {
                break;
            }
            let (number, width) = (sealed / TILE_WIDTH as u64, sealed % TILE_WIDTH as u64);
            let mut bytes = Vec::new();
            if width > 0 {
                let hashes = self.hashes(&head, TileId { level, number }).await?;
                let width = usize::try_from(width).unwrap_or(TILE_WIDTH);
                let hashes = hashes.get(..width);
                let hashes = hashes.ok_or_else(|| damaged("a tile is too short"))?;
                bytes.extend(hashes.iter().flat_map(|hash| hash.0));
            }
            levels.push(bytes);
        }
        let edge = Edge::read(size, &levels);
        let edge = edge.ok_or_else(|| damaged("its tiles do not belong to its size"))?;
        Ok(Tree::new(size, edge))
    }

    /// The hashes of the changesets in a tile of the lowest level, as far as they are sealed.
    pub(crate) async fn leaves(&self, head: &LogHead, tile: u64) -> Result<Vec<Hash>, LogError> {
        let lowest = TileId {
            level: 0,
            number: tile,
        };
        self.hashes(head, lowest).await
    }

    /// Makes a proof. It names the nodes that it needs at once, so it is made twice: without any node,
    /// and again with those of the tiles that were read.
    async fn prove(
        &self,
        head: &LogHead,
        make: impl Fn(&Nodes) -> Result<Vec<Hash>, TreeError>,
    ) -> Result<Vec<Hash>, LogError> {
        let mut nodes = Nodes::default();
        loop {
            match make(&nodes) {
                Ok(proof) => return Ok(proof),
                Err(TreeError::IndexesNotInTree) => {}
                Err(error) => return Err(damaged(error)),
            }
            let missing = std::mem::take(&mut *nodes.missing.borrow_mut());
            for tile in missing {
                let hashes = self.hashes(head, tile).await?;
                if nodes.tiles.insert(tile, hashes).is_some() {
                    return Err(damaged("a tile is too short"));
                }
            }
        }
    }

    /// The hashes of a tile that are below the head.
    async fn hashes(&self, head: &LogHead, tile: TileId) -> Result<Vec<Hash>, LogError> {
        let full = sealed_of(head.size, tile.level) / TILE_WIDTH as u64;
        if tile.number > full {
            return Ok(Vec::new());
        }
        if tile.number == full {
            return Ok(head.edge.partial(tile.level).to_vec());
        }
        let TileId { level, number } = tile;
        let stored = self.0.load_tile(tile).await?;
        let hashes = stored.as_deref().and_then(read_tile);
        hashes.ok_or_else(|| {
            damaged(format_args!(
                "tile {number} of level {level} is missing or torn"
            ))
        })
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").finish_non_exhaustive()
    }
}

/// The number of hashes of a level that are sealed.
fn sealed_of(size: u64, level: u8) -> u64 {
    let bits = u32::from(level) * TILE_WIDTH.ilog2();
    size.checked_shr(bits).unwrap_or(0)
}

/// The hashes of a full tile; `None` if it is torn.
pub(crate) fn read_tile(bytes: &[u8]) -> Option<Vec<Hash>> {
    hashes_of(bytes).filter(|hashes| hashes.len() == TILE_WIDTH)
}

/// The nodes of the tree that are read.
#[derive(Default)]
struct Nodes {
    tiles: BTreeMap<TileId, Vec<Hash>>,
    /// The tiles of the nodes that were asked for and are not here.
    missing: std::cell::RefCell<BTreeSet<TileId>>,
}

impl Nodes {
    /// The node over the complete tree of 2^`height` leaves with this number.
    fn node(&self, height: u8, number: u64) -> Option<Hash> {
        let bits = u8::try_from(TILE_WIDTH.ilog2()).ok()?;
        let (level, inside) = (height / bits, height % bits);
        let first = number << inside;
        let tile = TileId {
            level,
            number: first / TILE_WIDTH as u64,
        };
        let Some(hashes) = self.tiles.get(&tile) else {
            self.missing.borrow_mut().insert(tile);
            return None;
        };
        let start = usize::try_from(first % TILE_WIDTH as u64).ok()?;
        hashes.get(start..start + (1 << inside)).map(root_of_all)
    }
}

impl HashReader for Nodes {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, TreeError> {
        let nodes: Vec<_> = indexes
            .iter()
            .map(|index| {
                let (height, number) = split_stored_hash_index(*index);
                self.node(height, number)
            })
            .collect();
        let all: Option<Vec<_>> = nodes.into_iter().collect();
        all.ok_or(TreeError::IndexesNotInTree)
    }
}
