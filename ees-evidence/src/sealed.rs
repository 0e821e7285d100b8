//! The log that a verification compares with.

use std::sync::Arc;

use ees_core::Checkpoint;
use ees_core::adapter::{Tile, TileId};
use tlog_tiles::check_tree;

use crate::ahead::Ahead;
use crate::edge::TILE_WIDTH;
use crate::error::LogError;
use crate::finding::Findings;
use crate::hash::{Hash, hashes_of, void_leaf};
use crate::saved_head::SavedHead;
use crate::source::{SealedLog, Source, damage};

/// How many tiles of leaves are read ahead: about as many as a page has changesets for.
const AHEAD: u64 = 4;

/// The stored log: its head, and the tile of leaves that is compared, while the next ones are read.
pub(crate) struct Sealed {
    source: Arc<dyn Source>,
    pub(crate) log: SealedLog,
    tile: Option<(u64, Vec<Hash>)>,
    ahead: Ahead<TileId, Option<Vec<u8>>, LogError>,
}

impl Sealed {
    /// The log of a store; `None` if nothing is sealed, or it is damaged.
    pub(crate) async fn of(
        source: &Arc<dyn Source>,
        findings: &mut Findings,
    ) -> Result<Option<Self>, LogError> {
        match source.sealed().await {
            Ok(log) => Ok(log.map(|log| Self {
                source: Arc::clone(source),
                log,
                tile: None,
                ahead: Ahead::default(),
            })),
            Err(error) => {
                let damage = damage(error)?;
                findings.altered(None, format!("the head of the log: {damage}"));
                Ok(None)
            }
        }
    }

    /// Checks the proof that the log goes on from a head that was kept.
    pub(crate) async fn check_growth(
        &self,
        since: &SavedHead,
        findings: &mut Findings,
    ) -> Result<(), LogError> {
        let log = &self.log;
        if !(1..=log.size).contains(&since.size) {
            return Ok(());
        }
        let wrong = match self.source.consistency(since.size, log.size).await {
            Ok(None) => return Ok(()),
            Ok(Some(proof)) => {
                let checked = check_tree(&proof, log.size, log.root, since.size, since.root);
                let wrong = || "it does not lead from one to the other".to_owned();
                checked.err().map(|_| wrong())
            }
            Err(error) => Some(damage(error)?.to_string()),
        };
        if let Some(wrong) = wrong {
            let what =
                format!("the proof that the log goes on from the head that was kept: {wrong}");
            findings.altered(None, what);
        }
        Ok(())
    }

    /// The leaf at a position; `None` if it is not sealed, or the tile is damaged.
    pub(crate) async fn leaf(
        &mut self,
        at: u64,
        findings: &mut Findings,
    ) -> Result<Option<Hash>, LogError> {
        if at >= self.log.size {
            return Ok(None);
        }
        let number = at / TILE_WIDTH as u64;
        let place = usize::try_from(at % TILE_WIDTH as u64).unwrap_or(TILE_WIDTH);
        if self.tile.as_ref().map(|(number, _)| *number) != Some(number) {
            let hashes = self.load(number, findings).await?;
            self.tile = Some((number, hashes));
        }
        let hashes = self.tile.as_ref().map(|(_, hashes)| hashes);
        Ok(hashes.and_then(|hashes| hashes.get(place).copied()))
    }

    /// Compares a leaf with the sealed one.
    pub(crate) async fn compare(
        &mut self,
        at: u64,
        leaf: Hash,
        findings: &mut Findings,
    ) -> Result<(), LogError> {
        let sealed = self.leaf(at, findings).await?;
        if let Some(sealed) = sealed.filter(|sealed| *sealed != leaf) {
            let checkpoint = Some(Checkpoint::FIRST.plus(at));
            if leaf == void_leaf() {
                findings.missing(checkpoint, "the changeset that the log was made of");
            } else if sealed == void_leaf() {
                findings.altered(checkpoint, "a changeset, where the log has a void position");
            } else {
                findings.altered(checkpoint, "it is not what the log was made of");
            }
            findings.is_data_altered = true;
        }
        Ok(())
    }

    /// Compares a full tile above the lowest level with the stored one.
    pub(crate) async fn compare_tile(
        &self,
        tile: &Tile,
        findings: &mut Findings,
    ) -> Result<(), LogError> {
        let TileId { level, number } = tile.id;
        let bits = u32::from(level + 1) * TILE_WIDTH.ilog2();
        let is_sealed = self.log.size.checked_shr(bits).unwrap_or(0) > number;
        if level == 0 || !is_sealed {
            return Ok(());
        }
        let stored = self.reading(tile.id, TILE_WIDTH).await;
        match found(tile.id, stored, findings)? {
            Some(stored) if stored != tile.hashes && !findings.is_data_altered => {
                findings.altered(
                    None,
                    format!("tile {number} of level {level} of the log is not the one over the changesets"),
                );
            }
            _ => {}
        }
        Ok(())
    }

    /// Reads the first `width` hashes of a tile.
    fn reading(
        &self,
        tile: TileId,
        width: usize,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, LogError>> + Send + 'static {
        let source = Arc::clone(&self.source);
        async move { source.tile(tile, width).await }
    }

    /// The tile of leaves of a number, and how many of its leaves are sealed; `None` if none is.
    fn of_leaves(&self, number: u64) -> Option<(TileId, usize)> {
        let sealed = self.log.size.checked_sub(number * TILE_WIDTH as u64)?;
        let width = usize::try_from(sealed)
            .unwrap_or(TILE_WIDTH)
            .min(TILE_WIDTH);
        (width > 0).then_some((TileId { level: 0, number }, width))
    }

    /// The leaves in a tile; empty if it is damaged.
    async fn load(&mut self, number: u64, findings: &mut Findings) -> Result<Vec<Hash>, LogError> {
        let Some((id, width)) = self.of_leaves(number) else {
            return Ok(Vec::new());
        };
        let reading = self.reading(id, width);
        let stored = self.ahead.read(id, reading).await;
        for number in number + 1..=number + AHEAD {
            match self.of_leaves(number) {
                Some((next, width)) if !self.ahead.has(&next) => {
                    self.ahead.begin(next, self.reading(next, width));
                }
                _ => {}
            }
        }
        let Some(stored) = found(id, stored, findings)? else {
            return Ok(Vec::new());
        };
        let hashes = hashes_of(&stored).filter(|hashes| hashes.len() == width);
        if hashes.is_none() {
            findings.altered(None, format!("tile {number} of level 0 of the log is torn"));
        }
        Ok(hashes.unwrap_or_default())
    }
}

/// The hashes of a tile that was read; `None` if it is missing or cannot be read, which is a finding.
fn found(
    tile: TileId,
    stored: Result<Option<Vec<u8>>, LogError>,
    findings: &mut Findings,
) -> Result<Option<Vec<u8>>, LogError> {
    let TileId { level, number } = tile;
    let what = format!("tile {number} of level {level} of the log");
    match stored {
        Ok(Some(stored)) => return Ok(Some(stored)),
        Ok(None) => findings.missing(None, what),
        Err(error) => findings.altered(None, format!("{what}: {}", damage(error)?)),
    }
    Ok(None)
}
