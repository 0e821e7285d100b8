//! The right edge of the tree: all that is needed to let it grow.

use ees_core::adapter::{Tile, TileId};
use tlog_tiles::node_hash;

use crate::hash::{Hash, hashes_of};

/// The hashes of a full tile.
pub(crate) const TILE_WIDTH: usize = 256;

/// The hashes that are in no full tile yet, by level: less than [`TILE_WIDTH`] each.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Edge(Vec<Vec<Hash>>);

impl Edge {
    /// The edge with these levels, each the hashes one after another; `None` if that is not an edge of a
    /// tree of this size.
    pub(crate) fn read(size: u64, levels: &[Vec<u8>]) -> Option<Self> {
        let levels = levels.iter().map(|level| hashes_of(level));
        let levels: Vec<Vec<Hash>> = levels.collect::<Option<_>>()?;
        let mut rest = size;
        for level in &levels {
            if level.len() as u64 != rest % TILE_WIDTH as u64 {
                return None;
            }
            rest /= TILE_WIDTH as u64;
        }
        (rest == 0).then_some(Self(levels))
    }

    /// Its levels, each the hashes one after another.
    pub(crate) fn levels(&self) -> impl Iterator<Item = Vec<u8>> {
        self.0.iter().map(|level| bytes(level))
    }

    /// Adds a leaf as the last one, and the tiles that it fills to `full`.
    pub(crate) fn push(&mut self, size: u64, leaf: Hash, full: &mut Vec<Tile>) {
        let mut hash = leaf;
        let mut number = size / TILE_WIDTH as u64;
        for level in 0_u8.. {
            let place = usize::from(level);
            if self.0.len() == place {
                self.0.push(Vec::new());
            }
            let Some(hashes) = self.0.get_mut(place) else {
                return;
            };
            hashes.push(hash);
            if hashes.len() < TILE_WIDTH {
                return;
            }
            hash = root_of_all(hashes);
            full.push(Tile {
                id: TileId { level, number },
                hashes: bytes(hashes),
            });
            hashes.clear();
            number /= TILE_WIDTH as u64;
        }
    }

    /// The hashes of the tile of a level that is not full.
    pub(crate) fn partial(&self, level: u8) -> &[Hash] {
        self.0.get(usize::from(level)).map_or(&[], |level| level)
    }

    /// The root of the tree (RFC 6962, section 2.1).
    pub(crate) fn root(&self) -> Hash {
        // The trees of each level are complete. They stand from the smallest, on the right, to the largest.
        let complete = self.0.iter().flat_map(|level| complete_trees(level));
        complete
            .reduce(|right, left| node_hash(left, right))
            .unwrap_or(tlog_tiles::EMPTY_HASH)
    }
}

/// The roots of the complete trees over a level's hashes, from the right: one for each bit of their
/// number.
fn complete_trees(hashes: &[Hash]) -> Vec<Hash> {
    let mut end = hashes.len();
    let mut roots = Vec::new();
    while end > 0 {
        let start = end - (1 << end.trailing_zeros());
        roots.push(root_of_all(hashes.get(start..end).unwrap_or_default()));
        end = start;
    }
    roots
}

/// The root over hashes, of which there are a power of two.
pub(crate) fn root_of_all(hashes: &[Hash]) -> Hash {
    let mut level = hashes.to_vec();
    while level.len() > 1 {
        let pairs = level.chunks(2).filter_map(|pair| match pair {
            [left, right] => Some(node_hash(*left, *right)),
            _ => None,
        });
        level = pairs.collect();
    }
    level.first().copied().unwrap_or(tlog_tiles::EMPTY_HASH)
}

fn bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The root as RFC 6962 defines it, by recursion.
    fn root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => tlog_tiles::EMPTY_HASH,
            [leaf] => *leaf,
            _ => {
                let half = leaves.len().next_power_of_two() / 2;
                let (left, right) = leaves.split_at(half);
                node_hash(root(left), root(right))
            }
        }
    }

    #[test]
    fn the_root_is_that_of_the_definition_at_every_size() {
        let (mut edge, mut leaves, mut full) = (Edge::default(), Vec::new(), Vec::new());
        for size in 0..65_536_u64 + 3 {
            let is_checked = size < 600 || size % 65_536 < 2;
            if is_checked {
                assert_eq!(edge.root(), root(&leaves), "{size}");
                let levels: Vec<_> = edge.levels().collect();
                assert_eq!(Edge::read(size, &levels), Some(edge.clone()), "{size}");
                assert_eq!(Edge::read(size + 1, &levels), None, "{size}");
            }
            let leaf = tlog_tiles::record_hash(&size.to_be_bytes());
            leaves.push(leaf);
            edge.push(size, leaf, &mut full);
        }
        let ids: Vec<_> = full
            .iter()
            .map(|tile| (tile.id.level, tile.id.number))
            .collect();
        assert_eq!(&ids[..2], [(0, 0), (0, 1)]);
        assert_eq!(&ids[255..], [(0, 255), (1, 0)]);
        assert_eq!(ids.len(), 256 + 1);
    }

    /// The examples of RFC 6962's reference implementation (certificate-transparency,
    /// `merkle_tree_test.cc`): the roots over its first leaves.
    #[test]
    fn the_roots_are_those_of_the_rfcs_examples() {
        let leaves: [&[u8]; 8] = [
            b"",
            &[0x00],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[
                0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
                0x6e, 0x6f,
            ],
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut edge = Edge::default();
        for (size, (leaf, root)) in (0..).zip(leaves.into_iter().zip(roots)) {
            edge.push(size, tlog_tiles::record_hash(leaf), &mut Vec::new());
            let hex = edge.root().0.map(|byte| format!("{byte:02x}"));
            assert_eq!(hex.concat(), root);
        }
    }
}
