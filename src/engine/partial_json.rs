//! What a JSON text that is still coming says so far: the input of a tool, shown while the model writes it.
//!
//! The answer is the AI SDK's (PROTOCOLS 4.7). It parses all that came; if that fails, it cuts the text behind its last sound
//! part, closes what is open and parses that; if that fails too, there is no value. It starts anew for each piece; a
//! [`PartialJson`] goes on where it stopped.
//!
//! The cut has rules of its own, and they are kept to the letter:
//!
//! * What it does not expect it skips. What was skipped is behind the cut, or else it spoils the parse.
//! * In an array, whatever follows a value is kept.
//! * A key ends at its first quote, even an escaped one. A colon between that and the key's real end sets it reading askew.
//! * A number ends at a `+`: `1e+5` is 1 until something behind it is kept.
//!
//! The last two spoil texts that are JSON, such as `{"a\":b":1}` and a bare `1e+5`, so the cut cannot stand in for the first
//! parse. Beside it goes a second machine (`whole_json`), which knows when the text is JSON as it stands: then all of it is kept,
//! trailing white space too, and nothing closes it.
//!
//! Two things differ. A text that ends inside a character counts as ending in front of it, where JavaScript has half a
//! surrogate pair. And the AI SDK refuses an object with a member `__proto__`, or with a `constructor` that has a `prototype`: that
//! is said of values, not of texts, so it is left to whoever parses.

use alloc::vec::Vec;

use super::simd;
use super::whole_json::{WholeJson, literal, rest_of_literal};

/// Follows a JSON text that comes in pieces. It holds none of the text, only two bytes for each level that is open.
#[derive(Default)]
pub struct PartialJson {
    state: State,
    open: Vec<u8>,
    fed: usize,
    kept: usize,
    /// The first byte of the character that is coming, and how many bytes of it are missing.
    lead: u8,
    missing: u8,
    whole: WholeJson,
}

#[derive(Clone, Copy, Default)]
enum State {
    /// In front of a value.
    #[default]
    Value,
    /// Behind `[`.
    FirstElement,
    /// Behind `{`.
    FirstKey,
    /// In front of a key.
    Key,
    /// Inside a key.
    KeyText,
    /// Behind a key.
    Colon,
    /// Behind a value.
    Separator,
    /// Inside a string.
    Text,
    /// Behind a backslash in it.
    Escape,
    /// Behind `\u`, with so many hex digits to come.
    Hex(u8),
    Number,
    /// Inside a literal or at its end; what is missing is [`rest_of_literal`].
    Literal(u8),
}

impl PartialJson {
    /// Nothing came yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// More of the text came, in UTF-8 that may be cut anywhere. Costs as much as `piece` is long.
    pub fn feed(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while let Some((&byte, behind)) = rest.split_first() {
            rest = behind;
            self.feed_byte(byte);
            // Most of what comes is inside strings, where nothing happens for long.
            if matches!(self.state, State::Text) && self.missing == 0 && self.whole.is_indifferent_to_text() {
                let run = plain_run(rest);
                if run > 0 {
                    self.fed += run;
                    self.kept = self.fed;
                }
                rest = rest.get(run..).unwrap_or(&[]);
            }
        }
    }

    /// How many bytes of all that was fed are kept.
    pub fn kept(&self) -> usize {
        if self.whole.is_whole() { self.fed } else { self.kept }
    }

    /// Writes what closes the kept bytes: the rest of a literal, quotes, brackets.
    pub fn write_closing(&self, out: &mut Vec<u8>) {
        if self.whole.is_whole() {
            return;
        }
        match self.state {
            State::Text | State::Escape | State::Hex(_) => out.push(b'"'),
            State::Literal(at) => out.extend_from_slice(rest_of_literal(at)),
            _ => {}
        }
        for bracket in self.open.iter().rev() {
            out.push(if *bracket == b'{' { b'}' } else { b']' });
        }
    }

    /// Whether nothing is there to parse: there is no value then.
    pub fn is_empty(&self) -> bool {
        self.kept() == 0
    }

    fn feed_byte(&mut self, byte: u8) {
        self.fed += 1;
        self.whole.feed(byte);
        match byte {
            0xC0.. => {
                self.lead = byte;
                self.missing = 1 + u8::from(byte >= 0xE0) + u8::from(byte >= 0xF0);
            }
            0x80.. if self.missing > 1 => self.missing -= 1,
            0x80.. => {
                self.missing = 0;
                self.take(self.lead);
                // Two units of UTF-16: the first may end a number, and the second is then kept behind it.
                if self.lead >= 0xF0 {
                    self.take(self.lead);
                }
            }
            _ => {
                self.missing = 0;
                self.take(byte);
            }
        }
    }

