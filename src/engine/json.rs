//! A JSON scanner that names the parts of a text without building anything.
//!
//! It accepts exactly what `JSON.parse` accepts (nesting beyond [`MAX_DEPTH`] apart), so that a slice it has passed can be
//! handed to `JSON.parse` later and never throws. It is iterative, allocates nothing, and wants valid UTF-8.

use alloc::{borrow::Cow, string::String};

use super::simd;

/// The deepest nesting that is read; deeper values are a [`Fault::TooDeep`].
pub const MAX_DEPTH: u32 = 128;

/// What is wrong with an event's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Fault {
    /// Not JSON at all, or cut short.
    Syntax,
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// JSON, but not an object (B-ES-5).
    NotObject,
    /// A member that the event needs is of another type than the protocol says.
    WrongType {
        /// The member's name.
        member: &'static str,
    },
}

/// The contents of a JSON string as they came, between the quotes, escapes untouched but known to be right.
#[derive(Clone, Copy)]
pub struct JsonStr<'a> {
    // The contents and whatever follows them in the buffer, so that short texts can be copied in whole blocks.
    wide: &'a [u8],
    len: usize,
    // Bits in a word of its own: a bool would lend its niche to the enums around, and their copies would be words at odd
    // places, which the processor cannot forward from the store before.
    flags: u32,
}

const ESCAPED: u32 = 1;
const ASCII: u32 = 2;
const JSON: u32 = 4;

/// Copies one block from `wide[at..]` to `out`, and tells how many bytes of it are whole characters of `rest`, which begins
/// there, in front of its next escape. What is copied beyond them does not count.
#[inline(always)]
fn copy_run(wide: &[u8], at: usize, rest: &[u8], out: &mut [u8]) -> usize {
    let run = simd::copy_until(wide, at, b'\\', out).unwrap_or_else(|| {
        let mut last = [b'\\'; simd::WIDTH];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        simd::copy_until(&last, 0, b'\\', out).unwrap_or(0)
    });
    let mut run = run.min(rest.len());
    // A lead byte and its continuation bytes go out together. Three steps at most: `rest` is valid UTF-8.
    while run > 1 && rest.get(run).is_some_and(|byte| byte & 0xC0 == 0x80) {
        run -= 1;
    }
    run
}

/// Where decoded text goes.
pub trait Sink {
    /// Takes a run of whole characters.
    fn push(&mut self, utf8: &[u8]);
    /// Takes half of a surrogate pair, that only `\u` escapes can carry; the halves may come in two strings.
    fn push_surrogate(&mut self, unit: u16);
}

impl<'a> JsonStr<'a> {
    /// The string `wide[..len]`; its caller has scanned it.
    pub(super) fn scanned(wide: &'a [u8], len: usize, escaped: bool, ascii: bool) -> Self {
        Self { wide, len: len.min(wide.len()), flags: u32::from(escaped) | u32::from(ascii) << 1 }
    }

    /// The string whose contents, escapes and all, were [`raw`](Self::raw) before.
    pub(super) fn stored(raw: &'a [u8]) -> Self {
        // Marked as if it had what it may not have: slower to decode, and as right.
        Self { wide: raw, len: raw.len(), flags: ESCAPED }
    }

    /// The text of a JSON value that is no string. Its [`raw`](Self::raw) is itself, and not the contents of a string.
    pub(super) fn of_json(raw: &'a [u8]) -> Self {
        Self { wide: raw, len: raw.len(), flags: JSON }
    }

    /// Whether it is such a text.
    pub(super) fn is_json(&self) -> bool {
        self.flags & JSON != 0
    }

