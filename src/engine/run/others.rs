//! What runs in a session is asked for by the session alone where no request id can be asked for: of a message whose reply was lost, a
//! run that another message has begun, or that was there before this one went out, is not the run.

use super::{Code, Core, Failure, Instant, Protocol, Road, Run, RunEvent, Status};
use crate::engine::status::By;

impl Run {
    /// Whether it is a message whose run has no name yet.
    pub fn is_nameless(&self) -> bool {
        self.core.is_nameless()
    }

    /// What was heard of the others may have changed, but for their names.
    pub fn forget_rivals(&mut self) {
        self.core.has_rival = false;
    }

    /// Another run of the session, begun before this one. `is_new`: whatever it follows by now, this message has not gone out.
    pub fn hear_of(&mut self, other: &Run, is_new: bool) {
        let core = &mut self.core;
        let is_same = core.request_id.is_some() && core.request_id == other.core.request_id;
        // What follows the session by no name may have come upon this very run.
        let is_certain = is_new || other.core.body.is_some();
        if other.has_ended() || is_same {
            return;
        }
        core.has_rival |= other.core.body.is_some() || other.core.status != Status::Pending;
        if let Some(name) = other.run_id().filter(|_| is_certain)
            && !core.is_of_others(name)
        {
            core.others.push(name.into());
        }
    }
}

impl Core {
    /// Whether a run is known to be another message's. An answer that goes on with a message has that one's name.
    pub(super) fn is_of_others(&self, run: &str) -> bool {
        self.base.is_none() && self.protocol != Protocol::Chunks && self.others.iter().any(|other| other == run)
    }

    /// Whether the first event of the stream of what runs in the session may be another message's: it is called so, or has no name,
    /// and there is such a one.
    pub(super) fn may_be_of_others(&self, event: &RunEvent<'_>) -> bool {
        if self.protocol.has_log() || self.road != Road::Following || !self.is_nameless() || self.any_event {
            return false;
        }
        match event {
            RunEvent::Started { run_id: Some(run), .. } => self.is_of_others(&run.decoded()),
            // A server that has taken the message makes its answer.
            _ => self.has_rival && !self.accepted && self.base.is_none(),
        }
    }

    fn is_nameless(&self) -> bool {
        self.body.is_some() && self.run.is_none()
    }

    /// Nobody can tell what has become of the message.
    pub(super) fn end_in_doubt(&mut self, now: Instant) {
        self.over = true;
        self.settle(Status::Interrupted, By::Server, Some(Failure::passing(Code::SendInDoubt)), now);
    }
}
