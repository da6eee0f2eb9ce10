//! Where a run stands in a stream that many messages share, and that counts the rows of each.
//!
//! The stream is asked for behind an offset, which moves when the server says that it has told everything before it. Of the rows
//! since then, those of our message are numbered: what came before is known by its number, and what is missing shows. A cursor is
//! the offset, and while rows were applied behind that, the number of the next one, too: `OFFSET/NEXT`. No offset has a slash.

use alloc::string::String;

use super::{
    cursor::Position,
    delta::Delta,
    json,
    protocol::chunks::{BEGINNING, Mark},
};

/// The place of a row among those of its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It was applied before.
    Behind,
    /// It is the next one, as far as can be told.
    Next,
    /// Rows before it are missing.
    Beyond,
}

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Rows {
    // The number of the next row; unknown behind an offset that somebody else held, and behind a reset, after which servers count
    // anew or do not.
    next: Option<u64>,
    is_ahead: bool,
    // An offset in front of the last row that was applied: what is missing lies behind it.
    base: String,
    // The offset that was told last.
    latest: String,
    /// What the server wants to be told with the next request.
    pub echo: String,
}

impl Rows {
    /// At the beginning of a stream.
    pub fn new() -> Self {
        Self { next: Some(0), ..Self::default() }
    }

    /// Behind a cursor, whose offset goes into `position`.
    pub fn behind(cursor: &str, position: &mut Position) -> Self {
        let cursor = cursor.as_bytes();
        let slash = cursor.iter().rposition(|&byte| byte == b'/');
        let (offset, next) = slash.and_then(|at| cursor.split_at_checked(at)).unwrap_or((cursor, &[]));
        let next = next.get(1..).filter(|next| !next.is_empty()).and_then(json::integer);
        let offset = if next.is_some() { offset } else { cursor };
        position.put(if offset == BEGINNING.as_bytes() { b"" } else { offset });
        let next = if position.is_none() { next.or(Some(0)) } else { next };
        let is_ahead = offset != cursor;
        Self { next, is_ahead, base: offset_of(position).into(), ..Self::default() }
    }

    /// Where a row stands.
    pub fn place(&self, seq: Option<u64>) -> Place {
        match (seq, self.next) {
            (Some(seq), Some(next)) if seq < next => Place::Behind,
            (Some(seq), Some(next)) if seq > next => Place::Beyond,
            _ => Place::Next,
        }
    }

    /// The row was applied.
    pub fn advance(&mut self, seq: Option<u64>, position: &Position) {
        if let Some(seq) = seq {
            self.next = Some(seq.saturating_add(1));
            if !core::mem::replace(&mut self.is_ahead, true) {
                self.stay(position);
            }
        }
    }

    /// What is wanted lies behind here.
    pub fn stay(&mut self, position: &Position) {
        self.base = offset_of(position).into();
    }

    /// Rows are missing, and the offset may have moved since they should have come.
    pub fn go_back(&mut self, position: &mut Position) {
        position.put(self.base.as_bytes());
        self.is_ahead = self.next.is_some_and(|next| next > 0);
    }

    /// Nothing that was said holds any more.
    pub fn handle_reset(&mut self) {
        self.next = None;
        self.is_ahead = false;
    }

    /// The server has told everything before an offset. Whether that is news.
    pub fn handle_mark(&mut self, mark: &Mark<'_>, position: &mut Position) -> bool {
        if let Some(echo) = mark.echo {
            self.echo = echo.decoded();
        }
        let Some(offset) = mark.offset.map(|offset| offset.decoded()) else { return false };
        if offset.as_bytes() != position.as_bytes() {
            position.put(offset.as_bytes());
            self.is_ahead = false;
        }
        let is_news = offset != self.latest;
        self.latest = offset;
        is_news
    }

    /// Whether no row was applied, and none is behind us.
    pub fn is_first(&self) -> bool {
        self.next == Some(0)
    }

