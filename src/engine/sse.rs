//! SSE framing as WHATWG has it (P-1 to P-9), over bytes.
//!
//! Bytes serve as well as characters: the decoder replaces what is no UTF-8, but it never swallows an ASCII byte, and ASCII
//! is all that framing looks at. A framer sees one frame at a time, from the frame's first byte to the last byte that has
//! come, and remembers how far it has looked; so a frame may arrive byte by byte and is searched once.

use alloc::vec::Vec;

use super::protocol::Span;
use super::simd;
use super::time::Millis;
use super::window::recycle;

/// The frame that is being read. Positions count from its first byte.
#[derive(Default)]
pub(super) struct Framer {
    // The first byte of the line that has not ended yet, and how far its end was searched.
    line: usize,
    seen: usize,
    // The last line ended with a CR that was the last byte to come: an LF in front of the next line belongs to it (P-1).
    skip_lf: bool,
    // The stream's first bytes, which may be a BOM, are behind us (P-2).
    begun: bool,
    id: Option<Span>,
    name: Option<Span>,
    data: Option<Span>,
    lines: usize,
    is_mixed: bool,
    joined: Vec<u8>,
}

/// What the bytes so far amount to.
pub(super) enum Step {
    /// The frame has not ended.
    More,
    /// A comment (P-8). The first `drop` bytes are done with and no part of a frame; `size` as in [`Frame`].
    Comment { size: usize, drop: usize },
    /// A new reconnection time (P-7), and the same.
    Retry { after: Millis, size: usize, drop: usize },
    /// The frame ended.
    Frame(Frame),
}

/// One whole frame.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    /// Its length, blank line included.
    pub len: usize,
    /// Its length for the bound: without the LF that may follow the last CR, because that may not have come yet.
    pub size: usize,
    /// The value of its last `id:` line that counts (P-6).
    pub id: Option<Span>,
    /// The value of its last `event:` line.
    pub name: Option<Span>,
    /// The value of its `data:` line; of several, [`Framer::joined`] holds them all.
    pub data: Option<Span>,
    /// Whether the data had more than one line.
    pub is_joined: bool,
    /// Whether a comment or a `retry:` line stood among its fields.
    pub is_mixed: bool,
}

impl Framer {
    /// Forgets the connection. The buffer stays.
    pub fn restart(&mut self) {
        let joined = core::mem::take(&mut self.joined);
        *self = Self { joined, ..Self::default() };
    }

    /// Bytes of memory held.
    pub fn held_bytes(&self) -> usize {
        self.joined.capacity()
    }

    /// The data lines of the frame that [`step`](Self::step) gave last, joined (P-3).
    pub fn joined(&self) -> &[u8] {
        &self.joined
    }

    /// Whether the next byte belongs to a frame for sure.
    #[inline]
    pub fn is_aligned(&self) -> bool {
        self.begun && !self.skip_lf
    }

    /// How many bytes at the front of a frame's bytes belong to no frame: a BOM, or the LF of a line end whose CR came before.
    /// `None` if it takes more bytes to tell.
    pub fn skip(&mut self, bytes: &[u8]) -> Option<usize> {
        const BOM: &[u8] = b"\xEF\xBB\xBF";
        if self.line > 0 || self.seen > 0 {
            return Some(0);
        }
        if !self.begun {
            if bytes.len() < BOM.len() && BOM.starts_with(bytes) {
                return None;
            }
            self.begun = true;
            if bytes.starts_with(BOM) {
                return Some(BOM.len());
            }
        }
        if self.skip_lf {
            let first = bytes.first()?;
            self.skip_lf = false;
            return Some(usize::from(*first == b'\n'));
        }
        Some(0)
    }

    /// Reads on. `bytes` begins with the frame's first byte, [`skip`](Self::skip) done.
    pub fn step(&mut self, bytes: &[u8]) -> Step {
        loop {
            if self.skip_lf {
                let Some(&byte) = bytes.get(self.line) else { return Step::More };
                self.skip_lf = false;
                if byte == b'\n' {
                    self.line += 1;
                    self.seen = self.line;
                }
            }
            let Some(stop) = simd::line_end(bytes, self.seen) else {
                self.seen = bytes.len();
                return Step::More;
            };
            let line = Span { start: self.line, end: stop };
            let mut next = stop + 1;
            if bytes.get(stop) == Some(&b'\r') {
                match bytes.get(next) {
                    Some(b'\n') => next += 1,
                    Some(_) => {}
                    None => self.skip_lf = true,
                }
            }
            (self.line, self.seen) = (next, next);
            if line.start == stop {
                return Step::Frame(self.finish(next, stop + 1));
            }
            if let Some(step) = self.read_line(line, bytes) {
                return step;
            }
        }
    }

    /// The frame was recognised by other means: the next one begins.
    #[inline]
    pub fn passed(&mut self, ends_in_cr: bool) {
        // Else nothing of the frame was looked at.
        if self.line > 0 || self.seen > 0 {
            self.finish(0, 0);
        }
        self.skip_lf = ends_in_cr;
    }

    fn finish(&mut self, len: usize, size: usize) -> Frame {
        let frame = Frame {
            len,
            size,
            id: self.id.take(),
            name: self.name.take(),
            data: self.data.take(),
            is_joined: self.lines > 1,
            is_mixed: self.is_mixed,
        };
        (self.line, self.seen, self.lines, self.is_mixed) = (0, 0, 0, false);
        frame
    }

    fn read_line(&mut self, line: Span, bytes: &[u8]) -> Option<Step> {
        let text = line.of(bytes);
        if text.first() == Some(&b':') {
            return Some(Step::Comment { size: line.end + 1, drop: self.drop() });
        }
        let colon = text.iter().position(|&byte| byte == b':');
        let (field, value) = match colon {
            Some(colon) => {
                let space = usize::from(text.get(colon + 1) == Some(&b' '));
                (text.get(..colon)?, Span { start: line.start + colon + 1 + space, end: line.end })
            }
            None => (text, Span { start: line.end, end: line.end }),
        };
        match field {
            b"data" => {
                self.lines += 1;
                match self.data {
                    None => {
                        recycle(&mut self.joined);
                        self.data = Some(value);
                    }
                    Some(first) => {
                        if self.lines == 2 {
                            self.joined.extend_from_slice(first.of(bytes));
                        }
                        self.joined.push(b'\n');
                        self.joined.extend_from_slice(value.of(bytes));
                    }
                }
            }
            b"event" => self.name = Some(value),
            b"id" if value.of(bytes).iter().all(|&byte| byte != 0) => self.id = Some(value),
            b"retry" => {
                if let Some(after) = millis(value.of(bytes)) {
                    return Some(Step::Retry { after, size: line.end + 1, drop: self.drop() });
                }
            }
            _ => {}
        }
        None
    }

    /// Lines that leave nothing behind need not be held until the frame ends: a stream of comments is no growing frame.
    fn drop(&mut self) -> usize {
        if self.id.is_some() || self.name.is_some() || self.data.is_some() {
            self.is_mixed = true;
            return 0;
        }
        self.seen = 0;
        core::mem::take(&mut self.line)
    }
}

/// A `retry:` value: digits only (P-7).
fn millis(value: &[u8]) -> Option<Millis> {
    if value.is_empty() {
        return None;
    }
    // One that does not fit is longer than anyone will wait.
    value.iter().all(u8::is_ascii_digit).then(|| Millis(super::json::integer(value).unwrap_or(u64::MAX)))
}
