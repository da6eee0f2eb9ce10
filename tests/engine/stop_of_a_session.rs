//! A stop is a session's: it ends the session's runs and no other, and no low-level subscription, which its own signal ends.

use crate::support::client::{Client, steady};
use crate::support::frames::content;
use steadystream::engine::host::{End, Pace, Task};
use steadystream::engine::inquiry::Question;
use steadystream::engine::time::Millis;

struct Scene {
    client: Client,
    mine: u32,
    other: u32,
    subscribed: u32,
    stop: Task,
}

/// Three streams under way, and a stop of one session.
fn stopping() -> Scene {
    let mut client = Client::new(steady());
    let (mine, _) = client.open_at("mine", Pace::Frame);
    let (other, _) = client.open_at("other", Pace::Frame);
    let subscribed = client.subscribe("mine");
    let task = client.orders().pop().unwrap().task();
    client.head(task, 200, "text/event-stream");
    client.ask(Question::Stop, "mine");
    let orders = client.orders();
    assert_eq!(orders.len(), 1);
    assert_eq!(orders[0].says(), "reply /stop");
    Scene { client, mine, other, subscribed, stop: orders[0].task() }
}

impl Scene {
    /// After the time that a confirmed stop leaves the run for its own last word.
    fn statuses(&mut self) -> [String; 3] {
        self.client.wait(Millis(1_000));
        self.client.flush();
        [self.mine, self.other, self.subscribed].map(|slot| self.client.status(slot))
    }
}

#[test]
fn it_ends_the_runs_of_its_session_and_no_other() {
    let mut scene = stopping();
    scene.client.reply(scene.stop, 200, "{\"success\":true}");
    assert_eq!(scene.statuses(), ["cancelled", "pending", "pending"]);
    assert_eq!(scene.client.answers[0]["ok"], true);
    assert_eq!([scene.other, scene.subscribed].map(|slot| scene.client.page(slot).ends), [0, 0]);
}

#[test]
fn a_session_is_told_apart_from_one_that_begins_alike() {
    let mut client = Client::new(steady());
    let slots = ["s", "s2", "", "S"].map(|session| client.open(session));
    client.ask(Question::Stop, "s");
    let stop = client.orders().pop().unwrap().task();
    client.reply(stop, 200, "{}");
    client.wait(Millis(1_000));
    client.flush();
    assert_eq!(slots.map(|slot| client.status(slot)), ["cancelled", "pending", "pending", "pending"]);
}

#[test]
fn a_stop_that_is_refused_lost_or_never_answered_still_ends_its_runs() {
    for way in 0..3 {
        let mut scene = stopping();
        match way {
            0 => scene.client.reply(scene.stop, 500, ""),
            1 => scene.client.end(scene.stop, End::Failed),
            _ => scene.client.wait(Millis(5_000)),
        }
        scene.client.wait(Millis(5_000));
        assert_eq!(scene.statuses()[0], "cancelled", "{way}");
        assert_eq!(scene.client.answers.len(), 1);
        assert_eq!(scene.client.answers[0]["ok"], false);
    }
}

#[test]
fn the_runs_text_and_connection_stay_until_the_server_has_confirmed() {
    let mut client = Client::new(steady());
    let (slot, task) = client.open_at("s", Pace::Frame);
    client.ask(Question::Stop, "s");
    client.orders();
    client.chunk(task, &content("1-0", "still coming"));
    client.flush();
    assert_eq!((client.page(slot).text().as_str(), client.status(slot).as_str()), ("still coming", "streaming"));
}

#[test]
fn a_run_that_begins_after_the_stop_is_not_stopped_by_its_reply() {
    // The reply says that what ran when the stop came was cancelled.
    let mut scene = stopping();
    let later = scene.client.open("mine");
    scene.client.reply(scene.stop, 200, "{}");
    scene.client.wait(Millis(1_000));
    scene.client.flush();
    assert_eq!(
        (scene.client.status(scene.mine).as_str(), scene.client.status(later).as_str()),
        ("cancelled", "pending")
    );
}

#[test]
fn a_stop_of_a_session_without_runs_is_answered_all_the_same() {
    let mut client = Client::new(steady());
    client.ask(Question::Stop, "s");
    let stop = client.orders().pop().unwrap().task();
    client.reply(stop, 200, "{}");
    client.flush();
    assert_eq!(client.answers[0]["ok"], true);
}
