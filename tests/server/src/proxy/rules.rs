//! What holds for connections now. Pure.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::order::{Delay, Direction, Order, Throttle};

/// A rule, and until when it holds; without an end until it is cleared.
type Timed<T> = Option<(T, Option<Instant>)>;

/// A throttled connection gets its bytes in this many pieces a second, so that a browser sees them trickle.
const PIECES: u64 = 20;

#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    blackhole: Timed<()>,
    half_open: Timed<Direction>,
    delay: Timed<Delay>,
    throttle: Timed<Throttle>,
}

fn holds<T: Copy>(rule: &Timed<T>, now: Instant) -> Option<T> {
    rule.filter(|(_, until)| until.is_none_or(|until| now < until)).map(|(rule, _)| rule)
}

impl Rules {
    pub(super) fn apply(&mut self, order: &Order, now: Instant) {
        let until = order.ms.map(|ms| now + Duration::from_millis(ms));
        if order.blackhole.is_some() {
            self.blackhole = Some(((), until));
        }
        if let Some(half) = order.half_open {
            self.half_open = Some((half.direction, until));
        }
        if let Some(delay) = order.delay {
            self.delay = Some((delay, until));
        }
        if let Some(throttle) = order.throttle {
            self.throttle = Some((throttle, until));
        }
    }

    /// Whether bytes of this direction vanish.
    pub(super) fn swallows(&self, direction: Direction, now: Instant) -> bool {
        holds(&self.blackhole, now).is_some() || holds(&self.half_open, now) == Some(direction)
    }

    /// Whether newcomers are let in and then ignored, and until when.
    pub(super) fn dark(&self, now: Instant) -> Option<Option<Instant>> {
        holds(&self.blackhole, now).and(self.blackhole.map(|(_, until)| until))
    }

    /// The delay of this direction: at least, and at most so much more.
    pub(super) fn delay(&self, direction: Direction, now: Instant) -> Option<Delay> {
        holds(&self.delay, now).filter(|delay| delay.direction.is_none_or(|only| only == direction))
    }

    /// How many bytes may go at once, and how long it takes for so many.
    pub(super) fn throttle(&self, direction: Direction, now: Instant) -> Option<(usize, u64)> {
        let throttle = holds(&self.throttle, now)?;
        let rate = throttle.bytes_per_second.max(1);
        let piece = usize::try_from((rate / PIECES).max(1)).unwrap_or(usize::MAX);
        throttle.direction.is_none_or(|only| only == direction).then_some((piece, rate))
    }

    pub(super) fn report(&self, now: Instant) -> Value {
        json!({
            "blackhole": holds(&self.blackhole, now).is_some(),
            "halfOpen": holds(&self.half_open, now),
            "delay": holds(&self.delay, now).map(|delay| json!({ "ms": delay.ms, "jitterMs": delay.jitter_ms, "direction": delay.direction })),
            "throttle": holds(&self.throttle, now)
                .map(|throttle| json!({ "bytesPerSecond": throttle.bytes_per_second, "direction": throttle.direction })),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_holds_for_its_time_and_its_direction() {
        let now = Instant::now();
        let order = |text| serde_json::from_str::<Order>(text).unwrap();
        let mut rules = Rules::default();
        rules.apply(&order("{\"halfOpen\":{\"direction\":\"toClient\"},\"ms\":10}"), now);
        assert!(rules.swallows(Direction::ToClient, now));
        assert!(!rules.swallows(Direction::ToServer, now));
        assert!(!rules.swallows(Direction::ToClient, now + Duration::from_millis(10)));
        rules.apply(&order("{\"throttle\":{\"bytesPerSecond\":100,\"direction\":\"toServer\"}}"), now);
        assert_eq!(rules.throttle(Direction::ToServer, now), Some((5, 100)));
        assert_eq!(rules.throttle(Direction::ToClient, now), None);
        rules.apply(&order("{\"blackhole\":{}}"), now);
        assert_eq!(rules.dark(now + Duration::from_secs(1_000)), Some(None));
    }
}
