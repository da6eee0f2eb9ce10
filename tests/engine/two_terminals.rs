//! B-SEND-10, PROTOCOLS 6.1, 3: the first terminal event wins; a second one, or anything after it, is not heard.

use crate::support::*;

#[test]
fn a_second_terminal_event_changes_nothing() {
    for is_sent in [false, true] {
        let twice = Plan::mischief(Mischief { two_terminals: true, ..Mischief::default() });
        let world = World::seeded(191).forever(twice);
        let sim = if is_sent { world.send() } else { world.open() }.settle();
        sim.assert_whole();
    }
}

#[test]
fn what_follows_the_end_in_the_same_chunk_is_not_heard() {
    let frame =
        |id: u64, name: &str, rest: &str| format!("id: {id}-0\nevent: {name}\ndata: {{\"type\":\"{name}\"{rest}}}\n\n");
    let text = |id, text: &str| frame(id, "content", &format!(",\"content\":\"{text}\""));
    for (first, status) in [
        ("error", Status::Failed),
        ("failed", Status::Failed),
        ("cancelled", Status::Cancelled),
        ("done", Status::Completed),
    ] {
        let body = [text(1, "kept"), frame(2, first, ""), text(3, "lost"), frame(4, "done", ""), frame(5, "error", "")]
            .concat();
        let world = World { is_exact: false, ..World::seeded(192) };
        let sim = world.then(Plan::body("text/event-stream", body.as_bytes())).open().settle();
        assert_eq!(sim.run.status(), status);
        assert_eq!(sim.page.transcript().text(), "kept");
    }
}
