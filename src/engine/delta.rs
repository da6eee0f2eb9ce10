//! What a flush hands to the page: one string for all runs that changed.
//!
//! `head`, a JSON array of run deltas, then a line feed, then `tail`, all appended text in the order in which the head
//! speaks of it. The page splits at the first line feed, parses the head, and takes each `{"add":n}` as the next `n` UTF-16
//! units of the tail: text is decoded once and never escaped. The grammar of a run delta:
//!
//! ```jsonc
//! { "slot": 1,
//!   "reset": true,                                   // forget all parts; everything follows anew
//!   "cut": 3,                                        // first of all, forget the parts from this one on
//!   "parts": [
//!     {"i":0,"part":{"type":"text","seq":0,"state":"streaming"}},   // part i is new, or replaced; its text is empty
//!     {"i":0,"add":12},                                             // append the next 12 units of the tail to part i
//!     {"i":0,"state":"done"},                                       // part i is complete; all of these may be one entry
//!     {"i":0,"set":{"providerMetadata":{}}},                        // members of part i that are new or have another value
//!     {"i":2,"add":9,"close":[1,"\"}"]},                            // the input of a tool, which streams: what came of it is
//!                                                                   // JSON without its last unit and with `"}` behind it
//!     {"i":1,"part":{"type":"tool","callId":"c1","name":"sql","agentName":null,"arguments":"{}","result":null,
//!                    "error":null,"durationMs":null,"state":"running"}} ],
//!   "usage": {}, "metadata": {} }                    // when changed; further members are the run's own
//! ```

use alloc::vec::Vec;

use super::window::recycle;

/// The writer of one flush; reused for the next.
#[derive(Default)]
pub struct Delta {
    head: Vec<u8>,
    tail: Vec<u8>,
    // Where the open run's object begins in the head, and where its first member ends.
    run: usize,
    members: usize,
    is_first: bool,
}

impl Delta {
    /// A writer with nothing written.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether no run has written anything.
    pub fn is_empty(&self) -> bool {
        self.head.is_empty()
    }

    /// Begins the delta of the run in `slot`.
    #[inline(never)]
    pub fn begin(&mut self, slot: u32) {
        self.run = self.head.len();
        self.element("{\"slot\":");
        self.number(u64::from(slot));
        self.members = self.head.len();
    }

    /// Begins the next element of the head's array with `opening`.
    pub fn element(&mut self, opening: &str) {
        self.literal(if self.head.is_empty() { "[" } else { "," });
        self.literal(opening);
    }

    /// Ends the run's delta; one without a member is taken back. Tells whether it stayed.
    pub fn end(&mut self) -> bool {
        if self.head.len() == self.members {
            self.head.truncate(self.run);
            return false;
        }
        self.literal("}");
        true
    }

    /// Begins the member `name` (plain ASCII) of the object that is open and has members already; its value must follow.
    #[inline(never)]
    pub fn key(&mut self, name: &str) {
        let is_first = core::mem::take(&mut self.is_first);
        self.literal(if is_first { "\"" } else { ",\"" });
        self.literal(name);
        self.literal("\":");
    }

    /// Begins an object of which every member is a [`key`](Self::key): that brings a comma, which the first does without.
    pub fn begin_object(&mut self) {
        self.is_first = true;
        self.literal("{");
    }

    /// Ends it.
    pub fn end_object(&mut self) {
        self.is_first = false;
        self.literal("}");
    }

    /// Writes `json` as it is: punctuation, words, names. Must not hold a line feed.
    pub fn literal(&mut self, json: &str) {
        self.push(json.as_bytes());
    }

    // One copy of the code that grows a vector, not one a call.
    #[inline(never)]
    fn push(&mut self, bytes: &[u8]) {
        self.head.extend_from_slice(bytes);
    }

    /// Writes a number.
    #[inline(never)]
    pub fn number(&mut self, number: u64) {
        let mut digits = Digits::default();
        digits.put(number);
        self.push(digits.written());
    }

    /// Writes `mark`, and numbers with commas between them: at once, because there are many such.
    #[inline(never)]
    pub(super) fn numbers(&mut self, mark: u8, numbers: [u64; 3]) {
        let mut digits = Digits::default();
        let [first, rest @ ..] = numbers;
        for number in rest.into_iter().rev() {
            digits.put(number);
            digits.put_byte(b',');
        }
        digits.put(first);
        digits.put_byte(mark);
        self.push(digits.written());
    }

    /// Writes `value`, or `null`.
    pub fn number_or_null(&mut self, value: Option<u64>) {
        match value {
            Some(number) => self.number(number),
            None => self.literal("null"),
        }
    }

    /// Writes valid UTF-8 as a JSON string.
    pub fn string(&mut self, utf8: &[u8]) {
        self.literal("\"");
        self.escaped(utf8);
        self.literal("\"");
    }

    /// Writes valid UTF-8 as the contents of a JSON string, or a stretch of them.
    #[inline(never)]
    pub fn escaped(&mut self, mut utf8: &[u8]) {
        let is_special = |&byte: &u8| byte < 0x20 || byte == b'"' || byte == b'\\';
        while let Some((run, [byte, rest @ ..])) =
            utf8.iter().position(is_special).and_then(|at| utf8.split_at_checked(at))
        {
            self.push(run);
            match byte {
                b'"' | b'\\' => self.push(&[b'\\', *byte]),
                _ => self.unit(u16::from(*byte)),
            }
            utf8 = rest;
        }
        self.push(utf8);
    }

    /// Writes a UTF-16 unit as an escape.
    pub fn unit(&mut self, unit: u16) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let digit = |shift: u16| HEX.get(usize::from(unit >> shift & 15)).copied().unwrap_or(b'0');
        self.push(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
    }

