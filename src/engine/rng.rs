//! The engine's only source of chance: a generator whose seed is an input (SplitMix64).
//!
//! The same seed and the same inputs give the same outputs, so any schedule that fails can be played again.

/// A seeded pseudo-random generator. Not for secrets: it spreads retries, nothing else.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// A generator whose whole future follows from `seed`.
    pub const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 random bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 to `most`, both included, each as likely.
    pub fn up_to(&mut self, most: u64) -> u64 {
        // The high half of a 64 x 64 bit product maps the range without a division; its bias is below 2^-32 for any
        // span of time that a timer can hold.
        match most.checked_add(1) {
            Some(span) => ((u128::from(self.next_u64()) * u128::from(span)) >> 64) as u64,
            None => self.next_u64(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let (mut one, mut two) = (Rng::seeded(7), Rng::seeded(7));
        for _ in 0..100 {
            assert_eq!(one.next_u64(), two.next_u64());
        }
        assert_ne!(Rng::seeded(7).next_u64(), Rng::seeded(8).next_u64());
    }

    #[test]
    fn a_range_is_covered_and_never_left() {
        let mut rng = Rng::seeded(1);
        let mut seen = [0_u32; 4];
        for _ in 0..4_000 {
            seen[rng.up_to(3) as usize] += 1;
        }
        assert!(seen.iter().all(|&count| count > 800), "{seen:?}");
        assert_eq!(rng.up_to(0), 0);
        rng.up_to(u64::MAX);
    }
}
