//! Text kept once, as UTF-8 in pages, with its length in bytes and in UTF-16 units.
//!
//! A page is never grown or moved: a doubling buffer holds up to three times its contents while it moves, and wasm memory
//! never shrinks. Pages double from `FIRST_PAGE` to `FULL_PAGE` bytes, so that short texts stay small.

use alloc::{boxed::Box, string::String, vec, vec::Vec};

use super::delta::Delta;
use super::json::{JsonStr, Sink};
use super::simd::utf16_len;

const FIRST_PAGE: usize = 128;
const FULL_PAGE: usize = 16 * 1024;
/// Texts are copied in blocks of this many bytes while they are short: a call to copy five bytes costs more than they do.
const BLOCK: usize = 16;
const REPLACEMENT: &[u8] = "\u{FFFD}".as_bytes();

/// An append-only text.
#[derive(Default)]
pub struct Text {
    pages: Vec<Page>,
    bytes: usize,
    utf16: usize,
    // The first half of a surrogate pair that still waits for its second; zero if none does.
    half: u16,
}

struct Page {
    bytes: Box<[u8]>,
    used: usize,
}

/// How much of a [`Text`] has been read; a new one has read nothing.
#[derive(Clone, Copy, Default)]
pub struct Mark {
    bytes: usize,
    utf16: usize,
}

impl Text {
    /// Appends the decoded contents of `text`. The half of a surrogate pair at its end waits for the other half at the start
    /// of the next; where that does not come, U+FFFD takes its place.
    pub fn append(&mut self, text: JsonStr<'_>) {
        if text.is_plain() && self.half == 0 {
            let utf8 = text.raw();
            if !self.append_short(text.wide(), utf8.len()) {
                self.append_run(utf8);
            }
            self.utf16 += if text.is_ascii() { utf8.len() } else { utf16_len(utf8) };
        } else {
            text.append_to(self);
        }
    }

    /// Appends text that is no JSON any more.
    pub fn append_str(&mut self, text: &str) {
        self.push(text.as_bytes());
    }

    /// No more will come, most likely: gives back what the last page does not use, and puts a short text into one page. A run
    /// has thousands of those, and each page costs as much again as a few words.
    pub fn seal(&mut self) {
        self.settle_half();
        let from = if self.bytes > FULL_PAGE { self.pages.len() - 1 } else { 0 };
        let mut bytes = Vec::with_capacity(self.chunks().skip(from).map(<[u8]>::len).sum());
        self.chunks().skip(from).for_each(|chunk| bytes.extend_from_slice(chunk));
        self.pages.truncate(from);
        self.pages.push(Page { used: bytes.len(), bytes: bytes.into_boxed_slice() });
        self.pages.shrink_to_fit();
    }

    /// Copies what came after `mark` to `out`, moves the mark, and tells how many UTF-16 units that was.
    pub fn read_on(&self, mark: &mut Mark, out: &mut Vec<u8>) -> usize {
        let (mut first, mut behind) = (self.pages.len(), self.bytes);
        while behind > mark.bytes && first > 0 {
            first -= 1;
            behind = behind.saturating_sub(self.pages.get(first).map_or(0, |page| page.used));
        }
        let mut at = mark.bytes.saturating_sub(behind);
        for chunk in self.chunks().skip(first) {
            out.extend_from_slice(chunk.get(at..).unwrap_or(&[]));
            at = 0;
        }
        let units = self.utf16 - mark.utf16;
        *mark = Mark { bytes: self.bytes, utf16: self.utf16 };
        units
    }

    /// The pages' contents in order; each is whole characters.
    pub fn chunks(&self) -> impl Iterator<Item = &[u8]> {
        self.pages.iter().map(|page| page.bytes.get(..page.used).unwrap_or(&[]))
    }

    /// Length in bytes of UTF-8.
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Length in UTF-16 units, as JS counts.
    pub fn utf16_len(&self) -> usize {
        self.utf16
    }

