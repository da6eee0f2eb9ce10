//! Any schedule of failures, lost replies and late arrivals: the server's log is what was pushed, each chunk once and in order, and
//! never more than the bound is held (S-CB-4, S-CB-9, S-CB-11).
//!
//! The server keeps the numbers: it skips what it has, refuses what would leave a hole, writes a batch chunk by chunk and may break off
//! in the middle. A request of which the client has given up hope may still arrive, behind what was sent after it.

use std::collections::{BTreeSet, VecDeque};

use steadystream::engine::{
    batcher::{Batch, Batcher, Output, Policy, Room, Taken, Verdict},
    rng::Rng,
    time::{Instant, Millis},
};

/// A chunk: the pushes that it has come to hold, and whether it may be merged or dropped.
#[derive(Clone, Debug)]
struct Chunk {
    pushes: Vec<u64>,
    is_control: bool,
}

#[derive(Default)]
struct Server {
    log: Vec<Chunk>,
}

impl Server {
    /// Writes up to `most` of the chunks that it does not have; false if a hole would be left.
    fn write(&mut self, first_seq: u64, chunks: &[Chunk], most: usize) -> bool {
        let held = self.log.len() as u64;
        if first_seq > held {
            return false;
        }
        let new = chunks.iter().skip((held - first_seq) as usize);
        self.log.extend(new.take(most).cloned());
        true
    }
}

/// What a page does, with a clock of its own.
struct Page {
    batcher: Batcher,
    waiting: VecDeque<Chunk>,
    flying: Vec<Chunk>,
    dropped: BTreeSet<u64>,
    pushed: Vec<u64>,
    max_buffer: usize,
    refused: usize,
    merges: bool,
}

impl Page {
    fn push(&mut self, is_control: bool, now: Instant) {
        let push = self.pushed.len() as u64 + 1;
        let taken = self.batcher.push(is_control, now);
        assert_ne!(taken, Taken::Never);
        self.pushed.push(push);
        self.waiting.push_back(Chunk { pushes: vec![push], is_control });
        loop {
            match self.batcher.make_room() {
                Room::Enough => break,
                Room::Merge(at) => {
                    // Some cannot be made one: of different parts, say.
                    let is_one = self.merges && !(at + push as usize).is_multiple_of(5);
                    self.batcher.handle_tried(at, is_one);
                    if is_one {
                        let other = self.waiting.remove(at + 1).unwrap();
                        assert!(!other.is_control && !self.waiting[at].is_control);
                        self.waiting[at].pushes.extend(other.pushes);
                    }
                }
                Room::Drop(at) => {
                    let gone = self.waiting.remove(at).unwrap();
                    assert!(!gone.is_control, "a control chunk never goes");
                    self.dropped.extend(gone.pushes);
                }
                Room::Refuse => {
                    // Only control chunks: whoever pushed this one is told, and has it still.
                    let back = self.waiting.pop_back().unwrap();
                    assert!(back.is_control);
                    self.dropped.extend(back.pushes);
                    self.refused += 1;
                }
            }
        }
        self.check();
    }

    fn check(&self) {
        assert!(self.waiting.len() + self.flying.len() <= self.max_buffer, "the bound");
    }

    fn take(&mut self, batch: &Batch) -> Vec<Chunk> {
        if batch.attempt == 1 && self.flying.is_empty() {
            self.flying = self.waiting.drain(..batch.len).collect();
        }
        assert_eq!(self.flying.len(), batch.len);
        self.flying.clone()
    }
}

struct Played {
    is_over: bool,
    merged: bool,
    dropped: usize,
    refused: usize,
    ghosts: usize,
    retries: u32,
}

/// What is on its way to the server, or back: when, and what.
enum Late {
    Arrives { first_seq: u64, chunks: Vec<Chunk> },
    Replies(Option<Verdict>),
}

