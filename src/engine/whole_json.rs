//! Whether a JSON text that comes in pieces is whole: all of it, and nothing but, what `JSON.parse` accepts.
//!
//! [`json`](super::json) answers that for a text that lies in memory, by reading it from its start. Here each byte is looked
//! at once, when it comes. UTF-8 is not checked: a byte beyond ASCII may stand in a string and nowhere else.

use alloc::vec::Vec;

/// Follows one text by the grammar.
#[derive(Default)]
pub(super) struct WholeJson {
    expected: Expected,
    /// The string that is being read is a member's key.
    is_key: bool,
    /// The opening brackets of what is open: a byte for each level, and no more levels than bytes came.
    open: Vec<u8>,
}

/// What may come next.
#[derive(Clone, Copy, Default)]
enum Expected {
    #[default]
    Value,
    /// A value or `]`.
    FirstElement,
    /// A key or `}`.
    FirstKey,
    Key,
    Colon,
    /// What follows a value.
    Separator,
    /// More of a string.
    Text,
    /// What follows a backslash.
    Escape,
    /// So many hex digits.
    Hex(u8),
    /// What is missing of a literal, which is [`rest_of_literal`].
    Literal(u8),
    /// More of a number, or what follows it.
    Number(Part),
    /// Nothing that could come makes it JSON.
    Never,
}

/// How far a number has come.
#[derive(Clone, Copy)]
enum Part {
    Start,
    Minus,
    /// A zero that no digit may follow.
    Zero,
    Integer,
    Point,
    Fraction,
    E,
    ESign,
    Exponent,
}

impl Part {
    fn then(self, byte: u8) -> Option<Self> {
        use Part::*;
        Some(match (self, byte) {
            (Start, b'-') => Minus,
            (Start | Minus, b'0') => Zero,
            (Start | Minus | Integer, b'0'..=b'9') => Integer,
            (Zero | Integer, b'.') => Point,
            (Point | Fraction, b'0'..=b'9') => Fraction,
            (Zero | Integer | Fraction, b'e' | b'E') => E,
            (E, b'+' | b'-') => ESign,
            (E | ESign | Exponent, b'0'..=b'9') => Exponent,
            _ => return None,
        })
    }

    fn may_end(self) -> bool {
        matches!(self, Self::Zero | Self::Integer | Self::Fraction | Self::Exponent)
    }
}

impl WholeJson {
    /// One byte more.
    pub fn feed(&mut self, byte: u8) {
        use Expected::*;
        self.expected = match self.expected {
            Text => match byte {
                b'"' if self.is_key => Colon,
                b'"' => Separator,
                b'\\' => Escape,
                ..b' ' => Never,
                _ => Text,
            },
            Escape => match byte {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Text,
                b'u' => Hex(4),
                _ => Never,
            },
            Hex(_) if !byte.is_ascii_hexdigit() => Never,
            Hex(1) => Text,
            Hex(left) => Hex(left.saturating_sub(1)),
            Literal(at) if rest_of_literal(at).first() != Some(&byte) => Never,
            Literal(at) if rest_of_literal(at).len() > 1 => Literal(at.wrapping_add(1)),
            Literal(_) => Separator,
            Number(part) => match part.then(byte) {
                Some(part) => Number(part),
                None if part.may_end() => self.separate(byte),
                None => Never,
            },
            Separator => self.separate(byte),
            Value | FirstElement | FirstKey | Key | Colon if is_space(byte) => self.expected,
            FirstElement if byte == b']' => self.close(),
            Value | FirstElement => match byte {
                b'"' => self.string(false),
                b't' | b'f' | b'n' => Literal(literal(byte)),
                b'{' => self.open(byte, FirstKey),
                b'[' => self.open(byte, FirstElement),
                _ => Part::Start.then(byte).map_or(Never, Number),
            },
            FirstKey if byte == b'}' => self.close(),
            FirstKey | Key if byte == b'"' => self.string(true),
            Colon if byte == b':' => Value,
            FirstKey | Key | Colon | Never => Never,
        };
    }

    /// Whether all that came is one JSON text.
    pub fn is_whole(&self) -> bool {
        use Expected::*;
        self.open.is_empty()
            && match self.expected {
                Number(part) => part.may_end(),
                Separator => true,
                _ => false,
            }
    }

    /// Whether what may stand in a string as it is would change nothing here.
    pub fn is_indifferent_to_text(&self) -> bool {
        matches!(self.expected, Expected::Text | Expected::Never)
    }

