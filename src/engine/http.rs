//! What a response head means for an event stream: read it, try again, or stop.
//!
//! Decides by status, content type and `Retry-After` alone; no body text is ever looked at (S-RQ-2 with the findings:
//! 408, 425 and 429 may be tried again). The caller counts attempts.

use super::time::Millis;

/// The head of a response, as far as it decides anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Head<'a> {
    /// The HTTP status; 0 where the browser hides it (an opaque redirect).
    pub status: u16,
    /// The `Content-Type` header.
    pub content_type: Option<&'a str>,
    /// The `Retry-After` header: seconds, or an HTTP-date.
    pub retry_after: Option<&'a str>,
    /// The wall clock, in ms since 1970. Without it a `Retry-After` date means nothing and is ignored.
    pub now_unix_ms: Option<u64>,
}

/// What to do with a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A success that carries an event stream: read it.
    Accept,
    /// 204 or 205: the server has nothing to stream and never will on this request (W-1, U-T-5).
    NoContent,
    /// 408, 425, 429 or 5xx: the same request may succeed later, not before `after` if the server named a time.
    Retry {
        /// The server's `Retry-After`, at most an hour.
        after: Option<Millis>,
    },
    /// 401: the same request with fresh credentials may succeed.
    Reauthorize,
    /// The same request will fail again.
    Refuse(Refusal),
    /// A success that is no event stream: an HTML page of a proxy, a JSON body, no type at all (W-1).
    WrongType,
}

/// Why a request will not succeed when repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 403: known, and not allowed.
    Forbidden,
    /// 404 or 410: there is no such thing, or no longer.
    Missing,
    /// A redirect that the browser did not follow, or a status it hides.
    Redirect,
    /// Every other status outside 2xx, among them all other 4xx: the request itself is at fault.
    Rejected,
}

/// Judges the head of a response to a request for an event stream.
pub fn judge(head: &Head<'_>) -> Verdict {
    match head.status {
        204 | 205 => Verdict::NoContent,
        200..=299 if is_event_stream(head.content_type) => Verdict::Accept,
        200..=299 => Verdict::WrongType,
        401 => Verdict::Reauthorize,
        403 => Verdict::Refuse(Refusal::Forbidden),
        404 | 410 => Verdict::Refuse(Refusal::Missing),
        408 | 425 | 429 | 500..=599 => Verdict::Retry { after: retry_after(head) },
        0 | 300..=399 => Verdict::Refuse(Refusal::Redirect),
        _ => Verdict::Refuse(Refusal::Rejected),
    }
}

/// Whether a content type's essence is `text/event-stream`: any case, any parameters.
pub fn is_event_stream(content_type: Option<&str>) -> bool {
    // A header sent twice arrives as one, joined by a comma.
    content_type
        .and_then(|value| value.split([';', ',']).next())
        .is_some_and(|essence| essence.trim_ascii().eq_ignore_ascii_case("text/event-stream"))
}