    /// The contents as they stand in the JSON: valid between quotes in any other JSON.
    pub fn raw(&self) -> &'a [u8] {
        self.wide.get(..self.len).unwrap_or(&[])
    }

    /// Whether it is the empty string.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the contents stand for themselves.
    pub fn is_plain(&self) -> bool {
        self.flags & ESCAPED == 0
    }

    /// Whether the contents as they stand are ASCII; escapes may still name other characters.
    pub(super) fn is_ascii(&self) -> bool {
        self.flags & ASCII != 0
    }

    /// The decoded contents, borrowed where they stand for themselves.
    pub(super) fn plain(&self) -> Cow<'a, [u8]> {
        if !self.is_plain() { Cow::Owned(self.decoded().into_bytes()) } else { Cow::Borrowed(self.raw()) }
    }

    /// The contents, and what lies behind them in memory.
    pub(super) fn wide(&self) -> &'a [u8] {
        self.wide
    }

    /// Whether the decoded contents are `text`.
    pub fn equals(&self, text: &[u8]) -> bool {
        *self.plain() == *text
    }

    /// Decodes the contents into `sink`.
    pub fn append_to(&self, sink: &mut impl Sink) {
        if self.is_plain() {
            return sink.push(self.raw());
        }
        let raw = self.raw();
        // Escapes come close together: collect a stretch before handing it on. No larger, or clearing it is a call.
        let mut held = [0; 64];
        let (mut at, mut count) = (0, 0);
        while let Some(rest) = raw.get(at..).filter(|rest| !rest.is_empty()) {
            if count + simd::WIDTH + 4 > held.len() {
                sink.push(held.get(..count).unwrap_or(&[]));
                count = 0;
            }
            let run = copy_run(self.wide, at, rest, held.get_mut(count..).unwrap_or(&mut []));
            (at, count) = (at + run, count + run);
            let Some((b'\\', after)) = rest.get(run..).and_then(<[u8]>::split_first) else { continue };
            let (unit, after) = escape(after);
            at = raw.len() - after.len();
            match char::from_u32(u32::from(unit)) {
                Some(character) => {
                    if let Some(slot) = held.get_mut(count..count + 4) {
                        count += character.encode_utf8(slot).len();
                    }
                }
                None => {
                    sink.push(held.get(..count).unwrap_or(&[]));
                    count = 0;
                    sink.push_surrogate(unit);
                }
            }
        }
        sink.push(held.get(..count).unwrap_or(&[]));
    }

    /// The decoded contents; halves of surrogate pairs that stay alone become U+FFFD.
    pub fn decoded(&self) -> String {
        let mut text = super::text::Text::default();
        text.append(*self);
        text.seal();
        text.decoded()
    }
}

impl Default for JsonStr<'_> {
    fn default() -> Self {
        Self { wide: &[], len: 0, flags: ASCII }
    }
}

impl core::fmt::Debug for JsonStr<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(&String::from_utf8_lossy(self.raw()), f)
    }
}

/// Decodes what follows a backslash in a scanned string: the UTF-16 unit and the rest.
fn escape(after: &[u8]) -> (u16, &[u8]) {
    let Some((&kind, rest)) = after.split_first() else { return (u16::from(b'\\'), after) };
    let unit = match kind {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 0x08,
        b'f' => 0x0C,
        b'u' => {
            let (digits, rest) = rest.split_at_checked(4).unwrap_or((rest, &[]));
            let unit = digits.iter().fold(0, |unit, &digit| unit << 4 | u16::from(hex(digit).unwrap_or(0)));
            return (unit, rest);
        }
        other => other,
    };
    (u16::from(unit), rest)
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// A JSON number as it came.
#[derive(Clone, Copy, Debug)]
pub struct Number<'a>(&'a [u8]);

impl<'a> Number<'a> {
    /// The number's text.
    pub fn raw(&self) -> &'a [u8] {
        self.0
    }

    /// The number, if it is written as an integer from zero up and fits.
    pub fn as_integer(&self) -> Option<u64> {
        integer(self.0)
    }

    /// The number rounded down; `None` below zero, the largest `u64` beyond it.
    pub fn as_u64(&self) -> Option<u64> {
        // By hand: the exact parser of floating point would bring ten kilobytes of tables into the wasm.
        let (mut sum, mut scale, mut exponent) = (0_u64, 0_i32, 0_i32);
        let (mut in_fraction, mut in_exponent, mut shrinks, mut below_zero) = (false, false, false, false);
        for &byte in self.0 {
            match byte {
                b'-' if in_exponent => shrinks = true,
                b'-' => below_zero = true,
                b'.' => in_fraction = true,
                b'e' | b'E' => in_exponent = true,
                b'0'..=b'9' if in_exponent => {
                    exponent = exponent.saturating_mul(10).saturating_add(i32::from(byte - b'0')).min(10_000);
                }
                b'0'..=b'9' => match with_digit(sum, byte) {
                    Some(more) => {
                        sum = more;
                        scale -= i32::from(in_fraction);
                    }
                    // Digits beyond the 19th only count as powers of ten.
                    None => scale += i32::from(!in_fraction),
                },
                _ => {}
            }
        }
        if below_zero && sum != 0 {
            return None;
        }
        scale = scale.saturating_add(if shrinks { -exponent } else { exponent });
        while scale < 0 && sum != 0 {
            sum /= 10;
            scale += 1;
        }
        while scale > 0 && sum != 0 && sum != u64::MAX {
            sum = if sum > u64::MAX / 10 { u64::MAX } else { sum * 10 };
            scale -= 1;
        }
        Some(sum)
    }
}

