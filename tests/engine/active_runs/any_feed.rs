//! Any schedule: what is shown in the end is what the server holds.
//!
//! The server is the one of B-AR-9: it subscribes, reads the index, and passes on what is newer than the last it said of a session,
//! by milliseconds that several things happen in. What it says comes late, in another order, twice, or not at all because the
//! connection was cut. When everything has come, and every silent run was asked about once more, both are equal.

use std::collections::{BTreeMap, BTreeSet};

use steadystream::engine::{active_runs::feed::Wish, rng::Rng, time::Millis};

use super::desk::{Desk, row};

const SESSIONS: u64 = 5;

/// The longest that anything is on its way, in ms.
const LATEST: u64 = 40;

#[derive(Clone, Debug, PartialEq)]
struct Held {
    run: String,
    status: &'static str,
    at: u64,
}

#[derive(Default)]
struct Server {
    clock: u64,
    runs: u32,
    index: BTreeMap<u64, Held>,
    /// When anything was last said of a session, and the run before its present one.
    last: BTreeMap<u64, u64>,
    before: BTreeMap<u64, String>,
    /// The present connection's: the newest that each session was told of.
    high_water: Option<BTreeMap<u64, u64>>,
    /// What is on its way: when it comes, and what it says.
    wire: Vec<(u64, String)>,
    /// Sessions whose last word was swallowed in its millisecond, and was no end.
    swallowed: BTreeSet<u64>,
    ghosts: u32,
}

impl Server {
    fn name(session: u64) -> String {
        format!("s{session}")
    }

    fn send(&mut self, chance: &mut Rng, text: &str) {
        for _ in 0..1 + u64::from(chance.up_to(9) == 0) {
            let delay = if chance.up_to(2) == 0 { chance.up_to(LATEST) } else { 0 };
            self.wire.push((self.clock + delay, text.to_owned()));
        }
    }

    fn connect(&mut self, chance: &mut Rng) {
        self.swallowed.clear();
        self.high_water = Some(self.index.iter().map(|(&session, held)| (session, held.at)).collect());
        for (session, held) in self.index.clone() {
            let text = row("snapshot", &Self::name(session), &held.run, held.status, held.at);
            self.send(chance, &text);
        }
    }

    fn publish(&mut self, chance: &mut Rng, session: u64, run: &str, status: &'static str) {
        let is_end = !matches!(status, "queued" | "streaming");
        self.last.insert(session, self.clock);
        if !is_end {
            self.swallowed.remove(&session);
        }
        let Some(water) = &mut self.high_water else { return };
        if water.get(&session).is_some_and(|&told| self.clock <= told) {
            if is_end {
                self.ghosts += 1;
            } else {
                self.swallowed.insert(session);
            }
            return;
        }
        water.insert(session, self.clock);
        let text = row("update", &Self::name(session), run, status, self.clock);
        self.send(chance, &text);
    }

    fn act(&mut self, chance: &mut Rng) {
        let session = chance.up_to(SESSIONS - 1);
        let end = ["completed", "cancelled", "failed"][chance.up_to(2) as usize];
        let Some(held) = self.index.get(&session).cloned() else {
            return self.start(chance, session);
        };
        match (chance.up_to(5), held.status) {
            (0, _) => self.start(chance, session),
            (1, _) if self.before.contains_key(&session) => {
                // The end of the run before, told late.
                let run = self.before.remove(&session).unwrap();
                self.publish(chance, session, &run, end);
            }
            (2 | 3, "queued") => {
                self.index.insert(session, Held { status: "streaming", at: self.clock, ..held.clone() });
                self.publish(chance, session, &held.run, "streaming");
            }
            _ => {
                self.index.remove(&session);
                self.before.remove(&session);
                self.publish(chance, session, &held.run, end);
            }
        }
    }

    fn start(&mut self, chance: &mut Rng, session: u64) {
        // A new run takes a person's message: nothing else of its session happens in its millisecond.
        if self.last.get(&session) == Some(&self.clock) {
            return;
        }
        self.runs += 1;
        let run = format!("r{}", self.runs);
        let held = Held { run: run.clone(), status: "queued", at: self.clock };
        if let Some(before) = self.index.insert(session, held) {
            self.before.insert(session, before.run);
        }
        self.publish(chance, session, &run, "queued");
    }

