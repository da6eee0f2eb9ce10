//! The members that mean something, of any chunk.

use crate::engine::{
    event::Fault,
    json::{JsonStr, Members, Value},
};

/// A member's name, by its place in [`NAMES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Field {
    Type,
    Id,
    Delta,
    MessageId,
    MessageMetadata,
    ErrorText,
    ToolCallId,
    ToolName,
    InputTextDelta,
    InputEncoding,
    Input,
    Output,
    ProviderExecuted,
    ProviderMetadata,
    ToolMetadata,
    Dynamic,
    Title,
    Preliminary,
    ApprovalId,
    ApprovalDescriptor,
    InputSchemaInput,
    Reason,
    IsAutomatic,
    Signature,
    Approved,
    Citations,
    SourceId,
    Url,
    MediaType,
    Kind,
    Data,
    Transient,
}

const NAMES: [&str; 32] = [
    "type",
    "id",
    "delta",
    "messageId",
    "messageMetadata",
    "errorText",
    "toolCallId",
    "toolName",
    "inputTextDelta",
    "inputEncoding",
    "input",
    "output",
    "providerExecuted",
    "providerMetadata",
    "toolMetadata",
    "dynamic",
    "title",
    "preliminary",
    "approvalId",
    "approvalDescriptor",
    "inputSchemaInput",
    "reason",
    "isAutomatic",
    "signature",
    "approved",
    "citations",
    "sourceId",
    "url",
    "mediaType",
    "kind",
    "data",
    "transient",
];

impl Field {
    /// What it is called on the wire.
    pub fn name(self) -> &'static str {
        NAMES.get(self as usize).copied().unwrap_or("")
    }
}

/// The last value of each member.
pub(in crate::engine) struct Fields<'a> {
    values: [Option<Member<'a>>; NAMES.len()],
}

#[derive(Clone, Copy)]
struct Member<'a> {
    value: Value<'a>,
    raw: &'a [u8],
    // Where it begins.
    at: usize,
}

impl<'a> Fields<'a> {
    /// Reads the object `wide[..len]`.
    pub fn read(wide: &'a [u8], len: usize) -> Result<Self, Fault> {
        let mut members = Members::open_wide(wide, len)?;
        let mut values = [None; NAMES.len()];
        while let Some((key, value)) = members.next()? {
            let name = key.plain();
            let place = NAMES.iter().position(|known| *known.as_bytes() == *name);
            if let Some(slot) = place.and_then(|place| values.get_mut(place)) {
                let end = members.at();
                let at = end - value.raw_len();
                *slot = Some(Member { value, raw: wide.get(at..end).unwrap_or(&[]), at });
            }
        }
        Ok(Self { values })
    }

    fn member(&self, field: Field) -> Option<Member<'a>> {
        self.values.get(field as usize).copied().flatten()
    }

    /// The raw JSON, `null` included.
    pub fn raw(&self, field: Field) -> Option<&'a [u8]> {
        self.member(field).map(|member| member.raw)
    }

    /// The raw JSON; `null` is as good as absent.
    pub fn present(&self, field: Field) -> Option<&'a [u8]> {
        self.raw(field).filter(|raw| raw != b"null")
    }

    /// The string, if it is one.
    pub fn string(&self, field: Field) -> Option<JsonStr<'a>> {
        self.member(field)?.value.as_str()
    }

    /// Where it begins.
    pub fn at(&self, field: Field) -> usize {
        self.member(field).map_or(0, |member| member.at)
    }

    /// Whether it is `true`.
    pub fn is_true(&self, field: Field) -> bool {
        matches!(self.member(field), Some(Member { value: Value::Bool(true), .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_has_its_name_and_its_raw_value() {
        let data =
            br#"{ "type" :"a\"b", "input": [1, 2] ,"output":null,"preliminary":true,"id":-1.5e3,"input":{"x":"}"} }  "#;
        let fields = Fields::read(data, data.len()).unwrap();
        let raw = |field| fields.raw(field).map(|raw| core::str::from_utf8(raw).unwrap());
        assert_eq!(raw(Field::Type), Some(r#""a\"b""#));
        assert_eq!(raw(Field::Input), Some(r#"{"x":"}"}"#), "the last one counts");
        assert_eq!((raw(Field::Output), fields.present(Field::Output)), (Some("null"), None));
        assert_eq!((raw(Field::Preliminary), fields.is_true(Field::Preliminary)), (Some("true"), true));
        assert_eq!(raw(Field::Id), Some("-1.5e3"));
        assert_eq!(raw(Field::Transient), None);
        assert_eq!(data[fields.at(Field::Id)], b'-');
        assert_eq!((Field::Type.name(), Field::Transient.name()), ("type", "transient"));
    }
}
