//! The shape that keeps coming: text frames known at a glance.
//!
//! A server writes nearly all its frames alike: the same bytes around an id, a text and a time. An envelope is the last text
//! frame that was decoded in full, as stretches of literal bytes with holes between them. Equal literals mean an equal parse
//! but for the holes, so what fits gives exactly what full decoding would; whatever does not fit is decoded in full, and
//! learned anew.
//!
//! Ids and times hardly ever change their length, and then only the text's length is open: the [`Stencil`] of an envelope is
//! two stretches around one hole, in which every byte has a range, so that a frame takes one comparison a block.

use alloc::vec::Vec;

use super::json::{self, JsonStr};
use super::protocol::{Hole, Shape, Span, UNNAMED};
use super::simd::{self, RANGES, Ranges};
use super::sse::Frame;

/// What an envelope makes of the bytes at hand.
#[allow(clippy::large_enum_variant)]
pub(super) enum Fit<'a> {
    /// One whole frame.
    Whole(Hit<'a>),
    /// The beginning of a frame that may fit: more bytes will tell.
    Short,
    /// Something else.
    No,
}

/// The holes' contents of a frame that fits.
pub(super) struct Hit<'a> {
    /// The value of the `id:` line, if there is one.
    pub id: Option<&'a [u8]>,
    /// The event's name.
    pub name: &'a [u8],
    /// All data.
    pub data: &'a [u8],
    /// The digits of the event's time, if it has one.
    pub timestamp: &'a [u8],
    /// What to append.
    pub text: JsonStr<'a>,
    /// Which part it belongs to, where the data says so.
    pub part: &'a [u8],
    /// To the reasoning, or to the answer.
    pub is_reasoning: bool,
    /// Where the frame ends.
    pub end: usize,
    /// Whether its last byte is a CR, so that a LF may follow.
    pub ends_in_cr: bool,
}

/// The shapes of the last text frames: one for text and one for reasoning.
#[derive(Default)]
pub(super) struct Envelopes {
    pair: [Envelope; 2],
    // The one that fitted or was learned last.
    latest: bool,
    // Text frames decoded in full since one fitted, and in all.
    vain: u32,
    misses: u32,
    // Frames that fitted since learning was last paid for, and how often it was not.
    fits: u32,
    debt: u32,
}

#[derive(Default)]
struct Envelope {
    stencil: Option<Stencil>,
    // How often the envelope fitted and its stencil did not.
    loose: u32,
    pieces: Vec<Piece>,
    is_reasoning: bool,
    // Where the name lies, counted from the frame's start, or back from the data's if an id lies in front of it.
    name: Name,
    // Where the data begins, counted from the id's end or else from the frame's start; and how many bytes follow the data.
    data_offset: usize,
    tail: usize,
    // Where in the data the part's name lies.
    part: Span,
}

#[derive(Clone, Copy, Default)]
enum Name {
    #[default]
    None,
    After(Span),
    Before(Span),
}

/// A literal and the hole behind it.
struct Piece {
    literal: Stretch,
    hole: Hole,
}

/// What each byte of a stretch may be.
#[derive(Default)]
struct Stretch {
    ranges: Vec<Ranges>,
    // In bytes; the last ranges' places behind it take anything.
    len: usize,
}

/// An envelope whose holes are of known length, but for the text. What lies in front of the text is counted from the frame's
/// start, what lies behind it from the text's end.
#[derive(Default)]
struct Stencil {
    front: Stretch,
    back: Stretch,
    id: Option<Span>,
    name: Option<Span>,
    data_start: usize,
    timestamp: Option<Span>,
    is_timestamp_behind: bool,
    ends_in_cr: bool,
}

/// The most digits of a number in a hole: no overflow, and one block to search.
const MOST_DIGITS: usize = 15;

impl Envelopes {
    /// How many frames must fit to make up for one that was learned.
    const PRICE: u32 = 32;
    /// How often one is learned on credit.
    const MOST_DEBT: u32 = 8;

    /// Bytes of memory held.
    pub fn held_bytes(&self) -> usize {
        self.pair.iter().map(Envelope::held_bytes).sum()
    }

    fn latest(&self) -> &Envelope {
        let [one, other] = &self.pair;
        if self.latest { other } else { one }
    }

    fn latest_mut(&mut self) -> &mut Envelope {
        let [one, other] = &mut self.pair;
        if self.latest { other } else { one }
    }

