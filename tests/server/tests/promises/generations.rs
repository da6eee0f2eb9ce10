//! Messages that their clients write (PROTOCOLS 3.1, 3.6, docs/chunks.md), also when things go wrong.

use serde_json::{Value, json};

use crate::client::{OTHER_SESSION, Rig, SESSION, request};

struct Writer {
    rig: Rig,
}

impl Writer {
    /// A server with the session.
    async fn start() -> Self {
        let writer = Self { rig: Rig::start_with(run_server::Options::default()).await };
        assert_eq!(request(writer.rig.app, "PUT", &path(""), &[], None).await.unwrap().status, 200);
        writer
    }

    async fn post(&self, call: &str, body: Value) -> (u16, Value) {
        let reply = request(self.rig.app, "POST", &path(call), &[], Some(body)).await.unwrap();
        (reply.status, reply.json().await)
    }

    /// Writes these deltas of a message in one batch.
    async fn batch(&self, message: &str, first_seq: Option<u64>, deltas: &[&str]) -> (u16, Value) {
        let chunks: Vec<_> = deltas.iter().map(|delta| of(message, text(delta))).collect();
        self.post("/chunks/batch", json!({ "chunks": chunks, "batchId": "b", "firstSeq": first_seq })).await
    }

    async fn finish(&self, message: &str) -> (u16, Value) {
        self.post("/generations/finish", json!({ "messageId": message })).await
    }

    async fn log(&self) -> Value {
        self.rig.ask(&format!("log?sessionId={SESSION}")).await
    }

    /// The deltas of the session, each in front of the number of its row.
    async fn told(&self) -> String {
        let log = self.log().await;
        let rows = log["rows"].as_array().unwrap().iter().map(|row| {
            let chunk: Value = serde_json::from_str(row["value"]["chunk"].as_str().unwrap()).unwrap();
            format!("{}{}", chunk["delta"].as_str().unwrap_or("."), row["value"]["seq"])
        });
        rows.collect()
    }
}

fn path(call: &str) -> String {
    format!("/v1/sessions/{SESSION}{call}")
}

fn text(delta: &str) -> Value {
    json!({ "type": "TEXT_MESSAGE_CONTENT", "delta": delta })
}

fn of(message: &str, chunk: Value) -> Value {
    json!({ "messageId": message, "actorId": "agent", "role": "assistant", "chunk": chunk, "txid": "t" })
}

#[tokio::test]
async fn what_is_written_is_told_in_the_sessions_stream() {
    let writer = Writer::start().await;
    let (status, reply) = writer.batch("m1", None, &["a", "b"]).await;
    assert_eq!((status, reply), (200, json!({ "ok": true, "sessionId": SESSION, "count": 2 })));
    let (status, reply) = writer.post("/chunks", of("m1", json!({ "type": "message-end" }))).await;
    assert_eq!((status, reply), (200, json!({ "ok": true, "sessionId": SESSION, "messageId": "m1" })));
    assert_eq!(writer.finish("m1").await.1, json!({ "ok": true, "sessionId": SESSION, "messageId": "m1" }));
    assert_eq!(writer.told().await, "a0b1.2");
    let row = writer.log().await["rows"][0].clone();
    assert_eq!(
        (&row["key"], &row["headers"]["txid"], &row["value"]["actorId"]),
        (&json!("m1:0"), &json!("t"), &json!("agent"))
    );
    let mut stream = writer.rig.get(&format!("/v1/stream/sessions/{SESSION}?live=sse&offset=-1")).await;
    let first = stream.event().await.unwrap();
    assert_eq!(first.data[0], row);
    let truth = writer.rig.truth("m1").await;
    assert_eq!((&truth["text"], &truth["terminal"]), (&json!("ab"), &json!("done")));
    // The next one's rows stand behind these.
    writer.batch("m2", None, &["c"]).await;
    assert_eq!(writer.told().await, "a0b1.2c0");
}

#[tokio::test]
async fn the_first_chunk_registers_its_message_and_others_are_refused() {
    // S-GEN-1
    let writer = Writer::start().await;
    writer.batch("m1", None, &["a"]).await;
    assert_eq!(writer.log().await["activeMessageId"], "m1");
    let (status, refusal) = writer.batch("m2", None, &["x"]).await;
    let expected = json!({ "error": "Generation mismatch", "code": "GENERATION_MISMATCH", "sessionId": SESSION,
                           "messageId": "m2", "activeMessageId": "m1" });
    assert_eq!((status, refusal), (409, expected));
    let session = writer.rig.get(&path("")).await.json().await;
    assert_eq!(session["activeMessageId"], "m1");
    // S-GEN-1: a batch of two messages, whichever of them is active.
    let mixed = json!({ "chunks": [of("m1", text("b")), of("m1", text("c")), of("m3", text("d"))] });
    let (status, refusal) = writer.post("/chunks/batch", mixed).await;
    assert_eq!((status, &refusal["messageId"], &refusal["activeMessageId"]), (409, &json!("m3"), &json!("m1")));
    assert_eq!(writer.told().await, "a0");
    writer.finish("m1").await;
    assert_eq!(writer.batch("m2", None, &["x"]).await.0, 200);
    assert_eq!(writer.batch("m1", None, &["late"]).await.0, 409, "what is finished is not begun again");
}

