//! Blocks of bytes compared all at once: 16 with wasm's SIMD, 8 in a machine word elsewhere.
//!
//! A [`Mask`] marks lanes, and only its first lane may be trusted: the portable comparison can mark lanes behind the first
//! match. That is all a scanner asks.

use imp::Block;
pub(super) use imp::WIDTH;

/// Where the first byte of `bytes[at..]` lies that ends a plain run of a JSON string: a quote, a backslash or a control
/// character; and whether bytes beyond ASCII came before it.
#[inline(always)]
pub(super) fn string_stop(bytes: &[u8], mut at: usize) -> Option<(usize, bool)> {
    let mut wide = false;
    while let Some(block) = Block::load(bytes, at) {
        let stop = block.equal(b'"').or(block.equal(b'\\')).or(block.below(0x20));
        let high = block.high();
        if let Some(lane) = stop.first() {
            return Some((at + lane, wide || high.any_before(lane)));
        }
        wide |= high.any();
        at += WIDTH;
    }
    for (lane, &byte) in bytes.get(at..)?.iter().enumerate() {
        if byte == b'"' || byte == b'\\' || byte < 0x20 {
            return Some((at + lane, wide));
        }
        wide |= byte >= 0x80;
    }
    None
}

/// Whether no byte is beyond ASCII.
#[inline(always)]
pub(super) fn is_ascii(bytes: &[u8]) -> bool {
    let mut at = 0;
    while let Some(block) = Block::load(bytes, at) {
        if block.high().any() {
            return false;
        }
        at += WIDTH;
    }
    bytes.get(at..).is_some_and(|rest| rest.iter().all(u8::is_ascii))
}

/// Where the first CR or LF of `bytes[at..]` lies.
#[inline(always)]
pub(super) fn line_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(block) = Block::load(bytes, at) {
        if let Some(lane) = block.equal(b'\n').or(block.equal(b'\r')).first() {
            return Some(at + lane);
        }
        at += WIDTH;
    }
    bytes.get(at..)?.iter().position(|&byte| byte == b'\n' || byte == b'\r').map(|lane| at + lane)
}

/// Where the first byte of `bytes[at..]` lies that is not printable ASCII.
#[inline(always)]
pub(super) fn printable_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(block) = Block::load(bytes, at) {
        if let Some(lane) = block.below(0x20).or(block.high()).first() {
            return Some(at + lane);
        }
        at += WIDTH;
    }
    bytes.get(at..)?.iter().position(|byte| !(0x20..0x80).contains(byte)).map(|lane| at + lane)
}

/// Where the first byte of `bytes[at..]` lies that is no decimal digit.
#[inline(always)]
pub(super) fn digits_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(block) = Block::load(bytes, at) {
        if let Some(lane) = block.not_digit().first() {
            return Some(at + lane);
        }
        at += WIDTH;
    }
    bytes.get(at..)?.iter().position(|byte| !byte.is_ascii_digit()).map(|lane| at + lane)
}

/// How many UTF-16 units whole characters of UTF-8 make: one a character, two for those of four bytes.
#[inline(never)]
pub(super) fn utf16_len(utf8: &[u8]) -> usize {
    let mut units = 0;
    let mut rest = utf8;
    while let Some((block, after)) = rest.split_first_chunk() {
        units += imp::units(block);
        rest = after;
    }
    // Each zero that fills up the last block counts as one.
    let mut last = [0; WIDTH];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    units + imp::units(&last) + rest.len() - WIDTH
}

/// Whether `bytes[at..]` begins with the first `len` bytes of `padded`, whose length is `len` rounded up to whole blocks.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[inline(always)]
pub(super) fn begins(bytes: &[u8], at: usize, padded: &[u8], len: usize) -> bool {
    let Some(here) = bytes.get(at..at + padded.len()) else { return false };
    imp::equal_prefix(here, padded) >= len
}

