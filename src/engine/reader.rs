//! From network chunks to events: SSE framing, the protocol's decoding, and a shortcut for the shape that keeps coming.

use alloc::{string::String, vec::Vec};

use super::envelope::{Envelopes, Fit, Hit};
use super::event::{Fault, RunEvent};
use super::json;
use super::protocol::chunks::{Mark, Row, read_mark, read_row};
use super::protocol::{self, Protocol, Shape, Span, UNNAMED};
use super::simd;
use super::sse::{Frame, Framer, Step};
use super::time::Millis;
use super::window::{CHUNK, HEADROOM, Window, recycle};

/// The default bound of one frame, in bytes: a snapshot of a very long run fits.
pub const DEFAULT_MAX_EVENT_BYTES: usize = 16 * 1024 * 1024;

/// What a reader finds.
#[derive(Debug)]
// Lives on the stack for the length of one loop body; a box for the large variant would be an allocation an event.
#[allow(clippy::large_enum_variant)]
#[repr(u32)]
pub enum Item<'a> {
    /// An event.
    Event(Incoming<'a>),
    /// A comment line: a sign of life, not an event (P-8).
    Comment,
    /// The server's new reconnection time (P-7).
    Retry(Millis),
    /// A frame without data, or `[DONE]`: no event, but it moves the cursor (empty: resets it), as WHATWG has it.
    Id(&'a [u8]),
    /// The server's last word: nothing more comes on this stream (4.4).
    Done,
    /// An event that cannot be read (B-ES-4). The stream goes on behind it.
    Malformed(Malformed<'a>),
    /// A frame outgrew the bound (P-11). Nothing more comes until [`Reader::restart`].
    Overflow,
    /// An event of a stream whose frames hold several, each with its own place.
    Row(Numbered<'a>),
    /// What such a stream says of itself behind them.
    Mark(Mark<'a>),
}

/// An event that says its place itself.
#[derive(Debug)]
pub struct Numbered<'a> {
    /// Its number within its run.
    pub seq: Option<u64>,
    /// Whether it belongs to an answer, and not to a question.
    pub is_answer: bool,
    /// The event, without an id of its own.
    pub incoming: Incoming<'a>,
    /// What is wrong with it; it is [`RunEvent::Ignored`] then.
    pub fault: Option<Fault>,
}

impl<'a> Item<'a> {
    /// An event of `protocol` that came by itself, a valid JSON object.
    pub fn of(protocol: Protocol, data: &'a [u8]) -> Self {
        let mut shape = Shape::default();
        match protocol::decode_wide(protocol, UNNAMED, data, data.len(), &mut shape) {
            Ok(event) => Self::Event(Incoming::of(None, UNNAMED, data, data, event, &shape)),
            Err(fault) => Self::Malformed(Malformed { id: None, name: UNNAMED, data, fault }),
        }
    }
}

/// One event and the frame it came in.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// The value of this frame's `id:` line; `None` if it has none, empty if it resets the cursor (P-6).
    pub id: Option<&'a [u8]>,
    /// The SSE event name; [`UNNAMED`] by default (P-5).
    pub name: &'a [u8],
    /// The data, one valid JSON object in UTF-8. A line feed in it is white space between tokens.
    pub data: &'a [u8],
    /// What it means.
    pub event: RunEvent<'a>,
    /// Whose it is, where the data says so: contents of JSON strings, the run's id and its send's; empty where it does not.
    pub run: &'a [u8],
    /// As above.
    pub request: &'a [u8],
    timestamp: &'a [u8],
}

impl<'a> Incoming<'a> {
    /// Of an event whose data begins `wide`, which its shape speaks of.
    #[inline(always)]
    fn of(
        id: Option<&'a [u8]>,
        name: &'a [u8],
        data: &'a [u8],
        wide: &'a [u8],
        event: RunEvent<'a>,
        shape: &Shape,
    ) -> Self {
        let own = shape.id.of(wide);
        Self {
            id: id.or((!own.is_empty()).then_some(own)),
            name,
            data,
            event,
            run: shape.run.of(wide),
            request: shape.request.of(wide),
            timestamp: shape.timestamp.of(wide),
        }
    }

    /// The server's time of the event in unix ms, where it gives one.
    pub fn timestamp(&self) -> Option<u64> {
        if self.timestamp.is_empty() { None } else { json::integer(self.timestamp) }
    }
}

impl<'a> From<Hit<'a>> for Incoming<'a> {
    #[inline(always)]
    fn from(Hit { id, name, data, timestamp, text, part, is_reasoning, .. }: Hit<'a>) -> Self {
        let event = if is_reasoning { RunEvent::Reasoning { text, part } } else { RunEvent::Text { text, part } };
        Self { id, name, data, event, run: &[], request: &[], timestamp }
    }
}

/// A frame whose data could not be read.
#[derive(Debug)]
pub struct Malformed<'a> {
    /// As in [`Incoming`].
    pub id: Option<&'a [u8]>,
    /// As in [`Incoming`].
    pub name: &'a [u8],
    /// The data as it came; UTF-8, but perhaps no JSON.
    pub data: &'a [u8],
    /// What is wrong with it.
    pub fault: Fault,
}

/// Reads the chunks of one connection after another.
pub struct Reader {
    protocol: Protocol,
    // Events are found and not decoded.
    is_bare: bool,
    max_event_bytes: usize,
    framer: Framer,
    envelopes: Envelopes,
    // The unfinished frame between two chunks, and throughout while it is longer than the window's headroom.
    carry: Vec<u8>,
    // The last item borrowed the carry: it is free now.
    carry_spent: bool,
    // Values in which invalid UTF-8 was replaced (P-10).
    clean: Vec<u8>,
    // The chunk of the last row.
    scratch: String,
    overflown: bool,
}

