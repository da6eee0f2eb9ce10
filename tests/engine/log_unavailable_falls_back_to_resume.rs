//! B-ES-12, B-RES-3, B-RES-4: the server has no log to follow. A resume gives a snapshot and what comes after it.

use crate::support::*;

/// Text and tools, since a snapshot knows nothing of reasoning.
fn script() -> Script {
    let mut script = Script::seeded(161, Shape { deltas: 30, ..Shape::slow() });
    script.0.retain(|entry| !matches!(entry.event, Event::Thinking(_)));
    script
}

#[test]
fn an_opened_run_is_resumed_from_its_snapshot() {
    let sim = World::seeded(161).script(script()).habits(|habits| habits.has_log = false).open().settle();
    assert_eq!(sim.run.status(), Status::Completed);
    assert_eq!(sim.page.transcript().text(), sim.truth().text());
    assert_eq!(sim.server.counters.resumes, 1);
}

#[test]
fn a_sent_run_is_resumed_too() {
    let world = World { is_exact: false, ..World::seeded(162).script(script()) };
    let sim = world.habits(|habits| habits.has_log = false).send().settle();
    assert_eq!(sim.run.status(), Status::Completed);
    assert_eq!(sim.page.transcript().text(), sim.truth().text());
    assert_eq!(sim.server.counters.runs, 1);
}

#[test]
fn a_log_that_breaks_down_in_the_middle_costs_nothing_that_was_shown() {
    for at in [2_000, 20_000, 50_000] {
        let sim = World::seeded(at)
            .script(script())
            .at(at, Incident::Log(false))
            .at(at, Incident::Cut(How::Rst))
            .open()
            .settle();
        assert_eq!(sim.run.status(), Status::Completed, "{:?}", sim.run.error());
        assert_eq!(sim.page.transcript().text(), sim.truth().text());
    }
}

#[test]
fn each_snapshot_replaces_and_what_follows_appends() {
    let mut world = World::seeded(163).script(script()).habits(|habits| habits.has_log = false);
    // The refused log, then resumes that break.
    for after in [0, 400, 900, 1_400] {
        world = world.then(Plan::CLEAN).then(Plan::cut(after, How::Rst));
    }
    let sim = World { is_exact: false, ..world }.open().settle();
    assert_eq!(sim.run.status(), Status::Completed, "{:?}", sim.run.error());
    assert_eq!(sim.page.transcript().text(), sim.truth().text());
}

#[test]
fn another_nodes_run_is_followed_by_its_stored_state() {
    let sim = World::seeded(164)
        .script(script())
        .habits(|habits| (habits.has_log, habits.remote) = (false, true))
        .open()
        .settle();
    assert_eq!(sim.run.status(), Status::Completed);
    assert_eq!(sim.page.transcript().text(), sim.truth().text());
}

#[test]
fn a_run_that_ended_while_there_was_no_log_is_told_as_ended() {
    let sim = World::seeded(165)
        .script(script())
        .at(300, Incident::Log(false))
        .at(300, Incident::Offline { ms: 600_000, told: true, resets: true })
        .open()
        .settle();
    assert_eq!((sim.run.status(), sim.code()), (Status::Interrupted, Some("run-ended")));
    // Nobody waits for the budget to run out on a run that is known to be over.
    assert!(sim.now < 610_000, "{}", sim.now);
}

#[test]
fn what_a_resume_dropped_is_read_from_the_log_when_that_is_back_at_the_end() {
    for seed in 166..186 {
        // Text with a hole in it is shown for a while: it cannot be known before the log is back.
        let sim = World { is_exact: false, ..World::seeded(seed) }
            .habits(|habits| (habits.resume_gap, habits.lossy) = (10, 30))
            .at(0, Incident::Log(false))
            .at(300, Incident::Log(true))
            .open()
            .settle();
        assert_eq!(sim.run.status(), Status::Completed, "{:?}", sim.run.error());
        assert!(sim.server.counters.resumes > 0);
        sim.assert_whole();
    }
}

#[test]
fn a_run_that_ended_between_two_resumes_is_told_by_the_log_if_that_is_back() {
    let sim = World::seeded(187)
        .at(0, Incident::Log(false))
        .at(300, Incident::Offline { ms: 120_000, told: true, resets: true })
        .at(400, Incident::Log(true))
        .open()
        .settle();
    assert_eq!(sim.run.status(), Status::Completed, "{:?}", sim.run.error());
    sim.assert_whole();
}

#[test]
fn a_run_that_ended_before_its_resume_came_through_is_not_asked_for_again_and_again() {
    // The log is refused, the status says active, and what is resumed has just ended: an empty stream each time.
    for at in [47_000, 47_500, 47_700, 47_750, 47_780] {
        let sim = World { is_exact: false, ..World::seeded(188) }
            .script(script())
            .habits(|habits| habits.has_log = false)
            .at(at, Incident::Cut(How::Fin))
            .open()
            .settle();
        assert!(sim.now < 60_000, "{at}: {} {:?}", sim.now, sim.run.status());
    }
}

#[test]
fn a_retry_behind_the_live_road_neither_doubles_nor_loses_what_that_had_told() {
    for (log_back, down) in [(21_000, 20_000), (700_000, 20_000), (21_000, 35_000)] {
        // Followed, then live from a snapshot, then nobody is there for longer than the budget.
        let mut sim = World { is_exact: false, ..World::slow(189) }
            .habits(|habits| habits.log_ttl = 24 * 3_600_000)
            .at(10_000, Incident::Log(false))
            .at(10_000, Incident::Cut(How::Rst))
            .at(down, Incident::Restart { ms: 600_000, keeps_log: true, keeps_workers: true })
            .at(log_back, Incident::Log(true))
            .open();
        sim.play_to_settled();
        assert_eq!(sim.run.status(), Status::Interrupted, "{:?}", sim.run.error());
        let cursor = sim.page.state["cursor"].clone();
        assert!(cursor.is_string(), "{cursor}");
        sim.play_until(800_000);
        sim.retry();
        sim.play_to_settled();
        assert_eq!(sim.run.status(), Status::Completed, "{:?}", sim.run.error());
        sim.assert_whole();
    }
}