    /// The cursor, where it is more than the offset.
    pub fn cursor(&self, position: &Position) -> Option<String> {
        let next = self.next.filter(|_| self.is_ahead)?;
        let mut cursor = Delta::new();
        let offset = offset_of(position);
        cursor.literal(if offset.is_empty() { BEGINNING } else { offset });
        cursor.literal("/");
        cursor.number(next);
        String::from_utf8(cursor.into_head()).ok()
    }
}

fn offset_of(position: &Position) -> &str {
    core::str::from_utf8(position.as_bytes()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::JsonStr;

    fn mark(offset: &'static str) -> Mark<'static> {
        Mark { offset: Some(JsonStr::stored(offset.as_bytes())), ..Mark::default() }
    }

    fn cursor(rows: &Rows, position: &Position) -> String {
        let offset = || String::from_utf8(position.as_bytes().to_vec()).unwrap();
        rows.cursor(position).unwrap_or_else(offset)
    }

    #[test]
    fn a_cursor_says_what_is_held_and_is_read_back() {
        let (mut rows, mut position) = (Rows::new(), Position::new());
        assert_eq!(cursor(&rows, &position), "");
        rows.advance(Some(0), &position);
        rows.advance(Some(1), &position);
        assert_eq!(cursor(&rows, &position), "-1/2");
        assert!(rows.handle_mark(&mark("7_4"), &mut position));
        assert_eq!(cursor(&rows, &position), "7_4");
        assert!(!rows.handle_mark(&mark("7_4"), &mut position), "it stands where it stood");
        rows.advance(Some(2), &position);
        assert_eq!(cursor(&rows, &position), "7_4/3");
        for (written, offset, next) in [
            ("7_4/3", "7_4", Some(3)),
            ("-1/2", "", Some(2)),
            ("7_4", "7_4", None),
            ("-1", "", Some(0)),
            ("a/b", "a/b", None),
        ] {
            let mut position = Position::new();
            let rows = Rows::behind(written, &mut position);
            assert_eq!((position.as_bytes(), rows.next), (offset.as_bytes(), next), "{written}");
        }
        let rows = Rows::behind("7_4/3", &mut position);
        assert_eq!(cursor(&rows, &position), "7_4/3");
    }

    #[test]
    fn what_is_missing_lies_behind_the_last_row_and_not_behind_the_last_mark() {
        let (mut rows, mut position) = (Rows::new(), Position::new());
        rows.go_back(&mut position);
        assert_eq!(cursor(&rows, &position), "", "nothing came: from the beginning");
        for (offset, seq) in [("7_1", Some(0)), ("7_2", Some(1)), ("7_3", None), ("7_4", None)] {
            rows.handle_mark(&mark(offset), &mut position);
            rows.advance(seq, &position);
        }
        assert_eq!(rows.place(Some(3)), Place::Beyond);
        rows.go_back(&mut position);
        assert_eq!(cursor(&rows, &position), "7_2/2");
        assert!(!rows.handle_mark(&mark("7_4"), &mut position), "told again");
        assert_eq!(cursor(&rows, &position), "7_4");
        let mut rows = Rows::behind("8_1/5", &mut position);
        rows.handle_mark(&mark("8_2"), &mut position);
        rows.go_back(&mut position);
        assert_eq!(cursor(&rows, &position), "8_1/5");
    }

    #[test]
    fn rows_come_once_and_none_is_missing() {
        let (mut rows, position) = (Rows::new(), Position::new());
        assert_eq!((rows.place(Some(0)), rows.place(Some(1))), (Place::Next, Place::Beyond));
        rows.advance(Some(0), &position);
        assert_eq!(
            (rows.place(Some(0)), rows.place(Some(1)), rows.place(Some(2))),
            (Place::Behind, Place::Next, Place::Beyond)
        );
        rows.handle_reset();
        assert_eq!((rows.place(Some(0)), rows.place(Some(9))), (Place::Next, Place::Next));
        rows.advance(Some(u64::MAX), &position);
        assert_eq!(rows.place(Some(u64::MAX)), Place::Next, "a number beyond all bounds breaks nothing");
    }
}
