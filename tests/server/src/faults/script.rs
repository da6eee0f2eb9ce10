//! Scripts: for the requests of a scope, one step each, in order.

use std::sync::Mutex;

use serde::Deserialize;

use crate::clock::lock;

use super::{Route, Step};

/// Which requests a script is for.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Scope {
    /// Those of this session; without it of all.
    pub session_id: Option<String>,
    /// Those of this run: `events` and `resume` name one.
    pub run_id: Option<String>,
    /// A route's name, a list of these, or `*` for all, which is the default.
    pub path: Option<Path>,
}

/// See [`Scope::path`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Path {
    /// One route.
    One(Route),
    /// Any of these.
    Some(Vec<Route>),
    /// `*`
    All(Star),
}

/// The `*` of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Star {
    /// `*`
    #[serde(rename = "*")]
    Star,
}

/// A scope and its steps, as the control API takes them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Script {
    /// Whose requests.
    #[serde(default)]
    pub scope: Scope,
    /// One for each.
    pub steps: Vec<Step>,
    /// Whether the steps begin anew when they are used up.
    #[serde(default, rename = "loop")]
    pub looped: bool,
}

/// All scripts, in the order in which they were set.
#[derive(Debug, Default)]
pub struct Scripts(Mutex<Vec<Running>>);

#[derive(Debug)]
struct Running {
    script: Script,
    next: usize,
}

impl Path {
    /// Whether this route is one of them.
    pub(crate) fn covers(&self, route: Route) -> bool {
        match self {
            Self::All(Star::Star) => true,
            Self::One(wanted) => *wanted == route,
            Self::Some(wanted) => wanted.contains(&route),
        }
    }
}

impl Scope {
    fn covers(&self, route: Route, session_id: Option<&str>, run_id: Option<&str>) -> bool {
        let named = |wanted: &Option<String>, given: Option<&str>| wanted.is_none() || wanted.as_deref() == given;
        self.path.as_ref().is_none_or(|path| path.covers(route))
            && named(&self.session_id, session_id)
            && named(&self.run_id, run_id)
    }
}

impl Scripts {
    /// Adds a script behind those that are there.
    pub fn add(&self, script: Script) {
        lock(&self.0).push(Running { script, next: 0 });
    }

    /// Drops all scripts; steps that were taken stay in force.
    pub fn clear(&self) {
        lock(&self.0).clear();
    }

    /// Takes the next step of the first script that covers this request and is not used up.
    pub fn take(&self, route: Route, session_id: Option<&str>, run_id: Option<&str>) -> Step {
        let mut scripts = lock(&self.0);
        let covers = |running: &&mut Running| running.script.scope.covers(route, session_id, run_id);
        for running in scripts.iter_mut().filter(covers) {
            if running.script.looped && running.next == running.script.steps.len() {
                running.next = 0;
            }
            if let Some(step) = running.script.steps.get(running.next) {
                running.next += 1;
                return step.clone();
            }
        }
        Step::default()
    }

    /// How many steps are left; those of a loop are not counted.
    pub fn left(&self) -> usize {
        let left = |running: &Running| running.script.steps.len() - running.next.min(running.script.steps.len());
        lock(&self.0).iter().filter(|running| !running.script.looped).map(left).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(json: &str) -> Script {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn each_matching_request_takes_the_next_step_and_then_all_is_normal() {
        let scripts = Scripts::default();
        scripts.add(script(
            "{\"scope\":{\"sessionId\":\"s\",\"path\":\"events\"},\"steps\":[{\"empty\":true},{\"bom\":true}]}",
        ));
        let take = |route, session| scripts.take(route, Some(session), None);
        assert_eq!(take(Route::Stream, "s"), Step::default());
        assert_eq!(take(Route::Events, "t"), Step::default());
        assert_eq!(scripts.left(), 2);
        assert!(take(Route::Events, "s").empty);
        assert!(take(Route::Events, "s").bom);
        assert_eq!(take(Route::Events, "s"), Step::default());
    }

    #[test]
    fn a_loop_begins_anew_and_a_star_covers_every_path() {
        let scripts = Scripts::default();
        scripts.add(script("{\"scope\":{\"path\":\"*\"},\"steps\":[{\"empty\":true},{}],\"loop\":true}"));
        let taken: Vec<_> = (0..4).map(|_| scripts.take(Route::Status, None, None).empty).collect();
        assert_eq!(taken, [true, false, true, false]);
        scripts.add(script("{\"steps\":[{\"bom\":true}]}"));
        assert!(!scripts.take(Route::Status, None, None).bom, "the loop comes first and never ends");
    }

    #[test]
    fn a_list_of_paths_leaves_the_others_alone() {
        let scripts = Scripts::default();
        scripts.add(script("{\"scope\":{\"path\":[\"events\",\"resume\"]},\"steps\":[{\"bom\":true}]}"));
        assert!(!scripts.take(Route::Status, None, None).bom);
        assert!(scripts.take(Route::Resume, None, None).bom);
    }

    #[test]
    fn an_unknown_path_is_refused() {
        assert!(serde_json::from_str::<Script>("{\"scope\":{\"path\":\"evnts\"},\"steps\":[]}").is_err());
        assert!(serde_json::from_str::<Script>("{\"scop\":{},\"steps\":[]}").is_err());
    }
}
