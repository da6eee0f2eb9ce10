//! Many rows at once, and many changes of them: the same for the same seed, but for their times.

use serde::Deserialize;

use crate::content::Chance;

use super::row::Draft;

/// What is to become of the rows of some sessions.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Churn {
    /// How many changes.
    pub updates: usize,
    /// Of how many sessions: those that `fill` names first.
    pub sessions: usize,
    /// Decides which, and what becomes of each.
    pub seed: u64,
    /// How many a second; 0 is all at once.
    pub per_second: f64,
}

impl Default for Churn {
    fn default() -> Self {
        Self { updates: 1_000, sessions: 100, seed: 1, per_second: 0.0 }
    }
}

/// The UUID of the n-th session or of the n-th run of all.
fn uuid(kind: u8, n: usize) -> String {
    format!("{kind}0000000-0000-4000-8000-{n:012x}")
}

impl Churn {
    /// The first row of the n-th session.
    pub fn first(n: usize) -> Draft {
        Self::draft(n, n, "streaming")
    }

    fn draft(session: usize, run: usize, status: &str) -> Draft {
        Draft { session_id: uuid(1, session), run_id: uuid(2, run), status: status.to_owned(), updated_at: None }
    }

    /// The changes: a run that streams goes on or ends, and after its end the session gets another one.
    pub fn updates(&self) -> impl Iterator<Item = Draft> + Send + use<> {
        let sessions = self.sessions.max(1);
        let mut chance = Chance::seeded(self.seed);
        let mut runs: Vec<Option<(usize, bool)>> = (0..sessions).map(|run| Some((run, true))).collect();
        let mut last = 1_000_000;
        (0..self.updates).map(move |_| {
            let session = chance.between(0, sessions - 1);
            let (next, run, status) = match runs[session] {
                None => {
                    last += 1;
                    (Some((last, false)), last, "queued")
                }
                Some((run, false)) => (Some((run, true)), run, "streaming"),
                Some((run, true)) if chance.once_in(5) => {
                    (None, run, chance.pick(&["completed", "completed", "cancelled", "failed"], "completed"))
                }
                Some((run, true)) => (Some((run, true)), run, "streaming"),
            };
            runs[session] = next;
            Self::draft(session, run, status)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_the_same_for_the_same_seed_and_make_sense() {
        let churn = Churn { updates: 5_000, sessions: 50, ..Churn::default() };
        let all: Vec<_> = churn.updates().collect();
        assert_eq!(all, churn.updates().collect::<Vec<_>>());
        assert_ne!(all, Churn { seed: 2, ..churn }.updates().collect::<Vec<_>>());
        let mut last = std::collections::BTreeMap::new();
        for Draft { session_id, run_id, status, .. } in all {
            let ends = |status: &str| !matches!(status, "queued" | "streaming");
            if let Some((run, before)) = last.insert(session_id, (run_id.clone(), status.clone())) {
                assert_eq!(run != run_id, ends(&before), "a session has another run after an end, and then only");
                assert_eq!(status == "queued", ends(&before));
            }
        }
        assert_eq!(last.len(), 50);
    }
}
