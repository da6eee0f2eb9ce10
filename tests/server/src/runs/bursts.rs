//! What a server does that collects events before it numbers and sends them (A-SRV-3).

use crate::content::Recipe;

use super::saying::Saying;

/// A server that collects holds back so many events, for so many seconds.
const HELD: usize = 24;
const HELD_S: f64 = 0.2;

/// With which turn each of these goes out: its own, or, where the server collects, that of the one which sends what is
/// held back: one that cannot wait, the 24th, or the first after 200 ms.
pub(super) fn bursts(script: &[Saying], recipe: &Recipe) -> Vec<usize> {
    let most = (recipe.events_per_second * HELD_S).ceil().clamp(1.0, HELD as f64) as usize;
    let mut turns = Vec::with_capacity(script.len());
    for (index, saying) in script.iter().enumerate() {
        let held = index + 1 - turns.len();
        if !recipe.buffered || !saying.is_buffered() || held >= most {
            turns.resize(index + 1, index);
        }
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::Protocol;

    #[test]
    fn what_is_collected_goes_out_in_bursts_and_in_order() {
        let recipe = Recipe { events: 300, buffered: true, events_per_second: 1_000.0, ..Recipe::default() };
        let script = Saying::script(Protocol::Envelope, &recipe, 3);
        let turns = bursts(&script, &recipe);
        assert_eq!(turns.len(), 300, "the end holds nothing back");
        assert!(
            turns.is_sorted() && turns.iter().enumerate().all(|(index, &turn)| (index..index + HELD).contains(&turn))
        );
        assert!(turns.iter().enumerate().any(|(index, &turn)| turn == index + HELD - 1));
        let slow = Recipe { events_per_second: 10.0, ..recipe.clone() };
        assert!(
            bursts(&script, &slow).iter().enumerate().all(|(index, &turn)| turn <= index + 1),
            "200 ms are two events"
        );
        let plain = Recipe { buffered: false, ..recipe };
        assert_eq!(bursts(&script, &plain), (0..300).collect::<Vec<_>>());
    }
}
