//! Faults of whole events: duplicated, reordered, missing, broken, too many terminals or none. Pure.

use bytes::Bytes;

use crate::runs::Protocol;
use crate::sse::{Event, Frame};
use crate::{chunks, envelope};

use super::{Route, Step};

/// Applies a step's event faults to the frames of one response.
pub(crate) struct Mangle<'a> {
    step: &'a Step,
    route: Route,
    events: u64,
    held: Option<Frame>,
}

/// What becomes of a frame.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Mangled {
    pub(crate) frames: Vec<Frame>,
    /// The stream ends after them, whatever the feed still has.
    pub(crate) ends: bool,
}

impl<'a> Mangle<'a> {
    pub(crate) fn new(step: &'a Step, route: Route) -> Self {
        Self { step, route, events: 0, held: None }
    }

    /// Takes the feed's next frame.
    pub(crate) fn push(&mut self, frame: Frame) -> Mangled {
        if matches!(frame, Frame::Mark(_)) && self.step.no_done {
            return Mangled::default();
        }
        let Frame::Event(event) = &frame else {
            return Mangled { frames: vec![frame], ends: false };
        };
        self.events += 1;
        let terminal = event.terminal;
        let mut frames = self.put_in();
        if terminal {
            frames.extend(self.held.take());
            if self.step.no_terminal {
                return Mangled { frames, ends: true };
            }
            if self.step.no_finish {
                return Mangled { frames, ends: false };
            }
            if self.step.terminal_twice {
                frames.push(frame.clone());
            }
            frames.push(frame);
            return Mangled { frames, ends: false };
        }
        if self.falls_on(self.step.drop) {
            return Mangled { frames, ends: false };
        }
        if self.held.is_none() && self.falls_on(self.step.reorder) {
            self.held = Some(frame);
            return Mangled { frames, ends: false };
        }
        if self.falls_on(self.step.duplicate) {
            frames.push(frame.clone());
        }
        frames.push(frame);
        frames.extend(self.held.take());
        Mangled { frames, ends: false }
    }

    /// What is still held when the feed is over.
    pub(super) fn finish(&mut self) -> Option<Frame> {
        self.held.take()
    }

    fn falls_on(&self, every: Option<u64>) -> bool {
        every.is_some_and(|n| n > 0 && self.events.is_multiple_of(n))
    }

    /// Events that the step puts in before the one just counted.
    fn put_in(&self) -> Vec<Frame> {
        let here = |at: u64| at.max(1) == self.events;
        let is_row = self.route == Route::ActiveRuns;
        let mut frames = Vec::new();
        if let Some(malformed) = self.step.malformed.as_ref().filter(|fault| here(fault.at)) {
            let (name, data) = match self.route.protocol() {
                _ if is_row => ("update", "{\"sessionId\":\"s\",\"runId\":\"brok"),
                Protocol::Bichat => ("content", "{\"type\":\"content\",\"content\":\"brok"),
                Protocol::WsChat => ("", "{\"type\":\"token\",\"content\":\"brok"),
                Protocol::UiMessage => ("", "{\"type\":\"text-delta\",\"id\":\"0\",\"delta\":\"brok"),
                Protocol::Chunks => (chunks::DATA, "[{\"key\":\"m:0\",\"value\":{\"messageId\":\"m\",\"chunk\":\"brok"),
                Protocol::Envelope => {
                    (envelope::EVENT, "{\"seq\":1,\"kind\":\"assistant_text\",\"payload\":{\"text\":\"brok")
                }
            };
            let name = malformed.event.clone().unwrap_or_else(|| name.to_owned());
            frames.push(foreign(name, malformed.data.clone().unwrap_or_else(|| data.to_owned())));
        }
        if self.step.wrong_types.as_ref().is_some_and(|fault| here(fault.at)) {
            let (name, data) = match self.route.protocol() {
                _ if is_row => {
                    ("update", "{\"sessionId\":7,\"runId\":[],\"status\":{\"is\":\"streaming\"},\"updatedAt\":\"now\"}")
                }
                Protocol::Bichat => (
                    "content",
                    "{\"type\":\"content\",\"content\":{\"text\":7},\"timestamp\":\"yesterday\",\"runId\":[]}",
                ),
                Protocol::WsChat => {
                    ("", "{\"type\":\"token\",\"content\":{\"text\":7},\"pending_message_id\":[],\"seq\":\"first\"}")
                }
                Protocol::UiMessage => ("", "{\"type\":\"text-delta\",\"id\":7,\"delta\":{\"text\":7}}"),
                Protocol::Chunks => (
                    chunks::DATA,
                    "[{\"key\":7,\"value\":[]},{\"value\":{\"messageId\":[],\"seq\":\"first\",\"chunk\":{}}},7,null]",
                ),
                Protocol::Envelope => (
                    envelope::EVENT,
                    "{\"chatId\":7,\"messageId\":[],\"streamId\":{},\"seq\":\"first\",\"kind\":\"assistant_text\",\"payload\":\"text\"}",
                ),
            };
            frames.push(foreign(name.to_owned(), data.to_owned()));
        }
        if let Some(huge) = self.step.huge_frame.as_ref().filter(|fault| here(fault.at)) {
            let data = format!("{{\"type\":\"padding\",\"content\":\"{}\"}}", "x".repeat(huge.bytes));
            let name = match self.route.protocol() {
                Protocol::Bichat => "padding",
                Protocol::Envelope => envelope::EVENT,
                Protocol::Chunks => chunks::DATA,
                Protocol::WsChat | Protocol::UiMessage => "",
            };
            frames.push(foreign(name.to_owned(), data));
        }
        frames
    }
}

