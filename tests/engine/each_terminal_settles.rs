//! B-ES-1, B-ES-3: each of the four terminal events settles the run, each as what it is; partial text survives them all.

use crate::support::*;

#[test]
fn done_cancelled_error_and_failed_each_have_their_outcome() {
    let endings: [(fn() -> Event, Status); 4] = [
        (|| Event::Done, Status::Completed),
        (|| Event::Cancelled, Status::Cancelled),
        (|| Event::Error("provider busy"), Status::Failed),
        (|| Event::Failed("worker died"), Status::Failed),
    ];
    for (ending, status) in endings {
        for is_sent in [false, true] {
            let world = World::seeded(201).script(Script::seeded(201, Shape { ending, ..Shape::default() }));
            let sim = if is_sent { world.send() } else { world.open() }.settle();
            assert_eq!((sim.run.status(), sim.run.by()), (status, By::Server));
            assert_eq!(sim.page.transcript(), *sim.truth(), "PROTOCOLS 6.1, 16");
            if status == Status::Failed {
                assert_eq!(sim.code(), Some("server-error"));
                assert!(sim.run.error().is_some_and(|failure| failure.detail.is_some()));
            } else {
                assert_eq!(sim.run.error(), None);
            }
        }
    }
}

#[test]
fn the_runs_own_error_is_no_refusal_even_as_its_first_event() {
    // It has an id; a refusal has none (B-ES-12).
    let world = World::seeded(202).script(Script::of(10, [Event::Error("out of credit")]));
    let sim = world.open().settle();
    assert_eq!((sim.run.status(), sim.code()), (Status::Failed, Some("server-error")));
    assert_eq!(sim.requests.len(), 1);
}

#[test]
fn an_error_without_an_id_is_the_runs_own_after_events_without_ids() {
    // A log whose server writes no ids; a refusal comes before anything else (B-ES-12).
    let body = b"event: content\ndata: {\"content\":\"kept\"}\n\nevent: error\ndata: {\"error\":\"out of credit\"}\n\n";
    let world = World { is_exact: false, ..World::seeded(204) };
    let sim = world.then(Plan::body("text/event-stream", body)).open().settle();
    assert_eq!((sim.run.status(), sim.code()), (Status::Failed, Some("server-error")));
    assert_eq!(sim.page.text(), "kept");
}

#[test]
fn a_terminal_without_a_type_is_one_by_its_name_and_the_other_way_round() {
    for frame in
        ["event: done\ndata: {}\n\n", "event: message\ndata: {\"type\":\"done\"}\n\n", "data: {\"type\":\"done\"}\n\n"]
    {
        let world = World { is_exact: false, ..World::seeded(203) };
        let sim = world.then(Plan::body("text/event-stream", format!("id: 1-0\n{frame}").as_bytes())).open().settle();
        assert_eq!(sim.run.status(), Status::Completed, "B-ES-2, B-ES-3: {frame}");
    }
}