    /// Tries the frame at `bytes[at..end]`, a line feed standing at `end`, with the stencil that fitted last.
    #[inline(always)]
    pub fn glance<'a>(&mut self, bytes: &'a [u8], at: usize, end: usize) -> Option<Hit<'a>> {
        let hit = self.latest().glance(bytes, at, end)?;
        self.vain = 0;
        self.fits = self.fits.wrapping_add(1);
        Some(hit)
    }

    /// Tries it with all that is known.
    #[inline(never)]
    pub fn fit<'a>(&mut self, bytes: &'a [u8], at: usize, end: usize) -> Fit<'a> {
        let mut fit = self.latest_mut().fit(bytes, at, end);
        if let Fit::No = fit {
            self.latest = !self.latest;
            fit = self.latest_mut().fit(bytes, at, end);
        }
        match fit {
            Fit::No => self.latest = !self.latest,
            Fit::Short => {}
            Fit::Whole(_) => {
                self.vain = 0;
                self.fits = self.fits.wrapping_add(1);
            }
        }
        fit
    }

    /// Learns the shape of a text frame that was decoded in full.
    #[cold]
    pub fn learn(&mut self, bytes: &[u8], frame: &Frame, data: Span, shape: &Shape, is_reasoning: bool) {
        self.vain = self.vain.saturating_add(1);
        self.misses = self.misses.wrapping_add(1);
        // Learning must pay for itself: where most frames differ in more than the holes, it is seldom tried again.
        if self.debt >= Self::MOST_DEBT && self.fits >= Self::PRICE {
            self.debt = self.debt.saturating_sub(self.fits / Self::PRICE);
            self.fits = 0;
        }
        if self.debt >= Self::MOST_DEBT && !self.misses.is_multiple_of(256) {
            return;
        }
        self.debt = self.debt.saturating_add(1).min(Self::MOST_DEBT);
        // The same kind of event in a new shape takes the old one's place.
        if self.latest().is_reasoning != is_reasoning {
            self.latest = !self.latest;
        }
        // Strings are literals, which are compared faster than they are scanned, until they prove to differ.
        let learned = Envelope::of(bytes, frame, data, shape, self.vain > 2).unwrap_or_default();
        *self.latest_mut() = Envelope { is_reasoning, ..learned };
    }
}

impl Envelope {
    /// Longer frames are not worth comparing.
    const MOST_BYTES: usize = 1024;
    /// The data's holes, an id and the end.
    const MOST_PIECES: usize = Shape::MOST + 2;

    fn held_bytes(&self) -> usize {
        let pieces: usize = self.pieces.iter().map(|piece| piece.literal.held_bytes()).sum();
        let stencil = self.stencil.as_ref().map_or(0, |stencil| stencil.front.held_bytes() + stencil.back.held_bytes());
        self.pieces.capacity() * size_of::<Piece>() + pieces + stencil
    }

