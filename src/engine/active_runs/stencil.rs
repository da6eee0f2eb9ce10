//! Rows known at a glance: as `engine/envelope.rs` does it for text, with other holes.
//!
//! A server writes all its rows alike: the same bytes around two ids, a status and a time. A stencil is the last row of its kind
//! that was read in full, as literals with holes between them. Equal literals mean an equal parse but for the holes, and a hole
//! takes only what needs no decoding; whatever does not fit is read in full, and learned anew.

use alloc::{borrow::Cow, vec::Vec};

use super::{
    board::Kind,
    row::{LONGEST_ID, Row, RunStatus},
};
use crate::engine::{
    json::{Members, Value},
    protocol::Span,
    reader::{Feed, Incoming},
    simd::{self, RANGES, Ranges},
};

/// The most digits of a time: no overflow.
const MOST_DIGITS: usize = 15;
/// A longer row is not worth comparing.
const MOST_BYTES: usize = 1024;
/// So many rows in a row are learned in vain before learning becomes rare.
const MOST_VAIN: u32 = 8;

/// The shapes of the last rows, one a kind.
#[derive(Default)]
pub struct Stencils {
    pair: [Stencil; 2],
    // The one that fitted or was learned last.
    latest: bool,
    // Rows read in full since one fitted.
    vain: u32,
}

#[derive(Default)]
struct Stencil {
    // Empty: nothing is known. The last has no hole behind it.
    pieces: Vec<(Literal, Hole)>,
}

/// Bytes, in blocks; the last one's places behind them take anything.
struct Literal {
    ranges: Vec<Ranges>,
    len: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hole {
    Session,
    Run,
    Status,
    At,
    None,
}

impl Stencils {
    /// The row that comes next, if it is like an earlier one; it is taken then.
    #[inline]
    pub fn take<'a>(&mut self, feed: &mut Feed<'a>) -> Option<(Kind, Row<'a>)> {
        let ahead = feed.ahead()?;
        let mut found = self.latest().fit(ahead);
        if found.is_none() {
            self.latest = !self.latest;
            found = self.latest().fit(ahead);
        }
        let (row, len) = found?;
        if !feed.pass(len) {
            return None;
        }
        self.vain = 0;
        Some((if self.latest { Kind::Update } else { Kind::Snapshot }, row))
    }

    /// Learns the shape of a row that was read in full.
    #[cold]
    pub fn learn(&mut self, incoming: &Incoming<'_>) {
        let Incoming { name, data, .. } = incoming;
        let Some(kind) = Kind::named(name) else { return };
        self.latest = kind == Kind::Update;
        self.vain = self.vain.saturating_add(1);
        if (self.vain <= MOST_VAIN || self.vain.is_multiple_of(256))
            && let Some(learned) = Stencil::of(name, data)
        {
            let [one, other] = &mut self.pair;
            *(if self.latest { other } else { one }) = learned;
        }
    }

    fn latest(&self) -> &Stencil {
        let [one, other] = &self.pair;
        if self.latest { other } else { one }
    }
}

impl Stencil {
    /// The stencil of an event as servers write one: its name, then its data, nothing besides.
    fn of(name: &[u8], data: &[u8]) -> Option<Self> {
        let mut holes: Vec<(Span, Hole)> = Vec::new();
        let mut members = Members::open(data).ok()?;
        while let Some((key, value)) = members.next().ok()? {
            let (hole, raw) = match (&*key.plain(), value) {
                (b"sessionId", Value::String(id)) => (Hole::Session, id.raw()),
                (b"runId", Value::String(id)) => (Hole::Run, id.raw()),
                (b"status", Value::String(status)) => (Hole::Status, status.raw()),
                (b"updatedAt", Value::Number(at)) => (Hole::At, at.raw()),
                (b"sessionId" | b"runId" | b"status" | b"updatedAt", _) => return None,
                _ => continue,
            };
            // The scanner gives parts of the data itself.
            let start = (raw.as_ptr() as usize).checked_sub(data.as_ptr() as usize)?;
            if holes.iter().any(|(_, other)| *other == hole) {
                return None;
            }
            holes.push((Span { start, end: start + raw.len() }, hole));
        }
        if holes.len() != 4 || data.len() > MOST_BYTES || data.contains(&b'\n') {
            return None;
        }
        let mut pieces = Vec::new();
        let mut literal = [b"event: ", name, b"\ndata: "].concat();
        let mut at = 0;
        for (span, hole) in holes {
            literal.extend_from_slice(data.get(at..span.start)?);
            pieces.push((Literal::of(&literal), hole));
            literal.clear();
            at = span.end;
        }
        literal.extend_from_slice(data.get(at..)?);
        literal.extend_from_slice(b"\n\n");
        pieces.push((Literal::of(&literal), Hole::None));
        Some(Self { pieces })
    }

