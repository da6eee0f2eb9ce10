//! Timers fire late, early, and for no reason: a hidden tab's once a minute, a driver's twice. It changes no outcome.

use crate::support::*;

#[test]
fn spurious_timeouts_change_nothing() {
    for seed in 0..20 {
        let world = || World::seeded(seed).then(Plan::cut(1_500, How::Rst)).then(Plan::stall(500));
        let plain = world().open().settle();
        let nervous = World { spurious: 100, ..world() }.open().settle();
        plain.assert_whole();
        nervous.assert_whole();
        assert_eq!(plain.requests.len(), nervous.requests.len());
    }
}

#[test]
fn a_hidden_tabs_slow_timers_only_slow_it_down() {
    for seed in 0..20 {
        let world =
            World::seeded(seed).then(Plan::cut(1_500, How::Rst)).then(Plan::stall(500)).then(Plan::head(Head::Refused));
        World { lateness: 60_000, ..world }.open().settle().assert_whole();
    }
}