impl Reader {
    /// A reader of `protocol` that refuses frames of more than `max_event_bytes` bytes.
    pub fn new(protocol: Protocol, max_event_bytes: usize) -> Self {
        Self {
            protocol,
            is_bare: false,
            max_event_bytes,
            framer: Framer::default(),
            envelopes: Envelopes::default(),
            carry: Vec::new(),
            carry_spent: false,
            clean: Vec::new(),
            scratch: String::new(),
            overflown: false,
        }
    }

    /// A reader of events that are no run's: each is [`RunEvent::Ignored`], its name and data as they came.
    pub fn bare(max_event_bytes: usize) -> Self {
        Self { is_bare: true, ..Self::new(Protocol::Bichat, max_event_bytes) }
    }

    /// A reader that stands in for another one and reads nothing.
    pub fn idle() -> Self {
        Self::new(Protocol::Bichat, 0)
    }

    /// A new connection: an unfinished frame of the old one is dropped (P-9), a BOM may come again.
    pub fn restart(&mut self) {
        self.framer.restart();
        self.carry = Vec::new();
        self.carry_spent = false;
        self.overflown = false;
    }

    /// Whether the bytes so far end inside a frame.
    pub fn is_mid_frame(&self) -> bool {
        !self.carry.is_empty() && !self.carry_spent
    }

    /// Bytes of memory held between two chunks.
    pub fn held_bytes(&self) -> usize {
        let buffers = self.carry.capacity() + self.clean.capacity() + self.scratch.capacity();
        buffers + self.framer.held_bytes() + self.envelopes.held_bytes()
    }

    /// Takes the first `len` bytes of the window's chunk. Iterate to the end: what is left unread is lost, and only
    /// [`restart`](Self::restart) is right after that.
    pub fn feed<'a>(&'a mut self, window: &'a mut Window, len: usize) -> Feed<'a> {
        let len = len.min(CHUNK);
        self.drop_spent();
        let mut at = HEADROOM;
        let in_carry = self.carry.len() > HEADROOM;
        if !in_carry && !self.carry.is_empty() {
            at -= self.carry.len();
            if let Some(room) = window.headroom_mut().get_mut(at..) {
                room.copy_from_slice(&self.carry);
            }
            self.carry.clear();
        }
        window.end_chunk(len);
        Feed { reader: self, window, at, end: HEADROOM + len, in_carry, rows: None }
    }

    /// Feeds bytes that lie elsewhere, of any length, through `window`, and hands every item to `each`.
    pub fn feed_slice(&mut self, window: &mut Window, bytes: &[u8], mut each: impl FnMut(Item<'_>)) {
        for piece in bytes.chunks(CHUNK) {
            for (to, from) in window.chunk_mut().iter_mut().zip(piece) {
                *to = *from;
            }
            let mut feed = self.feed(window, piece.len());
            while let Some(item) = feed.next() {
                each(item);
            }
        }
    }

    fn drop_spent(&mut self) {
        if core::mem::take(&mut self.carry_spent) {
            recycle(&mut self.carry);
        }
    }

    fn overflow(&mut self) -> Option<Found> {
        self.carry = Vec::new();
        self.overflown = true;
        self.framer.restart();
        Some(Found::Overflow)
    }
}

/// The items of one chunk.
pub struct Feed<'a> {
    reader: &'a mut Reader,
    window: &'a Window,
    // The first byte of the frame at hand, or, where the frame lies in the carry, the first byte not yet moved there.
    at: usize,
    end: usize,
    in_carry: bool,
    // What is left of a frame that holds several events.
    rows: Option<Rows>,
}

/// Where a frame's values lie until the next frame is looked for.
#[derive(Clone, Copy)]
enum Place {
    Window(usize),
    Carry,
    Joined,
    Clean,
}

/// What lies in a frame of rows.
#[derive(Clone, Copy)]
enum What {
    Row,
    Mark,
    Unreadable(Fault),
}

/// An array of rows, and how far it is read.
#[derive(Clone, Copy)]
struct Rows {
    place: Place,
    data: Span,
    at: usize,
}

/// What was found, as positions.
enum Found {
    Frame { frame: Frame, data: Span, base: usize, in_carry: bool, is_clean: bool },
    Row { place: Place, span: Span, what: What },
    Id { id: Span, base: usize, in_carry: bool },
    Done,
    Comment,
    Retry(Millis),
    Overflow,
}

/// What a frame of rows, and what one between them is called.
const ROW: &[u8] = b"data";
const CONTROL: &[u8] = b"control";

/// How much of a chunk a long frame takes at a time: what follows the frame is copied in vain.
const PIECE: usize = 4 * 1024;

