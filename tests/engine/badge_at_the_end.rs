//! W4-1, S-UI-2: what the badge shows of a run that has ended. A connection that could not carry it to its end has failed; one that is
//! merely not needed any more is closed, also where the run or the message is at fault.

use crate::support::*;

fn badge(sim: &Sim) -> (&str, Option<&str>) {
    let connection = &sim.page.state["connection"];
    (connection["state"].as_str().unwrap(), connection["error"]["code"].as_str())
}

#[test]
fn a_connection_that_was_given_up_or_refused_has_failed() {
    let mut world = World::seeded(611).forever(Plan::head(Head::Refused));
    world.answers.extend(std::iter::repeat_n(Answer::Failed, 99));
    let unreachable = world.send().settle();
    assert_eq!(badge(&unreachable), ("failed", Some("gave-up")));
    for plan in [Plan::status(401), Plan::cut(0, How::Rst)] {
        let mut lost = World::seeded(612).then(Plan::cut(1_500, How::Rst)).forever(plan).open();
        lost.play_to_settled();
        assert_eq!((badge(&lost).0, badge(&lost).1), ("failed", lost.code()));
    }
    let turned_away = World::seeded(613).forever(Plan::status(401)).send().settle();
    assert_eq!((turned_away.run.status(), badge(&turned_away)), (Status::Failed, ("failed", Some("unauthorized"))));
}

#[test]
fn one_that_is_not_needed_any_more_is_closed() {
    assert_eq!(badge(&World::seeded(614).send().settle()), ("closed", None));
    let refused = World::seeded(615).forever(Plan::status(422)).send().settle();
    assert_eq!(badge(&refused), ("closed", Some("http-status")));
    let failed = World::seeded(616).script(Script::of(10, [Event::Error("out of credit")])).send().settle();
    assert_eq!(badge(&failed), ("closed", Some("server-error")));
}
