//! The byte road natively: from the bytes of a run to its transcript, in ns per event.
//!
//! `cargo bench --bench road`, with a part of a shape's name to run just that one. Figures are the best of several
//! rounds: on a shared machine everything but the best is the neighbours.

use std::hint::black_box;
use std::time::Instant;

use steadystream::engine::delta::Delta;
use steadystream::engine::protocol::Protocol;
use steadystream::engine::reader::{DEFAULT_MAX_EVENT_BYTES, Item, Reader};
use steadystream::engine::transcript::Transcript;
use steadystream::engine::window::Window;

const EVENTS: usize = 50_000;
const ROUNDS: usize = 15;
const RUN: &str = "0b1f6a3e-7c1d-4a57-9a53-3b1f4f3f9d11";
const WORDS: [&str; 8] = ["Hel", "lo ", "wor", "ld, ", "this", " is", " a tok", "en."];

fn main() {
    let only = std::env::args().nth(1).filter(|arg| !arg.starts_with('-')).unwrap_or_default();
    println!("{:<22}{:>8}{:>11}{:>11}{:>11}", "shape", "B/event", "64 KiB", "16 KiB", "200 B");
    for (name, frame) in shapes() {
        if !name.contains(&only) {
            continue;
        }
        let mut bytes = Vec::new();
        for number in 0..EVENTS {
            bytes.extend_from_slice(frame(number, 1_712_345_678_001 + number as u64 * 7).as_bytes());
        }
        let [large, middle, small] = [65_536, 16_384, 200].map(|chunk| measure(&bytes, chunk));
        println!("{name:<22}{:>8}{large:>8.1} ns{middle:>8.1} ns{small:>8.1} ns", bytes.len() / EVENTS);
    }
}

/// Feeds all bytes in pieces of `chunk`, with a flush every 64 KiB.
fn measure(bytes: &[u8], chunk: usize) -> f64 {
    let mut window = Window::new();
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let mut reader = Reader::new(Protocol::Bichat, DEFAULT_MAX_EVENT_BYTES);
        let mut transcript = Transcript::new();
        let mut delta = Delta::new();
        let (mut since, mut events) = (0, 0);
        let start = Instant::now();
        for piece in bytes.chunks(chunk) {
            window.chunk_mut()[..piece.len()].copy_from_slice(piece);
            let mut feed = reader.feed(&mut window, piece.len());
            while let Some(item) = feed.next() {
                if let Item::Event(incoming) = item {
                    black_box(incoming.id);
                    transcript.apply(&incoming.event);
                    events += 1;
                }
            }
            since += piece.len();
            if since >= 65_536 {
                since = 0;
                flush(&mut transcript, &mut delta);
            }
        }
        flush(&mut transcript, &mut delta);
        best = best.min(start.elapsed().as_nanos() as f64 / EVENTS as f64);
        assert_eq!(events, EVENTS);
    }
    best
}

fn flush(transcript: &mut Transcript, delta: &mut Delta) {
    delta.begin(1);
    transcript.write_delta(delta);
    delta.end();
    black_box(delta.finish());
    delta.clear();
}

type Shape = fn(usize, u64) -> String;

fn shapes() -> Vec<(&'static str, Shape)> {
    fn word(number: usize) -> &'static str {
        WORDS[number % WORDS.len()]
    }
    vec![
        ("usual", |n, at| {
            let text = word(n);
            format!(
                "id: {at}-0\nevent: content\ndata: {{\"type\":\"content\",\"content\":\"{text}\",\"timestamp\":{at},\"runId\":\"{RUN}\"}}\n\n"
            )
        }),
        ("timestamp first", |n, at| {
            let text = word(n);
            format!(
                "id: {at}-0\nevent: content\ndata: {{\"timestamp\":{at},\"type\":\"content\",\"runId\":\"{RUN}\",\"content\":\"{text}\"}}\n\n"
            )
        }),
        ("escapes", |n, at| {
            let text = ["\\u00e9t\\u00e9", "a\\n\\n", "\\\"x\\\"", "\\ud83d\\ude00"][n % 4];
            format!(
                "id: {at}-0\nevent: content\ndata: {{\"type\":\"content\",\"content\":\"{text}\",\"timestamp\":{at},\"runId\":\"{RUN}\"}}\n\n"
            )
        }),
        ("non-ascii", |n, at| {
            let text = ["héllo", "你好世", "😀 ok", "plain"][n % 4];
            format!(
                "id: {at}-0\nevent: content\ndata: {{\"type\":\"content\",\"content\":\"{text}\",\"timestamp\":{at},\"runId\":\"{RUN}\"}}\n\n"
            )
        }),
        ("crlf", |n, at| {
            let text = word(n);
            format!(
                "id: {at}-0\r\nevent: content\r\ndata: {{\"type\":\"content\",\"content\":\"{text}\",\"timestamp\":{at},\"runId\":\"{RUN}\"}}\r\n\r\n"
            )
        }),
        ("no id", |n, at| {
            let text = word(n);
            format!(
                "event: content\ndata: {{\"type\":\"content\",\"content\":\"{text}\",\"timestamp\":{at},\"runId\":\"{RUN}\"}}\n\n"
            )
        }),
        ("spaces", |n, at| {
            let text = word(n);
            format!(
                "id: {at}-0\nevent: content\ndata: {{ \"type\": \"content\", \"content\": \"{text}\", \"timestamp\": {at}, \"runId\": \"{RUN}\" }}\n\n"
            )
        }),
        ("never alike", |n, at| {
            let text = word(n);
            format!(
                "id: {at}-0\nevent: content\ndata: {{\"type\":\"content\",\"content\":\"{text}\",\"timestamp\":{at},\"trace\":\"{n:08x}\"}}\n\n"
            )
        }),
        ("text and reasoning", |n, at| {
            let (text, kind) = (word(n), if n % 2 == 0 { "content" } else { "thinking" });
            format!(
                "id: {at}-0\nevent: {kind}\ndata: {{\"type\":\"{kind}\",\"content\":\"{text}\",\"timestamp\":{at},\"runId\":\"{RUN}\"}}\n\n"
            )
        }),
        ("long texts", |_, at| {
            let text = "The quick brown fox jumps over the lazy dog. ".repeat(8);
            format!(
                "id: {at}-0\nevent: content\ndata: {{\"type\":\"content\",\"content\":\"{text}\",\"timestamp\":{at},\"runId\":\"{RUN}\"}}\n\n"
            )
        }),
    ]
}
