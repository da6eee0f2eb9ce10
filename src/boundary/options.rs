//! Options as a list of numbers, which JS has validated and filled in.

use alloc::vec::Vec;

use crate::engine::{
    backoff::{self, Jitter},
    config::Config,
    liveness, outbox,
    protocol::Protocol,
    time::Millis,
    transport::Transport,
    watchdog::Limits,
};

/// The engine's policies, and the connect grace, if there is one, from the numbers in the order of `pkg/lib/options.js`.
pub fn read(numbers: &[f64]) -> (Config, Option<Millis>) {
    let mut numbers = numbers.iter();
    // `Infinity` saturates: a span that never ends.
    let mut millis = || Millis(*numbers.next().unwrap_or(&0.0) as u64);
    let some = |span: Millis| (span != Millis::ZERO).then_some(span);
    let defaults = Config::default();
    let (base, cap, stable_after, give_up_after) = (millis(), millis(), millis(), millis());
    let count = |number: Millis| number.0.min(u32::MAX.into()) as usize;
    let max_attempts = count(millis()) as u32;
    let liveness = liveness::Policy { stall: millis(), floor: millis(), ..defaults.liveness };
    let (grace, send_timeout, status_timeout, stop_timeout) = (millis(), millis(), millis(), millis());
    let max_event_bytes = count(millis());
    let jitter = if millis() == Millis::ZERO { Jitter::None } else { Jitter::Full };
    let config = Config {
        backoff: backoff::Policy { base, cap, jitter, stable_after },
        liveness,
        give_up_after,
        max_attempts,
        send_timeout: some(send_timeout),
        status_timeout,
        stop_timeout,
        max_event_bytes,
        event_log: millis() != Millis::ZERO,
        protocol: Protocol::ALL.get(millis().0 as usize).copied().unwrap_or_default(),
        transports: transports(millis().0),
        first_byte: millis(),
        shares: millis() != Millis::ZERO,
        watchdog: Limits::new(millis(), millis()),
        outbox: outbox::Limits { messages: count(millis()), bytes: count(millis()) },
        ..defaults
    };
    (config, some(grace))
}

/// One decimal digit for each, the first choice first from the right: its number plus one.
fn transports(mut digits: u64) -> Vec<Transport> {
    let mut all = Vec::new();
    while digits > 0 {
        all.extend(Transport::ALL.get((digits % 10) as usize - 1));
        digits /= 10;
    }
    all
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn every_option_arrives() {
        let rest = [1.0, 0.0, 1.0, 4132.0, 13.0, 1.0, 14.0, 0.0, 15.0, f64::INFINITY];
        let numbers: Vec<f64> = (1..=12).map(f64::from).chain(rest).collect();
        let (config, grace) = read(&numbers);
        assert_eq!(
            (config.backoff.base, config.backoff.cap, config.backoff.stable_after),
            (Millis(1), Millis(2), Millis(3))
        );
        assert!(matches!(config.backoff.jitter, Jitter::Full));
        assert_eq!((config.give_up_after, config.max_attempts), (Millis(4), 5));
        assert_eq!((config.liveness.stall, config.liveness.floor), (Millis(6), Millis(7)));
        assert_eq!((grace, config.send_timeout), (Some(Millis(8)), Some(Millis(9))));
        assert_eq!((config.status_timeout, config.stop_timeout), (Millis(10), Millis(11)));
        assert_eq!((config.max_event_bytes, config.event_log, config.protocol), (12, false, Protocol::WsChat));
        let order = [Transport::EventSource, Transport::Fetch, Transport::WebSocket, Transport::Rest];
        assert_eq!((config.transports.as_slice(), config.first_byte), (&order[..], Millis(13)));
        assert!(config.shares);
        assert_eq!(config.watchdog, Limits { first: Millis(14), inactivity: Millis(u64::MAX) });
        assert_eq!((config.outbox.messages, config.outbox.bytes), (15, u32::MAX as usize));
    }

    #[wasm_bindgen_test]
    fn without_limits_nothing_overflows() {
        const NO: f64 = f64::INFINITY;
        let (config, grace) = read(&[0.0, 0.0, 0.0, NO, NO, NO, 0.0, 0.0, 0.0]);
        assert_eq!((config.give_up_after, config.max_attempts), (Millis(u64::MAX), u32::MAX));
        assert_eq!((config.liveness.stall, config.send_timeout, grace), (Millis(u64::MAX), None, None));
    }
}