/// How long the head's `Retry-After` asks to wait, at most an hour; `None` where it is absent or makes no sense.
pub fn retry_after(head: &Head<'_>) -> Option<Millis> {
    let value = head.retry_after?.trim_ascii().as_bytes();
    if !value.is_empty() && value.iter().all(u8::is_ascii_digit) {
        let seconds =
            value.iter().fold(0_u64, |sum, digit| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
        return Some(Millis(seconds.saturating_mul(1_000)).min(LONGEST_HINT));
    }
    let until = parse_date(value)?.saturating_mul(1_000);
    Some(Millis(until.saturating_sub(head.now_unix_ms?)).min(LONGEST_HINT))
}

/// Seconds since 1970 of an HTTP-date in any of its three forms (RFC 9110, 5.6.7); a date before 1970 is 0.
///
/// One loop reads them all, since their words differ in order and punctuation only:
/// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`.
fn parse_date(value: &[u8]) -> Option<u64> {
    let (mut day, mut month, mut year, mut time) = (None, None, None, None);
    let words = value.split(|byte| matches!(byte, b' ' | b',' | b'-')).filter(|word| !word.is_empty());
    for (place, word) in words.enumerate() {
        if word.contains(&b':') {
            put(&mut time, time_of_day(word)?)?;
        } else if let Some(number) = small_number(word) {
            match (word.len(), day) {
                (1 | 2, None) => day = Some(number),
                (2, Some(_)) => put(&mut year, if number < 70 { 2_000 + number } else { 1_900 + number })?,
                (4, _) => put(&mut year, number)?,
                _ => return None,
            }
        } else if let Some(index) = MONTHS.iter().position(|name| name.as_bytes().eq_ignore_ascii_case(word)) {
            put(&mut month, index as u64 + 1)?;
        } else if place != 0 && !word.eq_ignore_ascii_case(b"GMT") {
            // The first word is the name of a day; any zone but GMT would be misread.
            return None;
        }
    }
    let (day, month, year, time) = (day?, month?, year?, time?);
    if !(1..=31).contains(&day) {
        return None;
    }
    Some(days_since_1970(year, month, day) * 86_400 + time)
}

/// Fills an empty slot; a date that names a thing twice is no date.
fn put(slot: &mut Option<u64>, value: u64) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

/// Seconds since midnight of `08:49:37`.
fn time_of_day(word: &[u8]) -> Option<u64> {
    let mut fields = word.split(|&byte| byte == b':');
    let (hour, minute, second) = (fields.next()?, fields.next()?, fields.next()?);
    if fields.next().is_some() || [hour, minute, second].iter().any(|field| field.len() != 2) {
        return None;
    }
    let (hour, minute, second) = (small_number(hour)?, small_number(minute)?, small_number(second)?);
    // 60 is a leap second.
    (hour < 24 && minute < 60 && second <= 60).then_some((hour * 60 + minute) * 60 + second)
}

/// A number of at most four digits.
fn small_number(word: &[u8]) -> Option<u64> {
    if word.is_empty() || word.len() > 4 || !word.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(word.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}

/// Days from 1970-01-01 to a day of the Gregorian calendar; 0 before that. `month` is 1 to 12, `year` below 10,000.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    // Years begin in March here, so that the leap day comes last and each month's offset is a plain formula.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.saturating_sub(1), month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    (year * 365 + leap_days + (month * 153 + 2) / 5 + day).saturating_sub(DAYS_TO_1970)
}

/// What [`days_since_1970`] counts up to 1970-01-01.
const DAYS_TO_1970: u64 = 719_469;

/// A longer hint, wherever it comes from, is a server's mistake; whoever has waited an hour asks again.
pub(super) const LONGEST_HINT: Millis = Millis(3_600_000);

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests {
    use super::*;

    const SSE: Option<&str> = Some("text/event-stream");

    fn judge_status(status: u16) -> Verdict {
        judge(&Head { status, content_type: SSE, ..Head::default() })
    }

    #[test]
    fn each_status_has_its_verdict() {
        assert_eq!(judge_status(200), Verdict::Accept);
        assert_eq!(judge_status(204), Verdict::NoContent);
        assert_eq!(judge_status(401), Verdict::Reauthorize);
        assert_eq!(judge_status(403), Verdict::Refuse(Refusal::Forbidden));
        assert_eq!(judge_status(404), Verdict::Refuse(Refusal::Missing));
        assert_eq!(judge_status(410), Verdict::Refuse(Refusal::Missing));
        for status in [408, 425, 429, 500, 501, 502, 503, 504, 599] {
            assert_eq!(judge_status(status), Verdict::Retry { after: None }, "{status}");
        }
        for status in [0, 300, 302, 304, 307, 308] {
            assert_eq!(judge_status(status), Verdict::Refuse(Refusal::Redirect), "{status}");
        }
        for status in [1, 101, 199, 400, 402, 405, 406, 409, 413, 422, 451, 499, 600, u16::MAX] {
            assert_eq!(judge_status(status), Verdict::Refuse(Refusal::Rejected), "{status}");
        }
    }

    #[test]
    fn a_success_must_be_an_event_stream() {
        let judge_type = |content_type| judge(&Head { status: 200, content_type, ..Head::default() });
        for good in [
            "text/event-stream",
            "Text/Event-Stream",
            " text/event-stream ",
            "text/event-stream;charset=utf-8",
            "text/event-stream ; charset=UTF-8; x=y",
            "text/event-stream, text/event-stream",
        ] {
            assert_eq!(judge_type(Some(good)), Verdict::Accept, "{good}");
        }
        for bad in
            ["", "text/html", "application/json", "text/event-streams", "x-text/event-stream", "; text/event-stream"]
        {
            assert_eq!(judge_type(Some(bad)), Verdict::WrongType, "{bad}");
        }
        assert_eq!(judge_type(None), Verdict::WrongType);
    }

    #[test]
    fn an_error_page_is_judged_by_its_status() {
        let head = Head { status: 503, content_type: Some("text/html"), retry_after: Some("2"), now_unix_ms: None };
        assert_eq!(judge(&head), Verdict::Retry { after: Some(Millis(2_000)) });
    }

    fn hint(value: &str, now_unix_ms: Option<u64>) -> Option<Millis> {
        retry_after(&Head { status: 503, retry_after: Some(value), now_unix_ms, ..Head::default() })
    }

    /// 1994-11-06 08:49:37 GMT.
    const NOV_6: u64 = 784_111_777_000;

    #[test]
    fn seconds_are_read_and_bounded() {
        assert_eq!(hint("0", None), Some(Millis(0)));
        assert_eq!(hint(" 120 ", None), Some(Millis(120_000)));
        assert_eq!(hint("3601", None), Some(Millis(3_600_000)));
        assert_eq!(hint("99999999999999999999999999", None), Some(Millis(3_600_000)));
        for nonsense in ["", " ", "-1", "+5", "1.5", "1e3", "soon", "5 s", "\u{661}"] {
            assert_eq!(hint(nonsense, Some(NOV_6)), None, "{nonsense:?}");
        }
    }

    #[test]
    fn all_three_forms_of_a_date_are_read() {
        for date in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "sun, 6 nov 1994 08:49:37 gmt",
        ] {
            assert_eq!(hint(date, Some(NOV_6 - 5_000)), Some(Millis(5_000)), "{date}");
            assert_eq!(hint(date, Some(NOV_6 + 5_000)), Some(Millis(0)), "{date} is past");
            assert_eq!(hint(date, Some(0)), Some(Millis(3_600_000)), "{date} is far");
            assert_eq!(hint(date, None), None, "a date means nothing without a wall clock");
        }
    }

    #[test]
    fn what_is_no_date_is_ignored() {
        for nonsense in [
            "Sun, 06 Nov 1994 08:49:37 EST",
            "Sun, 06 Nov 1994 08:49:37 +0200",
            "Sun, 06 Nov 1994",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:00 GMT",
            "Sun, 06 Nov 1994 8:49:37 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Nov 1994 08:49:37:01 GMT",
            "Sun, 32 Nov 1994 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov Dec 1994 08:49:37 GMT",
            "Sun, 06 07 08 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 99999 08:49:37 GMT",
            "::: ::",
            "-,-,-",
        ] {
            assert_eq!(hint(nonsense, Some(NOV_6)), None, "{nonsense}");
        }
    }

    #[test]
    fn days_are_counted_as_the_calendar_does() {
        for (date, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Mon, 28 Feb 1972 23:59:59 GMT", 68_169_599),
            ("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600),
            ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
            ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
            ("Tue, 19 Jan 2038 03:14:08 GMT", 2_147_483_648),
            ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
            ("Mon, 01 Jan 0000 00:00:00 GMT", 0),
        ] {
            assert_eq!(parse_date(date.as_bytes()), Some(seconds), "{date}");
        }
    }
}
