//! W-1: a 200 that is no event stream, a redirect, a 204: refused with a type, never parsed, never looped on.

use crate::support::*;

#[test]
fn a_page_instead_of_a_stream_is_told_by_its_type() {
    for content_type in ["text/html", "application/json", "text/plain", ""] {
        let page = Plan::body(content_type, b"event: done\ndata: {\"type\":\"done\"}\n\n");
        let sim = World::seeded(131).forever(page).open().settle();
        assert_eq!((sim.run.status(), sim.code()), (Status::Interrupted, Some("content-type")), "{content_type}");
        assert!(sim.requests.len() <= 4);
    }
}

#[test]
fn a_page_instead_of_the_first_stream_of_a_send_is_told_too() {
    let sim = World::seeded(132).forever(Plan::body("text/html", b"<h1>log in</h1>")).send().settle();
    assert_eq!((sim.run.status(), sim.code()), (Status::Failed, Some("content-type")));
}

#[test]
fn redirects_and_204_are_refusals() {
    for status in [204, 302, 304, 307, 0] {
        let sim = World::seeded(133).forever(Plan::status(status)).open().settle();
        assert_eq!((sim.run.status(), sim.code()), (Status::Interrupted, Some("http-status")), "{status}");
        assert!(sim.requests.len() <= 4);
    }
}
