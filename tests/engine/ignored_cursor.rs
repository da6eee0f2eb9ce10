//! B-ES-11: the server ignores the cursor and replays the run from its beginning.

use crate::support::*;

#[test]
fn a_replay_from_the_beginning_doubles_nothing() {
    for after in (0..6_000).step_by(101) {
        let deaf = Plan::mischief(Mischief { ignore_cursor: true, ..Mischief::default() });
        let sim = World::seeded(111).then(Plan::cut(after, How::Rst)).then(deaf).open().settle();
        sim.assert_whole();
    }
}

#[test]
fn the_cursor_goes_into_header_and_query() {
    let sim = World::seeded(112).then(Plan::cut(3_000, How::Rst)).open().settle();
    let (_, second) = sim.requests_to("/events").nth(1).expect("a second connection");
    let cursor = second.last_event_id.as_deref().expect("a cursor");
    assert!(second.path.ends_with(&format!("&lastEventId={cursor}")), "{}", second.path);
}

#[test]
fn a_deaf_server_and_cuts_that_come_ever_later_end_in_the_whole() {
    let deaf = Mischief { ignore_cursor: true, ..Mischief::default() };
    let mut world = World::seeded(113);
    for n in 1..12 {
        world = world.then(Plan { mischief: deaf, ..Plan::cut(n * 600, How::Rst) });
    }
    world.open().settle().assert_whole();
}
