//! What holds for everybody for a while: outages with a status, silence.

use tokio::sync::watch;
use tokio::time::Instant;

use super::step::RetryAfter;

/// The state of the weather; streams watch it.
#[derive(Debug, Default)]
pub struct Weather(watch::Sender<Sky>);

/// What holds now.
#[derive(Clone, Debug, Default)]
pub struct Sky {
    /// Every request is answered with a status.
    pub outage: Option<Outage>,
    /// Streams are silent.
    pub stalls: Vec<Stall>,
}

/// See [`Sky::outage`].
#[derive(Clone, Debug)]
pub struct Outage {
    /// The status.
    pub code: u16,
    /// The value of `Retry-After`.
    pub retry_after: Option<RetryAfter>,
    /// Until when; without it until it is cleared.
    pub until: Option<Instant>,
}

/// See [`Sky::stalls`].
#[derive(Clone, Debug, PartialEq)]
pub struct Stall {
    /// Only those of this session.
    pub session_id: Option<String>,
    /// Whether heartbeats go on.
    pub heartbeats: bool,
    /// Until when; without it until it is cleared.
    pub until: Option<Instant>,
}

impl Weather {
    /// Changes it.
    pub fn change(&self, change: impl FnOnce(&mut Sky)) {
        self.0.send_modify(change);
    }

    /// Clears it.
    pub fn clear(&self) {
        self.0.send_replace(Sky::default());
    }

    /// A receiver that changes with it.
    pub fn watch(&self) -> watch::Receiver<Sky> {
        self.0.subscribe()
    }

    /// The outage that holds now.
    pub fn outage(&self) -> Option<Outage> {
        let now = Instant::now();
        self.0.borrow().outage.clone().filter(|outage| outage.until.is_none_or(|until| now < until))
    }
}

impl Sky {
    /// The silence that holds now for a stream that carries such sessions.
    pub fn stall(&self, carries: impl Fn(&str) -> bool) -> Option<Stall> {
        let now = Instant::now();
        let holds = |stall: &&Stall| {
            stall.until.is_none_or(|until| now < until) && stall.session_id.as_deref().is_none_or(&carries)
        };
        self.stalls.iter().find(holds).cloned()
    }
}
