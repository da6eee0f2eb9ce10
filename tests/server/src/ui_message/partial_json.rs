//! The value of JSON that has only begun, as clients show the input of a tool while it streams (PROTOCOLS 4.7).

use serde_json::{Map, Value};

/// What the beginning of a JSON text already says; `None` if that is nothing.
pub(super) fn value(text: &str) -> Option<Value> {
    Reader { rest: text, cut: false }.value()
}

struct Reader<'a> {
    rest: &'a str,
    /// The text ended inside a value: whatever is around it ends too.
    cut: bool,
}

impl Reader<'_> {
    fn value(&mut self) -> Option<Value> {
        match self.next_mark()? {
            '{' => Some(self.object()),
            '[' => Some(self.array()),
            '"' => self.string().map(Value::String),
            '-' | '0'..='9' => self.number(),
            _ => self.literal(),
        }
    }

    /// The next character that means something. At the end of the text everything is cut.
    fn next_mark(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
        let next = self.rest.chars().next();
        self.cut |= next.is_none();
        next
    }

    /// Takes this mark if it comes next.
    fn take(&mut self, mark: char) -> bool {
        match self.next_mark() {
            Some(next) if next == mark => {
                self.rest = self.rest.get(mark.len_utf8()..).unwrap_or_default();
                true
            }
            _ => false,
        }
    }

    fn object(&mut self) -> Value {
        let mut members = Map::new();
        self.take('{');
        while self.next_mark() == Some('"') {
            let Some(key) = self.string() else { break };
            // Behind a key that is not whole there is nothing.
            if !self.take(':') {
                break;
            }
            let Some(value) = self.value() else { break };
            members.insert(key, value);
            if self.cut || !self.take(',') {
                break;
            }
        }
        if !self.cut {
            self.take('}');
        }
        Value::Object(members)
    }

    fn array(&mut self) -> Value {
        let mut items = Vec::new();
        self.take('[');
        while !matches!(self.next_mark(), Some(']') | None) {
            let Some(item) = self.value() else { break };
            items.push(item);
            if self.cut || !self.take(',') {
                break;
            }
        }
        if !self.cut {
            self.take(']');
        }
        Value::Array(items)
    }

    /// A string, as far as its last whole character or escape.
    fn string(&mut self) -> Option<String> {
        let mut escaped = false;
        let mut last_escape = 0;
        for (index, character) in self.rest.char_indices().skip(1) {
            match character {
                _ if escaped => escaped = false,
                '\\' => (escaped, last_escape) = (true, index),
                '"' => {
                    let (whole, rest) = self.rest.split_at(index + 1);
                    self.rest = rest;
                    return serde_json::from_str(whole).ok();
                }
                _ => {}
            }
        }
        self.cut = true;
        let open = std::mem::take(&mut self.rest);
        // Only the last escape can be broken.
        let parts = [Some(open), open.get(..last_escape)];
        parts.into_iter().flatten().find_map(|part| serde_json::from_str(&format!("{part}\"")).ok())
    }

    /// A number, without what the end of the text leaves open.
    fn number(&mut self) -> Option<Value> {
        let end = self.rest.find(|next: char| !matches!(next, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'));
        let (digits, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        self.cut |= rest.is_empty();
        (1..=digits.len()).rev().find_map(|length| serde_json::from_str(digits.get(..length)?).ok())
    }

    fn literal(&mut self) -> Option<Value> {
        for (word, value) in [("null", Value::Null), ("true", Value::Bool(true)), ("false", Value::Bool(false))] {
            if let Some(rest) = self.rest.strip_prefix(word) {
                self.rest = rest;
                return Some(value);
            }
            if word.starts_with(self.rest) {
                self.rest = "";
                self.cut = true;
                return Some(value);
            }
        }
        self.cut = true;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_says_what_the_protocol_says_it_does() {
        let pairs = [
            ("nul", "null"),
            ("t", "true"),
            ("fals", "false"),
            ("12.", "12"),
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
        ];
        for (beginning, whole) in pairs {
            assert_eq!(value(beginning), serde_json::from_str(whole).ok(), "{beginning}");
        }
        assert_eq!(value("-"), None);
        assert_eq!(value("[-"), Some(Value::Array(Vec::new())));
        assert_eq!(value(""), None);
    }

    #[test]
    fn every_beginning_of_a_text_says_what_the_ai_sdk_makes_of_it() {
        let fixture = include_str!("../../../fixtures/partial-json.json");
        let fixture: Value = serde_json::from_str(fixture).unwrap();
        let mut beginnings = 0;
        for pair in fixture["texts"].as_array().unwrap() {
            let text = pair[0].as_str().unwrap();
            // Only what a tool of this server may be given: JSON, without halves of surrogate pairs, and without a `+`, which
            // the SDK takes for the end of a number.
            if serde_json::from_str::<Value>(text).is_err() || text.contains(['\\', '+']) {
                continue;
            }
            for (length, repair) in pair[1].as_array().unwrap().iter().enumerate() {
                let first = |count: usize| text.chars().take(count).collect::<String>();
                let whole = match repair[0].as_u64() {
                    Some(kept) => first(kept as usize) + repair[1].as_str().unwrap(),
                    None => first(length),
                };
                assert_eq!(value(&first(length)), serde_json::from_str(&whole).ok(), "{}", first(length));
                beginnings += 1;
            }
        }
        assert!(beginnings > 150, "{beginnings}");
    }

    #[test]
    fn the_whole_text_says_itself_and_no_beginning_of_it_is_refused() {
        let text = "{\"a\":[1,-2.5e3,\"ä\\n\\\"漢\",{\"b\":null,\"c\":[]}],\"d\":{\"e\":true,\"f\":false},\"g\":\"\"}";
        assert_eq!(value(text), serde_json::from_str(text).ok());
        for (length, _) in text.char_indices().skip(1) {
            assert!(value(&text[..length]).is_some_and(|value| value.is_object()), "{length}");
        }
    }
}
