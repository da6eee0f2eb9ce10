//! Where a text falls into blocks (B-TB-1 to B-TB-7).

use alloc::vec::Vec;

/// What an offset counts. Servers count UTF-16 units (B-TB-5); early ones counted bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// UTF-16 code units, as JS does.
    Utf16,
    /// Bytes of UTF-8.
    Bytes,
}

/// The UTF-16 positions at which `content` is cut: ascending, each once, above zero and up to the content's length.
///
/// Offsets are rounded down and clamped, NaN is dropped, and one that falls inside a character moves to its start. A cut at
/// the very end closes the last block and leaves no remainder.
pub fn cut_points(content: &str, offsets: &[f64], unit: Unit) -> Vec<u32> {
    // The cast rounds towards zero and clamps what is below it.
    let mut whole = offsets.iter().filter(|offset| !offset.is_nan()).map(|&offset| offset as usize);
    cuts(content, &mut whole, unit).into_iter().map(|(_, utf16)| utf16 as u32).collect()
}

/// The same, as positions in bytes and in UTF-16 units.
pub(super) fn cuts(content: &str, offsets: &mut dyn Iterator<Item = usize>, unit: Unit) -> Vec<(usize, usize)> {
    let len = match unit {
        Unit::Utf16 => super::simd::utf16_len(content.as_bytes()),
        Unit::Bytes => content.len(),
    };
    let mut points = Vec::new();
    // One bit a position sorts and drops duplicates in one go, whatever the server sends.
    let mut marked: Vec<u64> = Vec::new();
    for offset in offsets {
        if marked.is_empty() {
            marked.resize(len / 64 + 1, 0);
        }
        let offset = offset.min(len);
        if let Some(word) = marked.get_mut(offset / 64) {
            *word |= 1 << (offset % 64);
        }
    }
    if marked.is_empty() {
        return points;
    }
    let is_marked = |at: usize| marked.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1);
    let (mut byte, mut utf16) = (0, 0);
    for character in content.chars() {
        let (start, width) = match unit {
            Unit::Utf16 => (utf16, character.len_utf16()),
            Unit::Bytes => (byte, character.len_utf8()),
        };
        // Any mark inside the character counts as one at its start.
        if byte > 0 && (start..start + width).any(is_marked) {
            points.push((byte, utf16));
        }
        byte += character.len_utf8();
        utf16 += character.len_utf16();
    }
    if byte > 0 && is_marked(len) {
        points.push((byte, utf16));
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn utf16(content: &str, offsets: &[f64]) -> Vec<u32> {
        cut_points(content, offsets, Unit::Utf16)
    }

    #[test]
    fn no_content_has_no_blocks_and_no_offset_no_cut() {
        assert!(utf16("", &[0.0, 1.0, 5.0]).is_empty());
        assert!(utf16("hello", &[]).is_empty());
    }

    #[test]
    fn offsets_are_floored_clamped_sorted_and_taken_once() {
        assert_eq!(utf16("0123456789", &[7.9, 3.0, 3.2, -4.0, 0.0, 1e300, f64::INFINITY, f64::NAN]), [3, 7, 10]);
        assert!(utf16("0123456789", &[f64::NEG_INFINITY, f64::NAN]).is_empty());
    }

    #[test]
    fn a_cut_inside_a_character_moves_to_its_start() {
        assert_eq!(utf16("a😀b", &[2.0]), [1]);
        assert_eq!(utf16("a😀b", &[1.0, 2.0, 3.0]), [1, 3]);
        assert!(utf16("😀b", &[1.0]).is_empty());
        assert_eq!(cut_points("aé你😀b", &[2.0, 4.0, 8.0, 10.0], Unit::Bytes), [1, 2, 3, 5]);
    }

    proptest! {
        #[test]
        fn blocks_joined_are_the_content(content in "[ab😀é你]{0,200}", offsets in proptest::collection::vec(-3.0..300.0_f64, 0..20), bytes in any::<bool>()) {
            let unit = if bytes { Unit::Bytes } else { Unit::Utf16 };
            let units: Vec<u16> = content.encode_utf16().collect();
            let mut start = 0;
            let mut joined = String::new();
            for cut in cut_points(&content, &offsets, unit).into_iter().chain([units.len() as u32]) {
                let block = String::from_utf16(&units[start as usize..cut as usize]);
                prop_assert!(block.is_ok(), "no block begins or ends inside a character");
                prop_assert!(cut > start || cut as usize == units.len());
                joined += &block.unwrap();
                start = cut;
            }
            prop_assert_eq!(joined, content.clone());
            for (byte, utf16) in cuts(&content, &mut offsets.iter().map(|&offset| offset as usize), unit) {
                prop_assert_eq!(content[..byte].encode_utf16().count(), utf16);
            }
        }
    }
}
