//! One WebSocket for all of a client's runs: who rides on it, whose a frame is, and whether the other end lives.
//!
//! It opens when the first run wants it and closes a while after the last one left, or at once when the page goes away. Each run
//! waits by its own backoff; that many runs do not make many attempts, the socket adds a common floor. Silence is judged by pings
//! (W4-3): one every 30 s while it is in use, and any frame is an answer.

use alloc::{string::String, vec::Vec};

use super::{
    backoff::{self, Backoff},
    link::{Conn, is_silent_since},
    protocol::Protocol,
    reader::Reader,
    rng::Rng,
    time::{Instant, Millis},
};

/// How long it may take to open.
const OPEN_WITHIN: Millis = Millis(15_000);
/// How often it is pinged while somebody rides on it.
const PING_EVERY: Millis = Millis(30_000);
/// How long an answer to that may take: the pong, or any other frame.
const PONG_WITHIN: Millis = Millis(10_000);
/// The same when the page is seen or online again: what was open then is suspect, and somebody waits.
const PONG_WITHIN_AT_ONCE: Millis = Millis(5_000);
/// How late a timer must fire to prove that this process slept, and how long the second look then lasts.
const LATE: Millis = Millis(2_000);
/// How long a socket that nobody rides on stays, for the next message.
const LINGER: Millis = Millis(30_000);

/// One run's part in the socket.
#[derive(Debug)]
pub struct Rider {
    /// The run's slot.
    pub slot: u32,
    /// The number of its connection.
    pub conn: Conn,
    /// What it has to say, until the socket is open.
    pub frame: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Closed,
    Opening,
    Open,
}

/// What its time brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Send a ping.
    Ping,
    /// The other end is silent: the socket counts as lost.
    Stalled,
    /// Nobody has been riding for long: close it.
    Idle,
    /// It is wanted, and not too soon any more: open it.
    Open,
}

/// The machine. Whoever owns it opens, closes and sends.
pub struct Socket {
    phase: Phase,
    riders: Vec<Rider>,
    // The rider whose frame came last: most likely the next one's too.
    last: usize,
    backoff: Backoff,
    // Whether it got any run on since it began to open. One that did not is opened again no sooner than this.
    progressed: bool,
    open_after: Instant,
    // When it began to open, or was heard last.
    heard: Instant,
    ping_at: Instant,
    // Since when a pong is due, and until when any frame is.
    pinged: Option<Instant>,
    answer_by: Option<Instant>,
    looks_again: bool,
    idle_since: Option<Instant>,
    number: u32,
    offline_since: Option<Instant>,
    /// Reads its frames.
    pub reader: Reader,
}

impl Socket {
    /// A socket that nobody wants yet.
    pub fn new(protocol: Protocol, max_event_bytes: usize, policy: backoff::Policy) -> Self {
        Self {
            phase: Phase::Closed,
            riders: Vec::new(),
            last: 0,
            backoff: Backoff::new(policy),
            progressed: false,
            open_after: Instant::from_millis(0),
            heard: Instant::from_millis(0),
            ping_at: Instant::from_millis(0),
            pinged: None,
            answer_by: None,
            looks_again: false,
            idle_since: None,
            number: 0,
            offline_since: None,
            reader: Reader::new(protocol, max_event_bytes),
        }
    }

    /// Whether frames can be sent.
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// The present one's, of all that were ever open.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Whether it is on its way and nobody waits for it any more.
    pub fn is_in_vain(&self) -> bool {
        self.phase == Phase::Opening && self.riders.is_empty()
    }

    /// Whether it must be opened now: there is none, somebody wants one, and it is not too soon.
    pub fn is_wanted(&self, now: Instant) -> bool {
        self.phase == Phase::Closed && !self.riders.is_empty() && self.open_after <= now
    }

    /// Who rides on it.
    pub fn riders(&self) -> &[Rider] {
        &self.riders
    }

    /// A run takes part, in the place of its earlier part.
    pub fn join(&mut self, rider: Rider) {
        self.leave(rider.slot, None);
        self.idle_since = None;
        self.riders.push(rider);
    }

    /// The socket is being opened.
    pub fn handle_opening(&mut self, now: Instant) {
        self.phase = Phase::Opening;
        self.progressed = false;
        self.heard = now;
        (self.pinged, self.answer_by) = (None, None);
        self.looks_again = false;
        self.reader.restart();
    }

