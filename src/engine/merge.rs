//! Merges what a server says of a run bit by bit: objects member by member, anything else replaced (U-R-17).

use alloc::vec::Vec;

use super::json::{JsonStr, Members};

/// What may not be merged into an object of a page.
const KEPT_OUT: [&[u8]; 3] = [b"__proto__", b"constructor", b"prototype"];

/// `over` merged into `base`, both valid raw JSON.
pub fn merge(base: &[u8], over: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(base.len() + over.len());
    write(base, over, &mut out);
    out
}

fn write(base: &[u8], over: &[u8], out: &mut Vec<u8>) {
    if !is_object(base) || !is_object(over) {
        return out.extend_from_slice(over);
    }
    out.push(b'{');
    let first = out.len();
    each(base, |key, raw| {
        if !is_last(base, key, raw) {
            return;
        }
        push_key(key, first, out);
        match last(over, key).filter(|_| !is_kept_out(key)) {
            Some(new) => write(raw, new, out),
            None => out.extend_from_slice(raw),
        }
    });
    each(over, |key, raw| {
        if last(base, key).is_none() && is_last(over, key, raw) && !is_kept_out(key) {
            push_key(key, first, out);
            out.extend_from_slice(raw);
        }
    });
    out.push(b'}');
}

fn is_object(raw: &[u8]) -> bool {
    raw.first() == Some(&b'{')
}

fn is_kept_out(key: JsonStr<'_>) -> bool {
    KEPT_OUT.iter().any(|name| key.equals(name))
}

fn push_key(key: JsonStr<'_>, first: usize, out: &mut Vec<u8>) {
    if out.len() > first {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(key.raw());
    out.extend_from_slice(b"\":");
}

/// The members of a valid raw object, their values raw.
fn each<'a>(raw: &'a [u8], mut take: impl FnMut(JsonStr<'a>, &'a [u8])) {
    let Ok(mut members) = Members::open(raw) else { return };
    while let Ok(Some((key, value))) = members.next() {
        let end = members.at();
        take(key, raw.get(end - value.raw_len()..end).unwrap_or(&[]));
    }
}

/// The value of a member: of several of one name the last counts.
fn last<'a>(raw: &'a [u8], name: JsonStr<'_>) -> Option<&'a [u8]> {
    let mut found = None;
    each(raw, |key, value| {
        if *key.plain() == *name.plain() {
            found = Some(value);
        }
    });
    found
}

fn is_last(object: &[u8], key: JsonStr<'_>, raw: &[u8]) -> bool {
    last(object, key).is_some_and(|value| core::ptr::eq(value, raw))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(base: &str, over: &str) -> serde_json::Value {
        serde_json::from_slice(&merge(base.as_bytes(), over.as_bytes())).unwrap()
    }

    #[test]
    fn objects_are_merged_and_anything_else_is_replaced() {
        for (base, over, expected) in [
            (
                r#"{"a":1,"b":{"c":[1,2],"d":"x"}}"#,
                r#"{"b":{"c":[3],"e":null},"f":1.5e2}"#,
                r#"{"a":1,"b":{"c":[3],"d":"x","e":null},"f":150.0}"#,
            ),
            (r#"{"a":{"b":1}}"#, r#"{"a":null}"#, r#"{"a":null}"#),
            (r#"{"a":null}"#, r#"{"a":{"b":1}}"#, r#"{"a":{"b":1}}"#),
            (r#"{"a":[1]}"#, r#"{"a":{"b":1}}"#, r#"{"a":{"b":1}}"#),
            ("{}", "{}", "{}"),
            (r#"{ "a" : 1 }"#, "{}", r#"{"a":1}"#),
            (r#"{"a":1}"#, r#""text""#, r#""text""#),
            ("7", r#"{"a":1}"#, r#"{"a":1}"#),
        ] {
            assert_eq!(
                merged(base, over),
                serde_json::from_str::<serde_json::Value>(expected).unwrap(),
                "{base} + {over}"
            );
        }
    }

    #[test]
    fn the_same_name_is_one_member_however_it_is_written() {
        let text = String::from_utf8(merge(br#"{"a":1,"b":2,"a":3}"#, br#"{"\u0061":4,"c":5,"c":6}"#)).unwrap();
        assert_eq!(text, r#"{"b":2,"a":4,"c":6}"#);
    }

    #[test]
    fn what_would_reach_a_prototype_stays_out() {
        let over = r#"{"__proto__":{"x":1},"constructor":1,"a":{"prototype":2,"b":3}}"#;
        assert_eq!(merged(r#"{"a":{}}"#, over), serde_json::json!({ "a": { "b": 3 } }));
        let kept = merge(br#"{"__proto__":1}"#, br#"{"__proto__":2}"#);
        assert_eq!(kept, br#"{"__proto__":1}"#);
    }
}