/// Whether `bytes[at..]` begins with the first `len` bytes of `padded`.
#[inline(always)]
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub(super) fn begins(bytes: &[u8], at: usize, padded: &[u8], len: usize) -> bool {
    bytes.get(at..at + len) == padded.get(..len)
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod imp {
    use core::arch::wasm32::*;

    pub const WIDTH: usize = 16;

    #[derive(Clone, Copy)]
    pub struct Block(v128);

    #[derive(Clone, Copy)]
    pub struct Mask(v128);

    #[inline(always)]
    fn load(bytes: &[u8; WIDTH]) -> v128 {
        // SAFETY: the reference proves 16 readable bytes, and v128.load takes any alignment.
        unsafe { v128_load(bytes.as_ptr().cast()) }
    }

    /// How many bytes at the front are equal, at least: differences in the last block are exact, earlier ones count as none.
    pub fn units(block: &[u8; WIDTH]) -> usize {
        let block = load(block);
        let starts = i8x16_bitmask(i8x16_ge(block, i8x16_splat(-64)));
        let pairs = i8x16_bitmask(u8x16_ge(block, u8x16_splat(0xF0)));
        (starts.count_ones() + pairs.count_ones()) as usize
    }

    #[inline(always)]
    pub fn equal_prefix(one: &[u8], other: &[u8]) -> usize {
        let mut differences = i64x2_splat(0);
        let mut last = differences;
        // Without a branch a block; frames that get here are alike nearly always.
        // By hand: built for size, a zip of chunks is a struct in memory and two divisions.
        let mut at = 0;
        while let (Some(one), Some(other)) = (Block::load(one, at), Block::load(other, at)) {
            differences = v128_or(differences, last);
            last = v128_xor(one.0, other.0);
            at += WIDTH;
        }
        if v128_any_true(differences) {
            return 0;
        }
        let equal = u32::from(i8x16_bitmask(i8x16_eq(last, i64x2_splat(0))));
        one.len().saturating_sub(WIDTH) + equal.trailing_ones() as usize
    }

    impl Block {
        #[inline(always)]
        pub fn load(bytes: &[u8], at: usize) -> Option<Self> {
            bytes.get(at..)?.first_chunk().map(|chunk| Self(load(chunk)))
        }

        #[inline(always)]
        pub fn equal(self, byte: u8) -> Mask {
            Mask(u8x16_eq(self.0, u8x16_splat(byte)))
        }

        #[inline(always)]
        pub fn below(self, byte: u8) -> Mask {
            Mask(u8x16_lt(self.0, u8x16_splat(byte)))
        }

        #[inline(always)]
        pub fn high(self) -> Mask {
            Mask(self.0)
        }

        #[inline(always)]
        pub fn not_digit(self) -> Mask {
            Mask(u8x16_gt(u8x16_sub(self.0, u8x16_splat(b'0')), u8x16_splat(9)))
        }
    }

    // A lane is marked by its highest bit.
    impl Mask {
        #[inline(always)]
        pub fn or(self, other: Self) -> Self {
            Self(v128_or(self.0, other.0))
        }

        #[inline(always)]
        pub fn first(self) -> Option<usize> {
            let lanes = u32::from(i8x16_bitmask(self.0));
            (lanes != 0).then_some(lanes.trailing_zeros() as usize)
        }

        #[inline(always)]
        pub fn any(self) -> bool {
            i8x16_bitmask(self.0) != 0
        }

        #[inline(always)]
        pub fn any_before(self, lane: usize) -> bool {
            u32::from(i8x16_bitmask(self.0)) & ((1 << lane) - 1) != 0
        }
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod imp {
    pub const WIDTH: usize = 8;

    const ONES: u64 = u64::from_ne_bytes([0x01; WIDTH]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; WIDTH]);

    pub fn units(block: &[u8; WIDTH]) -> usize {
        block.iter().map(|&byte| usize::from(byte & 0xC0 != 0x80) + usize::from(byte >= 0xF0)).sum()
    }

    #[derive(Clone, Copy)]
    pub struct Block(u64);

    #[derive(Clone, Copy)]
    pub struct Mask(u64);

    impl Block {
        #[inline(always)]
        pub fn load(bytes: &[u8], at: usize) -> Option<Self> {
            bytes.get(at..)?.first_chunk().map(|chunk| Self(u64::from_le_bytes(*chunk)))
        }

        #[inline(always)]
        pub fn equal(self, byte: u8) -> Mask {
            Self(self.0 ^ (ONES * u64::from(byte))).below(1)
        }

        // Right for bounds up to 0x80; a borrow leaves a lane only after a match in it.
        #[inline(always)]
        pub fn below(self, byte: u8) -> Mask {
            Mask(self.0.wrapping_sub(ONES * u64::from(byte)) & !self.0 & HIGH)
        }

        #[inline(always)]
        pub fn high(self) -> Mask {
            Mask(self.0 & HIGH)
        }

        #[inline(always)]
        pub fn not_digit(self) -> Mask {
            let from_zero = self.0 ^ (ONES * u64::from(b'0'));
            Mask((((from_zero & !HIGH) + ONES * 0x76) | from_zero) & HIGH)
        }
    }

    impl Mask {
        #[inline(always)]
        pub fn or(self, other: Self) -> Self {
            Self(self.0 | other.0)
        }

        #[inline(always)]
        pub fn first(self) -> Option<usize> {
            (self.0 != 0).then_some(self.0.trailing_zeros() as usize / 8)
        }

        #[inline(always)]
        pub fn any(self) -> bool {
            self.0 != 0
        }

        #[inline(always)]
        pub fn any_before(self, lane: usize) -> bool {
            self.0 & ((1_u64 << (8 * lane)) - 1) != 0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(bytes: &[u8], at: usize, stop: impl Fn(u8) -> bool) -> Option<usize> {
        (at..bytes.len()).find(|&at| stop(bytes[at]))
    }

    proptest! {
        #[test]
        fn every_scanner_finds_what_a_loop_over_bytes_finds(
            bytes in proptest::collection::vec(
                prop_oneof![5 => 0x20..0x7F_u8, 2 => b'0'..=b'9', 1 => any::<u8>()], 0..90),
            at in 0..40_usize,
        ) {
            let at = at.min(bytes.len());
            let stop = naive(&bytes, at, |b| b == b'"' || b == b'\\' || b < 0x20);
            let wide = |stop: usize| bytes[at..stop].iter().any(|&b| b >= 0x80);
            prop_assert_eq!(string_stop(&bytes, at), stop.map(|stop| (stop, wide(stop))));
            prop_assert_eq!(line_end(&bytes, at), naive(&bytes, at, |b| b == b'\n' || b == b'\r'));
            prop_assert_eq!(printable_end(&bytes, at), naive(&bytes, at, |b| !(0x20..0x80).contains(&b)));
            prop_assert_eq!(digits_end(&bytes, at), naive(&bytes, at, |b| !b.is_ascii_digit()));
        }

        #[test]
        fn a_prefix_is_told_from_anything_else(
            bytes in proptest::collection::vec(0..3_u8, 0..80), at in 0..9_usize, len in 0..40_usize, flip in any::<bool>(),
        ) {
            let at = at.min(bytes.len());
            let len = len.min(bytes.len() - at);
            let mut literal = bytes[at..at + len].to_vec();
            if flip && len > 0 {
                literal[len / 2] ^= 1;
            }
            literal.resize(len.next_multiple_of(16), 0);
            let fits = at + literal.len() <= bytes.len() || cfg!(not(target_arch = "wasm32"));
            prop_assert_eq!(begins(&bytes, at, &literal, len), fits && !(flip && len > 0));
        }
    }
}