impl<'a> Feed<'a> {
    /// The next item; `None` when the chunk is read.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Option<Item<'_>> {
        // Two ways to the same item: where they met, it would be read from memory again right after it was written.
        if let Some(hit) = self.glance() {
            return Some(Item::Event(hit.into()));
        }
        match self.fit() {
            Fit::Whole(hit) => return Some(Item::Event(hit.into())),
            Fit::Short => {
                self.save();
                // Only the bound can make more of it.
                return self.reader.overflown.then_some(Item::Overflow);
            }
            Fit::No => {}
        }
        let found = if self.reader.protocol == Protocol::Chunks { self.find_row()? } else { self.find()? };
        if let Found::Row { place, span, what } = found {
            return Some(self.read_row(place, span, what));
        }
        let window = self.window.bytes();
        let Reader { protocol, is_bare, envelopes, carry, framer, clean, .. } = &mut *self.reader;
        let place = |base: usize, in_carry: bool| if in_carry { &**carry } else { window.get(base..).unwrap_or(&[]) };
        Some(match found {
            Found::Frame { frame, data, base, in_carry, is_clean } => {
                let bytes = place(base, in_carry);
                let values = if is_clean { &**clean } else { bytes };
                let wide = if frame.is_joined && !is_clean { framer.joined() } else { values };
                let wide = wide.get(data.start..).unwrap_or(&[]);
                let len = data.end - data.start;
                let id = frame.id.map(|id| id.of(values));
                let name = frame.name.map(|name| name.of(values)).filter(|name| !name.is_empty()).unwrap_or(UNNAMED);
                let mut shape = Shape::default();
                let data_bytes = wide.get(..len).unwrap_or(&[]);
                if *is_bare {
                    return Some(Item::Event(Incoming::of(id, name, data_bytes, wide, RunEvent::Ignored, &shape)));
                }
                match protocol::decode_wide(*protocol, name, wide, len, &mut shape) {
                    Ok(event) => {
                        let is_whole = !is_clean && !frame.is_joined && !frame.is_mixed && !in_carry;
                        let is_reasoning = matches!(event, RunEvent::Reasoning { .. });
                        if is_whole && (is_reasoning || matches!(event, RunEvent::Text { .. })) {
                            envelopes.learn(bytes, &frame, data, &shape, is_reasoning);
                        }
                        Item::Event(Incoming::of(id, name, data_bytes, wide, event, &shape))
                    }
                    Err(fault) => Item::Malformed(Malformed { id, name, data: data_bytes, fault }),
                }
            }
            // Read above.
            Found::Row { .. } => Item::Comment,
            Found::Id { id, base, in_carry } => Item::Id(id.of(place(base, in_carry))),
            Found::Done => Item::Done,
            Found::Comment => Item::Comment,
            Found::Retry(after) => Item::Retry(after),
            Found::Overflow => Item::Overflow,
        })
    }

    /// The window from the next frame on, where one begins there for sure: for who knows frames at a glance. A line feed stands
    /// behind the last byte that has come, and anything behind that.
    #[inline(always)]
    pub fn ahead(&self) -> Option<&'a [u8]> {
        if self.in_carry || !self.reader.framer.is_aligned() {
            return None;
        }
        self.window.bytes().get(self.at..)
    }

    /// The first `len` bytes of it are a whole frame, which is done with. False where so many have not come, and at the very
    /// bound: the full path knows better.
    #[inline(always)]
    pub fn pass(&mut self, len: usize) -> bool {
        if len > self.end - self.at || len >= self.reader.max_event_bytes {
            return false;
        }
        self.at += len;
        self.reader.framer.passed(false);
        true
    }

    /// The shortcut: the frame at hand, if it is like an earlier one.
    #[inline(always)]
    fn glance(&mut self) -> Option<Hit<'a>> {
        let reader = &mut *self.reader;
        if self.in_carry || !reader.framer.is_aligned() {
            return None;
        }
        let hit = reader.envelopes.glance(self.window.bytes(), self.at, self.end)?;
        self.pass_hit(&hit).then_some(hit)
    }

    fn fit(&mut self) -> Fit<'a> {
        let reader = &mut *self.reader;
        if self.in_carry || !reader.framer.is_aligned() {
            return Fit::No;
        }
        let fit = reader.envelopes.fit(self.window.bytes(), self.at, self.end);
        if let Fit::Whole(hit) = &fit
            && !self.pass_hit(hit)
        {
            return Fit::No;
        }
        fit
    }

    /// At the very bound, the full path knows better.
    #[inline(always)]
    fn pass_hit(&mut self, hit: &Hit<'_>) -> bool {
        if hit.end - self.at >= self.reader.max_event_bytes {
            return false;
        }
        self.at = hit.end;
        self.reader.framer.passed(hit.ends_in_cr);
        true
    }

    fn find(&mut self) -> Option<Found> {
        self.reader.drop_spent();
        loop {
            if self.reader.overflown {
                return None;
            }
            let found = if self.in_carry { self.find_in_carry()? } else { self.find_in_window()? };
            if let Some(found) = found {
                return Some(found);
            }
        }
    }

    /// As [`find`](Self::find), where frames hold rows: the next one of the frame at hand, or else what the next frame is.
    #[cold]
    fn find_row(&mut self) -> Option<Found> {
        loop {
            if let Some(found) = self.next_row() {
                return Some(found);
            }
            let (frame, data, base, in_carry, is_clean) = match self.find()? {
                Found::Frame { frame, data, base, in_carry, is_clean } => (frame, data, base, in_carry, is_clean),
                other => return Some(other),
            };
            let place = match (is_clean, frame.is_joined, in_carry) {
                (true, ..) => Place::Clean,
                (_, true, _) => Place::Joined,
                (_, _, true) => Place::Carry,
                _ => Place::Window(base),
            };
            let names = if is_clean {
                Place::Clean
            } else if in_carry {
                Place::Carry
            } else {
                Place::Window(base)
            };
            if frame.name.is_some_and(|name| name.of(self.bytes(names)) == CONTROL) {
                return Some(Found::Row { place, span: data, what: What::Mark });
            }
            let values = data.of(self.bytes(place));
            if values.trim_ascii_start().first() != Some(&b'[') {
                return Some(Found::Row { place, span: data, what: What::Row });
            }
            self.rows = Some(Rows { place, data, at: data.start });
        }
    }

    fn next_row(&mut self) -> Option<Found> {
        let Rows { place, data, at } = self.rows.take()?;
        let values = self.bytes(place).get(..data.end).unwrap_or(&[]);
        match json::element(values, data.start, at) {
            Ok(Some((start, end))) => {
                self.rows = Some(Rows { place, data, at: end });
                Some(Found::Row { place, span: Span { start, end }, what: What::Row })
            }
            Ok(None) => None,
            Err(fault) => {
                Some(Found::Row { place, span: Span { start: at, end: data.end }, what: What::Unreadable(fault) })
            }
        }
    }

    /// Not in line: only one protocol has rows.
    #[inline(never)]
    fn read_row(&mut self, place: Place, span: Span, what: What) -> Item<'_> {
        let Reader { carry, framer, clean, scratch, .. } = &mut *self.reader;
        let data = span.of(match place {
            Place::Window(base) => self.window.bytes().get(base..).unwrap_or(&[]),
            Place::Carry => carry,
            Place::Joined => framer.joined(),
            Place::Clean => clean,
        });
        let bad = |name, fault| Item::Malformed(Malformed { id: None, name, data, fault });
        match what {
            What::Unreadable(fault) => bad(ROW, fault),
            What::Mark => read_mark(data).map_or_else(|fault| bad(CONTROL, fault), Item::Mark),
            What::Row => match read_row(data, scratch) {
                Err(fault) => bad(ROW, fault),
                Ok((Row { seq, is_answer, message }, event)) => {
                    let (event, fault) = match event {
                        Ok(event) => (event, None),
                        Err(fault) => (RunEvent::Ignored, Some(fault)),
                    };
                    let incoming =
                        Incoming { id: None, name: ROW, data, event, run: message, request: &[], timestamp: &[] };
                    Item::Row(Numbered { seq, is_answer, incoming, fault })
                }
            },
        }
    }

    fn bytes(&self, place: Place) -> &[u8] {
        match place {
            Place::Window(base) => self.window.bytes().get(base..).unwrap_or(&[]),
            Place::Carry => &self.reader.carry,
            Place::Joined => self.reader.framer.joined(),
            Place::Clean => &self.reader.clean,
        }
    }

    /// `None` at the end of the chunk, `Some(None)` to go on.
    fn find_in_window(&mut self) -> Option<Option<Found>> {
        let reader = &mut *self.reader;
        let bytes = self.window.bytes();
        let here = bytes.get(self.at..self.end)?;
        let Some(skipped) = reader.framer.skip(here) else { return self.save() };
        self.at += skipped;
        let here = bytes.get(self.at..self.end)?;
        Some(match reader.framer.step(here) {
            Step::More => return self.save(),
            Step::Comment { size, .. } | Step::Retry { size, .. } | Step::Frame(Frame { size, .. })
                if size > reader.max_event_bytes =>
            {
                reader.overflow()
            }
            Step::Comment { drop, .. } => {
                self.at += drop;
                Some(Found::Comment)
            }
            Step::Retry { after, drop, .. } => {
                self.at += drop;
                Some(Found::Retry(after))
            }
            Step::Frame(frame) => {
                let base = self.at;
                self.at += frame.len;
                reader.judge(frame, here, base, false)
            }
        })
    }

    /// Keeps what is left of the chunk for the next one.
    fn save(&mut self) -> Option<Option<Found>> {
        // Behind a frame that lay in the carry, the shortcut comes here without a search before it.
        self.reader.drop_spent();
        let left = self.window.bytes().get(self.at..self.end)?;
        self.at = self.end;
        if left.len() > self.reader.max_event_bytes {
            return Some(self.reader.overflow());
        }
        if !left.is_empty() {
            self.reader.carry.extend_from_slice(left);
        }
        None
    }

    fn find_in_carry(&mut self) -> Option<Option<Found>> {
        let reader = &mut *self.reader;
        let (drop, found) = match reader.framer.step(&reader.carry) {
            Step::More => {
                if reader.carry.len() > reader.max_event_bytes {
                    return Some(reader.overflow());
                }
                let piece = self.window.bytes().get(self.at..self.end.min(self.at + PIECE))?;
                if piece.is_empty() {
                    return None;
                }
                reader.carry.extend_from_slice(piece);
                self.at += piece.len();
                return Some(None);
            }
            Step::Comment { size, .. } | Step::Retry { size, .. } | Step::Frame(Frame { size, .. })
                if size > reader.max_event_bytes =>
            {
                return Some(reader.overflow());
            }
            Step::Comment { drop, .. } => (drop, Some(Found::Comment)),
            Step::Retry { after, drop, .. } => (drop, Some(Found::Retry(after))),
            Step::Frame(frame) => {
                let carry = core::mem::take(&mut reader.carry);
                let found = reader.judge(frame, &carry, 0, true);
                reader.carry = carry;
                (frame.len, found)
            }
        };
        if drop > 0 {
            // What follows came with this chunk, because all of the carry before it was searched: it is read from there.
            self.at -= reader.carry.len() - drop;
            self.in_carry = false;
            reader.carry.truncate(drop);
            reader.carry_spent = true;
        }
        Some(found)
    }
}

