//! B-RES-2, B-ES-12: the run is not there. The server says so in plain text inside a stream, as an error event without an
//! id, by a 404, or by ending the stream: each time it is `run-not-found` or `run-ended`, and never a success.

use crate::support::*;

#[test]
fn an_unknown_run_is_told() {
    let sim = World::seeded(141).open_unknown().settle();
    assert_eq!((sim.run.status(), sim.code()), (Status::Interrupted, Some("run-not-found")));
    assert_eq!(sim.requests_to("/events").count(), 1);
}

#[test]
fn a_404_is_told() {
    let sim = World::seeded(142).forever(Plan::status(404)).open_unknown().settle();
    assert_eq!((sim.run.status(), sim.code()), (Status::Interrupted, Some("run-not-found")));
    assert_eq!(sim.run.error().and_then(|failure| failure.status), Some(404));
}

#[test]
fn plain_text_in_a_stream_is_no_event_and_no_end() {
    let text = Plan::body("text/event-stream", b"Run not found or already finished\n");
    let sim = World::seeded(143).forever(text).open_unknown().settle();
    assert_eq!(sim.run.status(), Status::Interrupted);
    assert!(matches!(sim.code(), Some("run-not-found" | "run-ended")), "{:?}", sim.code());
}

#[test]
fn a_run_that_ended_before_the_page_came_back_is_told_as_ended() {
    // The log expired while the page was away; part of the run is on screen.
    let sim = World::seeded(144)
        .habits(|habits| habits.log_ttl = 60_000)
        .at(500, Incident::Offline { ms: 3_600_000, told: true, resets: true })
        .open()
        .settle();
    assert_eq!((sim.run.status(), sim.code()), (Status::Interrupted, Some("run-ended")));
    assert!(!sim.page.transcript().parts.is_empty());
}

#[test]
fn a_run_that_is_not_known_any_more_has_ended_even_if_its_status_cannot_be_asked() {
    let sim = World::seeded(145)
        .habits(|habits| habits.log_ttl = 60_000)
        .at(500, Incident::Offline { ms: 3_600_000, told: true, resets: true })
        .answer(Answer::Failed)
        .open()
        .settle();
    assert_eq!((sim.run.status(), sim.code()), (Status::Interrupted, Some("run-ended")));
    assert!(!sim.page.transcript().parts.is_empty());
}
