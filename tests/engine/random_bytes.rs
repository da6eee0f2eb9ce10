//! Nothing that the network says can make the engine panic, and even from noise it settles.

use crate::support::*;
use steadystream::engine::rng::Rng;

/// Noise that is almost a stream: fragments of frames in any order, with a byte changed here and there.
fn noise(rng: &mut Rng) -> Vec<u8> {
    const PIECES: [&[u8]; 26] = [
        b"id: 1712345678001-0\n", b"id: 5\n", b"id:\n", b"id: \0\n", b"id: x\n", b"event: content\n", b"event: done\n",
        b"event: snapshot\n", b"event: error\n", b"data: {\"type\":\"content\",\"content\":\"\\ud83d\"}\n", b"data: {\"type\":",
        b"data: {\"content\":\"text\"}\n", b"data: {\"type\":\"tool_end\",\"tool\":{\"callId\":\"c\",\"durationMs\":1e99}}\n",
        b"data: {\"snapshot\":{\"partialContent\":\"abc\",\"partialMetadata\":{\"text_block_offsets\":[9,-1,1e9,null]}}}\n",
        b"data: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n", b"retry: 99999999999999999999\n", b"retry: 0\n", b": ping\n", b"\n", b"\n\n",
        b"\r\n", b"\r", b"\xEF\xBB\xBF", b"\xF0\x9F\x91", b"data\n", b"data: {\"type\":\"tool_start\",\"tool\":{}}\n\n",
    ];
    let mut bytes = Vec::new();
    for _ in 0..rng.up_to(60) {
        bytes.extend_from_slice(PIECES[rng.up_to(PIECES.len() as u64 - 1) as usize]);
        if rng.up_to(9) == 0 {
            let place = rng.up_to(bytes.len() as u64 - 1) as usize;
            bytes[place] = rng.next_u64() as u8;
        }
    }
    bytes
}

#[test]
fn noise_on_every_road_settles_without_a_panic() {
    for seed in 0..250 {
        let mut rng = Rng::seeded(seed);
        let mut world = World { is_exact: false, listen: seed % 2 == 0, ..World::seeded(seed) };
        for _ in 0..rng.up_to(6) {
            let chunks = [Chunks::AsSent, Chunks::Of(1), Chunks::Anywhere][rng.up_to(2) as usize];
            world = world.then(Plan::body("text/event-stream", &noise(&mut rng)).chunks(chunks));
        }
        world.answers.push_back(Answer::Fake { status: 200, body: "{\"active\":tru" });
        let mut sim = if seed % 3 == 0 { world.send() } else { world.open() };
        sim.play_to_settled();
    }
}