    #[inline(always)]
    fn glance<'a>(&self, bytes: &'a [u8], start: usize, end: usize) -> Option<Hit<'a>> {
        let stencil = self.stencil.as_ref()?;
        if !stencil.front.fits(bytes, start) {
            return None;
        }
        let text_start = start + stencil.front.len;
        let text = string(bytes, text_start, end).ok()?;
        let text_end = text_start + text.raw().len();
        let frame_end = text_end + stencil.back.len;
        if frame_end > end || !stencil.back.fits(bytes, text_end) {
            return None;
        }
        let time_from = if stencil.is_timestamp_behind { text_end } else { start };
        let data = bytes.get(start + stencil.data_start..frame_end - self.tail).unwrap_or(&[]);
        Some(Hit {
            id: stencil.id.map(|id| id.shifted(start).of(bytes)),
            name: stencil.name.map_or(UNNAMED, |name| name.shifted(start).of(bytes)),
            data,
            timestamp: stencil.timestamp.map_or(&[], |time| time.shifted(time_from).of(bytes)),
            text,
            part: self.part.of(data),
            is_reasoning: self.is_reasoning,
            end: frame_end,
            ends_in_cr: stencil.ends_in_cr,
        })
    }

    fn fit<'a>(&mut self, bytes: &'a [u8], start: usize, end: usize) -> Fit<'a> {
        let (mut at, mut id_end) = (start, start);
        let (mut id, mut timestamp, mut text): (_, &[u8], _) = (None, &[], JsonStr::default());
        let mut holes = [Span::default(); Self::MOST_PIECES];
        for (piece, span) in self.pieces.iter().zip(&mut holes) {
            let literal = &piece.literal;
            if at + literal.len > end {
                let Some(left) = bytes.get(at..end) else { return Fit::No };
                // All but the LF behind a last CR is a whole frame; the full path knows.
                let is_whole = literal.len == left.len() + 1 && left.last() == Some(&b'\r');
                return if !is_whole && literal.begins(left) { Fit::Short } else { Fit::No };
            }
            if !literal.fits(bytes, at) {
                return Fit::No;
            }
            at += literal.len;
            span.start = at;
            // The line feed behind the last byte stops every search.
            match piece.hole {
                Hole::None => {
                    let data = id_end + self.data_offset;
                    self.loose = self.loose.wrapping_add(1);
                    if self.loose < 4 || self.loose.is_multiple_of(16) {
                        self.stencil = self.cut(bytes, start, &holes);
                    }
                    let name = self.name_span(start, data).map_or(UNNAMED, |name| name.of(bytes));
                    let data = bytes.get(data..at - self.tail).unwrap_or(&[]);
                    return Fit::Whole(Hit {
                        id,
                        name,
                        data,
                        timestamp,
                        text,
                        part: self.part.of(data),
                        is_reasoning: self.is_reasoning,
                        end: at,
                        ends_in_cr: bytes.get(at - 1) == Some(&b'\r'),
                    });
                }
                Hole::Id => {
                    let Some(stop) = simd::printable_end(bytes, at) else { return Fit::No };
                    if stop >= end {
                        return Fit::Short;
                    }
                    if stop == at || bytes.get(at) == Some(&b' ') {
                        return Fit::No;
                    }
                    id = bytes.get(at..stop);
                    (at, id_end) = (stop, stop);
                }
                Hole::Text | Hole::String => {
                    let found = match string(bytes, at, end) {
                        Ok(found) => found,
                        Err(Cut::Short) => return Fit::Short,
                        Err(Cut::No) => return Fit::No,
                    };
                    at += found.raw().len();
                    if piece.hole == Hole::Text {
                        text = found;
                    }
                }
                Hole::Number | Hole::Timestamp => {
                    let Some(stop) = simd::digits_end(bytes, at) else { return Fit::No };
                    if stop >= end {
                        return Fit::Short;
                    }
                    let digits = stop - at;
                    if digits == 0 || digits > MOST_DIGITS || (digits > 1 && bytes.get(at) == Some(&b'0')) {
                        return Fit::No;
                    }
                    if piece.hole == Hole::Timestamp {
                        timestamp = bytes.get(at..stop).unwrap_or(&[]);
                    }
                    at = stop;
                }
            }
            span.end = at;
        }
        Fit::No
    }

    fn name_span(&self, start: usize, data: usize) -> Option<Span> {
        match self.name {
            Name::None => None,
            Name::After(span) => Some(span.shifted(start)),
            Name::Before(span) => Some(Span { start: data - span.start, end: data - span.end }),
        }
    }

    /// The stencil of the frame at `bytes[start..]`, whose holes' contents lie at `holes`. None while other strings than the
    /// text differ, too.
    #[cold]
    fn cut(&self, bytes: &[u8], start: usize, holes: &[Span]) -> Option<Stencil> {
        let (mut stencil, mut behind) = (Stencil::default(), None);
        let mut at = start;
        let mut data = start + self.data_offset;
        for (piece, hole) in self.pieces.iter().zip(holes) {
            let stretch = if behind.is_some() { &mut stencil.back } else { &mut stencil.front };
            stretch.push_literal(Span { start: at, end: at + piece.literal.len }.of(bytes));
            let from = behind.unwrap_or(start);
            let len = hole.end.saturating_sub(hole.start);
            at = hole.end;
            match piece.hole {
                Hole::None => {
                    stencil.ends_in_cr = bytes.get(hole.start - 1) == Some(&b'\r');
                    stencil.data_start = data - start;
                    stencil.name = self.name_span(start, data).map(|name| name.back(start));
                    return Some(stencil);
                }
                Hole::Id => {
                    stretch.push_run(len, b'!', b' ', 0x7F);
                    stencil.id = Some(hole.back(start));
                    data = hole.end + self.data_offset;
                }
                Hole::Number | Hole::Timestamp => {
                    stretch.push_run(len, if len > 1 { b'1' } else { b'0' }, b'0', b'9');
                    if piece.hole == Hole::Timestamp {
                        stencil.timestamp = Some(hole.back(from));
                        stencil.is_timestamp_behind = behind.is_some();
                    }
                }
                Hole::Text => behind = Some(hole.end),
                Hole::String => return None,
            }
        }
        None
    }

    /// `None` if frames of this shape are not worth learning.
    fn of(bytes: &[u8], frame: &Frame, data: Span, shape: &Shape, is_loose: bool) -> Option<Self> {
        let mut envelope = Self::default();
        let holes = shape.holes()?;
        if frame.len > Self::MOST_BYTES || holes.iter().filter(|hole| hole.0 == Hole::Text).count() != 1 {
            return None;
        }
        // The data must be the frame's last line.
        let tail = Span { start: data.end, end: frame.len }.of(bytes);
        if !tail.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return None;
        }
        envelope.tail = tail.len();
        envelope.part = shape.part;
        let mut at = 0;
        if let Some(id) = frame.id {
            let value = id.of(bytes);
            let is_plain = value.first().is_some_and(|&first| first != b' ') && simd::printable_end(value, 0).is_none();
            if id.end > data.start || !is_plain {
                return None;
            }
            envelope.push(bytes, Span { start: at, end: id.start }, Hole::Id)?;
            at = id.end;
        }
        envelope.data_offset = data.start - at;
        envelope.name = match frame.name.filter(|name| name.end > name.start) {
            Some(name) if name.end > data.start => return None,
            // Behind the id, only the way to the data is always the same.
            Some(name) if name.start >= at => {
                Name::Before(Span { start: data.start - name.start, end: data.start - name.end })
            }
            Some(name) => Name::After(name),
            None => Name::None,
        };
        for &(hole, span) in holes {
            let span = span.shifted(data.start);
            if matches!(hole, Hole::Number | Hole::Timestamp) && span.end - span.start > MOST_DIGITS {
                return None;
            }
            if hole == Hole::String && !is_loose {
                continue;
            }
            envelope.push(bytes, Span { start: at, end: span.start }, hole)?;
            at = span.end;
        }
        envelope.push(bytes, Span { start: at, end: frame.len }, Hole::None)?;
        Some(envelope)
    }

    fn push(&mut self, bytes: &[u8], literal: Span, hole: Hole) -> Option<()> {
        let text = literal.of(bytes);
        if text.is_empty() || self.pieces.len() == Self::MOST_PIECES {
            return None;
        }
        let mut literal = Stretch::default();
        literal.push_literal(text);
        self.pieces.push(Piece { literal, hole });
        Some(())
    }
}

