//! The page is loaded anew in the middle of a run. It goes on from the cursor of what it kept (FIELD 5, 2), or asks what
//! runs in its session (B-RES-5, B-STAT-1).

use crate::support::*;

#[test]
fn a_kept_cursor_brings_what_follows_it_and_nothing_before() {
    for held in [1, 5, 20] {
        for deaf in [false, true] {
            let plan = Plan::mischief(Mischief { ignore_cursor: deaf, ..Mischief::default() });
            let world = World { head_start: 60_000, is_exact: false, ..World::slow(301) };
            let sim = world.then(plan).open_after(Some(held)).settle();
            assert_eq!(sim.run.status(), Status::Completed);
            assert_eq!(sim.page.transcript(), sim.server.logged_after(held), "B-ES-11: whatever the server replays");
        }
    }
}

#[test]
fn a_session_in_which_something_runs_is_followed() {
    let sim = World { head_start: 60_000, ..World::slow(302) }.resume().settle();
    sim.assert_whole();
    assert_eq!(sim.server.counters.statuses, 1);
    assert_eq!(sim.server.counters.sends, 0, "nothing is sent");
}

#[test]
fn the_snapshot_is_shown_until_the_log_has_caught_up() {
    let slow_log = Plan { head_delay: 3_000, ..Plan::CLEAN };
    let mut sim = World { head_start: 60_000, ..World::slow(303).then(slow_log) }.resume();
    sim.play_until(61_000);
    assert!(!sim.page.text().is_empty());
    sim.settle().assert_whole();
}

#[test]
fn a_session_in_which_nothing_runs_has_nothing_to_resume() {
    let sim = World { head_start: 200_000, ..World::seeded(304) }.resume().settle();
    assert_eq!((sim.run.status(), sim.code()), (Status::Interrupted, Some("run-not-found")));
    assert_eq!(sim.requests.len(), 1);
}

#[test]
fn a_status_that_fails_is_asked_again_and_given_up_in_the_end() {
    let world = || World { head_start: 60_000, ..World::slow(305) };
    world().answer(Answer::Failed).answer(Answer::Never).resume().settle().assert_whole();
    let mut dead = world();
    dead.answers.extend(std::iter::repeat_n(Answer::Fake { status: 503, body: "" }, 100));
    let sim = dead.resume().settle();
    assert_eq!((sim.run.status(), sim.code()), (Status::Interrupted, Some("gave-up")));
    assert!(sim.requests.len() <= 14, "{}", sim.requests.len());
}