    /// How many UTF-16 units the last `bytes` bytes are.
    pub fn last_units(&self, bytes: usize) -> usize {
        let (mut left, mut units) = (bytes, 0);
        for page in self.pages.iter().rev() {
            let from = page.used.saturating_sub(left);
            let last = page.bytes.get(from..page.used).unwrap_or(&[]);
            units += utf16_len(last);
            left -= last.len();
            if left == 0 {
                break;
            }
        }
        units
    }

    /// Bytes of memory held for the text.
    pub fn held_bytes(&self) -> usize {
        self.pages.iter().map(|page| page.bytes.len()).sum::<usize>() + self.pages.capacity() * size_of::<Page>()
    }

    /// All of it as one string.
    pub fn decoded(&self) -> String {
        let mut all = Vec::with_capacity(self.bytes);
        for chunk in self.chunks() {
            all.extend_from_slice(chunk);
        }
        String::from_utf8(all).unwrap_or_default()
    }

    /// Writes all of it as a JSON string: what is appended to that later goes on as it would have here, from half a pair, too.
    pub fn write_json(&self, out: &mut Delta) {
        out.literal("\"");
        for chunk in self.chunks() {
            out.escaped(chunk);
        }
        if self.half != 0 {
            out.unit(self.half);
        }
        out.literal("\"");
    }

    /// Appends `wide[..len]` in whole blocks if both sides have the room; counts bytes only.
    fn append_short(&mut self, wide: &[u8], len: usize) -> bool {
        let Some(page) = self.pages.last_mut() else { return false };
        if len > 4 * BLOCK {
            return false;
        }
        let mut done = 0;
        while done < len {
            let at = page.used + done;
            let (Some(from), Some(to)) = (wide.get(done..done + BLOCK), page.bytes.get_mut(at..at + BLOCK)) else {
                return false;
            };
            to.copy_from_slice(from);
            done += BLOCK;
        }
        page.used += len;
        self.bytes += len;
        true
    }

    /// Appends whole characters; counts bytes only.
    fn append_run(&mut self, mut utf8: &[u8]) {
        self.bytes += utf8.len();
        while !utf8.is_empty() {
            if let Some(page) = self.pages.last_mut()
                && let Some(room) = page.bytes.get_mut(page.used..)
            {
                let fits = boundary(utf8, room.len());
                if let (Some((now, later)), Some(to)) = (utf8.split_at_checked(fits), room.get_mut(..fits)) {
                    to.copy_from_slice(now);
                    page.used += fits;
                    utf8 = later;
                }
            }
            if !utf8.is_empty() {
                let size = self.bytes.clamp(FIRST_PAGE, FULL_PAGE);
                self.pages.push(Page { bytes: vec![0; size].into_boxed_slice(), used: 0 });
            }
        }
    }

    fn settle_half(&mut self) {
        if self.half != 0 {
            self.half = 0;
            self.append_run(REPLACEMENT);
            self.utf16 += 1;
        }
    }
}

impl Sink for Text {
    fn push(&mut self, utf8: &[u8]) {
        if !utf8.is_empty() {
            self.settle_half();
            self.append_run(utf8);
            self.utf16 += utf16_len(utf8);
        }
    }

    fn push_surrogate(&mut self, unit: u16) {
        match unit {
            0xDC00.. if self.half != 0 => {
                let joined = char::decode_utf16([self.half, unit]).next();
                self.half = 0;
                if let Some(Ok(character)) = joined {
                    self.append_run(character.encode_utf8(&mut [0; 4]).as_bytes());
                    self.utf16 += 2;
                }
            }
            0xDC00.. => {
                self.append_run(REPLACEMENT);
                self.utf16 += 1;
            }
            _ => {
                self.settle_half();
                self.half = unit;
            }
        }
    }
}