    /// It is open: what its riders have to say is taken by [`Socket::take_frame`].
    pub fn handle_opened(&mut self, now: Instant) {
        self.phase = Phase::Open;
        self.number = self.number.wrapping_add(1);
        self.heard = now;
        self.ping_at = now + PING_EVERY;
    }

    /// The next rider that has something to say.
    pub fn take_frame(&mut self) -> Option<(u32, Conn, String)> {
        let rider = self.riders.iter_mut().find(|rider| !rider.frame.is_empty())?;
        Some((rider.slot, rider.conn, core::mem::take(&mut rider.frame)))
    }

    /// A run does not take part any more. Whether it did.
    pub fn leave(&mut self, slot: u32, conn: Option<Conn>) -> bool {
        let before = self.riders.len();
        self.riders.retain(|rider| rider.slot != slot || conn.is_some_and(|conn| conn != rider.conn));
        self.riders.len() != before
    }

    /// Nobody may ride any more: since now, if it was not so before.
    pub fn note_idle(&mut self, now: Instant) {
        if self.riders.is_empty() && self.phase != Phase::Closed && self.idle_since.is_none() {
            self.idle_since = Some(now);
        }
    }

    /// It is gone. Gives who rode on it, and before when none of them should try again.
    pub fn handle_closed(&mut self, rng: &mut Rng, now: Instant) -> (Vec<Rider>, Option<Millis>) {
        self.phase = Phase::Closed;
        (self.pinged, self.answer_by) = (None, None);
        self.idle_since = None;
        let riders = core::mem::take(&mut self.riders);
        // Who is let in and thrown out again is so at most six times in half a minute (FIELD 1.2), however many runs there are.
        let least = (!self.progressed).then(|| self.backoff.half_ceiling());
        self.open_after = now + least.unwrap_or(Millis::ZERO);
        // A run alone waits by its own backoff.
        let floor = self.backoff.next_delay(rng, least);
        let floor = (riders.len() > 1).then_some(floor);
        (riders, floor)
    }

    /// It was closed because nobody needs it.
    pub fn handle_dropped(&mut self) {
        self.phase = Phase::Closed;
        (self.pinged, self.answer_by) = (None, None);
        self.idle_since = None;
    }

    /// A frame came, whatever it says.
    pub fn handle_frame(&mut self, now: Instant) {
        self.heard = now;
        self.looks_again = false;
        self.answer_by = None;
    }

    /// It was a pong. Gives the time since its ping.
    pub fn handle_pong(&mut self, now: Instant) -> Option<Millis> {
        self.pinged.take().map(|since| now.since(since))
    }

    /// One of its runs got on.
    pub fn handle_progress(&mut self) {
        self.progressed = true;
        self.backoff.reset();
    }

    /// What kept it from opening may be over, or somebody looks: it may be opened at once.
    pub fn handle_hurry(&mut self) {
        self.open_after = Instant::from_millis(0);
    }

    /// The network went.
    pub fn handle_offline(&mut self, now: Instant) {
        self.offline_since = Some(now);
    }

    /// Whether it has most likely gone with the network: it said nothing since.
    pub fn is_forlorn(&self, now: Instant) -> bool {
        let is_silent = |offline| is_silent_since(offline, self.heard, now);
        self.phase == Phase::Open && self.offline_since.is_some_and(is_silent)
    }

    /// The page is seen or online again: a ping now, and a short time for its answer. Whether one must be sent.
    pub fn suspect(&mut self, now: Instant) -> bool {
        if self.phase != Phase::Open || now.since(self.heard) < PONG_WITHIN_AT_ONCE {
            return false;
        }
        self.looks_again = true;
        self.ping(PONG_WITHIN_AT_ONCE, now);
        true
    }

    fn ping(&mut self, within: Millis, now: Instant) {
        self.pinged = Some(now);
        self.answer_by = Some(now + within);
        self.ping_at = now + PING_EVERY;
    }

