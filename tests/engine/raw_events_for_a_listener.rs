//! Whoever listens to raw events hears each of them once and in order, however often it came.

use crate::support::*;
use steadystream::engine::rng::Rng;

#[test]
fn each_event_is_heard_once_and_in_order() {
    for seed in 0..40 {
        let mut rng = Rng::seeded(seed);
        let mut world = World { listen: true, ..World::slow(seed) };
        for _ in 0..4 {
            world = world.then(Plan::random(&mut rng));
        }
        let mut sim = world.open();
        sim.play_to_settled();
        if sim.run.status() != Status::Completed {
            continue;
        }
        sim.assert_whole();
        let pair = |id: &str| id.split_once('-').map(|(a, b)| (a.parse::<u64>().ok(), b.parse::<u64>().ok()));
        let heard: Vec<_> = sim.page.events.iter().filter_map(|event| event["id"].as_str().and_then(pair)).collect();
        assert!(heard.is_sorted_by(|one, two| one < two), "seed {seed}");
        assert_eq!(heard.len(), sim.server.logged_count());
    }
}

#[test]
fn what_is_heard_is_the_payload_as_the_server_wrote_it() {
    let script = Script::of(10, [Event::Text("a\u{1F9EE}".encode_utf16().collect()), Event::Done]);
    let sim = World { listen: true, ..World::seeded(312).script(script) }.open().settle();
    let events: Vec<_> = sim.page.events.iter().map(|event| (&event["name"], &event["data"]["content"])).collect();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0], (&serde_json::json!("content"), &serde_json::json!("a\u{1F9EE}")));
}

#[test]
fn flaps_are_heard_too() {
    // B-ES-8: onError is called for every flap.
    let world = World { listen: true, ..World::seeded(313) };
    let sim = world.then(Plan::cut(900, How::Rst)).then(Plan::status(503)).open().settle();
    let flaps: Vec<_> = sim.page.events.iter().filter(|event| !event["flap"].is_null()).collect();
    assert_eq!(flaps.len(), 2);
    assert_eq!(flaps[1]["flap"]["status"], 503);
}

#[test]
fn what_was_heard_live_is_not_heard_again_from_the_log() {
    let world = World { listen: true, is_exact: false, ..World::seeded(314) };
    let sim = world.at(0, Incident::Log(false)).at(300, Incident::Log(true)).open().settle();
    sim.assert_whole();
    assert!(sim.server.counters.resumes > 0);
    let ends = sim.page.events.iter().filter(|event| event["name"] == "done").count();
    assert_eq!((ends, sim.page.events.iter().filter(|event| event["id"].is_string()).count()), (1, 0));
}
