//! What only a real browser can show of the crate as a whole: there the engine is compiled with SIMD, and natively it is
//! not. What stands beside the code in `src/boundary` is tested there.

#![cfg(target_arch = "wasm32")]

use steadystream::engine::{
    delta::Delta,
    fold::Fold,
    protocol::Protocol,
    rng::Rng,
    status::Status,
    window::{CHUNK, Window},
};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// A text of some length: lengths around the width of a SIMD block, of the window's headroom, and beyond the window.
fn any_text(rng: &mut Rng) -> String {
    const ALPHABETS: [&[&str]; 4] =
        [&["a"], &["a", "\"", "\\", "\n", "\u{1}", "/"], &["ж", "ü", "z"], &["😀", "漢", "\u{2028}", "x", "\u{7f}"]];
    let alphabet = ALPHABETS[rng.up_to(3) as usize];
    let is_long = rng.up_to(9) == 0;
    let most = if is_long { [3_000, 70_000][rng.up_to(1) as usize] } else { [3, 17, 40, 300][rng.up_to(3) as usize] };
    (0..rng.up_to(most)).map(|_| alphabet[rng.up_to(alphabet.len() as u64 - 1) as usize]).collect()
}

/// `text` as JSON: as it is, or with everything beyond ASCII escaped.
fn json(text: &str, ascii: bool) -> String {
    let json = serde_json::to_string(text).unwrap();
    let mut out = String::new();
    for unit in json.encode_utf16() {
        match char::from_u32(unit.into()).filter(char::is_ascii) {
            Some(char) => out.push(char),
            None => out.push_str(&format!("\\u{unit:04x}")),
        }
    }
    if ascii { out } else { json }
}

/// The log of a run, as one of the servers at hand would write it, and its text.
fn any_log(rng: &mut Rng) -> (Vec<u8>, String) {
    let newline = ["\n", "\r\n", "\r"][rng.up_to(2) as usize];
    let (ascii, time_first) = (rng.up_to(1) == 0, rng.up_to(1) == 0);
    let (mut log, mut text) = (String::new(), String::new());
    for at in 0..rng.up_to(40) {
        let piece = any_text(rng);
        let content = json(&piece, ascii);
        let data = if time_first {
            format!("{{\"timestamp\":17{at},\"type\":\"content\",\"content\":{content}}}")
        } else {
            format!("{{\"type\":\"content\", \"content\":{content},\"timestamp\":17{at}}}")
        };
        log += &format!("id: 17-{at}{newline}event: content{newline}data: {data}{newline}{newline}");
        if rng.up_to(9) == 0 {
            log += &format!(": ping{newline}{newline}");
        }
        text += &piece;
    }
    log += &format!("event: done{newline}data: {{\"type\":\"done\"}}{newline}{newline}");
    (log.into_bytes(), text)
}

/// The text that `pieces` make.
fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> String {
    let mut fold = Fold::new(Protocol::Bichat, 1 << 20);
    let mut window = Window::new();
    let (mut delta, mut text) = (Delta::new(), String::new());
    for piece in pieces {
        window.chunk_mut()[..piece.len()].copy_from_slice(piece);
        fold.handle_chunk(&mut window, piece.len());
        fold.write_delta(&mut delta);
        let flush = std::str::from_utf8(delta.finish()).unwrap();
        text.push_str(flush.split_once('\n').map_or("", |(_, tail)| tail));
        delta.clear();
    }
    assert_eq!(fold.status(), Status::Completed);
    text
}

#[wasm_bindgen_test]
fn whatever_the_wire_and_its_cuts_the_text_is_the_same() {
    for seed in 0..60 {
        let mut rng = Rng::seeded(seed);
        let (log, text) = any_log(&mut rng);
        assert!(read(log.chunks(CHUNK)) == text, "seed {seed}, whole windows");
        let most =
            [1, 30, 200, 5_000, CHUNK as u64][rng.up_to(4) as usize].max(log.len() as u64 / 4_000).min(CHUNK as u64);
        let mut rest = log.as_slice();
        let pieces = std::iter::from_fn(|| {
            let size = (rng.up_to(most - 1) as usize + 1).min(rest.len());
            let (piece, behind) = rest.split_at(size);
            rest = behind;
            (size > 0).then_some(piece)
        });
        assert!(read(pieces) == text, "seed {seed}, pieces of at most {most} bytes");
    }
}
