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

/// Copies the [`WIDTH`] bytes at `bytes[at..]` to the front of `out`, and tells how many of them come before the first `stop`.
/// `None` if either has no room for so many.
#[inline(always)]
pub(super) fn copy_until(bytes: &[u8], at: usize, stop: u8, out: &mut [u8]) -> Option<usize> {
    *out.first_chunk_mut::<WIDTH>()? = *bytes.get(at..)?.first_chunk()?;
    Some(Block::load(bytes, at)?.equal(stop).first().unwrap_or(WIDTH))
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

/// How many bytes one [`Ranges`] is about.
pub(super) const RANGES: usize = 16;

/// For each of so many bytes the least that it may be, and how far beyond that it may go.
pub(super) type Ranges = [[u8; RANGES]; 2];

/// Whether each byte of `bytes[at..]` is in its range. No ranges at all: no.
#[inline(always)]
pub(super) fn within(bytes: &[u8], at: usize, ranges: &[Ranges]) -> bool {
    match bytes.get(at..at + ranges.len() * RANGES) {
        Some(here) if !ranges.is_empty() => imp::within(here, ranges),
        _ => false,
    }
}

/// Whether `new` is a successor of `old`: digits in the same places, the same bytes everywhere else, and a greater digit
/// where they differ first. Sixteen bytes each, as two words in the order of memory.
#[inline(always)]
pub(super) fn is_successor(old: [u64; 2], new: [u64; 2]) -> bool {
    imp::is_successor(old, new)
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod imp {
    use core::arch::wasm32::*;

    use super::Ranges;

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

    pub fn units(block: &[u8; WIDTH]) -> usize {
        let block = load(block);
        let starts = i8x16_bitmask(i8x16_ge(block, i8x16_splat(-64)));
        let pairs = i8x16_bitmask(u8x16_ge(block, u8x16_splat(0xF0)));
        (starts.count_ones() + pairs.count_ones()) as usize
    }

    /// `here` is as long as all ranges together.
    #[inline(always)]
    pub fn within(here: &[u8], ranges: &[Ranges]) -> bool {
        // Without a branch a block: frames that get here are alike nearly always.
        let mut beyond = i64x2_splat(0);
        let mut at = 0;
        // By hand: built for size, a zip of chunks is a struct in memory and two divisions.
        for [lows, spans] in ranges {
            let Some(here) = Block::load(here, at) else { return false };
            // Below its range a byte wraps around to far beyond it; what saturates at zero is in it.
            beyond = v128_or(beyond, u8x16_sub_sat(u8x16_sub(here.0, load(lows)), load(spans)));
            at += WIDTH;
        }
        !v128_any_true(beyond)
    }

    #[inline(always)]
    pub fn is_successor(old: [u64; 2], new: [u64; 2]) -> bool {
        let (old, new) = (u64x2(old[0], old[1]), u64x2(new[0], new[1]));
        let no_digits = |block| u8x16_gt(u8x16_sub(block, u8x16_splat(b'0')), u8x16_splat(9));
        let (marks, different) = (no_digits(new), u8x16_ne(new, old));
        let unlike = v128_or(v128_xor(marks, no_digits(old)), v128_and(marks, different));
        let first = i8x16_bitmask(different).trailing_zeros();
        // No difference at all: `first` is 32, and the shift counts from the front again, where nothing is greater.
        !v128_any_true(unlike) && u32::from(i8x16_bitmask(u8x16_gt(new, old))).wrapping_shr(first) & 1 != 0
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
    use super::Ranges;

    pub const WIDTH: usize = 8;

    pub fn within(here: &[u8], ranges: &[Ranges]) -> bool {
        let (here, _) = here.as_chunks::<16>();
        here.iter().zip(ranges).all(|(here, [lows, spans])| {
            here.iter().zip(lows).zip(spans).all(|((byte, low), span)| byte.wrapping_sub(*low) <= *span)
        })
    }

    pub fn is_successor(old: [u64; 2], new: [u64; 2]) -> bool {
        let (old, new) = (old.map(u64::to_ne_bytes), new.map(u64::to_ne_bytes));
        let (old, new) = (old.as_flattened(), new.as_flattened());
        let is_alike = |(old, new): (&u8, &u8)| old == new || old.is_ascii_digit() && new.is_ascii_digit();
        old.iter().zip(new).all(is_alike) && new > old
    }

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
        fn bytes_in_their_ranges_are_told_from_others(
            bytes in proptest::collection::vec(any::<u8>(), 0..80), at in 0..9_usize, count in 0..5_usize,
            lows in any::<[[u8; 16]; 4]>(), spans in any::<[[u8; 16]; 4]>(), tight in 0..64_usize, flip in any::<bool>(),
        ) {
            // Ranges around what is there, but for one byte.
            let mut ranges: Vec<Ranges> = lows.iter().zip(&spans).map(|(low, span)| [*low, *span]).take(count).collect();
            for (place, byte) in bytes.iter().skip(at).take(count * 16).enumerate() {
                let [lows, spans] = &mut ranges[place / 16];
                if byte.wrapping_sub(lows[place % 16]) > spans[place % 16] {
                    (lows[place % 16], spans[place % 16]) = (*byte, 0);
                }
                if flip && place == tight {
                    (lows[place % 16], spans[place % 16]) = (byte.wrapping_add(1), 254);
                }
            }
            let fits = count > 0 && at + count * 16 <= bytes.len();
            prop_assert_eq!(within(&bytes, at, &ranges), fits && !(flip && tight < count * 16));
        }

        #[test]
        fn a_successor_has_the_same_shape_and_a_greater_number(
            old in "[0-2]{7,14}[-:][0-2]{8}", new in "[0-2]{7,14}[-:][0-2]{8}", junk in any::<[u8; 16]>(), blend in any::<u16>(),
        ) {
            let sixteen = |text: &str| *text.as_bytes().first_chunk::<16>().unwrap();
            let (old, mut new) = (sixteen(&old), sixteen(&new));
            for (lane, byte) in new.iter_mut().enumerate() {
                // Mostly as before, so that all kinds of first differences come about.
                match blend >> lane & 1 {
                    0 => *byte = old[lane],
                    _ if junk[lane] < 8 => *byte = junk[lane].wrapping_mul(37),
                    _ => {}
                }
            }
            let words = |bytes: [u8; 16]| {
                let (words, _) = bytes.as_chunks::<8>();
                [u64::from_ne_bytes(words[0]), u64::from_ne_bytes(words[1])]
            };
            let is_alike = (0..16).all(|i| old[i] == new[i] || old[i].is_ascii_digit() && new[i].is_ascii_digit());
            prop_assert_eq!(is_successor(words(old), words(new)), is_alike && new > old);
        }
    }

    /// The properties above run natively, without SIMD; this is their last word on what runs in browsers.
    #[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
    #[cfg_attr(not(target_arch = "wasm32"), test)]
    fn ranges_and_successors_are_told_in_any_build() {
        let mut rng = crate::engine::rng::Rng::seeded(5);
        let (mut fits, mut follows) = (0, 0);
        for _ in 0..20_000 {
            let mut sixteen = |most: u64| -> [u8; 16] { core::array::from_fn(|_| rng.up_to(most) as u8) };
            let (bytes, lows, spans) = ([sixteen(255), sixteen(255)].concat(), sixteen(3), sixteen(3));
            let mut tight = [[0; 16], [0xFF; 16]];
            for lane in 0..16 {
                // One place in four is bounded, around what is there: one in eight of those too tightly.
                if lows[lane] == 0 {
                    let at = bytes[lane];
                    tight[0][lane] = at.wrapping_sub(spans[lane]);
                    tight[1][lane] = spans[lane] + u8::from(lane % 2 == 0);
                    if rng.up_to(31) == 0 {
                        tight[0][lane] = at.wrapping_add(1);
                    }
                }
            }
            let expected = (0..16).all(|lane| bytes[lane].wrapping_sub(tight[0][lane]) <= tight[1][lane]);
            assert_eq!(within(&bytes, 0, &[tight]), expected);
            assert!(!within(&bytes, 16, &[tight, tight]));
            fits += u32::from(expected);

            let mut old = [b'0'; 16];
            let mut new = old;
            for lane in 0..16 {
                old[lane] = if lane == 8 { b'-' } else { b'0' + rng.up_to(2) as u8 };
                new[lane] = if rng.up_to(3) == 0 && lane != 8 { b'0' + rng.up_to(2) as u8 } else { old[lane] };
                if rng.up_to(200) == 0 {
                    new[lane] = [b'-', b'/', b':', 0x80, 0xFF, b'9'][rng.up_to(5) as usize];
                }
            }
            let words = |bytes: [u8; 16]| {
                let (words, _) = bytes.as_chunks::<8>();
                [u64::from_ne_bytes(words[0]), u64::from_ne_bytes(words[1])]
            };
            let is_alike = (0..16).all(|i| old[i] == new[i] || old[i].is_ascii_digit() && new[i].is_ascii_digit());
            assert_eq!(is_successor(words(old), words(new)), is_alike && new > old);
            follows += u32::from(is_alike && new > old);
        }
        assert!((2_000..18_000).contains(&fits) && (2_000..18_000).contains(&follows), "{fits}, {follows}");
    }
}
