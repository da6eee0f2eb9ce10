//! One slot a timer: what each deadline means, and which comes next.

use super::time::Instant;

/// The decisions that wait for time. Each is named for what it forces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// The wait before the next attempt is over: connect again.
    Reconnect,
    /// No response head in time: the attempt failed.
    Connect,
    /// No byte in time on an open connection: treat it as cut.
    Silence,
    /// An open connection has not had its first byte in time: perhaps somebody in between holds it back.
    FirstByte,
    /// The page has not been able to connect for long: look at it again, in case its signal was lost.
    Parked,
    /// A status request got no reply in time.
    Status,
    /// A stop got no confirmation in time.
    Stop,
    /// The server is asked again how the run stands.
    Poll,
    /// An open stream has not said a word in a while, though it beats: ask whether it ever will.
    Word,
}

impl Timer {
    /// Every timer, in slot order.
    pub const ALL: [Self; 9] = [
        Self::Reconnect,
        Self::Connect,
        Self::Silence,
        Self::FirstByte,
        Self::Parked,
        Self::Status,
        Self::Stop,
        Self::Poll,
        Self::Word,
    ];
}

/// The deadlines of one machine, a slot per [`Timer`].
#[derive(Clone, Debug, Default)]
pub struct Table {
    slots: [Option<Instant>; Timer::ALL.len()],
}

impl Table {
    /// Arms `timer` for `deadline`, replacing its earlier deadline.
    pub fn set(&mut self, timer: Timer, deadline: Instant) {
        self.slots[timer as usize] = Some(deadline);
    }

    /// Disarms `timer`; harmless if it was not armed.
    pub fn clear(&mut self, timer: Timer) {
        self.slots[timer as usize] = None;
    }

    /// Disarms every timer.
    pub fn clear_all(&mut self) {
        self.slots = Default::default();
    }

    /// When `timer` is due, if it is armed.
    pub fn get(&self, timer: Timer) -> Option<Instant> {
        self.slots[timer as usize]
    }

    /// The earliest deadline of all.
    pub fn next(&self) -> Option<Instant> {
        self.slots.iter().flatten().min().copied()
    }

    /// Takes one timer that is due at `now`, earliest first; disarms it.
    pub fn expire(&mut self, now: Instant) -> Option<(Timer, Instant)> {
        let (timer, due) = Timer::ALL
            .into_iter()
            .filter_map(|timer| self.get(timer).map(|due| (timer, due)))
            .min_by_key(|&(_, due)| due)?;
        if due > now {
            return None;
        }
        self.clear(timer);
        Some((timer, due))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::Millis;

    #[test]
    fn the_earliest_due_timer_expires_first_and_once() {
        let start = Instant::from_millis(1_000);
        let mut table = Table::default();
        table.set(Timer::Silence, start + Millis(20));
        table.set(Timer::Connect, start + Millis(10));
        assert_eq!(table.next(), Some(start + Millis(10)));
        assert_eq!(table.expire(start + Millis(9)), None);
        assert_eq!(table.expire(start + Millis(99)), Some((Timer::Connect, start + Millis(10))));
        assert_eq!(table.expire(start + Millis(99)), Some((Timer::Silence, start + Millis(20))));
        assert_eq!(table.expire(start + Millis(99)), None);
    }

    #[test]
    fn arming_again_replaces_the_deadline() {
        let start = Instant::from_millis(0);
        let mut table = Table::default();
        table.set(Timer::Status, start + Millis(5));
        table.set(Timer::Status, start + Millis(50));
        assert_eq!(table.expire(start + Millis(10)), None);
        table.clear(Timer::Status);
        assert_eq!(table.next(), None);
    }
}