impl Reader {
    /// What a whole frame is, `bytes` beginning with it.
    fn judge(&mut self, frame: Frame, bytes: &[u8], base: usize, in_carry: bool) -> Option<Found> {
        let (data, values) = match frame.data {
            Some(_) if frame.is_joined => {
                let joined = self.framer.joined();
                (Some(Span { start: 0, end: joined.len() }), joined)
            }
            data => (data, bytes),
        };
        let is_done = data.is_some_and(|data| data.of(values) == b"[DONE]");
        if is_done && !self.protocol.has_log() {
            return Some(Found::Done);
        }
        // B-PARSE-1: `[DONE]` says nothing that the run's own end has not said.
        let data = data.filter(|_| !is_done);
        let is_utf8 = |span: Option<Span>, of: &[u8]| core::str::from_utf8(span.unwrap_or_default().of(of)).is_ok();
        let is_ascii = !frame.is_joined && simd::is_ascii(bytes.get(..frame.len).unwrap_or(&[]));
        if is_ascii || is_utf8(data, values) && is_utf8(frame.name, bytes) && is_utf8(frame.id, bytes) {
            return match (data, frame.id) {
                (Some(data), _) => Some(Found::Frame { frame, data, base, in_carry, is_clean: false }),
                (None, Some(id)) => Some(Found::Id { id, base, in_carry }),
                (None, None) => None,
            };
        }
        recycle(&mut self.clean);
        let mut frame = frame;
        frame.id = frame.id.map(|id| push_clean(id.of(bytes), &mut self.clean));
        frame.name = frame.name.map(|name| push_clean(name.of(bytes), &mut self.clean));
        let Some(data) = data else {
            // A cursor that is no UTF-8 cannot be sent back: it counts for nothing.
            return None;
        };
        let joined = self.framer.joined();
        let values = if frame.is_joined { joined } else { bytes };
        let data = push_clean(data.of(values), &mut self.clean);
        Some(Found::Frame { frame, data, base, in_carry, is_clean: true })
    }
}