impl Stretch {
    fn held_bytes(&self) -> usize {
        self.ranges.capacity() * size_of::<Ranges>()
    }

    #[inline(always)]
    fn fits(&self, bytes: &[u8], at: usize) -> bool {
        simd::within(bytes, at, &self.ranges)
    }

    /// Whether `bytes`, which are fewer than the stretch takes, may be its beginning.
    fn begins(&self, bytes: &[u8]) -> bool {
        let mut places = self.ranges.iter().flat_map(|[lows, spans]| lows.iter().zip(spans));
        bytes.iter().all(|byte| places.next().is_some_and(|(low, span)| byte.wrapping_sub(*low) <= *span))
    }

    fn push_literal(&mut self, text: &[u8]) {
        for &byte in text {
            self.push(byte, byte);
        }
    }

    /// `len` bytes up to `high`, the first of them from `first` on, the others from `low` on.
    fn push_run(&mut self, len: usize, first: u8, low: u8, high: u8) {
        for place in 0..len {
            self.push(if place == 0 { first } else { low }, high);
        }
    }

    fn push(&mut self, low: u8, high: u8) {
        let place = self.len % RANGES;
        if place == 0 {
            self.ranges.push([[0; RANGES], [0xFF; RANGES]]);
        }
        if let Some([lows, spans]) = self.ranges.last_mut()
            && let (Some(at), Some(span)) = (lows.get_mut(place), spans.get_mut(place))
        {
            (*at, *span) = (low, high - low);
        }
        self.len += 1;
    }
}

/// Why there is no string.
enum Cut {
    /// It goes on behind the end.
    Short,
    /// It is none.
    No,
}

/// The JSON string whose contents begin at `bytes[at]`, a line feed standing at `end`.
#[inline(always)]
fn string(bytes: &[u8], at: usize, end: usize) -> Result<JsonStr<'_>, Cut> {
    let (Some(wide), Some((stop, high))) = (bytes.get(at..), simd::string_stop(bytes, at)) else { return Err(Cut::No) };
    let found = match bytes.get(stop) {
        Some(b'"') => JsonStr::scanned(wide, stop - at, false, !high),
        Some(b'\\') => json::scan_string(wide, end.saturating_sub(at)).ok_or(Cut::No)?,
        _ => return Err(if stop >= end { Cut::Short } else { Cut::No }),
    };
    if found.is_ascii() || core::str::from_utf8(found.raw()).is_ok() { Ok(found) } else { Err(Cut::No) }
}

#[cfg(test)]
impl Envelopes {
    pub fn has_learned(&self) -> bool {
        !self.latest().pieces.is_empty()
    }

    /// Whether the last text frame was decoded in full.
    pub fn is_vain(&self) -> bool {
        self.vain > 0
    }

    /// How many frames fitted without their stencil.
    pub fn loose(&self) -> u32 {
        self.latest().loose
    }
}