    /// The row at the front of these bytes, and its frame's length.
    #[inline(always)]
    fn fit<'a>(&self, bytes: &'a [u8]) -> Option<(Row<'a>, usize)> {
        let (mut session, mut run): (&[u8], &[u8]) = (&[], &[]);
        let (mut status, mut time) = (RunStatus::Queued, 0);
        let mut at = 0;
        for (literal, hole) in &self.pieces {
            if !simd::within(bytes, at, &literal.ranges) {
                return None;
            }
            at += literal.len;
            let start = at;
            match hole {
                Hole::Session => session = id(bytes, &mut at)?,
                Hole::Run => run = id(bytes, &mut at)?,
                Hole::Status => {
                    at = simd::string_stop(bytes, at)?.0;
                    status = RunStatus::named(bytes.get(start..at)?)?;
                }
                Hole::At => time = number(bytes, &mut at)?,
                Hole::None => {
                    let row = Row { session: Cow::Borrowed(session), run: Cow::Borrowed(run), status, at: time };
                    return Some((row, at));
                }
            }
        }
        None
    }
}

/// An id that is what it says: no escape, nothing beyond ASCII, whose UTF-8 nobody has looked at. The literal behind it begins
/// with a quote, so that a string that stops at anything else does not fit.
#[inline(always)]
fn id<'a>(bytes: &'a [u8], at: &mut usize) -> Option<&'a [u8]> {
    let (stop, is_wide) = simd::string_stop(bytes, *at)?;
    let id = bytes.get(*at..stop)?;
    *at = stop;
    (!is_wide && !id.is_empty() && id.len() <= LONGEST_ID).then_some(id)
}

