//! A run of a million deltas that nobody watches: its state is what was said, and little more (DESIGN 5), and whoever looks at
//! last sees what somebody saw who had looked all the time.

use serde_json::json;
use steadystream::engine::config::Config;
use steadystream::engine::host::Pace;
use steadystream::engine::protocol::Protocol;

use crate::support::client::{Client, steady};

const DELTAS: usize = 1_000_000;
const WORDS: [&str; 8] = ["Tides ", "ebb ", "Flüsse ", "😀 ", "潮 ", "and flow, ", "in ", "out.\n"];

/// The deltas of a run, one frame each, with what divides them into parts in between; and how many bytes they say.
struct Wire {
    frame: fn(usize, &str) -> String,
    at: usize,
    said: usize,
}

impl Wire {
    /// Some of it, up to a window's worth.
    fn chunk(&mut self) -> String {
        let mut chunk = String::new();
        while self.at < DELTAS && chunk.len() < 60_000 {
            let word = WORDS[self.at * 7 % WORDS.len()];
            chunk += &(self.frame)(self.at, word);
            self.said += word.len();
            self.at += 1;
        }
        chunk
    }
}

fn bichat(at: usize, word: &str) -> String {
    let kind = if at / 500 % 5 == 4 { "thinking" } else { "content" };
    let id = at + 1;
    // A tool between two blocks, now and then.
    let tool = match at % 5_000 {
        4_999 => format!(
            "data: {{\"type\":\"tool_start\",\"tool\":{{\"callId\":\"c{at}\",\"name\":\"sql\",\"arguments\":\"{{}}\"}}}}\n\n\
             data: {{\"type\":\"tool_end\",\"tool\":{{\"callId\":\"c{at}\",\"result\":\"4\",\"durationMs\":3}}}}\n\n"
        ),
        _ => String::new(),
    };
    format!("id: {id}-0\ndata: {}\n\n{tool}", json!({ "type": kind, "content": word }))
}

fn ui_message(at: usize, word: &str) -> String {
    const LONG: usize = 2_000;
    let (part, within) = (at / LONG, at % LONG);
    let frame = |chunk: serde_json::Value| format!("data: {chunk}\n\n");
    match part % 4 {
        3 => {
            let id = format!("c{part}");
            let piece = word.replace('\n', "");
            let (begin, end) = match within {
                0 => (frame(json!({ "type": "tool-input-start", "toolCallId": id, "toolName": "sql" })), ""),
                _ => (String::new(), if within == LONG - 1 { "\"}" } else { "" }),
            };
            let text = format!("{}{piece}{end}", if within == 0 { "{\"q\":\"" } else { "" });
            begin + &frame(json!({ "type": "tool-input-delta", "toolCallId": id, "inputTextDelta": text }))
        }
        kind => {
            let kind = if kind == 1 { "reasoning" } else { "text" };
            let id = part.to_string();
            let mut frames = String::new();
            if within == 0 {
                frames += &frame(json!({ "type": format!("{kind}-start"), "id": id }));
            }
            frames += &frame(json!({ "type": format!("{kind}-delta"), "id": id, "delta": word }));
            if within == LONG - 1 {
                frames += &frame(json!({ "type": format!("{kind}-end"), "id": id }));
            }
            frames
        }
    }
}

fn play(protocol: Protocol, frame: fn(usize, &str) -> String) {
    let client = || Client::new(Config { protocol, ..steady() });
    let (mut seen, mut unseen) = (client(), client());
    let (watched, seen_task) = seen.open_at("s", Pace::Frame);
    let (unwatched, unseen_task) = unseen.open_at("s", Pace::Unwatched);
    let mut wire = Wire { frame, at: 0, said: 0 };
    let mut looks = 0;
    while wire.at < DELTAS {
        let chunk = wire.chunk();
        seen.chunk(seen_task, &chunk);
        seen.flush();
        unseen.chunk(unseen_task, &chunk);
        unseen.flush();
        // Somebody comes back in the middle, sees all of it at once, and leaves.
        if wire.at > DELTAS / 2 && looks == 0 {
            looks += 1;
            unseen.read(unwatched);
            assert_eq!(unseen.page(unwatched).parts(), seen.page(watched).parts());
        }
    }
    let held = unseen.host.held_bytes(unwatched);
    assert!(held * 2 <= wire.said * 3, "{held} bytes held for {} said", wire.said);
    unseen.read(unwatched);
    assert!(seen.page(watched).parts().len() > 200);
    assert_eq!(unseen.page(unwatched).parts(), seen.page(watched).parts());
    let answer = unseen.page(unwatched).answer();
    assert!(answer.len() > wire.said / 3);
}

#[test]
fn of_an_event_log() {
    play(Protocol::Bichat, bichat);
}

#[test]
fn of_a_ui_message() {
    play(Protocol::UiMessage, ui_message);
}
