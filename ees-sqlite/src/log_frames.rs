//! Looks for commits behind a damaged place of a write-ahead log. SQLite reads a log up to the first frame
//! that is not right, as a power cut leaves one, and drops the rest without a word.
//!
//! The format is <https://sqlite.org/fileformat2.html#the_write_ahead_log>.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;

/// The greatest page of a file.
const MAX_PAGE_BYTES: u32 = 65_536;

/// Whether a log has a frame that is not right, and behind it a whole commit and the begin of another one.
/// Each commit is flushed before the next one begins, so a power cut does not leave this.
pub(crate) fn goes_on_behind_damage(log: &Path) -> io::Result<bool> {
    let mut log = BufReader::new(File::open(log)?);
    let mut header = [0; HEADER_BYTES];
    if log.read_exact(&mut header).is_err() {
        return Ok(false);
    }
    let page = number(&header, 8);
    if !page.is_power_of_two() || page > MAX_PAGE_BYTES {
        return Ok(false);
    }
    let mut sums = Sums::of(&header);
    sums.add(&header[..24]);
    let mut is_right = sums.are(&header[24..]);
    let mut salts: Option<[u8; 8]> = is_right.then(|| eight(&header[16..24]));
    let mut has_lost_commit = false;
    let mut frame = vec![0; FRAME_HEADER_BYTES + page as usize];
    while log.read_exact(&mut frame).is_ok() {
        let (begin, content) = frame.split_at(FRAME_HEADER_BYTES);
        // A log that began anew is longer than its new part.
        if eight(&begin[8..16]) != *salts.get_or_insert(eight(&begin[8..16])) {
            if is_right {
                return Ok(false);
            }
            continue;
        }
        if is_right {
            sums.add(&begin[..8]);
            sums.add(content);
            is_right = sums.are(&begin[16..]);
        }
        if !is_right {
            if has_lost_commit {
                return Ok(true);
            }
            has_lost_commit = number(begin, 4) != 0;
        }
    }
    Ok(false)
}

/// The checksum of a log, which goes on from frame to frame.
struct Sums {
    sums: [u32; 2],
    is_big_endian: bool,
}

impl Sums {
    fn of(header: &[u8]) -> Self {
        Self {
            sums: [0; 2],
            is_big_endian: header[3] & 1 == 1,
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        let [mut first, mut second] = self.sums;
        for pair in bytes.chunks_exact(8) {
            let (one, other) = (self.word(&pair[..4]), self.word(&pair[4..]));
            first = first.wrapping_add(one).wrapping_add(second);
            second = second.wrapping_add(other).wrapping_add(first);
        }
        self.sums = [first, second];
    }

    fn word(&self, bytes: &[u8]) -> u32 {
        let big = number(bytes, 0);
        if self.is_big_endian {
            big
        } else {
            big.swap_bytes()
        }
    }

    /// Whether these are the stored sums, which are always in big endian.
    fn are(&self, stored: &[u8]) -> bool {
        self.sums == [number(stored, 0), number(stored, 4)]
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[at..at + 4]);
    u32::from_be_bytes(number)
}

fn eight(bytes: &[u8]) -> [u8; 8] {
    let mut eight = [0; 8];
    eight.copy_from_slice(bytes);
    eight
}

#[cfg(test)]
mod tests;
