//! Where a client stands in a server's log: which events it has applied, and from where to resume.
//!
//! Decides whether an event is new, seen before, or follows a gap. Ids are compared as what they are: integers,
//! `ms-seq` pairs, or opaque marks that are only equal or not; never as strings (B-ES-14). Ordered ids need one number of
//! memory, opaque ones a bounded window of hashes. The position moves only when told that an event was applied (A-ENV-6),
//! so whatever is cut between arrival and application is asked for again.

use alloc::{boxed::Box, vec::Vec};

use super::simd;

/// An event id, by its format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursor<'a> {
    /// The empty id: none, or a reset (P-6).
    None,
    /// A sequence number: `42`.
    Int(u64),
    /// Milliseconds and a sequence number within them, as a Redis stream counts: `1712345678001-0`.
    Pair(u64, u64),
    /// Anything else. Equal or not equal, nothing more.
    Opaque(&'a [u8]),
}

impl<'a> Cursor<'a> {
    /// Tells an id's format. Only canonical decimals count as numbers: `007` might be another event than `7`.
    pub fn parse(id: &'a [u8]) -> Self {
        if id.is_empty() {
            return Self::None;
        }
        let ordered = match leading_decimal(id) {
            Some((number, [])) => Some(Self::Int(number)),
            Some((millis, [b'-', seq @ ..])) => match leading_decimal(seq) {
                Some((seq, [])) => Some(Self::Pair(millis, seq)),
                _ => None,
            },
            _ => None,
        };
        ordered.unwrap_or(Self::Opaque(id))
    }
}

/// What an event's id says about the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not seen before, as far as its id can tell: apply it.
    New,
    /// Applied before: drop it.
    Duplicate,
    /// New, but events before it are missing. Only contiguous numbering can show this ([`Position::contiguous`]).
    Gap,
}

/// The position in one log.
#[derive(Clone, Debug, Default)]
pub struct Position {
    /// The id to resume after, verbatim; empty for the log's beginning.
    held: Vec<u8>,
    seen: Seen,
    contiguous: bool,
    /// While it is some, `seen` is behind, and `held` is the last pair.
    shape: Shape,
}

/// The shape of the pair that came last: ids of one log are alike nearly always, and then their digits, compared as text, are
/// in the order of their numbers. That costs a tenth of reading the numbers.
#[derive(Clone, Copy, Debug, Default)]
struct Shape {
    /// From 8 to 16; 0 for no shape.
    len: usize,
    /// Its first and its last eight bytes, in the order of memory.
    ends: [u64; 2],
    /// Where the second number begins if it has more than one digit; else 0.
    seq: usize,
}

/// An id of the same shape as the last, and later; what [`Position::step`] takes.
#[derive(Clone, Copy)]
pub struct Next {
    ends: [u64; 2],
}

impl Shape {
    const NONE: Self = Self { len: 0, ends: [0; 2], seq: 0 };

    fn of(id: &[u8]) -> Self {
        let (8..=16, Cursor::Pair(..)) = (id.len(), Cursor::parse(id)) else { return Self::NONE };
        let Some(ends) = ends(id) else { return Self::NONE };
        let seq = id.iter().position(|&byte| byte == b'-').map_or(0, |dash| dash + 1);
        Self { len: id.len(), ends, seq: if seq + 1 < id.len() { seq } else { 0 } }
    }

    #[inline(always)]
    fn next(&self, id: &[u8]) -> Option<Next> {
        if id.len() != self.len {
            return None;
        }
        let ends = ends(id)?;
        // The first number is later than one without a leading zero.
        let is_canonical = self.seq == 0 || id.get(self.seq) != Some(&b'0');
        (is_canonical && simd::is_successor(self.ends, ends)).then_some(Next { ends })
    }
}

/// The first and the last eight bytes, which overlap in a short id.
#[inline(always)]
fn ends(id: &[u8]) -> Option<[u64; 2]> {
    Some([u64::from_ne_bytes(*id.first_chunk()?), u64::from_ne_bytes(*id.last_chunk()?)])
}

/// What is remembered of the events that were applied.
#[derive(Clone, Debug, Default)]
enum Seen {
    #[default]
    Nothing,
    /// Every integer up to this one.
    Int(u64),
    /// Every pair up to this one.
    Pair(u64, u64),
    /// These hashes. Once a log has shown an opaque id, or two formats, its ids have no order any more.
    Marks(Box<Marks>),
}

