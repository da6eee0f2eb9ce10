//! An event stream as WHATWG has it, for a page that wants the events themselves (P-1 … P-11).
//!
//! The framing is that of `sse`, which the runs' reader uses too; what an event means is nobody's business here. Events go out
//! in the manner of a [`Delta`]: a line of JSON, then the data of all events, decoded once and never escaped. The line is an
//! array with an element for each thing that came, in order:
//!
//! ```jsonc
//! 12                     // an event of the type "message": its data is the next 12 UTF-16 units behind the line
//! [12, "type"]           // of another type
//! [12, "", "id"]         // with an id of its own; "" is "message"
//! {"id":"id"}            // no event, but a new last event id
//! {"retry":20}           // the new reconnection time, in ms
//! {"beat":1}             // comments, however many (P-8)
//! {"over":1}             // an event outgrew the bound (P-11): nothing more comes
//! ```

use alloc::vec::Vec;

use super::{
    delta::Delta,
    protocol::Span,
    reader::push_clean,
    simd,
    sse::{Frame, Framer, Step},
};

/// A buffer for the unfinished frame keeps its memory up to this.
const KEPT: usize = 64 * 1024;

/// Reads one connection after another.
pub struct EventStream {
    framer: Framer,
    max_event_bytes: usize,
    // The unfinished frame, then room for what comes next.
    buffer: Vec<u8>,
    pending: usize,
    clean: Vec<u8>,
    is_over: bool,
}

impl EventStream {
    /// A stream whose events may have so many bytes, their lines included.
    pub fn new(max_event_bytes: usize) -> Self {
        Self {
            framer: Framer::default(),
            max_event_bytes,
            buffer: Vec::new(),
            pending: 0,
            clean: Vec::new(),
            is_over: false,
        }
    }

    /// A new connection begins: half a frame of the old one is dropped (P-9), a BOM may come again (P-2).
    pub fn restart(&mut self) {
        self.framer.restart();
        self.buffer = Vec::new();
        self.pending = 0;
        self.is_over = false;
    }

    /// Where the next `len` bytes belong. Write them, then [`push`](Self::push) as many.
    pub fn room(&mut self, len: usize) -> &mut [u8] {
        self.buffer.resize(self.pending + len, 0);
        self.buffer.get_mut(self.pending..).unwrap_or(&mut [])
    }

    /// Reads the bytes that were written to the [`room`](Self::room), and writes what they say.
    pub fn push(&mut self, len: usize, out: &mut Delta) {
        let end = (self.pending + len).min(self.buffer.len());
        let bytes = core::mem::take(&mut self.buffer);
        let done = self.read(bytes.get(..end).unwrap_or(&[]), out);
        self.buffer = bytes;
        self.buffer.truncate(end);
        self.buffer.drain(..done.min(end));
        self.pending = self.buffer.len();
        if self.pending == 0 && self.buffer.capacity() > KEPT {
            self.buffer = Vec::new();
        }
    }

    /// Gives how many bytes at the front are done with.
    fn read(&mut self, bytes: &[u8], out: &mut Delta) -> usize {
        let (mut at, mut has_beaten) = (0, false);
        while !self.is_over {
            let Some(skipped) = self.framer.skip(bytes.get(at..).unwrap_or(&[])) else { return at };
            at += skipped;
            let here = bytes.get(at..).unwrap_or(&[]);
            let (size, len) = match self.framer.step(here) {
                Step::More => {
                    if here.len() <= self.max_event_bytes {
                        return at;
                    }
                    (here.len(), 0)
                }
                Step::Comment { size, drop } => {
                    if !core::mem::replace(&mut has_beaten, true) {
                        out.element("{\"beat\":1}");
                    }
                    (size, drop)
                }
                Step::Retry { after, size, drop } => {
                    out.element("{\"retry\":");
                    out.number(after.0);
                    out.literal("}");
                    (size, drop)
                }
                Step::Frame(frame) if frame.size > self.max_event_bytes => (frame.size, 0),
                Step::Frame(frame) => {
                    self.write(&frame, here, out);
                    (frame.size, frame.len)
                }
            };
            at += len;
            if size > self.max_event_bytes {
                out.element("{\"over\":1}");
                self.is_over = true;
            }
        }
        bytes.len()
    }

    fn write(&mut self, frame: &Frame, bytes: &[u8], out: &mut Delta) {
        let name = frame.name.unwrap_or_default();
        let Some(data) = frame.data else {
            if let Some(id) = frame.id {
                out.element("{\"id\":");
                self.string(id, bytes, out);
                out.literal("}");
            }
            return;
        };
        let data = if frame.is_joined { self.framer.joined() } else { data.of(bytes) };
        let tail = out.tail_mut();
        let clean = push_clean(data, tail);
        let units = simd::utf16_len(clean.of(tail)) as u64;
        let is_plain = name.start == name.end && frame.id.is_none();
        out.element(if is_plain { "" } else { "[" });
        out.number(units);
        if !is_plain {
            out.literal(",");
            self.string(name, bytes, out);
            if let Some(id) = frame.id {
                out.literal(",");
                self.string(id, bytes, out);
            }
            out.literal("]");
        }
    }

