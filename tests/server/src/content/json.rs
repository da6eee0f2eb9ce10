//! JSON as servers write it: members in the order of a struct, strings in the escapes of a recipe.

use bytes::Bytes;
use serde_json::Value;

use super::{Delta, JsonStyle};

/// The JSON string for `text`, quotes included, in the given style.
pub(crate) fn json_string(text: &str, style: JsonStyle) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    escape(text, style, &mut out);
    out.push('"');
    out
}

/// Escapes what the style wants escaped, and what JSON demands.
fn escape(text: &str, style: JsonStyle, out: &mut String) {
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' => unit(character as u16, out),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' if style == JsonStyle::Html => unit(character as u16, out),
            _ if style == JsonStyle::Ascii && !character.is_ascii() => {
                for &code in character.encode_utf16(&mut [0; 2]).iter() {
                    unit(code, out);
                }
            }
            _ => out.push(character),
        }
    }
}

/// Writes one UTF-16 code unit as `\uXXXX`.
fn unit(code: u16, out: &mut String) {
    out.push_str(&format!("\\u{code:04x}"));
}

/// The JSON string for a delta, with half of a surrogate pair at either end if it was split there.
pub(crate) fn delta_string(delta: &Delta, style: JsonStyle) -> String {
    if !delta.opens_low && delta.ends_high.is_none() {
        return json_string(&delta.text, style);
    }
    let mut out = String::from("\"");
    let mut chars = delta.text.chars();
    if delta.opens_low
        && let Some([_, low]) = chars.next().map(surrogates)
    {
        unit(low, &mut out);
    }
    escape(chars.as_str(), style, &mut out);
    if let Some([high, _]) = delta.ends_high.map(surrogates) {
        unit(high, &mut out);
    }
    out.push('"');
    out
}

fn surrogates(character: char) -> [u16; 2] {
    let mut pair = [0; 2];
    character.encode_utf16(&mut pair);
    pair
}

/// Any JSON value with its strings in the given style.
pub(crate) fn json_value(value: &Value, style: JsonStyle) -> String {
    match value {
        Value::String(text) => json_string(text, style),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(|item| json_value(item, style)).collect::<Vec<_>>().join(","))
        }
        Value::Object(members) => {
            let mut object = Object::new(style);
            for (key, member) in members {
                object.raw(key, &json_value(member, style));
            }
            object.close()
        }
        plain => plain.to_string(),
    }
}

/// A JSON object under construction.
pub(crate) struct Object {
    json: String,
    style: JsonStyle,
    name: &'static str,
}

impl Object {
    /// An object without members.
    pub(crate) fn new(style: JsonStyle) -> Self {
        Self { json: String::from("{"), style, name: "" }
    }

    /// The `type`, which is the event's name too.
    pub(crate) fn typed(&mut self, name: &'static str) -> &mut Self {
        self.name = name;
        self.text("type", name)
    }

    /// The `type` that was set.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// A member that is text.
    pub(crate) fn text(&mut self, key: &str, text: &str) -> &mut Self {
        let json = json_string(text, self.style);
        self.raw(key, &json)
    }

    /// A member that is a number.
    pub(crate) fn number(&mut self, key: &str, number: u64) -> &mut Self {
        self.raw(key, &number.to_string())
    }

    /// A member that is JSON already.
    pub(crate) fn raw(&mut self, key: &str, json: &str) -> &mut Self {
        if self.json.len() > 1 {
            self.json.push(',');
        }
        self.json.push('"');
        self.json.push_str(key);
        self.json.push_str("\":");
        self.json.push_str(json);
        self
    }

    /// The object as text.
    pub(crate) fn close(mut self) -> String {
        self.json.push('}');
        self.json
    }

    /// The object as bytes.
    pub(crate) fn finish(self) -> Bytes {
        Bytes::from(self.close())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_write_a_string_means_the_same_text() {
        let text = "a<b>&\"\\\n\u{1}é漢👩‍👧\u{2028}";
        for style in [JsonStyle::Plain, JsonStyle::Html, JsonStyle::Ascii] {
            let json = json_string(text, style);
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
            assert_eq!(json.contains("\\u003c"), style == JsonStyle::Html);
            assert_eq!(json.is_ascii(), style == JsonStyle::Ascii);
        }
    }
}