impl Position {
    /// The beginning of a log: nothing applied.
    pub const fn new() -> Self {
        Self { held: Vec::new(), seen: Seen::Nothing, contiguous: false, shape: Shape::NONE }
    }

    /// Right after the event `id`, whose content the caller holds.
    pub fn after(id: &[u8]) -> Self {
        let mut position = Self::new();
        position.advance(id);
        position
    }

    /// The same position in a log whose integers leave none out, so that a missing event shows as a gap (A-SRV-1).
    pub fn contiguous(self) -> Self {
        Self { contiguous: true, ..self }
    }

    /// The beginning of a log that counts its events from 1 and leaves none out.
    pub const fn before_first() -> Self {
        Self { held: Vec::new(), seen: Seen::Int(0), contiguous: true, shape: Shape::NONE }
    }

    /// The quick way, for an id like the one before: new for certain. `None` says nothing: ask [`Position::judge`].
    #[inline(always)]
    pub fn glance(&self, id: &[u8]) -> Option<Next> {
        self.shape.next(id)
    }

    /// The event that [`Position::glance`] saw was applied. Nothing may come between the two.
    #[inline(always)]
    pub fn step(&mut self, next: Next) {
        self.shape.ends = next.ends;
        let [front, back] = next.ends;
        if let Some(held) = self.held.first_chunk_mut() {
            *held = front.to_ne_bytes();
        }
        if let Some(held) = self.held.last_chunk_mut() {
            *held = back.to_ne_bytes();
        }
    }

    /// What is remembered, up to date.
    fn settled(&self) -> Option<Seen> {
        match Cursor::parse(&self.held) {
            Cursor::Pair(millis, seq) if self.shape.len != 0 => Some(Seen::Pair(millis, seq)),
            _ => None,
        }
    }

    /// Judges the event `id`. Moves nothing. An event without an id is always new.
    pub fn check(&self, id: &[u8]) -> Verdict {
        self.judge(id, Cursor::parse(id))
    }

    /// As [`Position::check`], for an id that was parsed already: on the hot road once is enough.
    #[inline]
    pub fn judge(&self, id: &[u8], cursor: Cursor<'_>) -> Verdict {
        let settled = self.settled();
        let fresh = match (settled.as_ref().unwrap_or(&self.seen), cursor) {
            (_, Cursor::None) | (Seen::Nothing, _) => true,
            (Seen::Int(last), Cursor::Int(next)) => {
                if self.contiguous && next > last.saturating_add(1) {
                    return Verdict::Gap;
                }
                next > *last
            }
            (Seen::Pair(millis, seq), Cursor::Pair(next_millis, next_seq)) => (next_millis, next_seq) > (*millis, *seq),
            (Seen::Marks(marks), _) => !marks.contains(hash(id)),
            // Another format than before. Its order against the earlier ids is unknown, and a new event lost is worse.
            _ => true,
        };
        if fresh { Verdict::New } else { Verdict::Duplicate }
    }

    /// The event `id` was applied: resume after it from now on. Ordered ids move the position upward only (A-ENV-3).
    ///
    /// The empty id sends the next resume back to the log's beginning (P-6); what was applied is still known, so that the
    /// replay doubles nothing.
    pub fn advance(&mut self, id: &[u8]) {
        self.advance_to(id, Cursor::parse(id));
    }

    /// As [`Position::advance`], for an id that was parsed already.
    #[inline]
    pub fn advance_to(&mut self, id: &[u8], cursor: Cursor<'_>) {
        if let Some(seen) = self.settled() {
            self.seen = seen;
        }
        self.shape = Shape::NONE;
        self.move_to(id, cursor);
        if let Seen::Pair(..) = self.seen {
            self.shape = Shape::of(&self.held);
        }
    }

