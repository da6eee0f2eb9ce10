//! What most decoders want of an object: a few of its members by name, and a tool call. One piece of code for all.

use super::lookup;
use crate::engine::event::{Fault, JsonStr, Tool, ToolField};
use crate::engine::json::{Members, Value};

/// The last members of these names, in their order. The object is read to its end.
pub(super) fn pick<'a, const N: usize>(raw: &'a [u8], names: [&[u8]; N]) -> Result<[Option<Value<'a>>; N], Fault> {
    let mut found = [None; N];
    pick_into(raw, &names, &mut found)?;
    Ok(found)
}

#[inline(never)]
fn pick_into<'a>(raw: &'a [u8], names: &[&[u8]], found: &mut [Option<Value<'a>>]) -> Result<(), Fault> {
    let mut members = Members::open(raw)?;
    while let Some((key, value)) = members.next()? {
        let key = key.plain();
        for (name, slot) in names.iter().zip(&mut *found) {
            if super::same(name, &key) {
                *slot = Some(value);
            }
        }
    }
    Ok(())
}

/// The last member of that name, if the object can be read.
pub(super) fn member<'a>(raw: &'a [u8], name: &[u8]) -> Option<Value<'a>> {
    let mut found = [None];
    pick_into(raw, &[name], &mut found).ok()?;
    found[0]
}

/// A tool call whose members are called as in `table`. What is text is text; of anything else, and of an `input` in any case, its
/// JSON is.
#[inline(never)]
pub(super) fn tool<'a>(raw: &'a [u8], table: &[(&[u8], ToolField)]) -> Result<Tool<'a>, Fault> {
    let mut tool = Tool::default();
    let mut members = Members::open(raw)?;
    while let Some((key, value)) = members.next()? {
        let name = key.plain();
        let Some(field) = lookup(table, &name) else { continue };
        let end = members.at();
        match (value, field) {
            (Value::Null, _) => {}
            // Whoever brings the result may not know whose it is.
            (Value::String(text), ToolField::Name) if text.is_empty() => {}
            (Value::String(text), _) if *name != *b"input" => tool.set(field, text),
            (_, ToolField::CallId | ToolField::Name) => return Err(Fault::WrongType { member: "tool" }),
            (value, _) => tool.set(field, JsonStr::of_json(raw.get(end - value.raw_len()..end).unwrap_or(&[]))),
        }
    }
    Ok(tool)
}
