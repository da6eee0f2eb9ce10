//! Signs of life of streams that have nothing to say.

use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::content::Recipe;

/// Heartbeats at a run's interval, or none.
#[derive(Debug)]
pub(crate) struct Heart(Option<Interval>);

impl Heart {
    /// Those of a recipe.
    pub(crate) fn new(recipe: &Recipe) -> Self {
        let every = Duration::from_millis(recipe.heartbeat_ms.max(1));
        Self(recipe.heartbeats.then(|| {
            let mut interval = interval_at(Instant::now() + every, every);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            interval
        }))
    }

    /// Waits for the next one; for ever if there are none.
    pub(crate) async fn beat(&mut self) {
        match &mut self.0 {
            Some(interval) => drop(interval.tick().await),
            None => std::future::pending().await,
        }
    }
}