/// The number that `digits` write, if they are digits and it fits.
pub(super) fn integer(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |sum, digit| if digit.is_ascii_digit() { with_digit(sum, *digit) } else { None })
}

/// `sum` with one more digit behind it, if it fits. (A checked multiplication would be one of 128 bits in wasm.)
fn with_digit(sum: u64, digit: u8) -> Option<u64> {
    if sum > u64::MAX / 10 {
        return None;
    }
    (sum * 10).checked_add(u64::from(digit - b'0'))
}

/// One JSON value; arrays and objects are raw and already validated.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub enum Value<'a> {
    /// A string.
    String(JsonStr<'a>),
    /// A number.
    Number(Number<'a>),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
    /// An object, braces included.
    Object(&'a [u8]),
    /// An array, brackets included.
    Array(&'a [u8]),
}

impl<'a> Value<'a> {
    /// The string, if it is one.
    pub fn as_str(&self) -> Option<JsonStr<'a>> {
        match self {
            Self::String(text) => Some(*text),
            _ => None,
        }
    }

    /// The number rounded down, if it is one from zero up.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Number(number) => number.as_u64(),
            _ => None,
        }
    }

    /// How many bytes it takes in the JSON.
    pub(super) fn raw_len(&self) -> usize {
        match self {
            Self::String(text) => text.len + 2,
            Self::Number(Number(raw)) | Self::Object(raw) | Self::Array(raw) => raw.len(),
            Self::Bool(false) => 5,
            Self::Bool(true) | Self::Null => 4,
        }
    }
}

/// Whether `json` is one valid JSON value, as `JSON.parse` takes it.
pub fn is_value(json: &[u8]) -> bool {
    let mut scanner = Scanner::new(json, json.len());
    scanner.skip_space();
    scanner.value().is_ok() && {
        scanner.skip_space();
        scanner.at == scanner.end && core::str::from_utf8(json).is_ok()
    }
}

/// What a value is; where it lies stands beside it in the scanner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
enum Kind {
    String,
    Number,
    True,
    False,
    Null,
    Object,
    Array,
}

/// Reads one JSON text from front to back. What it found stays in its own fields, words that are read as they were written:
/// values handed out through memory are copied in larger pieces than they were stored in, and the processor waits for that.
pub(super) struct Scanner<'a> {
    // The text, and whatever follows it in the buffer.
    wide: &'a [u8],
    end: usize,
    at: usize,
    // The last value or key: its kind, its place (a string's contents), a string's flags.
    kind: Kind,
    from: usize,
    to: usize,
    flags: u32,
    too_deep: bool,
}

impl<'a> Scanner<'a> {
    pub fn new(wide: &'a [u8], len: usize) -> Self {
        Self { wide, end: len.min(wide.len()), at: 0, kind: Kind::Null, from: 0, to: 0, flags: 0, too_deep: false }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    #[inline(always)]
    fn fault(&self) -> Fault {
        if self.too_deep { Fault::TooDeep } else { Fault::Syntax }
    }

    #[inline(always)]
    fn text(&self, from: usize, to: usize, flags: u32) -> JsonStr<'a> {
        JsonStr { wide: self.wide.get(from..).unwrap_or(&[]), len: to - from, flags }
    }