/// The largest length up to `most` at which `utf8` can be cut between two characters.
pub(super) fn boundary(utf8: &[u8], most: usize) -> usize {
    if utf8.len() <= most {
        return utf8.len();
    }
    let mut at = most;
    // No character has more than three continuation bytes; the bound keeps bytes that are no UTF-8 from stopping progress.
    while at > 0 && most - at < 3 && utf8.get(at).is_some_and(|byte| byte & 0xC0 == 0x80) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json(raw: &str) -> JsonStr<'_> {
        JsonStr::stored(raw.as_bytes())
    }

    proptest! {
        #[test]
        fn pages_hold_what_was_appended_and_cut_no_character(
            pieces in proptest::collection::vec(prop_oneof![".{0,12}", "[a-z😀é你]{0,300}"], 0..80), sealed in 0..80_usize,
        ) {
            let (mut text, mut all) = (Text::default(), String::new());
            let (mut mark, mut read, mut units) = (Mark::default(), Vec::new(), 0);
            for (number, piece) in pieces.iter().enumerate() {
                let escaped = serde_json::to_string(piece).unwrap();
                text.append(json(&escaped[1..escaped.len() - 1]));
                all.push_str(piece);
                if number % 7 == 0 {
                    units += text.read_on(&mut mark, &mut read);
                    prop_assert_eq!(units, all.encode_utf16().count());
                }
                if number == sealed {
                    text.seal();
                }
            }
            text.read_on(&mut mark, &mut read);
            prop_assert_eq!(text.decoded(), all.clone());
            prop_assert_eq!(&read, all.as_bytes());
            prop_assert_eq!(text.len(), all.len());
            prop_assert_eq!(text.utf16_len(), all.encode_utf16().count());
            for chunk in text.chunks() {
                prop_assert!(chunk.len() <= FULL_PAGE && core::str::from_utf8(chunk).is_ok());
            }
        }

        #[test]
        fn utf16_units_are_counted_as_js_counts(text in any::<String>()) {
            prop_assert_eq!(utf16_len(text.as_bytes()), text.encode_utf16().count());
        }

        #[test]
        fn surrogates_join_across_appends_as_they_do_in_js(units in proptest::collection::vec(
            prop_oneof![Just(0x41_u16), Just(0xD83D), Just(0xDE00), Just(0xDBFF), Just(0xDC00), Just(0xE9)], 0..20,
        ), cut in 0..20_usize) {
            let mut text = Text::default();
            let write = |units: &[u16]| units.iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
            let (one, other) = units.split_at(cut.min(units.len()));
            text.append(json(&write(one)));
            text.append(json(""));
            text.append(json(&write(other)));
            text.seal();
            prop_assert_eq!(text.decoded(), String::from_utf16_lossy(&units));
            prop_assert_eq!(text.utf16_len(), units.len());
        }
    }

    #[test]
    fn half_a_pair_waits_for_the_other_half_and_no_longer() {
        let mut text = Text::default();
        text.append(json("a\\ud83d"));
        assert_eq!(text.decoded(), "a");
        text.append(json("\\ude00b"));
        assert_eq!(text.decoded(), "a😀b");
        text.append(json("\\ud83d"));
        text.append(json("plain"));
        assert_eq!(text.decoded(), "a😀b\u{FFFD}plain");
    }

    #[test]
    fn little_more_is_held_than_there_is() {
        let mut text = Text::default();
        while text.len() < 1 << 20 {
            text.append(json("some words, "));
        }
        text.seal();
        assert!(text.held_bytes() < text.len() * 21 / 20, "{} for {}", text.held_bytes(), text.len());
    }

    #[test]
    fn a_short_text_that_is_sealed_is_one_page_without_slack_and_is_read_on_from_where_it_was() {
        let (mut text, mut mark, mut read) = (Text::default(), Mark::default(), Vec::new());
        for round in 1..=2 {
            for _ in 0..100 {
                text.append(json("some words, "));
            }
            text.read_on(&mut mark, &mut read);
            text.append(json("the end"));
            text.seal();
            assert_eq!(text.held_bytes(), text.len() + size_of::<Page>(), "round {round}");
            assert_eq!(text.read_on(&mut mark, &mut read), "the end".len());
            assert_eq!(text.decoded().as_bytes(), read);
        }
    }
}