    /// One unit of UTF-16; of those beyond ASCII it only counts that they are.
    #[inline(never)]
    fn take(&mut self, unit: u8) {
        let mut is_kept = true;
        let mut skip = |state| {
            is_kept = false;
            state
        };
        self.state = match self.state {
            State::FirstElement if unit == b']' => self.close(),
            State::FirstKey if unit == b'}' => self.close(),
            State::Value | State::FirstElement => match unit {
                b'"' => State::Text,
                b't' | b'f' | b'n' => State::Literal(literal(unit)),
                b'0'..=b'9' => State::Number,
                b'{' => self.open(unit, State::FirstKey),
                b'[' => self.open(unit, State::FirstElement),
                b'-' => skip(State::Number),
                _ => skip(self.state),
            },
            State::FirstKey | State::Key if unit == b'"' => skip(State::KeyText),
            State::KeyText if unit == b'"' => skip(State::Colon),
            State::Colon if unit == b':' => skip(State::Value),
            State::FirstKey | State::Key | State::KeyText | State::Colon => skip(self.state),
            State::Text => match unit {
                b'"' => State::Separator,
                b'\\' => skip(State::Escape),
                _ => State::Text,
            },
            State::Escape if unit == b'u' => skip(State::Hex(4)),
            State::Escape => State::Text,
            State::Hex(_) if !unit.is_ascii_hexdigit() => skip(self.state),
            State::Hex(1) => State::Text,
            State::Hex(left) => skip(State::Hex(left.saturating_sub(1))),
            State::Number if unit.is_ascii_digit() => State::Number,
            State::Number if matches!(unit, b'e' | b'E' | b'-' | b'.') => skip(State::Number),
            State::Literal(at) if rest_of_literal(at).first() == Some(&unit) => State::Literal(at.wrapping_add(1)),
            State::Separator | State::Number | State::Literal(_) => match (self.open.last(), unit) {
                (Some(b'{'), b',') => skip(State::Key),
                (Some(b'['), b',') => skip(State::Value),
                (Some(b'{'), b'}') | (Some(b'['), b']') => self.close(),
                (Some(b'['), _) if matches!(self.state, State::Separator) => State::Separator,
                _ => skip(State::Separator),
            },
        };
        if is_kept {
            self.kept = self.fed;
        }
    }

    #[inline(never)]
    fn open(&mut self, bracket: u8, state: State) -> State {
        self.open.push(bracket);
        state
    }

    #[inline(never)]
    fn close(&mut self) -> State {
        self.open.pop();
        State::Separator
    }
}