    #[inline(always)]
    fn found(&self) -> Value<'a> {
        let raw = self.wide.get(self.from..self.to).unwrap_or(&[]);
        match self.kind {
            Kind::String => Value::String(self.text(self.from, self.to, self.flags)),
            Kind::Number => Value::Number(Number(raw)),
            Kind::True => Value::Bool(true),
            Kind::False => Value::Bool(false),
            Kind::Null => Value::Null,
            Kind::Object => Value::Object(raw),
            Kind::Array => Value::Array(raw),
        }
    }

    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        if self.at < self.end { self.wide.get(self.at).copied() } else { None }
    }

    #[inline(always)]
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    #[inline(always)]
    fn expect(&mut self, byte: u8) -> bool {
        if self.peek() != Some(byte) {
            return false;
        }
        self.at += 1;
        true
    }

    /// A string, its opening quote next.
    #[inline(always)]
    fn string(&mut self) -> bool {
        if !self.expect(b'"') {
            return false;
        }
        let start = self.at;
        let mut flags = ASCII;
        let mut at = start;
        loop {
            let Some((stop, high)) = simd::string_stop(self.wide, at) else { return false };
            if high {
                flags &= !ASCII;
            }
            if stop >= self.end {
                return false;
            }
            match self.wide.get(stop) {
                Some(b'"') => {
                    (self.from, self.to, self.flags, self.at) = (start, stop, flags, stop + 1);
                    return true;
                }
                Some(b'\\') => {
                    flags |= ESCAPED;
                    at = stop + 2;
                    match self.wide.get(stop + 1) {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {}
                        Some(b'u') => {
                            at += 4;
                            if !self.wide.get(stop + 2..at).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) {
                                return false;
                            }
                        }
                        _ => return false,
                    }
                }
                _ => return false,
            }
        }
    }

    fn number(&mut self) -> bool {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let first = self.at;
        if !self.digits() || (self.wide.get(first) == Some(&b'0') && self.at > first + 1) {
            return false;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if !self.digits() {
                return false;
            }
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            if !self.digits() {
                return false;
            }
        }
        (self.from, self.to, self.kind) = (start, self.at, Kind::Number);
        true
    }

    /// One digit or more.
    #[inline(always)]
    fn digits(&mut self) -> bool {
        let stop = simd::digits_end(self.wide, self.at).map_or(self.end, |stop| stop.min(self.end));
        if stop <= self.at {
            return false;
        }
        self.at = stop;
        true
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> bool {
        let stop = self.at + word.len();
        if stop > self.end || self.wide.get(self.at..stop) != Some(word) {
            return false;
        }
        (self.at, self.kind) = (stop, kind);
        true
    }

    /// A value, its first byte next. Validates all of it.
    #[inline(always)]
    pub fn value(&mut self) -> Result<Value<'a>, Fault> {
        if self.scan() { Ok(self.found()) } else { Err(self.fault()) }
    }

    fn scan(&mut self) -> bool {
        let start = self.at;
        match self.peek() {
            Some(b'"') => {
                self.kind = Kind::String;
                self.string()
            }
            Some(open @ (b'{' | b'[')) => {
                let is_right = self.nested();
                (self.from, self.to, self.kind) =
                    (start, self.at, if open == b'{' { Kind::Object } else { Kind::Array });
                is_right
            }
            Some(b't') => self.word(b"true", Kind::True),
            Some(b'f') => self.word(b"false", Kind::False),
            Some(b'n') => self.word(b"null", Kind::Null),
            Some(_) => self.number(),
            None => false,
        }
    }

    /// An object or array, all of it.
    fn nested(&mut self) -> bool {
        // One bit a level, set for an object.
        let mut kinds = [0_u64; MAX_DEPTH as usize / 64];
        let mut depth = 0;
        loop {
            match self.peek() {
                Some(open @ (b'{' | b'[')) => {
                    // The object around the event is a level too.
                    if depth + 1 == MAX_DEPTH {
                        self.too_deep = true;
                        return false;
                    }
                    depth += 1;
                    if let Some(word) = kinds.get_mut(depth as usize / 64) {
                        let bit = 1 << (depth % 64);
                        *word = if open == b'{' { *word | bit } else { *word & !bit };
                    }
                    self.at += 1;
                    self.skip_space();
                    if self.peek() != Some(open + 2) {
                        if open == b'{' && !self.key() {
                            return false;
                        }
                        continue;
                    }
                    // The innermost is empty: its end comes next, below.
                }
                _ => {
                    if !self.scan() {
                        return false;
                    }
                }
            }
            loop {
                if depth == 0 {
                    return true;
                }
                let is_object = kinds.get(depth as usize / 64).is_some_and(|word| word >> (depth % 64) & 1 == 1);
                self.skip_space();
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        self.skip_space();
                        if is_object && !self.key() {
                            return false;
                        }
                        break;
                    }
                    Some(close) if close == if is_object { b'}' } else { b']' } => {
                        self.at += 1;
                        depth -= 1;
                    }
                    _ => return false,
                }
            }
        }
    }

    /// A member's name and its colon.
    fn key(&mut self) -> bool {
        self.string() && {
            self.skip_space();
            self.expect(b':') && {
                self.skip_space();
                true
            }
        }
    }
}