    fn separate(&mut self, byte: u8) -> Expected {
        match (self.open.last(), byte) {
            _ if is_space(byte) => Expected::Separator,
            (Some(b'{'), b',') => Expected::Key,
            (Some(b'['), b',') => Expected::Value,
            (Some(b'{'), b'}') | (Some(b'['), b']') => self.close(),
            _ => Expected::Never,
        }
    }

    #[inline(never)]
    fn open(&mut self, bracket: u8, expected: Expected) -> Expected {
        self.open.push(bracket);
        expected
    }

    #[inline(never)]
    fn close(&mut self) -> Expected {
        self.open.pop();
        Expected::Separator
    }

    fn string(&mut self, is_key: bool) -> Expected {
        self.is_key = is_key;
        Expected::Text
    }
}

/// Stands for the literal that begins with `first`, with all but this letter missing; each letter that comes adds one.
pub(super) fn literal(first: u8) -> u8 {
    match first {
        b't' => 0,
        b'f' => 4,
        _ => 9,
    }
}

/// What is missing of a literal.
pub(super) fn rest_of_literal(at: u8) -> &'static [u8] {
    let rest = b"rue,alse,ull,".get(usize::from(at)..).unwrap_or(&[]);
    rest.split(|byte| *byte == b',').next().unwrap_or(&[])
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_whole(text: &[u8]) -> bool {
        let mut json = WholeJson::default();
        text.iter().for_each(|byte| json.feed(*byte));
        json.is_whole()
    }

    #[test]
    fn grammar_is_kept_to_the_letter() {
        for good in [
            "0",
            "-0",
            "10",
            "1.50",
            "-1e5",
            "0E+1",
            "12.5e-07",
            "true",
            " false ",
            "null",
            "\"\"",
            "\"\\u00e9\\n\u{7f}é\"",
            "[]",
            "{}",
            "[ ]",
            "{ }",
            "[1,[2],{\"a\":3}]",
            "{\"a\":{\"b\":[]},\"a\":1}",
            "\r\n\t[1 , 2 ]\r\n\t",
            "{\"\\\":\" : \"\\\\\" }",
        ] {
            assert!(is_whole(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            " ",
            "-",
            "00",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "1e+",
            "1.e5",
            "1.2.3",
            "1-",
            "--1",
            "0x1",
            "tru",
            "truee",
            "nulll",
            "fa lse",
            "True",
            "\"",
            "\"\\",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\\u123\"",
            "\"\n\"",
            "\"\u{1f}\"",
            "'a'",
            "[",
            "]",
            "[1",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[}",
            "[1}",
            "[1]]",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{,}",
            "{a:1}",
            "{1:1}",
            "{\"a\" 1}",
            "{\"a\":1]",
            "{\"a\":1 \"b\":2}",
            "{\"a\"::1}",
            "1 2",
            "{}{}",
            "{},",
            "\u{feff}1",
            "\u{a0}1",
            "1\u{a0}",
            "NaN",
        ] {
            assert!(!is_whole(bad.as_bytes()), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn each_prefix_is_whole_exactly_when_serde_accepts_it(
            text in "[ \n]{0,2}[\\[{]{0,2}(\"[a\\\\\"u0-9é]{0,6}\"|-?[0-9.eE+-]{1,6}|true|false|null|[\\[\\]{},: ]{1,3}){1,8}[\\]} ]{0,3}",
        ) {
            for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
                // The text alone: serde refuses some numbers and halves of surrogate pairs once it makes values of them.
                let accepted = serde_json::from_str::<&serde_json::value::RawValue>(&text[..end]).is_ok();
                prop_assert_eq!(is_whole(&text.as_bytes()[..end]), accepted, "{}", &text[..end]);
            }
        }

        #[test]
        fn json_with_a_byte_changed_is_whole_exactly_when_serde_accepts_it(
            texts in proptest::collection::vec(".{0,8}", 1..4), number in any::<f64>(), at in any::<proptest::sample::Index>(),
            byte in proptest::sample::select(b"\"\\{}[]:,0-.eE+ tfnu\n\x01".to_vec()), how in 0..4_u8,
        ) {
            let value = serde_json::json!({ "a": texts, "b\"": [1.5e300, -0, {}, [], null], "c": { "\\": number, "d": [true, false] } });
            let mut json = serde_json::to_vec(&value).unwrap();
            let at = at.index(json.len());
            match how {
                0 => json[at] = byte,
                1 => json.insert(at, byte),
                2 => { json.remove(at); }
                _ => {}
            }
            if let Ok(text) = core::str::from_utf8(&json) {
                prop_assert_eq!(is_whole(&json), serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok(), "{}", text);
            }
        }
    }
}