/// An event that is not of the log and so has no id.
fn foreign(name: String, data: String) -> Frame {
    Frame::Event(Event { id: None, name: name.into(), data: Bytes::from(data), terminal: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sse::Beat;

    /// Plays events `1..=count`, the last of them terminal, and tells what comes out by their data.
    fn play(step: &str, count: u64) -> Vec<String> {
        let step: Step = serde_json::from_str(step).unwrap();
        let mut mangle = Mangle::new(&step, Route::Events);
        let mut out = Vec::new();
        for number in 1..=count {
            let data = Bytes::from(number.to_string());
            let event = Event { id: None, name: "content".into(), data, terminal: number == count };
            let mangled = mangle.push(Frame::Event(event));
            out.extend(mangled.frames);
            if mangled.ends {
                break;
            }
        }
        out.extend(mangle.finish());
        let data = |frame: &Frame| match frame {
            Frame::Event(event) => String::from_utf8_lossy(&event.data).into_owned(),
            other => panic!("{other:?}"),
        };
        out.iter().map(data).collect()
    }

    #[test]
    fn a_step_without_event_faults_changes_nothing() {
        assert_eq!(play("{}", 3), ["1", "2", "3"]);
    }

    #[test]
    fn events_are_doubled_swapped_and_lost_where_the_step_says() {
        assert_eq!(play("{\"duplicate\":2}", 5), ["1", "2", "2", "3", "4", "4", "5"]);
        assert_eq!(play("{\"reorder\":2}", 5), ["1", "3", "2", "4", "5"]);
        assert_eq!(play("{\"drop\":2}", 5), ["1", "3", "5"]);
    }

    #[test]
    fn the_terminal_event_is_never_lost_swapped_or_overtaken_by_accident() {
        assert_eq!(play("{\"drop\":1}", 3), ["3"]);
        assert_eq!(play("{\"reorder\":2}", 3), ["1", "2", "3"]);
        assert_eq!(play("{\"noTerminal\":true}", 3), ["1", "2"]);
        assert_eq!(play("{\"terminalTwice\":true}", 2), ["1", "2", "2"]);
    }

    #[test]
    fn what_is_put_in_replaces_nothing() {
        assert_eq!(play("{\"malformed\":{\"at\":2,\"data\":\"!\"}}", 3), ["1", "!", "2", "3"]);
        let wrong = play("{\"wrongTypes\":{\"at\":1}}", 1);
        assert!(wrong[0].contains("yesterday"));
        assert_eq!(wrong[1], "1");
        assert!(play("{\"hugeFrame\":{\"at\":1,\"bytes\":5000}}", 1)[0].len() > 5_000);
    }

    #[test]
    fn heartbeats_are_not_events() {
        let step: Step = serde_json::from_str("{\"drop\":1}").unwrap();
        let beat = Frame::Beat(Beat::Comment);
        assert_eq!(Mangle::new(&step, Route::Events).push(beat.clone()), Mangled { frames: vec![beat], ends: false });
    }
}