/// How many bytes at the start of `bytes` are whole characters that mean nothing in a string but themselves.
fn plain_run(bytes: &[u8]) -> usize {
    if let Some((stop, _)) = simd::string_stop(bytes, 0) {
        return stop;
    }
    // The last character may not be there in full.
    let tail = bytes.iter().rev().take(3).take_while(|byte| **byte & 0xC0 == 0x80).count();
    let last = bytes.len().saturating_sub(tail + 1);
    if bytes.get(last).is_some_and(|byte| *byte >= 0xC0) { last } else { bytes.len() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (usize, Vec<u8>) {
        let mut partial = PartialJson::new();
        for piece in pieces {
            partial.feed(piece);
        }
        let mut closing = Vec::new();
        partial.write_closing(&mut closing);
        assert_eq!(partial.is_empty(), partial.kept() == 0 && closing.is_empty());
        (partial.kept(), closing)
    }

    /// The text to be parsed.
    fn repaired(text: &str) -> String {
        let (kept, closing) = answer([text.as_bytes()]);
        text[..kept].to_owned() + core::str::from_utf8(&closing).unwrap()
    }

    #[test]
    fn pairs_of_the_protocol() {
        for (text, expected) in [
            ("nul", "null"),
            ("t", "true"),
            ("fals", "false"),
            ("12.", "12"),
            ("-", ""),
            ("2.5e-", "2.5"),
            ("12.e", "12"),
            ("\"abc", "\"abc\""),
            ("\"value with \\", "\"value with \""),
            ("\"\\u12", "\"\""),
            ("{\"a\":\"\\u12", "{\"a\":\"\"}"),
            ("[", "[]"),
            ("[1, ", "[1]"),
            ("[[1], [2", "[[1], [2]]"),
            ("[[false], [nu", "[[false], [null]]"),
            ("{\"key\":", "{}"),
            ("{\"ke", "{}"),
            ("{\"k1\": 1, \"k2", "{\"k1\": 1}"),
            ("{\"k1\": 1, \"k2\":", "{\"k1\": 1}"),
            ("{\"key\": \"value\"  ", "{\"key\": \"value\"}"),
            ("{\"a\": {\"b\": [\"c\", {\"d\": \"e\",", "{\"a\": {\"b\": [\"c\", {\"d\": \"e\"}]}}"),
            ("{\"a\": 1, \"b\": \"", "{\"a\": 1, \"b\": \"\"}"),
            ("", ""),
        ] {
            assert_eq!(repaired(text), expected, "{text}");
        }
    }

    #[test]
    fn every_prefix_is_what_the_ai_sdk_makes_of_it() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/fixtures/partial-json.json")).unwrap();
        let mut count = 0;
        for entry in file["texts"].as_array().unwrap() {
            let text = entry[0].as_str().unwrap();
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            let answers = entry[1].as_array().unwrap();
            assert_eq!(answers.len(), text.chars().count() + 1);
            for (end, answer) in ends.zip(answers) {
                let prefix = &text[..end];
                let expected = match answer.as_array() {
                    None => prefix.to_owned(),
                    Some(cut) => {
                        let same = cut[0].as_u64().unwrap() as usize;
                        prefix.chars().take(same).collect::<String>() + cut[1].as_str().unwrap()
                    }
                };
                assert_eq!(repaired(prefix), expected, "{prefix}");
                count += 1;
            }
        }
        assert!(count > 800, "{count}");
    }

    #[test]
    fn a_whole_text_is_kept_even_where_the_cut_reads_it_askew() {
        for (text, one_less, one_more) in [
            (r#"{"a\":b": 1}"#, r#"{"a\":b": 1"}"#, r#"{"a\":b": 1},"}"#),
            (r#"[{"\":": true}]"#, r#"[{"\":": true}"}]"#, r#"[{"\":": true}],"}]"#),
            ("1e+5", "1", "1"),
        ] {
            assert_eq!(repaired(&text[..text.len() - 1]), one_less);
            assert_eq!(repaired(text), text);
            assert_eq!(repaired(&format!("{text} \n")), format!("{text} \n"));
            assert_eq!(repaired(&format!("{text},")), one_more);
        }
    }

    #[test]
    fn a_character_counts_when_all_of_it_came() {
        let text = "\"é€😀";
        for (end, kept) in [(1, 1), (2, 1), (3, 3), (4, 3), (5, 3), (6, 6), (7, 6), (9, 6), (10, 10)] {
            assert_eq!(answer([&text.as_bytes()[..end]]), (kept, b"\"".to_vec()), "{end}");
            assert_eq!(answer(text.as_bytes()[..end].chunks(1)), (kept, b"\"".to_vec()), "{end}");
        }
    }

    #[test]
    fn nesting_has_no_limit() {
        let (kept, closing) = answer([b"[{\"a\":".repeat(200_000).as_slice()]);
        assert_eq!(kept, 1_200_000 - 4);
        assert_eq!(closing, b"}]".repeat(200_000));
    }

    /// JSON, nearly JSON, and what is far from it.
    fn any_text() -> impl Strategy<Value = String> {
        let token = proptest::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\\",
            "\\\"",
            "\\u",
            "\\u00e9",
            "0",
            "12",
            "-",
            "+",
            ".",
            "e",
            "E",
            "t",
            "true",
            "fal",
            "null",
            "n",
            "\"key\":",
            "\"text\",",
            "\"a\\\":b\":",
            " ",
            "\n",
            "\0",
            "é",
            "€",
            "😀",
            "plain text of some length",
        ]);
        proptest::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(text in any_text(), sizes in proptest::collection::vec(0..24_usize, 1..20)) {
            let mut rest = text.as_bytes();
            let mut pieces = Vec::new();
            for size in sizes.into_iter().cycle().take(2000) {
                let (piece, behind) = rest.split_at(size.min(rest.len()));
                pieces.push(piece);
                rest = behind;
            }
            pieces.push(rest);
            prop_assert_eq!(answer(pieces), answer([text.as_bytes()]));
            prop_assert_eq!(answer(text.as_bytes().chunks(1)), answer([text.as_bytes()]));
        }

        #[test]
        fn no_bytes_make_it_panic_or_keep_what_never_came(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let quoted = [b"[\"", bytes.as_slice()].concat();
            for bytes in [bytes, quoted] {
                prop_assert!(answer([bytes.as_slice()]).0 <= bytes.len());
                prop_assert!(answer(bytes.chunks(1)).0 <= bytes.len());
            }
        }
    }
}
