//! FIELD 1.1 B, B-PARSE-5: a body that ends without a terminal event is a lost connection, never a success.

use crate::support::*;

#[test]
fn an_end_anywhere_is_followed_by_the_rest() {
    for after in (0..6_000).step_by(23) {
        World::seeded(11).then(Plan::cut(after, How::Fin)).open().settle().assert_whole();
    }
}

#[test]
fn an_event_that_lacks_its_blank_line_is_dropped_and_asked_for_again() {
    // W-8, P-9: the cursor stays before it.
    let script = Script::of(100, [text("one"), text("two"), Event::Done]);
    let whole = World::seeded(12).script(script.clone()).open().settle();
    let first_frame = whole.server.frame_length(0);
    for missing in 1..=2 {
        let cut = b": stream-open\n\n".len() + first_frame - missing;
        let sim = World::seeded(12).script(script.clone()).then(Plan::cut(cut, How::Fin)).open().settle();
        sim.assert_whole();
        let second = sim.requests_to("/events").nth(1).expect("a second connection");
        assert_eq!(second.1.last_event_id, None);
    }
}

#[test]
fn an_end_where_the_terminal_event_should_be_is_not_an_end() {
    let mischief = Mischief { no_terminal: true, ..Mischief::default() };
    let sim = World::seeded(13).then(Plan::mischief(mischief)).open().settle();
    sim.assert_whole();
    assert_eq!(sim.server.counters.follows, 2);
}

fn text(text: &str) -> Event {
    Event::Text(text.encode_utf16().collect())
}
