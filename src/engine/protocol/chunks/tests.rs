//! Streams of rows through the reader: however they are framed and wherever the network cuts them.

use proptest::prelude::*;

use crate::engine::protocol::Protocol;
use crate::engine::reader::{DEFAULT_MAX_EVENT_BYTES, Item, Reader};
use crate::engine::window::Window;

fn row(message: &str, seq: u64, chunk: &str) -> String {
    let chunk = serde_json::to_string(chunk).unwrap();
    format!(
        r#"{{"type":"chunk","key":"{message}:{seq}","value":{{"messageId":"{message}","role":"assistant","chunk":{chunk},"seq":{seq}}}}}"#
    )
}

fn text(seq: u64, text: &str) -> String {
    row("m", seq, &serde_json::json!({ "type": "TEXT_MESSAGE_CONTENT", "delta": text }).to_string())
}

fn read_pieces<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
    let (mut reader, mut window) = (Reader::new(Protocol::Chunks, DEFAULT_MAX_EVENT_BYTES), Window::new());
    let mut told = Vec::new();
    let utf8 = |bytes: &[u8]| core::str::from_utf8(bytes).expect("what a reader hands out is UTF-8").to_owned();
    for piece in pieces {
        reader.feed_slice(&mut window, piece, |item| {
            told.push(match item {
                Item::Row(row) => {
                    let what = row.fault.map_or(format!("{:?}", row.incoming.event), |fault| format!("{fault:?}"));
                    assert!(serde_json::from_slice::<serde_json::Value>(row.incoming.data).is_ok());
                    format!("{} {:?} {what}", utf8(row.incoming.run), row.seq)
                }
                Item::Mark(mark) => {
                    let offset = mark.offset.map(|offset| offset.decoded());
                    format!("mark {offset:?} {}", mark.is_up_to_date)
                }
                Item::Malformed(bad) => format!("bad {} {:?} {}", utf8(bad.name), bad.fault, utf8(bad.data)),
                Item::Comment => "comment".into(),
                Item::Id(_) => "id".into(),
                Item::Overflow => "overflow".into(),
                Item::Event(_) | Item::Retry(_) | Item::Done => panic!("{item:?}"),
            });
        });
    }
    told
}

fn read(stream: &str) -> Vec<String> {
    read_pieces([stream.as_bytes()])
}

fn said(seq: u64, text: &str) -> String {
    format!("m Some({seq}) Text {{ text: {text:?}, part: [] }}")
}

/// In one line, in several, alone; a comment between; marks that say more and less.
fn sample() -> (String, Vec<String>) {
    let (one, two, three, four) = (text(0, "Hél"), text(1, "lo \\ 😀"), text(2, "!"), text(3, "?"));
    let stream = format!(
        ": hello\n\nevent: data\ndata: [{one},{two}]\n\n\
         event: control\ndata: {{\"streamNextOffset\":\"7_1\",\"streamCursor\":\"5\"}}\n\n\
         event: data\ndata: [\ndata: {three},\ndata: {{\"headers\":{{\"control\":\"reset\"}}}}\ndata: ]\n\n\
         data: {four}\n\nevent: data\ndata: []\n\n\
         event: control\ndata: {{\"streamNextOffset\":\"7_2\",\"upToDate\":true}}\n\n"
    );
    let told = vec![
        "comment".into(),
        said(0, "Hél"),
        said(1, "lo \\\\ 😀"),
        "mark Some(\"7_1\") false".into(),
        said(2, "!"),
        " None Reset".into(),
        said(3, "?"),
        "mark Some(\"7_2\") true".into(),
    ];
    (stream, told)
}

#[test]
fn one_frame_may_hold_many_rows_in_any_layout() {
    let (stream, told) = sample();
    assert_eq!(read(&stream), told);
    assert_eq!(read(&stream.replace('\n', "\r\n")), told);
}

#[test]
fn every_split_gives_the_same_rows() {
    let (stream, told) = sample();
    let bytes = stream.as_bytes();
    for at in 0..=bytes.len() {
        let (one, other) = bytes.split_at(at);
        assert_eq!(read_pieces([one, other]), told, "cut at {at}");
    }
    assert_eq!(read_pieces(bytes.chunks(1)), told);
}

#[test]
fn a_row_that_makes_no_sense_spoils_no_other() {
    let (one, three) = (text(0, "a"), text(2, "c"));
    for (bad, fault) in [
        ("7".to_owned(), "bad data NotObject 7".to_owned()),
        (
            r#"{"value":{"chunk":"{}"}}"#.into(),
            r#"bad data WrongType { member: "messageId" } {"value":{"chunk":"{}"}}"#.into(),
        ),
        (row("m", 1, "{"), "m Some(1) Syntax".into()),
        (row("m", 1, r#"{"type":"TEXT_MESSAGE_CONTENT"}"#), r#"m Some(1) WrongType { member: "delta" }"#.into()),
        (row("m", 1, "null"), "m Some(1) NotObject".into()),
    ] {
        let stream = format!("event: data\ndata: [{one},{bad},{three}]\n\n");
        assert_eq!(read(&stream), [said(0, "a"), fault, said(2, "c")], "{bad}");
    }
}

#[test]
fn what_is_no_json_ends_its_frame_and_nothing_else() {
    let (one, two) = (text(0, "a"), text(1, "b"));
    let stream = format!("event: data\ndata: [{one},{{\"x\":]\n\nevent: data\ndata: [{two}]\n\n");
    assert_eq!(read(&stream), [said(0, "a"), "bad data Syntax ,{\"x\":]".into(), said(1, "b")]);
    let stream =
        format!("event: control\ndata: [{one}]\n\nevent: data\ndata: <html>\n\nevent: data\ndata: [{two}] x\n\n");
    let told = read(&stream);
    assert!(told[0].starts_with("bad control NotObject"), "{told:?}");
    assert_eq!(told[1..], ["bad data Syntax <html>".into(), said(1, "b"), "bad data Syntax ] x".to_owned()]);
}

#[test]
fn bytes_that_are_no_text_are_replaced_as_anywhere() {
    let mut stream = format!("event: data\ndata: [{}]\n\n", text(0, "aXb")).into_bytes();
    let at = stream.windows(3).position(|three| three == b"aXb").unwrap() + 1;
    stream[at] = 0xFF;
    assert_eq!(read_pieces([&*stream]), [said(0, "a\u{FFFD}b")]);
}

#[test]
fn a_frame_longer_than_a_chunk_of_the_network_is_read_from_where_it_is_held() {
    let long = "x".repeat(5_000);
    let rows: Vec<String> = (0..40).map(|seq| text(seq, &long)).collect();
    let stream = format!("event: data\ndata: [{}]\n\nevent: control\ndata: {{}}\n\n", rows.join(","));
    let told: Vec<String> = (0..40).map(|seq| said(seq, &long)).chain(["mark None false".into()]).collect();
    for size in [700, 4_096, 65_536] {
        assert_eq!(read_pieces(stream.as_bytes().chunks(size)), told, "in pieces of {size}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_fall(
        cut in 0..600_usize, with in proptest::collection::vec(any::<u8>(), 0..12), size in 1..200_usize,
    ) {
        let mut stream = sample().0.into_bytes();
        let cut = cut.min(stream.len());
        let end = (cut + with.len()).min(stream.len());
        stream.splice(cut..end, with);
        let whole = read_pieces([&*stream]);
        prop_assert_eq!(read_pieces(stream.chunks(size)), whole);
    }
}
