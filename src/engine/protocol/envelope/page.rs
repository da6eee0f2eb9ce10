//! The reply of GET …/events: what is stored of a message, a page at a time.

use crate::engine::json::{Members, Value};

/// A page.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::engine) struct Page<'a> {
    /// The envelopes, a raw JSON array.
    pub events: &'a [u8],
    /// Another page follows.
    pub has_more: bool,
}

/// Reads the body; `None` if it is no page, or not all of one.
pub(in crate::engine) fn read_page(body: &[u8]) -> Option<Page<'_>> {
    core::str::from_utf8(body).ok()?;
    let mut members = Members::open(body).ok()?;
    let mut page = Page::default();
    while let Some((key, value)) = members.next().ok()? {
        match value {
            Value::Array(raw) if key.equals(b"events") => page.events = raw,
            Value::Bool(has_more) if key.equals(b"has_more") => page.has_more = has_more,
            _ => {}
        }
    }
    (!page.events.is_empty()).then_some(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_its_envelopes_and_says_whether_another_follows() {
        let page = read_page(br#"{"events":[{"seq":1},{"seq":2}],"has_more":true,"x":0}"#).unwrap();
        assert_eq!((page.events, page.has_more), (&br#"[{"seq":1},{"seq":2}]"#[..], true));
        let last = read_page(br#"{"has_more":null,"events":[]}"#).unwrap();
        assert_eq!((last.events, last.has_more), (&b"[]"[..], false));
    }

    #[test]
    fn what_is_no_page_is_none() {
        for body in [&b"<html>"[..], b"{}", b"[]", br#"{"events":{}}"#, br#"{"events":[{"seq":1}]"#, b"\xff"] {
            assert!(read_page(body).is_none(), "{body:?}");
        }
    }
}
