//! The path of a tile of the verifiable log, written as in
//! [c2sp.org/tlog-tiles](https://c2sp.org/tlog-tiles).

use ees_core::adapter::{TileId, parse_number};

use crate::codes;
use crate::error::ApiError;

/// The hashes of a full tile.
const WIDTH: usize = 256;

/// The highest level that a path can name.
const MAX_LEVEL: u64 = 63;

/// The numbers of tiles are smaller.
const NUMBERS: u64 = 1 << 55;

/// The groups of digits that the largest number has.
const MAX_GROUPS: usize = 6;

/// A tile that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TilePath {
    pub(crate) tile: TileId,
    /// How many of its hashes.
    pub(crate) width: usize,
}

impl TilePath {
    /// Reads the part of a path behind `/log/tile/`.
    pub(crate) fn parse(level: &str, number: &str) -> Result<Self, ApiError> {
        read(level, number).ok_or_else(|| {
            let message = format!(
                "`{level}/{number}` is no tile: expected `L/N`, or `L/N.p/W` for its first W hashes, \
                 with the level L from 0 to {MAX_LEVEL}, the number N in groups of three digits as \
                 `000` or `x001/234`, and W from 1 to {}",
                WIDTH - 1
            );
            ApiError::bad_request(codes::INVALID_TILE, message)
        })
    }

    /// Whether all of its hashes are asked for.
    pub(crate) fn is_full(&self) -> bool {
        self.width == WIDTH
    }
}

fn read(level: &str, number: &str) -> Option<TilePath> {
    let level = canonical(level).filter(|level| *level <= MAX_LEVEL)?;
    let (number, width) = match number.split_once(".p/") {
        Some((number, width)) => {
            let width = canonical(width).and_then(|width| usize::try_from(width).ok());
            (number, width.filter(|width| (1..WIDTH).contains(width))?)
        }
        None => (number, WIDTH),
    };
    let groups: Vec<_> = number.split('/').collect();
    let (last, first) = groups.split_last()?;
    if groups.len() > MAX_GROUPS || first.first() == Some(&"x000") {
        return None;
    }
    let first = first.iter().map(|group| group.strip_prefix('x'));
    let mut number = 0;
    for group in first.chain([Some(*last)]) {
        let group = group.filter(|group| group.len() == 3)?;
        let is_number = group.bytes().all(|digit| digit.is_ascii_digit());
        number = number * 1000 + group.parse::<u64>().ok().filter(|_| is_number)?;
    }
    Some(TilePath {
        tile: TileId {
            level: u8::try_from(level).ok()?,
            number: Some(number).filter(|number| *number < NUMBERS)?,
        },
        width,
    })
}

/// A number that is written in the only way it may be.
fn canonical(text: &str) -> Option<u64> {
    parse_number(text).filter(|number| number.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_in_their_one_form() {
        for (level, path, number, width) in [
            ("0", "000", 0, 256),
            ("1", "067.p/8", 67, 8),
            ("63", "x001/234", 1_234, 256),
            ("7", "x001/x234/067", 1_234_067, 256),
            ("0", "x001/x234/067.p/255", 1_234_067, 255),
            ("0", "x036/x028/x797/x018/x963/967", (1 << 55) - 1, 256),
        ] {
            let read = read(level, path).unwrap();
            let told = (read.tile.level.to_string(), read.tile.number, read.width);
            assert_eq!(told, (level.to_owned(), number, width), "{path}");
        }
        for (level, path) in [
            ("", "000"),
            ("00", "000"),
            ("+1", "000"),
            ("-1", "000"),
            ("64", "000"),
            ("data", "000"),
            ("0", ""),
            ("0", "0"),
            ("0", "00"),
            ("0", "0000"),
            ("0", "x000"),
            ("0", "x000/001"),
            ("0", "001/234"),
            ("0", "x001/x234"),
            ("0", "x001//234"),
            ("0", "x+01/234"),
            ("0", "+01"),
            ("0", "000/"),
            ("0", "000.p"),
            ("0", "000.p/"),
            ("0", "000.p/0"),
            ("0", "000.p/08"),
            ("0", "000.p/256"),
            ("0", "000.p/1/2"),
            ("0", "x036/x028/x797/x018/x963/968"),
            ("0", "x001/x036/x028/x797/x018/x963/967"),
        ] {
            assert_eq!(read(level, path), None, "{level}/{path}");
        }
    }
}