    /// Time passed. Call again until it gives `None`.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Due> {
        if self.idle_since.is_some_and(|since| since + LINGER <= now) {
            self.idle_since = None;
            return Some(Due::Idle);
        }
        if self.is_wanted(now) {
            return Some(Due::Open);
        }
        if self.phase == Phase::Opening && self.heard + OPEN_WITHIN <= now {
            return Some(Due::Stalled);
        }
        if self.phase != Phase::Open {
            return None;
        }
        match self.answer_by {
            Some(until) if until <= now => {
                if now.since(until) > LATE && !self.looks_again {
                    // This process slept: what waits unread must come in first.
                    self.looks_again = true;
                    self.answer_by = Some(now + LATE);
                    return None;
                }
                self.answer_by = None;
                Some(Due::Stalled)
            }
            None if self.ping_at <= now && !self.riders.is_empty() => {
                self.ping(PONG_WITHIN, now);
                Some(Due::Ping)
            }
            _ => None,
        }
    }

    /// When to call [`Socket::handle_timeout`] next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let beat = match (self.phase, self.answer_by) {
            (Phase::Closed, _) if !self.riders.is_empty() => Some(self.open_after),
            (Phase::Opening, _) => Some(self.heard + OPEN_WITHIN),
            (Phase::Open, Some(until)) => Some(until),
            (Phase::Open, None) if !self.riders.is_empty() => Some(self.ping_at),
            _ => None,
        };
        [beat, self.idle_since.map(|since| since + LINGER)].into_iter().flatten().min()
    }

    /// The rider for whom `is_meant` holds; the one whose frame came last is asked first.
    pub fn find(&mut self, mut is_meant: impl FnMut(&Rider) -> bool) -> Option<(u32, Conn)> {
        let found = match self.riders.get(self.last) {
            Some(rider) if is_meant(rider) => self.last,
            _ => self.riders.iter().position(is_meant)?,
        };
        self.last = found;
        self.riders.get(found).map(|rider| (rider.slot, rider.conn))
    }

    /// The rider that has been on it the longest: whom a frame without an address is for.
    pub fn oldest(&self) -> Option<(u32, Conn)> {
        self.riders.first().map(|rider| (rider.slot, rider.conn))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn rider(slot: u32) -> Rider {
        Rider { slot, conn: Conn(slot), frame: format!("frame {slot}") }
    }

    fn open(slots: &[u32]) -> Socket {
        let mut socket = Socket::new(Protocol::WsChat, 1 << 20, backoff::Policy::default());
        for slot in slots {
            socket.join(rider(*slot));
        }
        socket.handle_opening(at(0));
        socket.handle_opened(at(0));
        while socket.take_frame().is_some() {}
        socket
    }

    #[test]
    fn each_rider_says_once_what_it_has_to_say() {
        let mut socket = Socket::new(Protocol::WsChat, 1 << 20, backoff::Policy::default());
        socket.join(rider(1));
        socket.join(rider(2));
        assert!(socket.is_wanted(at(0)));
        socket.handle_opening(at(0));
        socket.handle_opened(at(0));
        assert_eq!(socket.take_frame(), Some((1, Conn(1), "frame 1".into())));
        assert_eq!(socket.take_frame(), Some((2, Conn(2), "frame 2".into())));
        assert_eq!(socket.take_frame(), None);
        socket.join(Rider { conn: Conn(9), ..rider(2) });
        assert_eq!(socket.take_frame(), Some((2, Conn(9), "frame 2".into())));
        assert_eq!(socket.riders().len(), 2);
    }

    #[test]
    fn a_silent_end_is_pinged_and_then_given_up() {
        let mut socket = open(&[1]);
        assert_eq!(socket.poll_timeout(), Some(at(30_000)));
        assert_eq!(socket.handle_timeout(at(29_999)), None);
        assert_eq!(socket.handle_timeout(at(30_000)), Some(Due::Ping), "W4-3");
        assert_eq!(socket.poll_timeout(), Some(at(40_000)));
        socket.handle_frame(at(30_020));
        assert_eq!((socket.handle_pong(at(30_050)), socket.handle_pong(at(30_051))), (Some(Millis(50)), None));
        assert_eq!(socket.poll_timeout(), Some(at(60_000)));
        socket.handle_frame(at(59_999));
        assert_eq!(socket.handle_timeout(at(60_000)), Some(Due::Ping), "also while frames come: latency is wanted");
        assert_eq!(socket.handle_timeout(at(70_000)), Some(Due::Stalled));
    }

    #[test]
    fn a_process_that_slept_lets_the_pong_come_in_first() {
        let mut socket = open(&[1]);
        assert_eq!(socket.handle_timeout(at(30_000)), Some(Due::Ping));
        assert_eq!(socket.handle_timeout(at(500_000)), None);
        assert_eq!(socket.poll_timeout(), Some(at(502_000)));
        assert_eq!(socket.handle_timeout(at(502_000)), Some(Due::Stalled));
        let mut socket = open(&[1]);
        assert_eq!(socket.handle_timeout(at(30_000)), Some(Due::Ping));
        assert_eq!(socket.handle_timeout(at(500_000)), None);
        socket.handle_frame(at(500_001));
        assert_eq!(socket.handle_timeout(at(502_000)), Some(Due::Ping), "it lives, and the next ping is long due");
    }

    #[test]
    fn a_page_that_is_back_gets_its_answer_soon() {
        let mut socket = open(&[1]);
        assert!(!socket.suspect(at(4_999)), "it was just heard");
        assert!(socket.suspect(at(20_000)));
        assert_eq!(socket.handle_timeout(at(25_000)), Some(Due::Stalled));
    }

    #[test]
    fn one_that_does_not_open_is_given_up() {
        let mut socket = Socket::new(Protocol::WsChat, 1 << 20, backoff::Policy::default());
        socket.join(rider(1));
        socket.handle_opening(at(7));
        assert_eq!(socket.poll_timeout(), Some(at(15_007)));
        assert_eq!(socket.handle_timeout(at(15_006)), None);
        assert_eq!(socket.handle_timeout(at(15_007)), Some(Due::Stalled));
        socket.leave(1, None);
        assert!(socket.is_in_vain());
    }

    #[test]
    fn an_idle_socket_lingers_for_the_next_message() {
        let mut socket = open(&[1]);
        assert!(socket.leave(1, Some(Conn(1))));
        assert!(!socket.leave(1, None));
        socket.note_idle(at(5_000));
        socket.note_idle(at(9_000));
        assert_eq!(socket.poll_timeout(), Some(at(35_000)));
        assert_eq!(socket.handle_timeout(at(34_999)), None);
        assert_eq!(socket.handle_timeout(at(35_000)), Some(Due::Idle));
        let mut socket = open(&[1]);
        socket.leave(1, None);
        socket.note_idle(at(5_000));
        socket.join(rider(2));
        assert_eq!(socket.poll_timeout(), Some(at(30_000)), "in use again");
    }

    #[test]
    fn many_runs_wait_by_a_common_floor_one_alone_by_its_own() {
        let mut rng = Rng::seeded(1);
        let mut socket = open(&[1, 2]);
        let (riders, floor) = socket.handle_closed(&mut rng, at(10));
        assert_eq!((riders.len(), floor.is_some(), socket.is_open()), (2, true, false));
        let mut socket = open(&[1]);
        assert_eq!(socket.handle_closed(&mut rng, at(10)).1, None);
    }

    #[test]
    fn one_that_brought_nothing_is_not_opened_again_too_soon_whoever_wants_it() {
        let mut rng = Rng::seeded(1);
        let mut socket = open(&[1]);
        socket.handle_closed(&mut rng, at(10));
        socket.join(rider(2));
        assert!(!socket.is_wanted(at(509)));
        assert_eq!((socket.poll_timeout(), socket.handle_timeout(at(509))), (Some(at(510)), None));
        assert_eq!(socket.handle_timeout(at(510)), Some(Due::Open));
        socket.handle_opening(at(510));
        socket.handle_opened(at(520));
        socket.handle_closed(&mut rng, at(525));
        socket.join(rider(2));
        assert_eq!(socket.poll_timeout(), Some(at(1_525)), "twice as long");
        socket.handle_hurry();
        assert!(socket.is_wanted(at(526)));
        socket.handle_opening(at(526));
        socket.handle_opened(at(530));
        socket.handle_progress();
        socket.handle_closed(&mut rng, at(600));
        socket.join(rider(2));
        assert!(socket.is_wanted(at(600)), "one that got a run on is opened at once");
    }

    #[test]
    fn the_rider_of_the_last_frame_is_asked_first() {
        let mut socket = open(&[1, 2, 3]);
        let mut asked = Vec::new();
        assert_eq!(socket.find(|rider| rider.slot == 3), Some((3, Conn(3))));
        let found = socket.find(|rider| {
            asked.push(rider.slot);
            rider.slot == 3
        });
        assert_eq!((found, asked), (Some((3, Conn(3))), vec![3]));
        assert_eq!(socket.find(|_| false), None);
        assert_eq!(socket.oldest(), Some((1, Conn(1))));
    }
}