/// Scans a string's contents from their first byte; the closing quote must lie before `end`.
pub(super) fn scan_string(wide: &[u8], end: usize) -> Option<JsonStr<'_>> {
    let (mut at, mut escaped, mut ascii) = (0, false, true);
    loop {
        let (stop, high) = simd::string_stop(wide, at)?;
        ascii &= !high;
        if stop >= end {
            return None;
        }
        match wide.get(stop)? {
            b'"' => return Some(JsonStr { wide, len: stop, flags: u32::from(escaped) | u32::from(ascii) << 1 }),
            b'\\' => {
                escaped = true;
                at = stop + 2;
                match wide.get(stop + 1)? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    b'u' => {
                        at += 4;
                        if !wide.get(stop + 2..at)?.iter().all(u8::is_ascii_hexdigit) {
                            return None;
                        }
                    }
                    _ => return None,
                }
            }
            _ => return None,
        }
    }
}

/// Whether `json` is one valid JSON object, so that `JSON.parse` will take it.
pub fn is_object(json: &[u8]) -> bool {
    let Ok(mut members) = Members::open(json) else { return false };
    core::str::from_utf8(json).is_ok()
        && loop {
            match members.next() {
                Ok(Some(_)) => {}
                end => break end.is_ok(),
            }
        }
}

/// What is done with a member: its name, its value, and that one's JSON.
pub(super) type Take<'a, 't> = &'t mut dyn FnMut(&[u8], Value<'a>, &'a [u8]);

/// All members of an object that was validated before.
#[inline(never)]
pub(super) fn for_each_member<'a>(object: &'a [u8], take: Take<'a, '_>) {
    let Ok(mut members) = Members::open(object) else { return };
    while let Ok(Some((key, value))) = members.next() {
        let end = members.at();
        take(&key.plain(), value, object.get(end - value.raw_len()..end).unwrap_or(&[]));
    }
}

/// The members of one object, in order.
pub struct Members<'a> {
    scanner: Scanner<'a>,
    begun: bool,
    key_from: usize,
    key_to: usize,
    key_flags: u32,
}

impl<'a> Members<'a> {
    /// Opens the object that `json` begins with; white space may come first.
    pub fn open(json: &'a [u8]) -> Result<Self, Fault> {
        Self::open_wide(json, json.len())
    }

    /// Opens the object in `wide[..len]`.
    pub(super) fn open_wide(wide: &'a [u8], len: usize) -> Result<Self, Fault> {
        let mut scanner = Scanner::new(wide, len);
        scanner.skip_space();
        if !scanner.expect(b'{') {
            // Tell a value of another kind from what is no JSON.
            scanner.value()?;
            scanner.skip_space();
            return Err(if scanner.at == scanner.end { Fault::NotObject } else { Fault::Syntax });
        }
        Ok(Self { scanner, begun: false, key_from: 0, key_to: 0, key_flags: 0 })
    }

    /// The next member, its value validated; `None` after the closing brace. Nothing but white space may follow that.
    #[allow(clippy::should_implement_trait)]
    #[inline(always)]
    pub fn next(&mut self) -> Result<Option<(JsonStr<'a>, Value<'a>)>, Fault> {
        match self.advance() {
            Advance::Member => {
                let key = self.scanner.text(self.key_from, self.key_to, self.key_flags);
                Ok(Some((key, self.scanner.found())))
            }
            Advance::End => Ok(None),
            Advance::Fault => Err(self.scanner.fault()),
        }
    }