    fn move_to(&mut self, id: &[u8], cursor: Cursor<'_>) {
        match (&mut self.seen, cursor) {
            (_, Cursor::None) => return self.held.clear(),
            (Seen::Int(last), Cursor::Int(next)) => {
                if next <= *last {
                    return;
                }
                *last = next;
            }
            (Seen::Pair(millis, seq), Cursor::Pair(next_millis, next_seq)) => {
                if (next_millis, next_seq) <= (*millis, *seq) {
                    return;
                }
                (*millis, *seq) = (next_millis, next_seq);
            }
            (seen @ Seen::Nothing, Cursor::Int(next)) => *seen = Seen::Int(next),
            (seen @ Seen::Nothing, Cursor::Pair(millis, seq)) => *seen = Seen::Pair(millis, seq),
            (Seen::Marks(marks), _) => marks.insert(hash(id)),
            (seen, _) => {
                let mut marks = Box::<Marks>::default();
                // Of the ordered ids before, only the last can still be named.
                if !self.held.is_empty() {
                    marks.insert(hash(&self.held));
                }
                marks.insert(hash(id));
                *seen = Seen::Marks(marks);
            }
        }
        // A header cannot carry more. Resuming from an earlier id costs a replay, which the marks absorb.
        if self.held.len() == id.len() {
            // Ids of one log are of one length, nearly always: no call for a copy of twenty bytes.
            for (to, from) in self.held.iter_mut().zip(id) {
                *to = *from;
            }
        } else if id.len() <= LONGEST_ID {
            self.held.clear();
            self.held.extend_from_slice(id);
        }
    }

    /// Goes to where the server says, whatever was before: a mark of its own, that no event has.
    pub fn put(&mut self, id: &[u8]) {
        if id.len() <= LONGEST_ID {
            self.held.clear();
            self.held.extend_from_slice(id);
        }
    }

    /// The id to resume after, as the server wrote it; empty at the log's beginning.
    pub fn as_bytes(&self) -> &[u8] {
        &self.held
    }

    /// Whether a resume would begin at the log's beginning.
    pub fn is_none(&self) -> bool {
        self.held.is_empty()
    }
}

/// Hashes of the last ids applied, oldest out first.
#[derive(Clone, Debug)]
struct Marks {
    ring: [u64; WINDOW],
    filled: usize,
    oldest: usize,
}

impl Default for Marks {
    fn default() -> Self {
        Self { ring: [0; WINDOW], filled: 0, oldest: 0 }
    }
}

impl Marks {
    fn insert(&mut self, mark: u64) {
        if self.contains(mark) {
            return;
        }
        if let Some(slot) = self.ring.get_mut(self.oldest) {
            *slot = mark;
        }
        self.oldest = (self.oldest + 1) % WINDOW;
        self.filled = (self.filled + 1).min(WINDOW);
    }

    fn contains(&self, mark: u64) -> bool {
        self.ring.iter().take(self.filled).any(|&known| known == mark)
    }
}

