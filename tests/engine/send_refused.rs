//! B-SEND-8, PROTOCOLS 6.1, 10: a send that did not get through is tried again with its own request id; one that was
//! turned down is not.

use crate::support::*;

#[test]
fn a_send_that_finds_no_server_is_sent_again() {
    let world = World::seeded(181).then(Plan::head(Head::Refused)).then(Plan::status_retry_after(503, "1"));
    let sim = world.send().settle();
    sim.assert_whole();
    assert_eq!((sim.server.counters.sends, sim.server.counters.runs), (1, 1));
    let bodies: Vec<&str> = sim.requests_to("").map(|(_, request)| request.body.as_str()).collect();
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "the same request id each time");
}

#[test]
fn a_send_that_the_server_turns_down_has_failed_and_is_not_repeated() {
    for status in [400, 403, 404, 409, 413, 422] {
        let sim = World::seeded(182).forever(Plan::status(status)).send().settle();
        assert_eq!((sim.run.status(), sim.code()), (Status::Failed, Some("http-status")), "{status}");
        assert_eq!(sim.run.error().and_then(|failure| failure.status), Some(status));
        assert_eq!(sim.requests.len(), 1);
    }
}

#[test]
fn a_server_that_never_takes_it_leaves_the_message_unsent_and_says_so() {
    let mut world = World::seeded(183).forever(Plan::head(Head::Refused));
    world.answers.extend(std::iter::repeat_n(Answer::Failed, 99));
    let sim = world.send().settle();
    assert_eq!((sim.run.status(), sim.run.by(), sim.code()), (Status::Interrupted, By::Limit, Some("gave-up")));
    assert_eq!(sim.server.counters.sends, 0);
    assert!(sim.run.error().is_some_and(|failure| failure.retryable && failure.attempts.is_some()));
}
