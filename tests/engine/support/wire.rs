//! How a server writes frames: the same payload in every shape that is allowed.

use std::fmt::Write as _;

use serde_json::Value;
use steadystream::engine::rng::Rng;

/// The members of a payload, in order.
pub type Payload = Vec<(&'static str, Field)>;

/// The value of one member.
#[derive(Clone, Debug)]
pub enum Field {
    /// A string in UTF-16, which may end in half a surrogate pair.
    Text(Vec<u16>),
    /// An object of such members.
    Object(Vec<(&'static str, Field)>),
    /// Any other value.
    Json(Value),
}

/// One way to write SSE and JSON.
#[derive(Clone, Copy, Debug)]
pub struct Wire {
    /// LF, CRLF or CR (P-1).
    pub newline: &'static str,
    /// Whether all that is not ASCII is written as `\u` escapes.
    pub ascii: bool,
    /// Whether the time comes before the rest of the payload.
    pub time_first: bool,
    /// Whether JSON has spaces, and whether the SSE field has one after its colon (P-3).
    pub spaced: bool,
    /// Whether the payload is spread over several `data:` lines (P-3).
    pub many_lines: bool,
}

impl Wire {
    /// What the bichat server writes (PROTOCOLS 1.1).
    pub const BICHAT: Self = Self { newline: "\n", ascii: false, time_first: false, spaced: false, many_lines: false };

    /// Some way to write, by chance.
    pub fn random(rng: &mut Rng) -> Self {
        let mut coin = || rng.up_to(1) == 1;
        let newline = if coin() { "\n" } else { ["\r\n", "\r"][usize::from(coin())] };
        Self { newline, ascii: coin(), time_first: coin(), spaced: coin(), many_lines: coin() && coin() }
    }

    /// A comment line.
    pub fn comment(&self, text: &str) -> Vec<u8> {
        [": ", text, self.newline, self.newline].concat().into_bytes()
    }

    /// A frame with a payload of this type.
    pub fn frame(&self, id: Option<&str>, name: &str, payload: &Payload, run: &str, unix_ms: u64) -> Vec<u8> {
        let mut members = vec![("type", Field::Json(name.into()))];
        members.extend(payload.iter().cloned());
        members.insert(usize::from(!self.time_first) * members.len(), ("timestamp", Field::Json(unix_ms.into())));
        if !run.is_empty() {
            members.push(("runId", Field::Json(run.into())));
        }
        self.raw_frame(id, name, &self.object(&members))
    }

    /// A frame with any data, valid or not.
    pub fn raw_frame(&self, id: Option<&str>, name: &str, data: &str) -> Vec<u8> {
        let mut frame = String::new();
        let mut line = |field: &str, value: &str| {
            frame.push_str(field);
            frame.push_str(if self.spaced { ":" } else { ": " });
            frame.push_str(value);
            frame.push_str(self.newline);
        };
        if let Some(id) = id {
            line("id", id);
        }
        line("event", name);
        data.split('\n').for_each(|data| line("data", data));
        frame.push_str(self.newline);
        frame.into_bytes()
    }

    /// A JSON object.
    pub fn object(&self, members: &[(&str, Field)]) -> String {
        let (colon, comma) = if self.spaced { (" : ", " , ") } else { (":", ",") };
        let comma = if self.many_lines { ",\n" } else { comma };
        let mut json = String::from("{");
        for (place, (key, value)) in members.iter().enumerate() {
            if place > 0 {
                json.push_str(comma);
            }
            json.push_str(&self.quote(&key.encode_utf16().collect::<Vec<_>>()));
            json.push_str(colon);
            match value {
                Field::Text(text) => json.push_str(&self.quote(text)),
                Field::Object(members) => json.push_str(&Self { many_lines: false, ..*self }.object(members)),
                Field::Json(value) => json.push_str(&self.value(value)),
            }
        }
        json.push('}');
        json
    }

    fn value(&self, value: &Value) -> String {
        match value {
            Value::String(text) => self.quote(&text.encode_utf16().collect::<Vec<_>>()),
            Value::Object(members) => {
                let members = members.iter().map(|(key, value)| (key.as_str(), Field::Json(value.clone())));
                Self { many_lines: false, ..*self }.object(&members.collect::<Vec<_>>())
            }
            other => other.to_string(),
        }
    }

    /// A JSON string; half a pair is written as an escape, as `JSON.stringify` does.
    fn quote(&self, units: &[u16]) -> String {
        let mut json = String::from("\"");
        for decoded in char::decode_utf16(units.iter().copied()) {
            match decoded {
                Ok('"') => json.push_str("\\\""),
                Ok('\\') => json.push_str("\\\\"),
                Ok('\n') => json.push_str("\\n"),
                Ok('\t') => json.push_str("\\t"),
                Ok('/') if self.spaced => json.push_str("\\/"),
                Ok(symbol) if symbol < ' ' || (self.ascii && !symbol.is_ascii()) => {
                    for unit in symbol.encode_utf16(&mut [0; 2]) {
                        let _ = write!(json, "\\u{unit:04x}");
                    }
                }
                Ok(symbol) => json.push(symbol),
                Err(half) => {
                    let _ = write!(json, "\\u{:04X}", half.unpaired_surrogate());
                }
            }
        }
        json.push('"');
        json
    }
}

#[test]
fn every_way_to_write_is_valid_json_of_the_same_value() {
    let payload = vec![
        ("content", Field::Text("a\"\\/\n\u{1}é🏳️‍🌈".encode_utf16().collect())),
        ("tool", Field::Json(serde_json::json!({ "n": 1.5, "s": "ж", "list": [1, null] }))),
    ];
    for seed in 0..100 {
        let wire = Wire::random(&mut Rng::seeded(seed));
        let frame =
            String::from_utf8(wire.frame(Some("1-0"), "content", &payload, "r", 7)).expect("a String was written");
        let lines = frame.split(wire.newline).filter_map(|line| line.strip_prefix("data:"));
        let data: Vec<&str> = lines.collect();
        let value: Value = serde_json::from_str(&data.join("\n")).expect(&frame);
        let expected = serde_json::json!({
            "type": "content", "content": "a\"\\/\n\u{1}é🏳️‍🌈", "tool": { "n": 1.5, "s": "ж", "list": [1, null] },
            "timestamp": 7, "runId": "r",
        });
        assert_eq!(value, expected);
    }
}
