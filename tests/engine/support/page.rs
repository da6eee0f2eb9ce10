//! What the user's page makes of the engine's flushes: the few lines of JS that apply deltas, here in Rust.

use serde_json::Value;

use super::script::{Part, Transcript};

/// One run as a page shows it.
#[derive(Clone, Debug, Default)]
pub struct Page {
    parts: Vec<(Value, Vec<u16>)>,
    /// The last `state`, its members merged.
    pub state: Value,
    pub usage: Option<Value>,
    /// Raw events, for a run that is listened to.
    pub events: Vec<Value>,
    /// How often the run was told to have ended.
    pub ends: u32,
}

impl Page {
    /// Applies a flush: a line of JSON, and behind it all text that it appends.
    pub fn apply(&mut self, flush: &str) {
        if flush.is_empty() {
            return;
        }
        let (head, tail) = flush.split_once('\n').expect("a flush has a head and a tail");
        let head: Value = serde_json::from_str(&pair_up(head)).unwrap_or_else(|fault| panic!("{fault} in {head}"));
        let mut tail = tail.encode_utf16();
        for run in head.as_array().expect("a head is an array of runs") {
            self.apply_run(run, &mut tail);
        }
        assert_eq!(tail.next(), None, "every appended character belongs to a part");
    }

    fn apply_run(&mut self, run: &Value, tail: &mut impl Iterator<Item = u16>) {
        if run["reset"] == true {
            self.parts.clear();
            self.usage = None;
        }
        if let Some(cut) = run["cut"].as_u64() {
            self.parts.truncate(cut as usize);
        }
        for change in run["parts"].as_array().into_iter().flatten() {
            let index = change["i"].as_u64().expect("a change names its part") as usize;
            if !change["part"].is_null() {
                assert!(index <= self.parts.len(), "parts are added one after the other");
                let fresh = (change["part"].clone(), Vec::new());
                match self.parts.get_mut(index) {
                    Some(part) => *part = fresh,
                    None => self.parts.push(fresh),
                }
            }
            let (part, text) = &mut self.parts[index];
            if let Some(add) = change["add"].as_u64() {
                let before = text.len();
                text.extend(tail.by_ref().take(add as usize));
                assert_eq!(text.len() - before, add as usize, "the tail holds what the head promises");
            }
            if !change["state"].is_null() {
                part["state"] = change["state"].clone();
            }
            if let (Some(part), Some(set)) = (part.as_object_mut(), change["set"].as_object()) {
                part.extend(set.clone());
            }
        }
        if !run["usage"].is_null() {
            self.usage = Some(run["usage"].clone());
        }
        if let (Some(old), Some(new)) = (self.state.as_object_mut(), run["state"].as_object()) {
            old.extend(new.clone());
        } else if run["state"].is_object() {
            self.state = run["state"].clone();
        }
        self.events.extend(run["events"].as_array().into_iter().flatten().cloned());
        self.ends += u32::from(run["end"] == true);
    }

    /// The parts as they were told, and what was appended to each.
    pub fn parts(&self) -> &[(Value, Vec<u16>)] {
        &self.parts
    }

    /// The parts as they were told, without what was appended to them.
    pub fn raw_parts(&self) -> Vec<&Value> {
        self.parts.iter().map(|(part, _)| part).collect()
    }

    /// The text of the whole answer.
    pub fn answer(&self) -> String {
        let texts = self.parts.iter().filter(|(part, _)| part["type"] == "text");
        texts.map(|(_, text)| String::from_utf16_lossy(text)).collect()
    }

    /// What the user sees.
    pub fn transcript(&self) -> Transcript {
        let parts = self.parts.iter().filter_map(|(part, text)| {
            let string = |key: &str| part[key].as_str().map(str::to_owned);
            let text = String::from_utf16_lossy(text);
            match part["type"].as_str().expect("a part has a type") {
                "text" | "reasoning" if text.is_empty() => None,
                "text" => Some(Part::Text(text)),
                "reasoning" => Some(Part::Reasoning(text)),
                "tool" => Some(Part::Tool {
                    call: string("callId").unwrap_or_default(),
                    name: string("name").unwrap_or_default(),
                    arguments: string("arguments"),
                    result: string("result"),
                    error: string("error"),
                    state: string("state").unwrap_or_default(),
                }),
                "citation" => Some(Part::Citation(part["citation"].clone())),
                "interrupt" => Some(Part::Interrupt(part["interrupt"].clone())),
                other => panic!("a part of type {other}"),
            }
        });
        Transcript { parts: parts.collect(), usage: self.usage.clone() }
    }

    /// All text that the user sees, without reasoning.
    pub fn text(&self) -> String {
        let texts = self.parts.iter().filter(|(part, _)| part["type"] == "text");
        texts.map(|(_, text)| String::from_utf16_lossy(text)).collect()
    }

    /// Whether some part still says that it grows.
    pub fn is_growing(&self) -> bool {
        self.parts.iter().any(|(part, _)| part["state"] == "streaming" || part["state"] == "running")
    }
}

/// JSON as `serde_json` takes it: half surrogate pairs, which `JSON.parse` lets pass, become U+FFFD.
fn pair_up(json: &str) -> String {
    let unit = |text: &str| {
        let digits = text.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let (mut out, mut rest) = (String::new(), json);
    while let Some(place) = rest.find('\\') {
        let (before, escape) = rest.split_at(place);
        out.push_str(before);
        let length = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                out.push('\u{FFFD}');
                rest = &escape[6..];
                continue;
            }
            _ => 2,
        };
        out.push_str(&escape[..length]);
        rest = &escape[length..];
    }
    out + rest
}
