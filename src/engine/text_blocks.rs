//! Where a text falls into blocks (B-TB-1 to B-TB-7).

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
    let numbers = offsets.iter().filter(|offset| !offset.is_nan());
    // The cast rounds towards zero and clamps what is below it.
    let mut points = Vec::new();
    walk(content, numbers.map(|&offset| offset as usize), unit, |_, utf16| points.push(utf16 as u32));
    points
}

/// The same as byte positions.
pub(super) fn byte_cuts(content: &str, offsets: impl Iterator<Item = u64>, unit: Unit) -> Vec<usize> {
    let mut points = Vec::new();
    let whole = offsets.map(|offset| usize::try_from(offset).unwrap_or(usize::MAX));
    walk(content, whole, unit, |byte, _| points.push(byte));
    points
}

/// Calls `cut` with the byte and the UTF-16 position of every cut, in order.
fn walk(content: &str, offsets: impl Iterator<Item = usize>, unit: Unit, mut cut: impl FnMut(usize, usize)) {
    let len = match unit {
        Unit::Utf16 => super::text::utf16_len(content.as_bytes()),
        Unit::Bytes => content.len(),
    };
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
        return;
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
            cut(byte, utf16);
        }
        byte += character.len_utf8();
        utf16 += character.len_utf16();
    }
    if byte > 0 && is_marked(len) {
        cut(byte, utf16);
    }
}