#[inline(always)]
fn number(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let stop = simd::digits_end(bytes, *at)?;
    let digits = bytes.get(*at..stop)?;
    *at = stop;
    if digits.is_empty() || digits.len() > MOST_DIGITS || (digits.len() > 1 && digits.first() == Some(&b'0')) {
        return None;
    }
    Some(digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}

impl Literal {
    fn of(text: &[u8]) -> Self {
        let blocks = text.chunks(RANGES).map(|block| {
            let (mut lows, mut spans) = ([0; RANGES], [0xFF; RANGES]);
            for ((low, span), byte) in lows.iter_mut().zip(&mut spans).zip(block) {
                (*low, *span) = (*byte, 0);
            }
            [lows, spans]
        });
        Self { ranges: blocks.collect(), len: text.len() }
    }
}

#[cfg(test)]
mod tests {
    use std::{format, string::String, vec::Vec};

    use proptest::prelude::*;

    use super::*;
    use crate::engine::{active_runs::row, reader::Item, reader::Reader, window::Window};

    type Seen = (Kind, Vec<u8>, Vec<u8>, RunStatus, u64);

    /// The rows of a stream in these pieces, and how many of them fitted.
    fn read(pieces: &[&[u8]], mut stencils: Option<Stencils>) -> (Vec<Seen>, usize) {
        let (mut reader, mut window) = (Reader::bare(1 << 20), Window::new());
        let (mut seen, mut fits) = (Vec::new(), 0);
        for piece in pieces {
            window.chunk_mut()[..piece.len()].copy_from_slice(piece);
            let mut feed = reader.feed(&mut window, piece.len());
            loop {
                if let Some((kind, row)) = stencils.as_mut().and_then(|stencils| stencils.take(&mut feed)) {
                    seen.push((kind, row.session.to_vec(), row.run.to_vec(), row.status, row.at));
                    fits += 1;
                    continue;
                }
                let Some(item) = feed.next() else { break };
                let Item::Event(incoming) = item else { continue };
                if let Some(stencils) = &mut stencils {
                    stencils.learn(&incoming);
                }
                if let (Some(kind), Some(row)) = (Kind::named(incoming.name), row::read(incoming.data)) {
                    seen.push((kind, row.session.to_vec(), row.run.to_vec(), row.status, row.at));
                }
            }
        }
        (seen, fits)
    }

    fn usual(n: usize) -> String {
        let status = RunStatus::ALL[n % 5].as_str();
        let kind = if n < 40 { "snapshot" } else { "update" };
        format!(
            "event: {kind}\ndata: {{\"sessionId\":\"s-{n}\",\"runId\":\"r{n}\",\"status\":\"{status}\",\"updatedAt\":{n}}}\n\n"
        )
    }

    #[test]
    fn all_but_the_first_of_a_kind_are_known_at_a_glance() {
        let stream: String = (0..100).map(|n| usual(n) + if n % 10 == 5 { ": ping\n\n" } else { "" }).collect();
        let (rows, fits) = read(&[stream.as_bytes()], Some(Stencils::default()));
        // The blank line behind a comment is the next frame's, by which it has another shape.
        assert_eq!((rows.len(), fits), (100, 88));
    }

    #[test]
    fn where_every_row_has_another_shape_few_are_learned() {
        let mut stencils = Stencils::default();
        let rows: Vec<String> = (0..1_000)
            .map(|n| {
                format!("{{\"m{n}\":0,\"sessionId\":\"s\",\"runId\":\"r\",\"status\":\"queued\",\"updatedAt\":1}}")
            })
            .collect();
        let mut learned = 0;
        for row in &rows {
            let stream = format!("event: update\ndata: {row}\n\n");
            let before = stencils.pair[1].pieces.first().map(|(literal, _)| literal.ranges.clone());
            let (mut reader, mut window) = (Reader::bare(1 << 20), Window::new());
            window.chunk_mut()[..stream.len()].copy_from_slice(stream.as_bytes());
            let mut feed = reader.feed(&mut window, stream.len());
            if let Some(Item::Event(incoming)) = feed.next() {
                stencils.learn(&incoming);
            }
            learned +=
                usize::from(before != stencils.pair[1].pieces.first().map(|(literal, _)| literal.ranges.clone()));
        }
        assert!((8..16).contains(&learned), "{learned}");
    }

    fn any_frame() -> impl Strategy<Value = String> {
        let id = prop_oneof![6 => "[a-f0-9-]{1,40}", 1 => "[a-zé\\\\\"]{0,4}", 1 => "\\\\u0073[a-z]", 1 => Just("x".repeat(600))];
        let status =
            prop_oneof![8 => (0..5_usize).prop_map(|n| String::from(RunStatus::ALL[n].as_str())), 1 => "[a-z\"]{0,9}"];
        let at = prop_oneof![8 => "1[0-9]{12}", 1 => "0?[0-9]{0,17}", 1 => "-1|1.5|1e3|\"1\"|null"];
        let name = prop_oneof![4 => Just("update"), 3 => Just("snapshot"), 1 => Just("updates"), 1 => Just("ping")];
        (0..12_usize, name, id.clone(), id, status, at).prop_map(|(shape, name, session, run, status, at)| {
            let data = match shape {
                0 => format!("{{\"runId\":\"{run}\",\"sessionId\":\"{session}\",\"updatedAt\":{at},\"status\":\"{status}\"}}"),
                1 => format!("{{ \"sessionId\" : \"{session}\", \"runId\":\"{run}\",\"status\":\"{status}\",\"updatedAt\":{at} }}"),
                2 => format!(
                    "{{\"sessionId\":\"{session}\",\"runId\":\"{run}\",\"status\":\"{status}\",\"updatedAt\":{at},\"status\":\"{status}\"}}"
                ),
                3 => format!("{{\"sessionId\":\"{session}\",\"runId\":\"{run}\",\"status\":\"{status}\",\"updatedAt\":{at},\"n\":{at}}}"),
                _ => format!("{{\"sessionId\":\"{session}\",\"runId\":\"{run}\",\"status\":\"{status}\",\"updatedAt\":{at}}}"),
            };
            match shape {
                4 => format!("event: {name}\r\ndata: {data}\r\n\r\n"),
                5 => format!("event: {name}\ndata:{data}\n\n"),
                6 => format!("data: {data}\nevent: {name}\n\n"),
                7 => format!("event: {name}\ndata: {data}\n: c\n\n"),
                _ => format!("event: {name}\ndata: {data}\n\n"),
            }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

        #[test]
        fn a_glance_sees_what_a_full_look_sees(
            frames in proptest::collection::vec((any_frame(), 1..4_usize, any::<Option<(u16, u8)>>()), 1..12),
            cuts in proptest::collection::vec(1..300_usize, 1..30),
        ) {
            let mut stream = Vec::new();
            for (frame, times, change) in frames {
                stream.extend(frame.repeat(times).into_bytes());
                if let Some((at, to)) = change {
                    let mut frame = frame.into_bytes();
                    let at = usize::from(at) % frame.len();
                    frame[at] = to;
                    stream.extend(frame);
                }
            }
            let mut pieces = Vec::new();
            let (mut rest, mut cuts) = (&stream[..], cuts.into_iter().cycle());
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(cuts.next().unwrap().min(rest.len()));
                pieces.push(piece);
                rest = after;
            }
            let (full, _) = read(&[&stream], None);
            prop_assert_eq!(&read(&[&stream], Some(Stencils::default())).0, &full);
            prop_assert_eq!(&read(&pieces, Some(Stencils::default())).0, &full);
        }
    }
}