fn play(seed: u64) -> Played {
    let mut chance = Rng::seeded(seed);
    let max_batch = 1 + chance.up_to(8) as usize;
    let max_buffer = max_batch + 1 + chance.up_to(12) as usize;
    // In some worlds nothing ever fails for long, in some nearly everything does.
    let trouble = [10, 40, 80][chance.up_to(2) as usize];
    let policy = Policy { max_batch, max_buffer, max_retries: 3 + chance.up_to(9) as u32, ..Policy::default() };
    let mut now = Instant::from_millis(0);
    let mut page = Page {
        batcher: Batcher::new(policy, seed, now),
        waiting: VecDeque::new(),
        flying: Vec::new(),
        dropped: BTreeSet::new(),
        pushed: Vec::new(),
        max_buffer,
        refused: 0,
        merges: !seed.is_multiple_of(3),
    };
    let mut server = Server::default();
    let mut wire: Vec<(Instant, Late)> = Vec::new();
    let mut left = 20 + chance.up_to(80);
    let mut next_push = now;
    let (mut is_over, mut ghosts, mut retries) = (false, 0, 0);
    loop {
        page.batcher.handle_timeout(now);
        while let Some(output) = page.batcher.poll_output(now) {
            match output {
                Output::Send(batch) => {
                    let chunks = page.take(&batch);
                    retries += u32::from(batch.attempt > 1);
                    let first_seq = batch.first_seq;
                    let delay = Millis(chance.up_to(120));
                    let again = Verdict::Retry { after: (chance.up_to(9) == 0).then_some(Millis(chance.up_to(500))) };
                    let verdict = if chance.up_to(99) >= trouble {
                        assert!(server.write(first_seq, &chunks, usize::MAX), "a hole");
                        None
                    } else {
                        match chance.up_to(3) {
                            // Refused before it had any effect.
                            0 => {}
                            // The reply is lost, or is a 500 in the middle of it.
                            1 => assert!(server.write(first_seq, &chunks, usize::MAX), "a hole"),
                            2 => {
                                let most = chance.up_to(chunks.len() as u64) as usize;
                                assert!(server.write(first_seq, &chunks, most), "a hole");
                            }
                            // It stays somewhere on its way, and arrives when nobody waits for it.
                            _ => {
                                ghosts += 1;
                                let arrival = now + Millis(delay.0 + chance.up_to(3_000));
                                wire.push((arrival, Late::Arrives { first_seq, chunks }));
                            }
                        }
                        Some(again)
                    };
                    wire.push((now + delay, Late::Replies(verdict)));
                }
                Output::Over => is_over = true,
                Output::Cancel | Output::Silent(_) => panic!("{output:?}"),
            }
        }
        if is_over {
            break;
        }
        if left > 0 && next_push <= now {
            left -= 1;
            page.push(chance.up_to(6) == 0, now);
            next_push = now + Millis(if chance.up_to(2) == 0 { chance.up_to(60) } else { 0 });
            if left == 0 {
                page.batcher.flush();
            }
            continue;
        }
        if left == 0 && page.batcher.settled() >= page.batcher.pushed() {
            break;
        }
        let due = [page.batcher.poll_timeout(), (left > 0).then_some(next_push)];
        let next = due.into_iter().flatten().chain(wire.iter().map(|(at, _)| *at)).min().expect("nothing hangs");
        now = next.max(now);
        let (arrived, still): (Vec<_>, Vec<_>) = wire.into_iter().partition(|(at, _)| *at <= now);
        wire = still;
        for (_, late) in arrived {
            match late {
                Late::Arrives { first_seq, chunks } => assert!(server.write(first_seq, &chunks, usize::MAX), "a hole"),
                Late::Replies(None) => {
                    page.flying.clear();
                    page.batcher.handle_sent();
                }
                Late::Replies(Some(verdict)) => page.batcher.handle_failed(verdict, now),
            }
        }
    }
    for (_, late) in wire {
        if let Late::Arrives { first_seq, chunks } = late {
            assert!(server.write(first_seq, &chunks, usize::MAX), "a hole");
        }
    }
    let logged: Vec<u64> = server.log.iter().flat_map(|chunk| chunk.pushes.iter().copied()).collect();
    let mut expected: Vec<u64> = page.pushed.iter().copied().filter(|push| !page.dropped.contains(push)).collect();
    if is_over {
        assert!(logged.len() <= expected.len());
        expected.truncate(logged.len());
    }
    assert_eq!(logged, expected, "seed {seed}");
    Played {
        is_over,
        merged: server.log.iter().any(|chunk| chunk.pushes.len() > 1),
        dropped: page.dropped.len() - page.refused,
        refused: page.refused,
        ghosts,
        retries,
    }
}

#[test]
fn the_servers_log_is_what_was_pushed_whatever_fails() {
    let runs = std::env::var("RUNS").map_or(4_000, |runs| runs.parse().expect("a number"));
    let played: Vec<Played> = (0..runs).map(play).collect();
    // Each of what a schedule may bring about has come about.
    let some = |holds: fn(&Played) -> bool| played.iter().filter(|played| holds(played)).count() > played.len() / 100;
    assert!(some(|played| played.is_over) && some(|played| !played.is_over && played.retries > 3));
    assert!(some(|played| played.merged) && some(|played| played.dropped > 0) && some(|played| played.refused > 0));
    assert!(some(|played| played.ghosts > 1));
}

#[test]
fn a_server_that_never_answers_costs_no_more_than_the_bound() {
    // S-CB-9: a hundred thousand pushes behind a send that hangs.
    let now = Instant::from_millis(0);
    let mut page = Page {
        batcher: Batcher::new(Policy::default(), 1, now),
        waiting: VecDeque::new(),
        flying: Vec::new(),
        dropped: BTreeSet::new(),
        pushed: Vec::new(),
        max_buffer: 2_000,
        refused: 0,
        merges: true,
    };
    for push in 0..100_000_u64 {
        page.push(push.is_multiple_of(1_000), now);
        if let Some(Output::Send(batch)) = page.batcher.poll_output(now) {
            page.take(&batch);
        }
    }
    let controls = page.waiting.iter().filter(|chunk| chunk.is_control).count();
    let held: usize = page.waiting.iter().map(|chunk| chunk.pushes.len()).sum();
    assert_eq!((controls, page.refused), (99, 0), "one went with the batch");
    assert_eq!(held + page.dropped.len(), 100_000 - 50);
}
