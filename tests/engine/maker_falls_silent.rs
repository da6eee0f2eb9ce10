//! S-WD: a model that says nothing is no answer, however alive the server and its heartbeats are.

use steadystream::engine::{time::Millis, watchdog::Limits};

use crate::support::*;

fn text(text: &str) -> Event {
    Event::Text(text.encode_utf16().collect())
}

fn world(seed: u64, script: Script) -> World {
    let mut world = World::seeded(seed).script(script);
    world.config.watchdog = Limits { first: Millis(30_000), inactivity: Millis(45_000) };
    world
}

#[test]
fn without_a_first_event_the_run_ends_by_its_limit() {
    // S-WD-2, S-WD-3: comments come every 15 s all the while.
    let script = Script::of(600_000, [text("too late"), Event::Done]);
    let sim = world(71, script).open().settle();
    assert_eq!(
        (sim.run.status(), sim.run.by(), sim.code()),
        (Status::Interrupted, By::Limit, Some("first-event-timeout"))
    );
    assert!((30_000..32_000).contains(&sim.now), "{}", sim.now);
    assert!(sim.run.error().unwrap().retryable);
}

#[test]
fn each_event_gives_the_next_one_its_time_and_partial_text_stays() {
    let mut script = Script::of(40_000, [text("one "), text("two "), text("three "), text("never"), Event::Done]);
    script.0[0].after = 20_000;
    script.0[3].after = 600_000;
    let mut sim = world(72, script).open();
    sim.play_to_settled();
    assert_eq!((sim.run.by(), sim.code()), (By::Limit, Some("inactivity-timeout")));
    assert_eq!(sim.page.state["status"], "interrupted");
    assert!((145_000..147_000).contains(&sim.now), "{}", sim.now);
    // It went on at the server, and so may we.
    sim.retry();
    sim.play_until(sim.now + 20_000);
    assert!(!sim.run.status().is_settled());
}

#[test]
fn a_model_in_its_pace_is_left_alone_and_a_cut_does_not_count_as_its_silence_for_ever() {
    let script = Script::of(25_000, ["a", "b", "c", "d"].map(text).into_iter().chain([Event::Done]));
    let sim = world(73, script).at(60_000, Incident::Cut(How::Rst)).open().settle();
    sim.assert_whole();
    assert_eq!(sim.run.status(), Status::Completed);
}

#[test]
fn a_page_without_a_network_does_not_blame_the_model() {
    let script = Script::of(25_000, ["a", "b", "c"].map(text).into_iter().chain([Event::Done]));
    let offline = Incident::Offline { ms: 300_000, told: true, resets: true };
    let sim = world(74, script).at(30_000, offline).open().settle();
    sim.assert_whole();
    assert_eq!(sim.run.status(), Status::Completed);
}

#[test]
fn whoever_waits_for_a_person_is_not_silent() {
    let question = serde_json::json!({ "checkpointId": "c1", "questions": [] });
    let mut script = Script::of(
        100,
        [text("Before. "), Event::BlockEnd(0), Event::Interrupt(question), text("After."), Event::Done],
    );
    script.0[3].after = 3_600_000;
    let sim = world(75, script).open().settle();
    sim.assert_whole();
    assert_eq!(sim.run.status(), Status::Completed);
}

#[test]
fn a_limit_of_its_own_counts_from_when_it_is_set_and_a_settled_run_has_none() {
    let script = Script::of(600_000, [text("too late"), Event::Done]);
    let mut sim = World::seeded(76).script(script).open();
    sim.play_until(10_000);
    let now = steadystream::engine::time::Instant::from_millis(sim.now);
    sim.run.limit(Limits { first: Millis(5_000), inactivity: Millis(5_000) }, now);
    let mut sim = sim.settle();
    assert_eq!(sim.code(), Some("first-event-timeout"));
    let now = steadystream::engine::time::Instant::from_millis(sim.now);
    sim.run.limit(Limits { first: Millis(1), inactivity: Millis(1) }, now);
    assert_eq!(sim.run.poll_timeout(), None);
}
