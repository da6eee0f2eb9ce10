//! From network chunks to events: SSE framing, the protocol's decoding, and a shortcut for the shape that keeps coming.
//!
//! A server writes nearly all its frames alike: the same bytes around an id, a text and a time. The reader keeps the last
//! text frame it decoded as an *envelope*, literal bytes with holes, and tries each frame against that first. Equal
//! literals mean an equal parse but for the holes, so the shortcut gives exactly what full decoding would; whatever does
//! not fit is decoded in full, and learned anew.

use super::event::{Fault, JsonStr, RunEvent};
use super::json;
use super::protocol::{self, Decoded, Hole, Protocol, Span, UNNAMED};
use super::simd;
use super::sse::{self, Framer, Step};
use super::time::Millis;
use super::window::{CHUNK, HEADROOM, Window};

/// The default bound of one frame, in bytes: a snapshot of a very long run fits.
pub const DEFAULT_MAX_EVENT_BYTES: usize = 16 * 1024 * 1024;

/// What a reader finds.
#[derive(Debug)]
pub enum Item<'a> {
    /// An event.
    Event(Incoming<'a>),
    /// A comment line: a sign of life, not an event (P-8).
    Comment,
    /// The server's new reconnection time (P-7).
    Retry(Millis),
    /// A frame without data, or `[DONE]`: no event, but it moves the cursor (empty: resets it), as WHATWG has it.
    Id(&'a [u8]),
    /// An event that cannot be read (B-ES-4). The stream goes on behind it.
    Malformed(Malformed<'a>),
    /// A frame outgrew the bound (P-11). Nothing more comes until [`Reader::restart`].
    Overflow,
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
    timestamp: &'a [u8],
}

impl Incoming<'_> {
    /// The server's time of the event in unix ms, where it gives one.
    pub fn timestamp(&self) -> Option<u64> {
        if self.timestamp.is_empty() { None } else { json::integer(self.timestamp) }
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
    max_event_bytes: usize,
    framer: Framer,
    envelope: Envelope,
    // The unfinished frame between two chunks, and throughout while it is longer than the window's headroom.
    carry: Vec<u8>,
    // The last item borrowed the carry: it is free now.
    carry_spent: bool,
    // Values in which invalid UTF-8 was replaced (P-10).
    clean: Vec<u8>,
    overflown: bool,
}

impl Reader {
    /// A reader of `protocol` that refuses frames of more than `max_event_bytes` bytes.
    pub fn new(protocol: Protocol, max_event_bytes: usize) -> Self {
        Self {
            protocol,
            max_event_bytes,
            framer: Framer::default(),
            envelope: Envelope::default(),
            carry: Vec::new(),
            carry_spent: false,
            clean: Vec::new(),
            overflown: false,
        }
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
        self.carry.capacity() + self.clean.capacity() + self.framer.held_bytes() + self.envelope.literals.capacity()
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
        Feed { reader: self, window, at, end: HEADROOM + len, in_carry }
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
            self.carry.clear();
            self.carry.shrink_to(sse::KEPT);
        }
    }

    fn overflow(&mut self) -> Option<Found> {
        self.carry = Vec::new();
        self.overflown = true;
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
}

/// What was found, as positions.
enum Found {
    Hit(Hit),
    Frame { frame: sse::Frame, data: Span, base: usize, in_carry: bool, is_clean: bool },
    Id { id: Span, base: usize, in_carry: bool },
    Comment,
    Retry(Millis),
    Overflow,
}

/// How much of a chunk a long frame takes at a time: what follows the frame is copied in vain.
const PIECE: usize = 4 * 1024;

impl Feed<'_> {
    /// The next item; `None` when the chunk is read.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Option<Item<'_>> {
        let found = self.find()?;
        let window = self.window.bytes();
        let Reader { protocol, envelope, carry, framer, clean, .. } = &mut *self.reader;
        let place = |base: usize, in_carry: bool| if in_carry { &**carry } else { window.get(base..).unwrap_or(&[]) };
        Some(match found {
            Found::Hit(hit) => Item::Event(envelope.open(window, &hit)),
            Found::Frame { frame, data, base, in_carry, is_clean } => {
                let bytes = place(base, in_carry);
                let values = if is_clean { &**clean } else { bytes };
                let wide = if frame.is_joined && !is_clean { framer.joined() } else { values };
                let wide = wide.get(data.start..).unwrap_or(&[]);
                let len = data.end - data.start;
                let id = frame.id.map(|id| id.of(values));
                let name = frame.name.map(|name| name.of(values)).filter(|name| !name.is_empty()).unwrap_or(UNNAMED);
                match protocol::decode_wide(*protocol, name, wide, len) {
                    Ok(decoded) => {
                        if !is_clean && !frame.is_joined && !frame.is_mixed && !in_carry {
                            envelope.learn(bytes, &frame, data, name, &decoded);
                        }
                        let timestamp = decoded.timestamp.unwrap_or_default().of(wide);
                        let data = wide.get(..len).unwrap_or(&[]);
                        Item::Event(Incoming { id, name, data, event: decoded.event, timestamp })
                    }
                    Err(fault) => {
                        let data = wide.get(..len).unwrap_or(&[]);
                        Item::Malformed(Malformed { id, name, data, fault })
                    }
                }
            }
            Found::Id { id, base, in_carry } => Item::Id(id.of(place(base, in_carry))),
            Found::Comment => Item::Comment,
            Found::Retry(after) => Item::Retry(after),
            Found::Overflow => Item::Overflow,
        })
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

    /// `None` at the end of the chunk, `Some(None)` to go on.
    fn find_in_window(&mut self) -> Option<Option<Found>> {
        let reader = &mut *self.reader;
        let bytes = self.window.bytes();
        let here = bytes.get(self.at..self.end)?;
        let Some(skipped) = reader.framer.skip(here) else { return self.save() };
        self.at += skipped;
        let here = bytes.get(self.at..self.end)?;
        if let Some(hit) = reader.envelope.fit(bytes, self.at, self.end)
            && hit.end - self.at <= reader.max_event_bytes
        {
            self.at = hit.end;
            reader.framer.passed(bytes.get(hit.end.wrapping_sub(1)).copied().unwrap_or(0));
            return Some(Some(Found::Hit(hit)));
        }
        Some(match reader.framer.step(here) {
            Step::More => return self.save(),
            Step::Comment { drop } | Step::Retry { drop, .. } if drop > reader.max_event_bytes => reader.overflow(),
            Step::Comment { drop } => {
                self.at += drop;
                Some(Found::Comment)
            }
            Step::Retry { after, drop } => {
                self.at += drop;
                Some(Found::Retry(after))
            }
            Step::Frame(frame) if frame.len > reader.max_event_bytes => reader.overflow(),
            Step::Frame(frame) => {
                let base = self.at;
                self.at += frame.len;
                reader.judge(frame, here, base, false)
            }
        })
    }

    /// Keeps what is left of the chunk for the next one.
    fn save(&mut self) -> Option<Option<Found>> {
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
            Step::Comment { drop } => (drop, Some(Found::Comment)),
            Step::Retry { after, drop } => (drop, Some(Found::Retry(after))),
            Step::Frame(frame) => {
                let carry = core::mem::take(&mut reader.carry);
                let found = reader.judge(frame, &carry, 0, true);
                reader.carry = carry;
                (frame.len, found)
            }
        };
        if drop > reader.max_event_bytes {
            return Some(reader.overflow());
        }
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
    fn judge(&mut self, frame: sse::Frame, bytes: &[u8], base: usize, in_carry: bool) -> Option<Found> {
        let (data, values) = match frame.data {
            Some(_) if frame.is_joined => {
                let joined = self.framer.joined();
                (Some(Span { start: 0, end: joined.len() }), joined)
            }
            data => (data, bytes),
        };
        // B-PARSE-1: `[DONE]` says nothing that the run's own end has not said.
        let data = data.filter(|data| data.of(values) != b"[DONE]");
        let is_utf8 = |span: Option<Span>, of: &[u8]| core::str::from_utf8(span.unwrap_or_default().of(of)).is_ok();
        if is_utf8(data, values) && is_utf8(frame.name, bytes) && is_utf8(frame.id, bytes) {
            return match (data, frame.id) {
                (Some(data), _) => Some(Found::Frame { frame, data, base, in_carry, is_clean: false }),
                (None, Some(id)) => Some(Found::Id { id, base, in_carry }),
                (None, None) => None,
            };
        }
        self.clean.clear();
        self.clean.shrink_to(sse::KEPT);
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
fn push_clean(bytes: &[u8], out: &mut Vec<u8>) -> Span {
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

/// The shape of the last text frame.
#[derive(Default)]
struct Envelope {
    // The literals in order, each padded to whole blocks.
    literals: Vec<u8>,
    pieces: [Piece; Self::MOST],
    is_reasoning: bool,
    name: Vec<u8>,
    // In which piece's literal, and where in it, the data begins; and how many bytes follow the data.
    data_piece: usize,
    data_offset: usize,
    tail: usize,
    // How often it was learned since it last fitted.
    vain: u32,
}

/// A literal and the hole behind it.
#[derive(Clone, Copy, Default)]
struct Piece {
    start: usize,
    padded_end: usize,
    len: usize,
    hole: Hole,
}

/// A frame that fits, as positions in the window.
#[derive(Clone, Copy, Default)]
struct Hit {
    id: Span,
    text: usize,
    text_len: usize,
    escaped: bool,
    ascii: bool,
    timestamp: Span,
    data: Span,
    end: usize,
}

/// The most digits of a number in a hole: no overflow, and one block to search.
const MOST_DIGITS: usize = 15;

impl Envelope {
    /// The data's holes, an id and the end.
    const MOST: usize = protocol::Holes::MOST + 2;
    /// Longer literals are not worth comparing.
    const MOST_BYTES: usize = 1024;

    /// Tries the frame at `bytes[at..end]`.
    #[inline]
    fn fit(&self, bytes: &[u8], mut at: usize, end: usize) -> Option<Hit> {
        let mut hit = Hit::default();
        for (number, piece) in self.pieces.iter().enumerate() {
            let literal = self.literals.get(piece.start..piece.padded_end)?;
            if piece.len == 0 || !simd::begins(bytes, at, literal, piece.len) {
                return None;
            }
            if number == self.data_piece {
                hit.data.start = at + self.data_offset;
            }
            at += piece.len;
            match piece.hole {
                Hole::None => {
                    hit.end = at;
                    hit.data.end = at - self.tail;
                    return (at <= end).then_some(hit);
                }
                Hole::Id => {
                    let stop = simd::printable_end(bytes, at)?;
                    if stop == at || bytes.get(at) == Some(&b' ') {
                        return None;
                    }
                    hit.id = Span { start: at, end: stop };
                    at = stop;
                }
                Hole::Text => {
                    let text = json::scan_string(bytes.get(at..)?, end.checked_sub(at)?)?;
                    if !text.is_ascii() && core::str::from_utf8(text.raw()).is_err() {
                        return None;
                    }
                    hit.text = at;
                    hit.text_len = text.raw().len();
                    (hit.escaped, hit.ascii) = (!text.is_plain(), text.is_ascii());
                    at += hit.text_len;
                }
                Hole::Number | Hole::Timestamp => {
                    let stop = simd::digits_end(bytes, at)?;
                    let digits = stop - at;
                    if digits == 0 || digits > MOST_DIGITS || (digits > 1 && bytes.get(at) == Some(&b'0')) {
                        return None;
                    }
                    if piece.hole == Hole::Timestamp {
                        hit.timestamp = Span { start: at, end: stop };
                    }
                    at = stop;
                }
            }
        }
        None
    }

    /// The event of a frame that fitted.
    #[inline]
    fn open<'a>(&'a mut self, bytes: &'a [u8], hit: &Hit) -> Incoming<'a> {
        self.vain = 0;
        let wide = bytes.get(hit.text..).unwrap_or(&[]);
        let text = JsonStr::scanned(wide, hit.text_len, hit.escaped, hit.ascii);
        Incoming {
            id: if hit.id.end == 0 { None } else { Some(hit.id.of(bytes)) },
            name: &self.name,
            data: hit.data.of(bytes),
            event: if self.is_reasoning { RunEvent::Reasoning { text } } else { RunEvent::Text { text } },
            timestamp: hit.timestamp.of(bytes),
        }
    }

    /// Learns the shape of a text frame that was decoded in full; leaves others alone.
    fn learn(&mut self, bytes: &[u8], frame: &sse::Frame, data: Span, name: &[u8], decoded: &Decoded<'_>) {
        let is_reasoning = match decoded.event {
            RunEvent::Text { .. } => false,
            RunEvent::Reasoning { .. } => true,
            _ => return,
        };
        // Where every frame differs in more than the holes, stop learning each of them.
        self.vain = self.vain.wrapping_add(1);
        if self.vain > 8 && !self.vain.is_multiple_of(16) {
            return;
        }
        self.forget();
        if self.set(bytes, frame, data, decoded).is_none() {
            return self.forget();
        }
        self.is_reasoning = is_reasoning;
        self.name.clear();
        self.name.extend_from_slice(name);
    }

    fn forget(&mut self) {
        self.literals.clear();
        self.pieces = Default::default();
    }

    fn set(&mut self, bytes: &[u8], frame: &sse::Frame, data: Span, decoded: &Decoded<'_>) -> Option<()> {
        let holes = decoded.holes.all()?;
        if frame.len > Self::MOST_BYTES || holes.iter().filter(|hole| hole.0 == Hole::Text).count() != 1 {
            return None;
        }
        // The data must be the frame's last line.
        let tail = Span { start: data.end, end: frame.len };
        if !tail.of(bytes).iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return None;
        }
        (self.data_piece, self.tail) = (0, frame.len - data.end);
        let (mut at, mut count) = (0, 0);
        if let Some(id) = frame.id {
            let value = id.of(bytes);
            if id.end > data.start
                || value.first().is_none_or(|&first| first == b' ')
                || simd::printable_end(value, 0).is_some()
            {
                return None;
            }
            self.push(bytes, &mut count, Span { start: at, end: id.start }, Hole::Id)?;
            at = id.end;
            self.data_piece = count;
        }
        self.data_offset = data.start - at;
        for &(hole, span) in holes {
            let span = span.shifted(data.start);
            if hole != Hole::Text && span.end - span.start > MOST_DIGITS {
                return None;
            }
            self.push(bytes, &mut count, Span { start: at, end: span.start }, hole)?;
            at = span.end;
        }
        self.push(bytes, &mut count, Span { start: at, end: frame.len }, Hole::None)
    }

    fn push(&mut self, bytes: &[u8], count: &mut usize, literal: Span, hole: Hole) -> Option<()> {
        const BLOCK: usize = 16;
        let text = literal.of(bytes);
        let start = self.literals.len();
        self.literals.extend_from_slice(text);
        self.literals.resize((start + text.len()).next_multiple_of(BLOCK), 0);
        *self.pieces.get_mut(*count)? = Piece { start, padded_end: self.literals.len(), len: text.len(), hole };
        *count += 1;
        (!text.is_empty()).then_some(())
    }
}