    fn advance(&mut self) -> Advance {
        let scanner = &mut self.scanner;
        scanner.skip_space();
        match scanner.peek() {
            Some(b'}') => {
                scanner.at += 1;
                scanner.skip_space();
                return if scanner.at == scanner.end { Advance::End } else { Advance::Fault };
            }
            Some(b',') if self.begun => {
                scanner.at += 1;
                scanner.skip_space();
            }
            None => return Advance::Fault,
            _ if self.begun => return Advance::Fault,
            _ => {}
        }
        self.begun = true;
        if !scanner.key() {
            return Advance::Fault;
        }
        (self.key_from, self.key_to, self.key_flags) = (scanner.from, scanner.to, scanner.flags);
        if scanner.scan() { Advance::Member } else { Advance::Fault }
    }

    /// Where the scanner stands: right behind the value that [`next`](Self::next) gave last.
    pub(super) fn at(&self) -> usize {
        self.scanner.at()
    }
}

#[repr(u32)]
enum Advance {
    Member,
    End,
    Fault,
}

/// The elements of an array that was validated before.
pub struct Elements<'a> {
    scanner: Scanner<'a>,
}

impl<'a> Elements<'a> {
    /// Opens a raw array; anything else has no elements.
    pub fn open(raw: &'a [u8]) -> Self {
        let mut scanner = Scanner::new(raw, raw.len());
        if !scanner.expect(b'[') {
            scanner.at = scanner.end;
        }
        Self { scanner }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        self.scanner.skip_space();
        if self.scanner.peek() == Some(b',') {
            self.scanner.at += 1;
            self.scanner.skip_space();
        }
        if self.scanner.peek() == Some(b']') {
            return None;
        }
        self.scanner.value().ok()
    }
}