#[tokio::test]
async fn a_stale_finish_changes_nothing_and_one_without_an_id_is_whichevers() {
    // S-GEN-2
    let writer = Writer::start().await;
    writer.batch("m1", None, &["a"]).await;
    assert_eq!(writer.finish("m0").await.0, 200);
    assert_eq!(writer.log().await["activeMessageId"], "m1");
    let reply = request(writer.rig.app, "POST", &path("/generations/finish"), &[], None).await.unwrap();
    assert_eq!(reply.json().await["messageId"], "m1");
    assert_eq!(writer.log().await["activeMessageId"], Value::Null);
    assert_eq!(writer.finish("m1").await.0, 200, "nor does a second one");
}

#[tokio::test]
async fn numbers_make_a_repetition_harmless_and_without_them_it_doubles() {
    // S-CB-11
    let writer = Writer::start().await;
    writer.batch("m1", Some(0), &["a", "b"]).await;
    assert_eq!(writer.batch("m1", Some(0), &["a", "b"]).await.0, 200);
    assert_eq!(writer.batch("m1", Some(1), &["b", "c"]).await.0, 200);
    assert_eq!(writer.told().await, "a0b1c2");
    let (status, refusal) = writer.batch("m1", Some(4), &["e"]).await;
    assert_eq!((status, &refusal["code"]), (409, &json!("SEQUENCE_GAP")));
    writer.finish("m1").await;
    assert_eq!(writer.batch("m1", Some(0), &["a"]).await.0, 200, "it is known for ever");
    assert_eq!(writer.log().await["activeMessageId"], Value::Null);
    for _ in 0..2 {
        writer.batch("m2", None, &["x"]).await;
    }
    assert_eq!(writer.told().await, "a0b1c2x0x1");
}

#[tokio::test]
async fn a_batch_that_fails_in_the_middle_is_written_on_from_there() {
    let writer = Writer::start().await;
    writer
        .rig
        .script("chunks-batch", json!([{ "writeFailsAfter": 2 }, { "status": { "code": 502, "afterEffect": true } }]))
        .await;
    for (status, code) in [(500, json!("WRITE_FAILED")), (502, Value::Null), (200, Value::Null)] {
        let (said, refusal) = writer.batch("m1", Some(0), &["a", "b", "c"]).await;
        assert_eq!((said, &refusal["code"]), (status, &code));
    }
    assert_eq!(writer.told().await, "a0b1c2");
}

#[tokio::test]
async fn what_makes_no_sense_or_has_no_session_is_refused_by_name() {
    let writer = Writer::start().await;
    let role = json!({ "messageId": "m", "actorId": "a", "role": "robot", "chunk": text("a") });
    let untyped = of("m", json!({ "delta": "a" }));
    for body in [json!({}), json!({ "chunks": [] }), json!({ "chunks": [role] }), json!({ "chunks": [untyped] })] {
        let (status, refusal) = writer.post("/chunks/batch", body).await;
        assert_eq!((status, &refusal["code"]), (400, &json!("INVALID_BODY")));
    }
    for (call, body) in [("chunks", of("m", text("a"))), ("generations/finish", json!({}))] {
        let path = format!("/v1/sessions/{OTHER_SESSION}/{call}");
        let reply = request(writer.rig.app, "POST", &path, &[], Some(body)).await.unwrap();
        assert_eq!((reply.status, reply.json().await["code"].clone()), (404, json!("SESSION_NOT_FOUND")));
    }
}

#[tokio::test]
async fn a_producer_that_fails_loses_nothing_and_the_finish_tells_once() {
    // S-HLT-1, S-GEN-2
    let writer = Writer::start().await;
    writer.rig.script("chunks-batch", json!([{ "producerError": true }])).await;
    writer.batch("m1", None, &["a"]).await;
    writer.batch("m1", None, &["b"]).await;
    assert_eq!((writer.told().await.as_str(), &writer.log().await["healthy"]), ("a0b1", &json!(false)));
    let (status, refusal) = writer.finish("m1").await;
    assert_eq!((status, &refusal["ok"], &refusal["code"]), (500, &json!(false), &json!("FINISH_FAILED")));
    let log = writer.log().await;
    assert_eq!((&log["healthy"], &log["activeMessageId"]), (&json!(true), &Value::Null));
    assert_eq!(writer.finish("m1").await.0, 200);
}

#[tokio::test]
async fn a_flush_that_hangs_is_given_up() {
    // S-FLUSH-1
    let writer = Writer::start().await;
    writer.rig.script("chunks-finish", json!([{ "hungFlushMs": 20 }])).await;
    writer.batch("m1", None, &["a"]).await;
    assert_eq!(writer.finish("m1").await.1["code"], "FINISH_FAILED");
    assert_eq!(writer.log().await["activeMessageId"], Value::Null, "nobody waits for it any more");
}
