//! What the page's surroundings allow: online or not, seen or not, awake or not.
//!
//! Folds the page's signals, which repeat and overlap, into changes that happened. It decides whether a connection may be
//! opened; what to do with open ones is the caller's decision.

/// What the page reports, as it reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The browser believes that there is a network.
    Online,
    /// The browser knows that there is none.
    Offline,
    /// The page can be seen.
    Visible,
    /// The page cannot be seen: timers slow down, reads do not.
    Hidden,
    /// The page lifecycle's `freeze`: no code runs from here on.
    Frozen,
    /// The page lifecycle's `resume`.
    Thawed,
    /// `pagehide`: the page is left, perhaps for the back/forward cache.
    PageHidden,
    /// `pageshow`, whether or not it came from the back/forward cache.
    PageShown,
}

/// What became true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// There may be a network again: a wait for one is over.
    Online,
    /// No attempt can succeed: wait without counting.
    Offline,
    /// Somebody looks: judge silence now, and do not make them wait out a long backoff.
    Visible,
    /// Nobody looks.
    Hidden,
    /// The page sleeps or is left: let connections go, keep the cursor. It cancels nothing.
    Frozen,
    /// The page is back: what was open is suspect, time has passed.
    Thawed,
}

/// The state of the surroundings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Environment {
    /// The browser believes that there is a network.
    pub online: bool,
    /// The page can be seen.
    pub visible: bool,
    /// The page sleeps, or was left for the back/forward cache.
    pub frozen: bool,
}

impl Default for Environment {
    /// Online, visible, awake: what holds where nothing is reported, as in a worker.
    fn default() -> Self {
        Self { online: true, visible: true, frozen: false }
    }
}

impl Environment {
    /// Takes a signal; says what it changed, if anything.
    pub fn handle(&mut self, signal: Signal) -> Option<Change> {
        let (state, value, change) = match signal {
            Signal::Online => (&mut self.online, true, Change::Online),
            Signal::Offline => (&mut self.online, false, Change::Offline),
            Signal::Visible => (&mut self.visible, true, Change::Visible),
            Signal::Hidden => (&mut self.visible, false, Change::Hidden),
            Signal::Frozen | Signal::PageHidden => (&mut self.frozen, true, Change::Frozen),
            // `resume` and `pageshow` both mean awake; either may be missing.
            Signal::Thawed | Signal::PageShown => (&mut self.frozen, false, Change::Thawed),
        };
        let changed = *state != value;
        *state = value;
        changed.then_some(change)
    }

    /// Whether opening a connection makes sense. A hidden page may: its runs go on.
    pub const fn may_connect(&self) -> bool {
        self.online && !self.frozen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_told_once() {
        let mut environment = Environment::default();
        for (signal, change) in [
            (Signal::Online, None),
            (Signal::Offline, Some(Change::Offline)),
            (Signal::Offline, None),
            (Signal::Online, Some(Change::Online)),
            (Signal::Hidden, Some(Change::Hidden)),
            (Signal::Hidden, None),
            (Signal::Visible, Some(Change::Visible)),
            (Signal::Visible, None),
        ] {
            assert_eq!(environment.handle(signal), change, "{signal:?}");
        }
        assert_eq!(environment, Environment::default());
    }

    #[test]
    fn the_back_forward_cache_is_one_sleep_however_it_is_reported() {
        let mut environment = Environment::default();
        assert_eq!(environment.handle(Signal::PageShown), None, "the first pageshow of a page changes nothing");
        for (left, back) in [
            ([Signal::PageHidden, Signal::Frozen], [Signal::Thawed, Signal::PageShown]),
            ([Signal::Frozen, Signal::PageHidden], [Signal::PageShown, Signal::Thawed]),
        ] {
            assert_eq!(left.map(|signal| environment.handle(signal)), [Some(Change::Frozen), None]);
            assert!(!environment.may_connect());
            assert_eq!(back.map(|signal| environment.handle(signal)), [Some(Change::Thawed), None]);
            assert!(environment.may_connect());
        }
    }

    #[test]
    fn only_being_offline_or_asleep_forbids_to_connect() {
        let mut environment = Environment::default();
        environment.handle(Signal::Hidden);
        assert!(environment.may_connect());
        environment.handle(Signal::Offline);
        environment.handle(Signal::Frozen);
        environment.handle(Signal::Online);
        assert!(!environment.may_connect());
        environment.handle(Signal::Thawed);
        assert!(environment.may_connect());
    }
}
