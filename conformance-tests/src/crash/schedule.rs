//! Chance that can be repeated.

use std::time::Duration;

/// Numbers that follow from a seed: `SplitMix64`.
#[derive(Debug)]
pub struct Schedule(u64);

impl Schedule {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A schedule of one's own, so that nobody's choices depend on who runs first.
    #[must_use]
    pub fn branch(&mut self) -> Self {
        Self(self.next())
    }

    /// A number from 0 up to, but without, a limit.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// So many milliseconds at most, to the microsecond.
    pub fn milliseconds(&mut self, most: u64) -> Duration {
        self.up_to(Duration::from_millis(most))
    }

    /// So long at most, to the microsecond.
    pub fn up_to(&mut self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.below(most.max(1)))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_schedule() {
        let numbers = |seed| {
            let mut schedule = Schedule::new(seed);
            [(); 20].map(|()| schedule.below(1000))
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
    }
}