/// FNV-1a, 64 bit: 1,024 marks collide once in some 10^13 windows.
fn hash(id: &[u8]) -> u64 {
    id.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

/// The canonical decimal at the front of `text` and what follows it; at most 19 digits, all of which fit.
fn leading_decimal(text: &[u8]) -> Option<(u64, &[u8])> {
    // Eight digits at once: this runs twice for each event, and digit by digit is one long chain of multiplications.
    let (mut number, mut rest) = match text.split_first_chunk().map(|(eight, rest)| (eight_digits(*eight), rest)) {
        Some((Some(number), rest)) => (number, rest),
        _ => (0, text),
    };
    while let [byte @ b'0'..=b'9', after @ ..] = rest {
        // Wraps from the 21st digit on; the length is judged below.
        number = number.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
        rest = after;
    }
    match (text.len() - rest.len(), text.first()) {
        (1, _) | (2..=19, Some(b'1'..=b'9')) => Some((number, rest)),
        _ => None,
    }
}

/// The value of eight ASCII digits, by adding neighbours in lanes of a word; `None` if one is no digit.
fn eight_digits(digits: [u8; 8]) -> Option<u64> {
    let word = u64::from_le_bytes(digits);
    // A byte is a digit if its high half is 3, and still is after adding 6.
    let high = 0xF0F0_F0F0_F0F0_F0F0;
    let zeros = 0x3030_3030_3030_3030;
    if word & high != zeros || word.wrapping_add(0x0606_0606_0606_0606) & high != zeros {
        return None;
    }
    let ones = word & 0x0F0F_0F0F_0F0F_0F0F;
    let tens = (ones.wrapping_mul(10) + (ones >> 8)) & 0x00FF_00FF_00FF_00FF;
    let hundreds = (tens.wrapping_mul(100) + (tens >> 16)) & 0x0000_FFFF_0000_FFFF;
    Some((hundreds.wrapping_mul(10_000) + (hundreds >> 32)) & 0xFFFF_FFFF)
}

/// How many opaque ids are remembered: the most a server may replay of what was seen without doubling it.
const WINDOW: usize = 1_024;

/// The longest id that is sent back, in bytes.
const LONGEST_ID: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    fn after(id: &str) -> Position {
        Position::after(id.as_bytes())
    }

    fn check(position: &Position, id: &str) -> Verdict {
        position.check(id.as_bytes())
    }

    #[test]
    fn formats_are_told_apart() {
        for (id, cursor) in [
            ("", Cursor::None),
            ("0", Cursor::Int(0)),
            ("42", Cursor::Int(42)),
            ("9999999999999999999", Cursor::Int(9_999_999_999_999_999_999)),
            ("1712345678001-0", Cursor::Pair(1_712_345_678_001, 0)),
            ("1712345678001-12", Cursor::Pair(1_712_345_678_001, 12)),
            ("0-0", Cursor::Pair(0, 0)),
        ] {
            assert_eq!(Cursor::parse(id.as_bytes()), cursor, "{id}");
        }
        for id in [
            "007",
            "-",
            "1-",
            "-1",
            "1--2",
            "1-2-3",
            "01-2",
            "1-02",
            "+1",
            "1.0",
            "1e3",
            "a",
            "1 ",
            " 1",
            "12345678a",
            "1234567:",
            "1234567/",
            "10000000000000000000",
            "1712345678001-x",
            "\u{661}",
            "é",
            "1\u{0}",
        ] {
            assert_eq!(Cursor::parse(id.as_bytes()), Cursor::Opaque(id.as_bytes()), "{id}");
        }
    }

    #[test]
    fn eight_digits_at_a_time_read_like_one_at_a_time() {
        let mut rng = crate::engine::rng::Rng::seeded(1);
        let decimal = |text: &[u8]| match Cursor::parse(text) {
            Cursor::Int(number) => Some(number),
            _ => None,
        };
        for _ in 0..20_000 {
            let mut text = rng.next_u64().to_string();
            text.truncate(1 + rng.up_to(18) as usize);
            assert_eq!(decimal(text.as_bytes()), text.parse().ok().filter(|_| text == "0" || !text.starts_with('0')));
            let place = rng.up_to(text.len() as u64 - 1) as usize;
            let mut broken = text.into_bytes();
            broken[place] = rng.next_u64() as u8;
            let expected = std::str::from_utf8(&broken)
                .ok()
                .filter(|text| {
                    text.bytes().all(|byte| byte.is_ascii_digit()) && (*text == "0" || !text.starts_with('0'))
                })
                .and_then(|text| text.parse().ok());
            assert_eq!(decimal(&broken), expected, "{broken:?}");
        }
    }

    #[test]
    fn pairs_compare_as_numbers_never_as_strings() {
        let position = after("999-9");
        assert_eq!(check(&position, "1000-0"), Verdict::New, "B-ES-14");
        assert_eq!(check(&position, "999-10"), Verdict::New);
        assert_eq!(check(&position, "999-9"), Verdict::Duplicate);
        assert_eq!(check(&position, "999-8"), Verdict::Duplicate);
        assert_eq!(check(&position, "99-99999"), Verdict::Duplicate);
    }

    #[test]
    fn checking_moves_nothing_and_applying_moves_upward_only() {
        let mut position = Position::new();
        assert!(position.is_none());
        assert_eq!(check(&position, "5-0"), Verdict::New);
        assert_eq!(check(&position, "5-0"), Verdict::New, "A-ENV-6: it was not applied");
        position.advance(b"5-0");
        position.advance(b"4-7");
        assert_eq!(position.as_bytes(), b"5-0", "A-ENV-3");
        assert_eq!(check(&position, "5-0"), Verdict::Duplicate);
        position.advance(b"5-1");
        assert_eq!(position.as_bytes(), b"5-1");
    }

    #[test]
    fn a_gap_shows_where_numbering_is_contiguous() {
        let position = after("7").contiguous();
        assert_eq!(check(&position, "7"), Verdict::Duplicate);
        assert_eq!(check(&position, "8"), Verdict::New);
        assert_eq!(check(&position, "9"), Verdict::Gap);
        assert_eq!(check(&after("7"), "9"), Verdict::New, "not promised, not judged");
        assert_eq!(check(&Position::new().contiguous(), "9"), Verdict::New, "nothing to compare with");
        assert_eq!(check(&after("9999999999999999999").contiguous(), "10000000000000000000"), Verdict::New);
    }

    #[test]
    fn opaque_ids_are_known_again_in_any_order() {
        let mut position = Position::new();
        for id in ["aa", "zz", "mm"] {
            assert_eq!(check(&position, id), Verdict::New);
            position.advance(id.as_bytes());
        }
        for id in ["zz", "aa", "mm"] {
            assert_eq!(check(&position, id), Verdict::Duplicate);
        }
        assert_eq!(check(&position, "ab"), Verdict::New);
        assert_eq!(position.as_bytes(), b"mm");
    }

    #[test]
    fn the_memory_for_opaque_ids_is_bounded_oldest_out_first() {
        let mut position = Position::new();
        for event in 0..WINDOW + 10 {
            position.advance(format!("e{event}").as_bytes());
            position.advance(format!("e{event}").as_bytes());
        }
        assert_eq!(check(&position, "e9"), Verdict::New);
        for event in 10..WINDOW + 10 {
            assert_eq!(check(&position, &format!("e{event}")), Verdict::Duplicate);
        }
    }

    #[test]
    fn mixed_formats_have_no_order() {
        let mut position = after("5");
        assert_eq!(check(&position, "4-0"), Verdict::New);
        position.advance(b"4-0");
        assert_eq!(check(&position, "5"), Verdict::Duplicate, "the last id of the old format is still known");
        assert_eq!(check(&position, "4-0"), Verdict::Duplicate);
        assert_eq!(check(&position, "3-0"), Verdict::New, "an order among them is not assumed");
        assert_eq!(position.as_bytes(), b"4-0");
    }

    #[test]
    fn an_event_without_an_id_is_new_and_moves_nothing_but_a_reset() {
        let mut position = after("5-0");
        assert_eq!(position.check(b""), Verdict::New);
        position.advance(b"");
        assert!(position.is_none(), "P-6: the next resume starts at the beginning");
        assert_eq!(check(&position, "4-0"), Verdict::Duplicate, "and its replay doubles nothing");
        position.advance(b"6-0");
        assert_eq!(position.as_bytes(), b"6-0");
    }

    #[test]
    fn an_id_too_long_for_a_header_is_known_again_but_not_sent() {
        let long = "x".repeat(LONGEST_ID + 1);
        let mut position = after("a");
        position.advance(long.as_bytes());
        assert_eq!(position.as_bytes(), b"a");
        assert_eq!(check(&position, &long), Verdict::Duplicate);
    }

    #[test]
    fn ordered_ids_take_no_memory_for_each_event() {
        let mut position = Position::new();
        position.advance(b"1712345678001-0");
        let room = position.held.capacity();
        for seq in 1..5_000 {
            position.advance(format!("1712345678001-{seq}").as_bytes());
        }
        assert!(position.held.capacity() <= room.max(32));
        assert!(matches!(position.seen, Seen::Pair(1_712_345_678_001, 4_999)));
    }

    proptest::proptest! {
        #[test]
        fn a_glance_changes_no_verdict_and_no_position(
            ids in proptest::collection::vec(
                proptest::prop_oneof![
                    6 => "[1-2][0-2]{6}-[0-2]{1,3}",
                    2 => "[0-2]{7,8}[-0][0-2]{0,2}",
                    1 => "[0-9]{8,10}",
                    1 => "[a-z:\u{80}]{0,9}-?[0-9]{0,7}",
                ], 0..40),
        ) {
            let (mut quick, mut slow) = (Position::new(), Position::new());
            for id in &ids {
                let id = id.as_bytes();
                let verdict = slow.check(id);
                proptest::prop_assert_eq!(quick.check(id), verdict);
                match quick.glance(id) {
                    Some(next) => {
                        proptest::prop_assert_eq!(verdict, Verdict::New);
                        quick.step(next);
                    }
                    None if verdict == Verdict::Duplicate => continue,
                    None => quick.advance(id),
                }
                // Never a glance at this one.
                slow.shape = Shape::NONE;
                slow.advance(id);
                slow.seen = slow.settled().unwrap_or_else(|| slow.seen.clone());
                slow.shape = Shape::NONE;
                proptest::prop_assert_eq!(quick.as_bytes(), slow.as_bytes());
            }
        }
    }
}
