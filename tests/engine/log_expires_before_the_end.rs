//! B-ES-13: the log is gone before its end reached us. The stream ends without a terminal event, and so does our knowledge.

use crate::support::*;

#[test]
fn a_log_that_expires_under_the_stream_is_told_as_ended() {
    let stuck = Mischief { mute_after: Some(10), ..Mischief::default() };
    let sim = World::seeded(151).habits(|habits| habits.log_ttl = 30_000).then(Plan::mischief(stuck)).open().settle();
    assert_eq!((sim.run.status(), sim.code()), (Status::Interrupted, Some("run-ended")));
    assert!(!sim.page.transcript().parts.is_empty());
}
