//! S-LOCK-1: whoever joins and leaves a session's line in whatever order, its sends go out one at a time and in their order, never
//! beside what would hit them, nobody passes a gate, and nobody waits for nothing. `RUNS=100000` for more.

use std::collections::BTreeMap;

use steadystream::engine::inquiry::Ticket;
use steadystream::engine::outbox::{Act, Limits, Outbox, Output, PATIENCE};
use steadystream::engine::rng::Rng;
use steadystream::engine::time::Instant;

#[derive(Default)]
struct Model {
    /// Of each session: who is in line, and whether it had its turn.
    lines: BTreeMap<String, Vec<(Act, bool)>>,
    ended: Vec<u32>,
}

impl Model {
    fn find(&mut self, act: Act) -> Option<(String, usize)> {
        self.lines
            .iter()
            .find_map(|(session, line)| Some((session.clone(), line.iter().position(|(other, _)| *other == act)?)))
    }

    fn hear(&mut self, outbox: &mut Outbox) {
        while let Some(output) = outbox.poll_output() {
            match output {
                Output::End(slot) => self.ended.push(slot),
                Output::Go(act) => {
                    let (session, at) = self.find(act).expect("whoever goes is in line");
                    let line = self.lines.get_mut(&session).unwrap();
                    assert!(!std::mem::replace(&mut line[at].1, true), "{act:?} goes once");
                    self.check(&session, act);
                }
            }
        }
        for (session, line) in &self.lines {
            let is_at_gate = line.first().is_some_and(|(act, _)| is_gate(act));
            assert!(
                line.is_empty() || is_at_gate || line.iter().any(|(_, has_gone)| *has_gone),
                "{session} waits for nobody"
            );
        }
    }

    fn check(&self, session: &str, went: Act) {
        let line = &self.lines[session];
        let at = line.iter().position(|(act, _)| *act == went).unwrap();
        let is_send = |act: &Act| matches!(act, Act::Send(_) | Act::Expect(_));
        match went {
            Act::Expect(_) => panic!("a gate goes nowhere"),
            Act::Send(_) => {
                assert_eq!(at, 0, "in order");
                assert!(line.iter().all(|(act, _)| is_send(act)), "not beside a stop or a reset");
            }
            Act::Stop(_) => assert!(line[..at].iter().all(|(act, _)| is_send(act)), "behind those before it"),
            Act::Clear(_) => {
                assert!(line[..at].iter().all(|(act, has_gone)| is_send(act) && !has_gone), "not beside a send");
            }
        }
    }
}

fn is_gate(act: &Act) -> bool {
    matches!(act, Act::Expect(_))
}

