//! B-SEND-11: a send's own response drops events without a word. What the user ends up with is the log's content.

use crate::support::*;

#[test]
fn a_response_that_drops_events_is_not_what_is_shown() {
    for lossy in [10, 50, 100] {
        for seed in 0..10 {
            let sim = World::seeded(seed).habits(|habits| habits.lossy = lossy).send().settle();
            sim.assert_whole();
        }
    }
}