    fn string(&mut self, span: Span, bytes: &[u8], out: &mut Delta) {
        self.clean.clear();
        push_clean(span.of(bytes), &mut self.clean);
        out.string(&self.clean);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const NO_BOUND: usize = usize::MAX;

    /// What the pieces say, as [type, data, last event id], or as the object that stands for anything else.
    fn read(stream: &mut EventStream, pieces: &[&[u8]]) -> Vec<Value> {
        let (mut seen, mut last) = (Vec::new(), String::new());
        for piece in pieces {
            let mut out = Delta::new();
            stream.room(piece.len()).copy_from_slice(piece);
            stream.push(piece.len(), &mut out);
            let flush = String::from_utf8(out.finish().to_vec()).expect("UTF-8");
            let Some((head, tail)) = flush.split_once('\n') else { continue };
            let mut units = tail.encode_utf16();
            for item in serde_json::from_str::<Vec<Value>>(head).expect("JSON") {
                let (len, name, id) = match &item {
                    Value::Array(all) => (all[0].clone(), all[1].as_str(), all.get(2).and_then(Value::as_str)),
                    Value::Number(_) => (item.clone(), None, None),
                    other => {
                        if let Some(id) = other.get("id") {
                            last = id.as_str().unwrap().into();
                        }
                        seen.push(item);
                        continue;
                    }
                };
                last = id.map_or(last, Into::into);
                let data: Vec<u16> = units.by_ref().take(len.as_u64().unwrap() as usize).collect();
                let name = name.filter(|name| !name.is_empty()).unwrap_or("message");
                seen.push(json!([name, String::from_utf16(&data).unwrap(), last]));
            }
            assert_eq!(units.next(), None, "text that no event has asked for");
        }
        seen
    }

    fn whole(text: &str) -> Vec<Value> {
        read(&mut EventStream::new(NO_BOUND), &[text.as_bytes()])
    }

    #[test]
    fn events_come_with_their_type_data_and_last_id() {
        let seen = whole(
            "id: 1\ndata: a\n\ndata: b\ndata: c\n\nevent: x\ndata\n\nevent: y\nid\ndata:  d\n\nid: 7\n\ndata:e\n\n",
        );
        assert_eq!(
            seen,
            [
                json!(["message", "a", "1"]),
                json!(["message", "b\nc", "1"]),
                json!(["x", "", "1"]),
                json!(["y", " d", ""]),
                json!({"id":"7"}),
                json!(["message", "e", "7"]),
            ]
        );
    }

    #[test]
    fn comments_and_times_are_told_apart_from_events() {
        let seen = whole(": a\n: b\nretry: 20\nretry: x\ndata: 1\n: c\nretry: 30\n\n");
        assert_eq!(seen, [json!({"beat":1}), json!({"retry":20}), json!({"retry":30}), json!(["message", "1", ""])]);
    }

    /// FIELD 1.4, and every wire of it.
    #[test]
    fn the_stream_may_be_cut_at_any_two_places() {
        let lines = [
            ": hi",
            "id: 1-0",
            "event: déjà",
            "data: Grüße, 😀",
            "data: 你好",
            "",
            "data:x",
            "",
            "retry: 5",
            "id",
            "data",
            "",
        ];
        for end in ["\n", "\r\n", "\r"] {
            for bom in ["", "\u{FEFF}"] {
                let wire = [bom, &lines.join(end), end].concat();
                let expected = [
                    json!({"beat":1}),
                    json!(["déjà", "Grüße, 😀\n你好", "1-0"]),
                    json!(["message", "x", "1-0"]),
                    json!({"retry":5}),
                    json!(["message", "", ""]),
                ];
                let bytes = wire.as_bytes();
                for one in 0..=bytes.len() {
                    for two in one..=bytes.len().min(one + 12) {
                        let pieces = [&bytes[..one], &bytes[one..two], &bytes[two..]];
                        let seen = read(&mut EventStream::new(NO_BOUND), &pieces);
                        assert_eq!(seen, expected, "{one} {two} of {wire:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn bytes_that_are_no_utf8_are_replaced_as_a_decoder_would() {
        let wire = b"event: a\xFFb\nid: \xE2\x82\ndata: X\xF0\x9F\x98Y\ndata: \xED\xA0\x80\n\n";
        let expected = [json!(["a\u{FFFD}b", "X\u{FFFD}Y\n\u{FFFD}\u{FFFD}\u{FFFD}", "\u{FFFD}"])];
        assert_eq!(read(&mut EventStream::new(NO_BOUND), &[wire]), expected);
    }

    #[test]
    fn types_ids_and_data_may_hold_anything() {
        let seen = whole("event: \"\\\u{1}\nid: {}[],\u{2028}\ndata: \\n\"\u{0}\u{FEFF}\n\n");
        assert_eq!(seen, [json!(["\"\\\u{1}", "\\n\"\u{0}\u{FEFF}", "{}[],\u{2028}"])]);
    }

    #[test]
    fn a_new_connection_carries_nothing_over() {
        let mut stream = EventStream::new(NO_BOUND);
        assert_eq!(read(&mut stream, &[b"event: x\nid: 9\ndata: a\n"]), Vec::<Value>::new());
        stream.restart();
        assert_eq!(read(&mut stream, &[b"\xEF\xBB\xBFdata: b\r\r"]), [json!(["message", "b", ""])]);
        stream.restart();
        assert_eq!(read(&mut stream, &[b"\ndata: c\n\n"]), [json!(["message", "c", ""])]);
    }

    #[test]
    fn an_event_beyond_the_bound_is_the_last_word() {
        for cut in [1, 7, 1_000] {
            let mut stream = EventStream::new(30);
            let wire =
                [b"data: 12345678901234567890.2\n\n".as_slice(), b"data: 12345678901234567890.23\n\ndata: a\n\n"]
                    .concat();
            assert_eq!(wire.iter().position(|&byte| byte == b'\n'), Some(28));
            let pieces: Vec<&[u8]> = wire.chunks(cut).collect();
            let expected = [json!(["message", "12345678901234567890.2", ""]), json!({"over":1})];
            assert_eq!(read(&mut stream, &pieces), expected, "{cut}");
            stream.restart();
            assert_eq!(read(&mut stream, &[b"data: b\n\n"]), [json!(["message", "b", ""])]);
        }
    }

    #[test]
    fn comments_without_end_hold_no_memory_and_long_events_give_theirs_back() {
        let mut stream = EventStream::new(NO_BOUND);
        for _ in 0..10_000 {
            read(&mut stream, &[b": ping", b"\n"]);
        }
        assert!(stream.buffer.capacity() < 1_000);
        read(&mut stream, &[b"data: ", &[b'x'; 200_000], b"\n\n"]);
        assert!(stream.buffer.capacity() <= KEPT);
    }

    #[test]
    fn a_long_event_is_searched_once_however_it_drips() {
        // Were it searched anew for each piece, this would take 1e10 steps.
        let mut stream = EventStream::new(NO_BOUND);
        let wire = format!("data: {}\n\n", "x".repeat(300_000));
        let pieces: Vec<&[u8]> = wire.as_bytes().chunks(10).collect();
        assert_eq!(read(&mut stream, &pieces).len(), 1);
    }

    const WORDS: &[&str] =
        &["data: a", "data", "id: 1", "event: x", "retry: 3", ": c", "\n", "\r\n", "\r", "\n\n", "\u{FEFF}", "é"];

    proptest! {
        #[test]
        fn any_cut_of_any_bytes_says_the_same(
            bytes in proptest::collection::vec(
                prop_oneof![3 => any::<u8>(), 2 => Just(b'\n'), 1 => Just(b'\r'), 1 => Just(b':')], 0..100),
            words in proptest::collection::vec(proptest::sample::select(WORDS), 0..40),
            cuts in proptest::collection::vec(0..300_usize, 0..6), bound in prop_oneof![Just(NO_BOUND), Just(40)],
        ) {
            let wire = [words.concat().into_bytes(), bytes].concat();
            let expected = read(&mut EventStream::new(bound), &[&wire]);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(wire.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts {
                pieces.push(&wire[from..cut]);
                from = cut;
            }
            pieces.push(&wire[from..]);
            // Comments count once for each piece.
            let is_beat = |item: &Value| item.get("beat").is_some();
            let without = |items: Vec<Value>| {
                let mut items: Vec<Value> = items.into_iter().filter(|item| !is_beat(item)).collect();
                // A reconnection time inside an event that outgrows the bound may come before that is noticed.
                if items.last().is_some_and(|item| item.get("over").is_some()) {
                    let over = items.pop();
                    while items.last().is_some_and(|item| item.get("retry").is_some()) {
                        items.pop();
                    }
                    items.extend(over);
                }
                items
            };
            let cut = read(&mut EventStream::new(bound), &pieces);
            prop_assert_eq!(without(cut), without(expected));
        }
    }
}