/// Where the element of the array `json[start..]` lies that comes next from `at` on, which is `start` or the end of the one before;
/// `None` behind the last. It is validated only now, so that one that makes no sense spoils none before it.
pub(super) fn element(json: &[u8], start: usize, at: usize) -> Result<Option<(usize, usize)>, Fault> {
    let mut scanner = Scanner::new(json, json.len());
    scanner.at = at;
    scanner.skip_space();
    let is_first = at == start;
    if is_first && !scanner.expect(b'[') {
        return Err(Fault::Syntax);
    }
    scanner.skip_space();
    if scanner.expect(b']') {
        scanner.skip_space();
        return if scanner.at == scanner.end { Ok(None) } else { Err(Fault::Syntax) };
    }
    if !is_first && !scanner.expect(b',') {
        return Err(Fault::Syntax);
    }
    scanner.skip_space();
    let from = scanner.at;
    scanner.value()?;
    Ok(Some((from, scanner.at)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn root(text: &[u8]) -> Result<usize, Fault> {
        let mut members = Members::open(text)?;
        let mut count = 0;
        while members.next()?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    /// Rebuilds a value from what the scanner names.
    fn rebuilt(value: Value<'_>) -> serde_json::Value {
        match value {
            Value::String(text) => text.decoded().into(),
            Value::Number(number) => serde_json::from_slice(number.raw()).unwrap(),
            Value::Bool(bool) => bool.into(),
            Value::Null => serde_json::Value::Null,
            Value::Array(raw) => Elements::open(raw).map(rebuilt).collect::<Vec<_>>().into(),
            Value::Object(raw) => {
                let mut object = serde_json::Map::new();
                let mut members = Members::open(raw).unwrap();
                while let Some((key, value)) = members.next().unwrap() {
                    object.insert(key.decoded(), rebuilt(value));
                }
                object.into()
            }
        }
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            (-1e9..1e9).prop_map(|number: f64| number.into()),
            "\\PC{0,20}".prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                proptest::collection::btree_map(".{0,8}", inner, 0..6)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_serde_writes_is_read_as_it_was(
            map in proptest::collection::btree_map(".{0,8}", any_json(), 0..6), pretty in any::<bool>(), pad in "[ \t\r\n]{0,3}",
        ) {
            let value = serde_json::Value::Object(map.into_iter().collect());
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            let text = pad.clone() + &text + &pad;
            prop_assert_eq!(root(text.as_bytes()), Ok(value.as_object().unwrap().len()));
            // serde itself reads some numbers back a bit off; the text is what counts.
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(rebuilt(Value::Object(text.trim().as_bytes())), value);
        }

        #[test]
        fn mutated_json_is_accepted_exactly_when_serde_accepts_it(
            value in any_json(), cuts in proptest::collection::vec((any::<u16>(), any::<u8>(), 0..4_u8), 1..4),
        ) {
            let mut text = serde_json::to_vec(&serde_json::json!({ "a": value, "b\n": [1.5e3, -0, "\u{e9}"] })).unwrap();
            for (at, byte, how) in cuts {
                let at = usize::from(at) % text.len();
                match how {
                    0 => text[at] = byte,
                    1 => text.insert(at, byte),
                    2 => { text.remove(at); }
                    _ => text[at] = b"\"\\{}[]:,0-.eE+ tfnu"[usize::from(byte) % 19],
                }
                if text.is_empty() { text.push(b'{'); }
            }
            // serde refuses lone surrogates and numbers beyond f64, JSON.parse does not; a slice of raw text is checked
            // against grammar alone.
            let oracle = serde_json::from_slice::<&serde_json::value::RawValue>(&text);
            if core::str::from_utf8(&text).is_ok() {
                match root(&text) {
                    Ok(_) => prop_assert!(oracle.is_ok(), "accepted {:?}", String::from_utf8_lossy(&text)),
                    Err(Fault::NotObject) => prop_assert!(oracle.is_ok()),
                    Err(_) => prop_assert!(oracle.is_err(), "refused {:?}", String::from_utf8_lossy(&text)),
                }
            }
        }

        #[test]
        fn bytes_behind_the_text_make_no_difference(value in any_json(), behind in proptest::collection::vec(any::<u8>(), 0..40)) {
            let text = serde_json::to_vec(&serde_json::json!({ "v": value })).unwrap();
            let mut wide = text.clone();
            wide.extend_from_slice(&behind);
            let mut members = Members::open_wide(&wide, text.len()).unwrap();
            let (key, found) = members.next().unwrap().unwrap();
            prop_assert!(key.equals(b"v"));
            prop_assert_eq!(rebuilt(found), serde_json::from_slice::<serde_json::Value>(&text).unwrap()["v"].clone());
            prop_assert!(members.next().unwrap().is_none());
        }

        #[test]
        fn a_string_is_decoded_as_serde_decodes_it(text in any::<String>(), escape_all in any::<bool>()) {
            let json = if escape_all {
                let units: String = text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
                format!("\"{units}\"")
            } else {
                serde_json::to_string(&text).unwrap()
            };
            let scanned = scan_string(&json.as_bytes()[1..], json.len() - 1).unwrap();
            prop_assert_eq!(scanned.decoded(), text.clone());
            prop_assert!(scanned.equals(text.as_bytes()));
            prop_assert!(!scanned.equals((text + "x").as_bytes()));
        }

        #[test]
        fn a_number_is_rounded_down_as_floating_point_would(number in 0.0..1e15_f64, text in "(0|[1-9][0-9]{0,9})(\\.[0-9]{1,8})?([eE][+-]?[0-9]{1,2})?") {
            let raw = format!("{number}");
            prop_assert_eq!(Number(raw.as_bytes()).as_u64(), Some(number as u64));
            let exact: f64 = text.parse().unwrap();
            let ours = Number(text.as_bytes()).as_u64().unwrap();
            prop_assert!((ours as f64 - exact.floor()).abs() <= exact * 1e-15 + 1.0 || exact > 1.8e19, "{} {} {}", text, ours, exact);
        }
    }

    #[test]
    fn grammar_is_kept_to_the_letter() {
        for good in [
            "{}",
            " { } ",
            "{\"a\":[]}",
            "{\"a\":{},\"b\":[{},[]]}",
            "{\"a\":-0.0e+1}",
            "{\"\\u0041\":\"\\ud83d\"}",
            "{\"a\":1,\"a\":2}",
        ] {
            assert!(root(good.as_bytes()).is_ok(), "{good}");
        }
        for bad in [
            "",
            "{",
            "}",
            "{a:1}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{,}",
            "{\"a\":01}",
            "{\"a\":1.}",
            "{\"a\":.5}",
            "{\"a\":+1}",
            "{\"a\":-}",
            "{\"a\":1e}",
            "{\"a\":tru}",
            "{\"a\":nul",
            "{\"a\":'x'}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\u12g4\"}",
            "{\"a\":\"\\u123\"}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"\t\"}",
            "{\"a\":[1,]}",
            "{\"a\":[,1]}",
            "{\"a\":[1 2]}",
            "{\"a\":[}",
            "{\"a\":{]}",
            "{\"a\":1}}",
            "{} {}",
            "{\"a\":NaN}",
            "{\"a\" 1}",
            "{\"a\":1 \"b\":2}",
            "{\u{a0}}",
            "{\"a\":\"",
            "{\"a\":\"\\",
            "{\"a\":\"\\u",
            "{\"a\":[[",
            "{\"a\":{\"b\"",
        ] {
            assert_eq!(root(bad.as_bytes()), Err(Fault::Syntax), "{bad}");
        }
        for other in ["null", "1", "\"x\"", "[]", " true "] {
            assert_eq!(root(other.as_bytes()), Err(Fault::NotObject), "{other}");
        }
    }

    #[test]
    fn elements_are_found_one_at_a_time_and_judged_one_at_a_time() {
        let read = |json: &str| {
            let (mut at, mut found) = (0, Vec::new());
            loop {
                match element(json.as_bytes(), 0, at) {
                    Ok(Some((from, to))) => {
                        found.push(json[from..to].to_owned());
                        at = to;
                    }
                    Ok(None) => return (found, true),
                    Err(_) => return (found, false),
                }
            }
        };
        assert_eq!(
            read(" [ 1 ,{\"a\":[2]},\n\"x\" ] "),
            (vec!["1".into(), "{\"a\":[2]}".into(), "\"x\"".into()], true)
        );
        assert_eq!(read("[]"), (vec![], true));
        assert_eq!(read("[[],[]]"), (vec!["[]".into(), "[]".into()], true));
        for (json, before) in [
            ("[1,]", 1),
            ("[1[2]]", 1),
            ("[1 2]", 1),
            ("[1,2", 2),
            ("[1]2", 1),
            ("[,1]", 0),
            ("", 0),
            ("1", 0),
            ("[", 0),
        ] {
            let (found, is_right) = read(json);
            assert_eq!((found.len(), is_right), (before, false), "{json}");
        }
    }

    #[test]
    fn nesting_is_bounded_and_never_recursive() {
        let nest = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(root(nest(MAX_DEPTH as usize - 1).as_bytes()), Ok(1));
        assert_eq!(root(nest(MAX_DEPTH as usize).as_bytes()), Err(Fault::TooDeep));
        assert_eq!(root("{\"a\":".repeat(1_000_000).as_bytes()), Err(Fault::TooDeep));
    }

    #[test]
    fn integers_are_told_from_other_numbers() {
        assert_eq!(Number(b"18446744073709551615").as_integer(), Some(u64::MAX));
        assert_eq!(Number(b"18446744073709551616").as_integer(), None);
        assert_eq!(Number(b"1.0").as_integer(), None);
        assert_eq!(Number(b"-1").as_integer(), None);
        assert_eq!(Number(b"-0").as_u64(), Some(0));
        assert_eq!(Number(b"-0.5").as_u64(), None);
        assert_eq!(Number(b"17.9").as_u64(), Some(17));
        assert_eq!(Number(b"1e3").as_u64(), Some(1000));
        assert_eq!(Number(b"12345e-2").as_u64(), Some(123));
        assert_eq!(Number(b"1e999999999999").as_u64(), Some(u64::MAX));
        assert_eq!(Number(b"1e-999999999999").as_u64(), Some(0));
        assert_eq!(Number(b"0e999999999999").as_u64(), Some(0));
        assert_eq!(Number(b"99999999999999999999999").as_u64(), Some(u64::MAX));
    }
}