    fn status(&self, path: &str) -> String {
        let session: u64 = path.rsplit('s').next().unwrap().parse().unwrap();
        match self.index.get(&session) {
            Some(held) => format!("{{\"active\":true,\"runId\":\"{}\"}}", held.run),
            None => "{\"active\":false}".into(),
        }
    }
}

struct Play {
    desk: Desk,
    server: Server,
    chance: Rng,
}

impl Play {
    /// Brings both clocks on, and what comes meanwhile.
    fn pass(&mut self, ms: u64) {
        let until = self.server.clock + ms;
        loop {
            let next = self.server.wire.iter().map(|(at, _)| *at).min().filter(|&at| at <= until);
            let step = next.unwrap_or(until).saturating_sub(self.server.clock);
            self.desk.after(step);
            self.server.clock += step;
            if self.desk.conn.is_some() && self.server.high_water.is_none() {
                self.desk.accept();
                self.server.connect(&mut self.chance);
            }
            while let Some(at) = self.server.wire.iter().position(|(at, _)| *at <= self.server.clock) {
                let (_, text) = self.server.wire.remove(at);
                let (one, other) = text.split_at(self.chance.up_to(text.len() as u64) as usize);
                self.desk.say(one);
                self.desk.say(other);
            }
            while let Some((_, path)) = self.desk.asked.first() {
                let reply = self.server.status(path);
                self.desk.answer(200, &reply);
            }
            if self.server.clock >= until {
                return;
            }
        }
    }

    fn cut(&mut self) {
        if self.server.high_water.take().is_some() {
            self.server.wire.clear();
            self.desk.cut();
        }
    }
}

/// Plays one schedule; how many ghosts it had.
fn play(seed: u64) -> u32 {
    let wish = Wish { verify_after: Millis(1_000), ..Wish::default() };
    let mut play = Play { desk: Desk::new(wish), server: Server::default(), chance: Rng::seeded(seed) };
    play.server.clock = 1_712_345_678_000;
    play.desk.watch(true);
    for _ in 0..20 + play.chance.up_to(30) {
        match play.chance.up_to(24) {
            0 => play.cut(),
            1..12 => {
                let ms = [1, 5, 20, 300][play.chance.up_to(3) as usize];
                play.pass(ms);
            }
            _ => {
                let Play { server, chance, .. } = &mut play;
                server.act(chance);
            }
        }
    }
    // Everything comes, and who is silent is asked about.
    for second in 0..20 {
        play.pass(500);
        play.pass(500);
        if second % 5 == 0 && play.desk.conn.is_some() {
            play.desk.say(": ping\n\n");
        }
    }
    let Play { desk, server, .. } = play;
    assert!(desk.is_ready(), "seed {seed}");
    let shown: BTreeMap<u64, (&str, &str)> =
        desk.list().into_iter().map(|(session, run, status)| (session[1..].parse().unwrap(), (run, status))).collect();
    let truth: BTreeMap<u64, (&str, &str)> =
        server.index.iter().map(|(&session, held)| (session, (&*held.run, held.status))).collect();
    let runs = |all: &BTreeMap<u64, (&str, &str)>| {
        all.iter().map(|(session, row)| format!("{session}:{}", row.0)).collect::<Vec<_>>()
    };
    assert_eq!(runs(&shown), runs(&truth), "seed {seed}");
    for (session, row) in &truth {
        // The server has never said that it has begun.
        if !server.swallowed.contains(session) {
            assert_eq!(shown[session], *row, "seed {seed}, session {session}");
        }
    }
    server.ghosts
}

fn play_all(seeds: std::ops::Range<u64>) {
    let ghosts: u32 = seeds.map(play).sum();
    assert!(ghosts > 500, "only {ghosts} ends were lost: the schedules do not show much");
}

// Ten thousand, by as many threads as are likely.

#[test]
fn the_first_schedules_end_in_the_servers_truth() {
    play_all(0..5_000);
}

#[test]
fn the_other_schedules_end_in_the_servers_truth() {
    play_all(5_000..10_000);
}