/// Appends `bytes` with U+FFFD in the place of what is no UTF-8, as a WHATWG decoder does.
pub(super) fn push_clean(bytes: &[u8], out: &mut Vec<u8>) -> Span {
    let start = out.len();
    let mut rest = bytes;
    while let Err(error) = core::str::from_utf8(rest) {
        let (valid, after) = rest.split_at_checked(error.valid_up_to()).unwrap_or((rest, &[]));
        out.extend_from_slice(valid);
        out.extend_from_slice("\u{FFFD}".as_bytes());
        rest = error.error_len().and_then(|len| after.get(len..)).unwrap_or(&[]);
    }
    out.extend_from_slice(rest);
    Span { start, end: out.len() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An item with nothing borrowed.
    #[derive(Clone, Debug, PartialEq)]
    enum Seen {
        Event { id: Option<String>, name: String, data: String, event: String, timestamp: Option<u64> },
        Comment,
        Retry(u64),
        Id(String),
        Malformed { id: Option<String>, name: String, data: String, fault: Fault },
        Done,
        Overflow,
    }

    fn owned(bytes: &[u8]) -> String {
        String::from_utf8(bytes.to_vec()).expect("what a reader hands out is UTF-8")
    }

    fn seen(item: &Item<'_>) -> Seen {
        match item {
            Item::Event(incoming) => Seen::Event {
                id: incoming.id.map(owned),
                name: owned(incoming.name),
                data: owned(incoming.data),
                event: format!("{:?}", incoming.event),
                timestamp: incoming.timestamp(),
            },
            Item::Comment => Seen::Comment,
            Item::Retry(after) => Seen::Retry(after.0),
            Item::Id(id) => Seen::Id(owned(id)),
            Item::Malformed(bad) => Seen::Malformed {
                id: bad.id.map(owned),
                name: owned(bad.name),
                data: owned(bad.data),
                fault: bad.fault,
            },
            Item::Done => Seen::Done,
            Item::Overflow => Seen::Overflow,
            Item::Row(_) | Item::Mark(_) => panic!("only frames of `chunks` have rows"),
        }
    }

    fn bichat() -> Reader {
        Reader::new(Protocol::Bichat, DEFAULT_MAX_EVENT_BYTES)
    }

    fn feed_all(reader: &mut Reader, window: &mut Window, pieces: &[&[u8]]) -> Vec<Seen> {
        let mut all = Vec::new();
        for piece in pieces {
            reader.feed_slice(window, piece, |item| all.push(seen(&item)));
        }
        all
    }

    fn read(stream: &[u8]) -> Vec<Seen> {
        feed_all(&mut bichat(), &mut Window::new(), &[stream])
    }

    /// The items of `stream` when no frame may take the shortcut.
    fn read_slowly(stream: &[u8], max: usize) -> Vec<Seen> {
        let mut reader = Reader::new(Protocol::Bichat, max);
        let mut window = Window::new();
        let mut all = Vec::new();
        for piece in stream.chunks(CHUNK) {
            window.chunk_mut()[..piece.len()].copy_from_slice(piece);
            let mut feed = reader.feed(&mut window, piece.len());
            loop {
                feed.reader.envelopes = Envelopes::default();
                match feed.next() {
                    Some(item) => all.push(seen(&item)),
                    None => break,
                }
            }
        }
        all
    }

    fn event(id: Option<&str>, name: &str, data: &str) -> Seen {
        let event = protocol::decode(Protocol::Bichat, name.as_bytes(), data.as_bytes()).unwrap();
        let timestamp = serde_json::from_str::<serde_json::Value>(data).unwrap()["timestamp"].as_u64();
        Seen::Event {
            id: id.map(Into::into),
            name: name.into(),
            data: data.into(),
            event: format!("{event:?}"),
            timestamp,
        }
    }

    const SAMPLE: &str = concat!(
        ": stream-open\n\n",
        "id: 1712345678001-0\nevent: content\ndata: {\"type\":\"content\",\"content\":\"Hél\",\"timestamp\":1712345678001}\n\n",
        "id: 1712345678002-0\nevent: content\ndata: {\"type\":\"content\",\"content\":\"lo 😀\",\"timestamp\":1712345678002}\n\n",
        ": ping\n\nretry: 1500\n\n",
        "id: 1712345678003-1\nevent: content\ndata: {\"type\":\"content\",\"content\":\"你\\n\",\"timestamp\":1712345678003}\n\n",
        "event: tool_start\ndata: {\"type\":\"tool_start\",\ndata:\"tool\":{\"callId\":\"c\"}\ndata\ndata: }\nid: 7\n\n",
        "data: [DONE]\n\nid: 8\n\nevent: done\ndata: {}\n\n",
    );

    fn sample() -> Vec<Seen> {
        vec![
            Seen::Comment,
            event(
                Some("1712345678001-0"),
                "content",
                "{\"type\":\"content\",\"content\":\"Hél\",\"timestamp\":1712345678001}",
            ),
            event(
                Some("1712345678002-0"),
                "content",
                "{\"type\":\"content\",\"content\":\"lo 😀\",\"timestamp\":1712345678002}",
            ),
            Seen::Comment,
            Seen::Retry(1500),
            event(
                Some("1712345678003-1"),
                "content",
                "{\"type\":\"content\",\"content\":\"你\\n\",\"timestamp\":1712345678003}",
            ),
            event(Some("7"), "tool_start", "{\"type\":\"tool_start\",\n\"tool\":{\"callId\":\"c\"}\n\n}"),
            Seen::Id("8".into()),
            event(None, "done", "{}"),
        ]
    }

    fn wires() -> Vec<Vec<u8>> {
        let lf = SAMPLE.to_owned();
        let bom = "\u{FEFF}".to_owned() + SAMPLE;
        vec![
            lf.replace('\n', "\r\n").into_bytes(),
            lf.replace('\n', "\r").into_bytes(),
            bom.replace('\n', "\r\n").into_bytes(),
            bom.into_bytes(),
            lf.into_bytes(),
        ]
    }

    #[test]
    fn every_split_in_two_gives_the_same_items() {
        let mut window = Window::new();
        for wire in wires() {
            for at in 0..=wire.len() {
                let (one, other) = wire.split_at(at);
                let items = feed_all(&mut bichat(), &mut window, &[one, other]);
                assert_eq!(items, sample(), "cut at {at} of {:?}", String::from_utf8_lossy(&wire));
            }
        }
    }

    #[test]
    fn one_byte_at_a_time_gives_the_same_items() {
        for wire in wires() {
            let pieces: Vec<&[u8]> = wire.chunks(1).collect();
            assert_eq!(feed_all(&mut bichat(), &mut Window::new(), &pieces), sample());
        }
    }

    #[test]
    fn an_event_is_given_out_with_the_byte_that_ends_it() {
        let mut window = Window::new();
        for wire in wires() {
            let mut reader = bichat();
            let mut count = 0;
            for (at, byte) in wire.iter().enumerate() {
                reader.feed_slice(&mut window, &[*byte], |_| count += 1);
                // The same bytes with nothing behind them hold as many items.
                if at % 7 == 0 {
                    assert_eq!(count, read_slowly(&wire[..=at], DEFAULT_MAX_EVENT_BYTES).len());
                }
            }
        }
        // The last line end of a frame in CRLF may stop after its CR.
        let frame = b"data: {\"content\":\"a\"}\r\n\r\n";
        let mut reader = bichat();
        assert_eq!(feed_all(&mut reader, &mut window, &[frame, &frame[..frame.len() - 1]]).len(), 2);
        assert_eq!(feed_all(&mut reader, &mut window, &[b"\n", frame]).len(), 1);
    }

    #[test]
    fn lines_are_read_as_whatwg_says() {
        let text = |id: Option<&str>, name: &str| event(id, name, "{\"content\":\"x\"}");
        let data = "data:{\"content\":\"x\"}\n";
        let cases: Vec<(String, Vec<Seen>)> = vec![
            // P-3: one space goes, a second stays; an event name with a space is another name.
            (format!("event:content\n{data}\n"), vec![text(None, "content")]),
            (format!("event:  content\n{data}\n"), vec![text(None, " content")]),
            // P-5: an empty name is none.
            (format!("event: content\nevent:\n{data}\n"), vec![text(None, "message")]),
            // P-6: NUL spoils the line, not the frame; an empty id resets.
            (format!("id: a\nid: b\0c\n{data}\n"), vec![text(Some("a"), "message")]),
            (format!("id\n{data}\n"), vec![text(Some(""), "message")]),
            (format!("id:  7\n{data}\n"), vec![text(Some(" 7"), "message")]),
            // P-4: no data, no event, and the name does not linger.
            (format!("event: done\n\n{data}\n"), vec![text(None, "message")]),
            ("id: 5\n\n".into(), vec![Seen::Id("5".into())]),
            // P-7: digits only.
            (
                "retry: 10\nretry:10x\nretry: -1\nretry:\nretry\nretry: 99999999999999999999\n".into(),
                vec![Seen::Retry(10), Seen::Retry(u64::MAX)],
            ),
            // P-8, P-9.
            (":\n: a\n:b\n".into(), vec![Seen::Comment, Seen::Comment, Seen::Comment]),
            (data.to_string(), vec![]),
            (format!("{data}: c\nretry: 3\n\n"), vec![Seen::Comment, Seen::Retry(3), text(None, "message")]),
            // Unknown fields, names that only begin alike, fields with a leading space.
            (format!("dataa: 1\n data: 2\nfoo\nDATA: 3\n{data}\n"), vec![text(None, "message")]),
            // P-2: one BOM, at the very start.
            (format!("\u{FEFF}\u{FEFF}{data}\n"), vec![]),
            (format!("\n\n\n{data}\n\n\n"), vec![text(None, "message")]),
            (
                "data\n\n".into(),
                vec![Seen::Malformed { id: None, name: "message".into(), data: String::new(), fault: Fault::Syntax }],
            ),
        ];
        for (stream, expected) in cases {
            assert_eq!(read(stream.as_bytes()), expected, "{stream:?}");
        }
    }

    #[test]
    fn a_new_connection_forgets_the_frame_but_not_the_shape() {
        let mut window = Window::new();
        let mut reader = bichat();
        let frame = b"id: 1-0\ndata: {\"content\":\"a\"}\n\n";
        assert_eq!(feed_all(&mut reader, &mut window, &[frame, b"id: 2-0\ndata: {\"con"]).len(), 1);
        assert!(reader.is_mid_frame());
        reader.restart();
        assert!(!reader.is_mid_frame());
        assert_eq!(feed_all(&mut reader, &mut window, &[b"\xEF\xBB", b"\xBF", frame]), read(frame));
        assert!(reader.envelopes.has_learned());
    }

    #[test]
    fn bad_frames_are_reported_and_the_stream_goes_on() {
        let good = "data: {\"content\":\"a\"}\n\n";
        for (bad, fault) in [
            ("nonsense", Fault::Syntax),
            ("{\"content\":\"a\"", Fault::Syntax),
            ("null", Fault::NotObject),
            ("5", Fault::NotObject),
            ("{\"content\":5}", Fault::WrongType { member: "content" }),
            ("{\"type\":7}", Fault::WrongType { member: "type" }),
        ] {
            let items = read(format!("{good}id: 3\nevent: content\ndata: {bad}\n\n{good}").as_bytes());
            let expected = Seen::Malformed { id: Some("3".into()), name: "content".into(), data: bad.into(), fault };
            assert_eq!(items[1], expected);
            assert_eq!(items[0], items[2]);
        }
    }

    #[test]
    fn bytes_that_are_no_utf8_are_replaced_as_a_decoder_would() {
        for (raw, clean) in [
            (&b"a\xFFb"[..], "a\u{FFFD}b"),
            (b"\xE4\xBD", "\u{FFFD}"),
            (b"\xF0\x9F\x98x", "\u{FFFD}x"),
            (b"\xC0\x80", "\u{FFFD}\u{FFFD}"),
            (b"\xED\xA0\x80", "\u{FFFD}\u{FFFD}\u{FFFD}"),
            ("ok é".as_bytes(), "ok é"),
        ] {
            let mut stream = b"id: 1\nevent: content\ndata: {\"type\":\"content\",\"content\":\"ok\"}\n\n".to_vec();
            stream.extend_from_slice(b"id: 2\nevent: content\ndata: {\"type\":\"content\",\"content\":\"");
            stream.extend_from_slice(raw);
            stream.extend_from_slice(b"\"}\n\n");
            let expected = event(Some("2"), "content", &format!("{{\"type\":\"content\",\"content\":\"{clean}\"}}"));
            assert_eq!(read(&stream)[1], expected);
        }
        // In a name, an id, and in data of several lines.
        let items = read(b"event: a\xFF\nid: \xFE1\ndata: {\"content\":\ndata: \"\xE4\"}\n\n");
        assert_eq!(items, [event(Some("\u{FFFD}1"), "a\u{FFFD}", "{\"content\":\n\"\u{FFFD}\"}")]);
    }

    #[test]
    fn a_frame_beyond_the_bound_ends_the_reading_until_a_restart() {
        let mut window = Window::new();
        for max in [30, 5_000, 200_000] {
            for chunk in [1, 7, 1_000, CHUNK] {
                let mut reader = Reader::new(Protocol::Bichat, max);
                let small = "data: {}\n\n";
                let fits = format!("data: {{{}}}\n\n", " ".repeat(max - 10));
                let beyond = format!("data: {{{}}}\n\n", " ".repeat(max - 9));
                assert_eq!(fits.len(), max);
                let stream = format!("{small}{fits}{small}{beyond}{small}");
                let pieces: Vec<&[u8]> = stream.as_bytes().chunks(chunk).collect();
                let items = feed_all(&mut reader, &mut window, &pieces);
                assert_eq!(items.len(), 4, "{max} {chunk}");
                assert_eq!(items[3], Seen::Overflow);
                assert_eq!(reader.carry.capacity(), 0);
                reader.restart();
                assert_eq!(feed_all(&mut reader, &mut window, &[small.as_bytes()]).len(), 1);
            }
        }
    }

    #[test]
    fn comments_without_end_hold_no_memory() {
        let mut window = Window::new();
        let mut reader = bichat();
        for _ in 0..10_000 {
            assert_eq!(feed_all(&mut reader, &mut window, &[b": ping", b"\n"]), [Seen::Comment]);
        }
        assert!(reader.held_bytes() < 1_000);
    }

    #[test]
    fn a_frame_cut_behind_one_that_outgrew_the_headroom_is_whole_again() {
        let frame =
            |text: &str| format!("id: 1-0\nevent: content\ndata: {{\"type\":\"content\",\"content\":\"{text}\"}}\n\n");
        // The first teaches the shape, the second goes through the carry, the third is cut.
        let stream = [frame("a"), frame(&"b".repeat(2 * HEADROOM)), frame(&"c".repeat(100))].concat().into_bytes();
        let whole = read(&stream);
        for cut in [stream.len() - 20, stream.len() - 120] {
            let pieces = [&stream[..HEADROOM + 200], &stream[HEADROOM + 200..cut], &stream[cut..]];
            assert_eq!(feed_all(&mut bichat(), &mut Window::new(), &pieces), whole);
        }
    }

    #[test]
    fn a_long_frame_is_searched_once_however_it_drips() {
        // Were it searched anew for each byte, this would take 2e10 steps.
        let mut window = Window::new();
        let mut reader = bichat();
        let frame = format!("id: 4\ndata: {{\"content\":\"{}\"}}\n\n", "x".repeat(200_000));
        let mut items = 0;
        for byte in frame.as_bytes() {
            reader.feed_slice(&mut window, &[*byte], |_| items += 1);
        }
        assert_eq!(items, 1);
        // What follows a long frame in its chunk is read from the window.
        let more = format!("{frame}data: {{}}\n\n{frame}: c\n{frame}");
        for chunk in [3_000, 4_096, 60_000] {
            let pieces: Vec<&[u8]> = more.as_bytes().chunks(chunk).collect();
            let seen = feed_all(&mut reader, &mut window, &pieces);
            assert_eq!(seen, read_slowly(more.as_bytes(), DEFAULT_MAX_EVENT_BYTES));
            assert_eq!(seen.len(), 5);
        }
        reader.feed_slice(&mut window, b"data: {}\n\n", |_| {});
        assert!(reader.held_bytes() < 80 * 1024);
    }

    /// Frames as servers write them, and as they should not.
    fn any_frame() -> impl Strategy<Value = Vec<u8>> {
        let text = prop_oneof![
            5 => "[a-z ,.]{0,12}",
            2 => "[a-zé你😀]{0,9}",
            2 => "([a-z]|\\\\n|\\\\\"|\\\\u00e9|\\\\ud83d|\\\\ude00){0,6}",
            1 => "[a-z\\\\\"\u{1}]{0,5}",
            1 => "[a-z]{300}",
        ];
        let time = prop_oneof![
            6 => "17[0-9]{11}", 1 => "[1-9][0-9]{0,18}", 1 => "-?0?[0-9]{0,4}(\\.5|e2)?", 1 => "\"x\"|null|[0-9]{16}"
        ];
        let id = prop_oneof![6 => "17[0-9]{11}-[0-9]", 1 => "", 1 => " ?[a-zé]{0,3}\u{0}?"];
        let shape = prop_oneof![10 => 0..6_usize, 2 => 6..12_usize];
        (shape, 0..4_usize, text, time, id, any::<u8>(), proptest::collection::vec(any::<u8>(), 0..3)).prop_map(
            |(shape, wire, text, time, id, noise, extra)| {
                let kind = if noise % 8 == 0 { "thinking" } else { "content" };
                let lead = format!("id: {id}\nevent: {kind}\ndata: ");
                let frame = match shape {
                    0 | 1 => format!(
                        "{lead}{{\"type\":\"{kind}\",\"content\":\"{text}\",\"timestamp\":{time},\"runId\":\"r\"}}\n\n"
                    ),
                    2 => format!("{lead}{{\"timestamp\":{time},\"content\":\"{text}\",\"type\":\"{kind}\"}}\n\n"),
                    3 => format!(
                        "event: {kind}\ndata: {{\"type\":\"{kind}\",\"content\":\"{text}\",\"timestamp\":{time}}}\n\n"
                    ),
                    4 => format!("data:{{ \"seq\" : {time}, \"content\" : \"{text}\" , \"n\":{time} }}\nid:{id}\n\n"),
                    5 => format!("id:{id}\ndata:{{\"content\":\"{text}\",\"n\":{time}}}\n\n"),
                    6 => format!("{lead}{{\"content\":\"{text}\",\"content\":\"{text}\"}}\n\n"),
                    7 => format!(
                        "{lead}{{\"content\":\"{text}\",\"content\":null,\"timestamp\":1,\"timestamp\":{time}}}\n\n"
                    ),
                    8 => format!("{lead}{{\"content\":\ndata: \"{text}\"}}\n: c\n\n"),
                    9 => format!("id: {id}\nid: {id}\n:c\ndata: {{\"content\":\"{text}\"}}\n\n"),
                    10 => format!("{lead}{{\"a\":1,\"b\":{time},\"c\":3,\"d\":4,\"e\":5,\"content\":\"{text}\"}}\n\n"),
                    _ => format!("{lead}{{\"type\":\"error\",\"error\":\"{text}\"}}\n\n\n"),
                };
                let frame = match wire {
                    1 => frame.replace('\n', "\r\n"),
                    2 => frame.replace('\n', "\r"),
                    _ => frame,
                };
                let mut bytes = frame.into_bytes();
                if noise % 16 == 1 {
                    for at in extra {
                        let at = usize::from(at) % bytes.len();
                        bytes[at] = noise.wrapping_mul(31);
                    }
                }
                bytes
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

        #[test]
        fn the_shortcut_gives_what_full_decoding_gives(
            frames in proptest::collection::vec((any_frame(), 1..6_usize, any::<Option<(u16, u8)>>()), 1..12),
            cuts in proptest::collection::vec(1..400_usize, 1..30), tight in any::<bool>(),
        ) {
            let mut stream = Vec::new();
            for (mut frame, times, change) in frames {
                stream.extend(frame.repeat(times));
                if let Some((at, to)) = change {
                    let at = usize::from(at) % frame.len();
                    // Another digit in the place of a digit, more often than anything else.
                    frame[at] = if frame[at].is_ascii_digit() && to < 200 { b'0' + to % 10 } else { to };
                    stream.extend(frame);
                }
            }
            let max = if tight { 150 } else { DEFAULT_MAX_EVENT_BYTES };
            let slow = read_slowly(&stream, max);
            let mut window = Window::new();
            let whole = feed_all(&mut Reader::new(Protocol::Bichat, max), &mut window, &[&stream]);
            prop_assert_eq!(&whole, &slow);
            let mut pieces = Vec::new();
            let (mut rest, mut cuts) = (&stream[..], cuts.into_iter().cycle());
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(cuts.next().unwrap().min(rest.len()));
                pieces.push(piece);
                rest = after;
            }
            let cut = feed_all(&mut Reader::new(Protocol::Bichat, max), &mut window, &pieces);
            prop_assert_eq!(&cut, &slow);
        }

        #[test]
        fn garbage_is_survived(bytes in proptest::collection::vec(
            prop_oneof![any::<u8>(), Just(b'\n'), Just(b'\r'), Just(b':'), Just(b'{'), Just(b'"')], 0..300), at in 0..300_usize) {
            let (one, other) = bytes.split_at(at.min(bytes.len()));
            let mut window = Window::new();
            let cut = feed_all(&mut bichat(), &mut window, &[one, other]);
            prop_assert_eq!(cut, read_slowly(&bytes, DEFAULT_MAX_EVENT_BYTES));
        }
    }

    #[test]
    fn the_shortcut_is_taken() {
        let mut window = Window::new();
        let mut reader = bichat();
        let frame = |n: u64, kind: &str| {
            format!(
                "id: {n}-0\nevent: {kind}\ndata: {{\"type\":\"{kind}\",\"content\":\"a{n}\",\"timestamp\":{n}}}\n\n"
            )
        };
        for n in 0..100 {
            let kind = if n % 3 == 0 { "thinking" } else { "content" };
            feed_all(&mut reader, &mut window, &[frame(n, kind).as_bytes()]);
            assert!(n < 2 || !reader.envelopes.is_vain(), "frame {n} was decoded in full");
        }
    }

    #[test]
    fn steady_frames_fit_a_stencil_again_soon_after_a_length_has_changed() {
        let mut window = Window::new();
        let mut reader = bichat();
        for n in 0..2_000 {
            let frame = format!("id: {n}\ndata: {{\"content\":\"{}\",\"n\":7}}\n\n", "a".repeat(n % 30));
            feed_all(&mut reader, &mut window, &[frame.as_bytes()]);
        }
        // The first is decoded in full; each new length of the id is met four times in a row at most, later sixteen times.
        assert!(reader.envelopes.loose() <= 40, "{}", reader.envelopes.loose());
    }
}