    /// Takes back the brace that closed the last object: more members follow.
    pub fn reopen(&mut self) {
        self.head.pop();
    }

    /// Writes `value` as a JSON string, or `null`.
    pub fn string_or_null(&mut self, value: Option<&[u8]>) {
        match value {
            Some(utf8) => self.string(utf8),
            None => self.literal("null"),
        }
    }

    /// Writes the contents of a JSON string, escapes as they came, as a JSON string.
    pub fn quoted(&mut self, contents: &[u8]) {
        self.literal("\"");
        self.push(contents);
        self.literal("\"");
    }

    /// Writes raw JSON that was validated. Its line feeds, which can only be white space, become spaces: the head is one line.
    #[inline(never)]
    pub fn raw(&mut self, json: &[u8]) {
        let start = self.head.len();
        self.push(json);
        for byte in self.head.iter_mut().skip(start) {
            if *byte == b'\n' {
                *byte = b' ';
            }
        }
    }

    /// Moves in what `fragment` holds: JSON that was written piece by piece before its place was open.
    pub fn splice(&mut self, fragment: &mut Self) {
        self.head.append(&mut fragment.head);
        fragment.clear();
    }

    /// Adds elements to the array that are no run's: written before, with commas between them.
    pub fn splice_elements(&mut self, fragment: &mut Self) {
        if !fragment.is_empty() {
            self.literal(if self.head.is_empty() { "[" } else { "," });
            self.splice(fragment);
        }
    }

    /// Where appended text goes; only what the head announces as `add` may be written.
    pub(super) fn tail_mut(&mut self) -> &mut Vec<u8> {
        &mut self.tail
    }

    /// The whole flush, valid UTF-8; empty if nothing changed. Call once, then [`clear`](Self::clear).
    pub fn finish(&mut self) -> &[u8] {
        if !self.head.is_empty() {
            self.head.extend_from_slice(b"]\n");
            self.head.append(&mut self.tail);
        }
        &self.head
    }

    /// What was written, for those who write something else than a flush.
    pub(super) fn into_head(self) -> Vec<u8> {
        self.head
    }

    /// Makes room for the next flush.
    pub fn clear(&mut self) {
        recycle(&mut self.head);
        recycle(&mut self.tail);
    }
}

/// Digits, written from the last to the first: room for three numbers.
struct Digits {
    bytes: [u8; 64],
    at: usize,
}

impl Default for Digits {
    fn default() -> Self {
        Self { bytes: [0; 64], at: 64 }
    }
}

impl Digits {
    fn put(&mut self, number: u64) {
        let mut rest = number;
        // A division of 64 bits costs ten times one of 32, and most numbers are small.
        while rest > u64::from(u32::MAX) {
            self.put_byte(b'0' + (rest % 10) as u8);
            rest /= 10;
        }
        let mut rest = rest as u32;
        loop {
            self.put_byte(b'0' + (rest % 10) as u8);
            rest /= 10;
            if rest == 0 {
                return;
            }
        }
    }

    fn put_byte(&mut self, byte: u8) {
        self.at = self.at.saturating_sub(1);
        if let Some(slot) = self.bytes.get_mut(self.at) {
            *slot = byte;
        }
    }

    fn written(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_json() {
        let mut delta = Delta::new();
        delta.begin(42);
        delta.key("numbers");
        delta.literal("[");
        for number in [0, 7, 10, 1_712_345_678_001, u64::MAX] {
            delta.number(number);
            delta.literal(",");
        }
        delta.number_or_null(None);
        delta.literal("]");
        delta.key("text");
        delta.string("\"\\\u{0}\u{1f}\n é😀\u{7f}".as_bytes());
        delta.key("none");
        delta.string_or_null(None);
        assert!(delta.end());
        let flush = core::str::from_utf8(delta.finish()).unwrap().to_owned();
        let (head, tail) = flush.split_once('\n').unwrap();
        assert_eq!(tail, "");
        let value: serde_json::Value = serde_json::from_str(head).unwrap();
        let expected = serde_json::json!([{ "slot": 42, "numbers": [0, 7, 10, 1_712_345_678_001_u64, u64::MAX, null],
            "text": "\"\\\u{0}\u{1f}\n é😀\u{7f}", "none": null }]);
        assert_eq!(value, expected);
    }

    #[test]
    fn three_numbers_are_written_at_once() {
        let mut delta = Delta::new();
        delta.numbers(b'[', [0, 4_294_967_295, 4_294_967_296]);
        delta.numbers(b',', [u64::MAX; 3]);
        delta.literal("]");
        let max = u64::MAX;
        assert_eq!(delta.into_head(), std::format!("[0,4294967295,4294967296,{max},{max},{max}]").into_bytes());
    }

    #[test]
    fn a_run_without_news_leaves_no_trace() {
        let mut delta = Delta::new();
        delta.begin(1);
        assert!(!delta.end());
        assert!(delta.is_empty());
        assert!(delta.finish().is_empty());
        for slot in 0..4 {
            delta.begin(slot);
            if slot % 2 == 1 {
                delta.key("end");
                delta.literal("true");
            }
            assert_eq!(delta.end(), slot % 2 == 1);
        }
        assert_eq!(delta.finish(), b"[{\"slot\":1,\"end\":true},{\"slot\":3,\"end\":true}]\n");
    }

    #[test]
    fn one_long_flush_does_not_hold_memory_for_ever() {
        let mut delta = Delta::new();
        delta.begin(1);
        delta.tail_mut().resize(4 << 20, b'x');
        delta.key("parts");
        delta.literal("[]");
        delta.end();
        assert!(delta.finish().len() > 4 << 20);
        delta.clear();
        assert!(delta.head.capacity() + delta.tail.capacity() <= 128 * 1024 && delta.is_empty());
    }
}