fn play(seed: u64) {
    let mut rng = Rng::seeded(seed);
    let mut outbox = Outbox::default();
    let mut model = Model::default();
    let limits = Limits { messages: 6, bytes: 40 };
    let mut last = 0;
    for step in 0..120 {
        let now = Instant::from_millis(step * 100);
        let session = format!("s{}", rng.up_to(2));
        let here: Vec<(Act, bool)> = model.lines.get(&session).cloned().unwrap_or_default();
        let any = here.get(rng.up_to(here.len() as u64) as usize).copied();
        match (rng.up_to(9), any) {
            (0..=2, _) => {
                last += 1;
                let act = match rng.up_to(4) {
                    0 => Act::Stop(Ticket(last)),
                    1 => Act::Clear(Ticket(last)),
                    _ => Act::Send(last),
                };
                let bytes = if matches!(act, Act::Send(_)) { rng.up_to(12) as usize } else { 0 };
                if matches!(act, Act::Send(_)) && !outbox.has_room(bytes, limits) {
                    continue;
                }
                let line = model.lines.entry(session.clone()).or_default();
                if matches!(act, Act::Send(_)) && rng.up_to(3) == 0 {
                    let gate = line.iter().position(|(act, _)| is_gate(act)).unwrap_or(line.len());
                    line.insert(gate, (act, false));
                    outbox.join_before(&session, act, bytes);
                } else {
                    line.push((act, false));
                    outbox.join(&session, act, bytes);
                }
                assert!(outbox.messages() <= limits.messages && outbox.bytes() <= limits.bytes);
            }
            (3, Some((Act::Send(slot), true))) => {
                let (session, at) = model.find(Act::Send(slot)).unwrap();
                // Only for somebody who passes.
                last += 1;
                model.lines.get_mut(&session).unwrap()[at].1 = false;
                outbox.hold_back(slot);
                model.lines.get_mut(&session).unwrap().push((Act::Clear(Ticket(last)), false));
                outbox.join(&session, Act::Clear(Ticket(last)), 0);
            }
            (4, Some((act @ Act::Clear(_), true))) => {
                let (session, at) = model.find(act).unwrap();
                let gone: Vec<_> = model.lines.get_mut(&session).unwrap().drain(..=at).collect();
                outbox.leave_cleared(act);
                model.hear(&mut outbox);
                let ended: Vec<Act> = std::mem::take(&mut model.ended).into_iter().map(Act::Send).collect();
                assert_eq!(
                    ended,
                    gone[..at].iter().map(|(act, _)| *act).filter(|act| !is_gate(act)).collect::<Vec<_>>()
                );
            }
            (5, _) => {
                if !here.iter().any(|(act, _)| is_gate(act)) {
                    model.lines.entry(session.clone()).or_default().push((Act::Expect(now + PATIENCE), false));
                }
                outbox.expect(&session, now);
            }
            (6, _) => {
                model.lines.entry(session.clone()).or_default().retain(|(act, _)| !is_gate(act));
                outbox.stop_expecting(&session);
            }
            (7, _) => {
                let is_due = |act: &Act| matches!(act, Act::Expect(until) if *until <= now);
                model.lines.values_mut().for_each(|line| line.retain(|(act, _)| !is_due(act)));
                outbox.handle_timeout(now);
                let next = model.lines.values().flatten().filter_map(|(act, _)| match act {
                    Act::Expect(until) => Some(*until),
                    _ => None,
                });
                assert_eq!(outbox.poll_timeout(), next.min());
            }
            (8, Some((act @ Act::Send(_), has_gone))) => {
                let line = model.lines.get_mut(&session).unwrap();
                let gate = line.iter().position(|(act, _)| is_gate(act));
                assert_eq!(outbox.take_over(&session, act, 0), gate.is_some());
                if let Some(gate) = gate {
                    let place = line.iter().position(|(other, _)| *other == act).unwrap();
                    line.remove(place);
                    line.insert(gate.min(place), (act, has_gone));
                }
            }
            (_, Some((act, _))) if !is_gate(&act) => {
                let (session, at) = model.find(act).unwrap();
                model.lines.get_mut(&session).unwrap().remove(at);
                outbox.leave(act);
            }
            _ => {}
        }
        model.hear(&mut outbox);
        assert_eq!(model.ended, [0; 0]);
    }
    // The gates fall and whoever has its turn leaves: at last nobody is there.
    model.lines.values_mut().for_each(|line| line.retain(|(act, _)| !is_gate(act)));
    outbox.handle_timeout(Instant::from_millis(12_000) + PATIENCE);
    model.hear(&mut outbox);
    while let Some(act) = model.lines.values().flatten().find(|(_, has_gone)| *has_gone).map(|(act, _)| *act) {
        let (session, at) = model.find(act).unwrap();
        model.lines.get_mut(&session).unwrap().remove(at);
        outbox.leave(act);
        model.hear(&mut outbox);
    }
    assert_eq!((outbox.messages(), outbox.bytes(), outbox.sessions()), (0, 0, 0), "seed {seed}");
    assert!(model.lines.values().all(Vec::is_empty), "seed {seed}: nobody is forgotten");
}

#[test]
fn a_line_keeps_its_order_and_forgets_nobody() {
    let runs = std::env::var("RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(3_000);
    (0..runs).for_each(play);
}
