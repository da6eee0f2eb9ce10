//! The few strings of a tool call, end to end in one piece of memory: of the small ones each would cost as much again in a piece of
//! its own, and a run may have thousands of calls.

use alloc::vec::Vec;

use crate::engine::event::ToolField;

/// What is known of each field, by [`ToolField`].
#[derive(Default)]
pub(super) struct Strings {
    bytes: Vec<u8>,
    // Where each ends; one that is not known is empty.
    ends: [u32; ToolField::COUNT],
    // A bit for each that is known.
    known: u8,
}

impl Strings {
    /// The field at this place.
    pub fn get(&self, place: usize) -> Option<&[u8]> {
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let bytes = self.bytes.get(start as usize..*self.ends.get(place)? as usize);
        bytes.filter(|_| self.known >> place & 1 != 0)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Option<&[u8]>> {
        (0..ToolField::COUNT).map(|place| self.get(place))
    }

    /// Bytes of all of them.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Puts `field` in its place.
    #[inline(never)]
    pub fn set(&mut self, place: usize, field: &[u8]) {
        let old = self.get(place).unwrap_or(&[]).len();
        let mut next = Self { known: self.known | 1 << place, ..Self::default() };
        let mut bytes = Vec::with_capacity(self.len() - old + field.len());
        for (at, end) in next.ends.iter_mut().enumerate() {
            bytes.extend_from_slice(if at == place { field } else { self.get(at).unwrap_or(&[]) });
            *end = bytes.len() as u32;
        }
        next.bytes = bytes;
        *self = next;
    }

    /// Adds to the field in this place: at the cost of what is added, unless something stands behind it.
    pub fn append(&mut self, place: usize, more: &[u8]) {
        if self.ends.get(place).is_none_or(|end| (*end as usize) < self.bytes.len()) {
            let whole = [self.get(place).unwrap_or(&[]), more].concat();
            return self.set(place, &whole);
        }
        self.bytes.extend_from_slice(more);
        self.known |= 1 << place;
        for end in self.ends.iter_mut().skip(place) {
            *end = self.bytes.len() as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_what_it_was_last_set_to_whatever_becomes_of_the_others() {
        let mut strings = Strings::default();
        let mut expected: [Option<Vec<u8>>; ToolField::COUNT] = Default::default();
        for (place, field) in [(3, "args"), (0, "id"), (5, ""), (3, "longer args"), (0, ""), (1, "name"), (3, "x")] {
            strings.set(place, field.as_bytes());
            expected[place] = Some(field.as_bytes().into());
            assert!(strings.iter().eq(expected.iter().map(|field| field.as_deref())));
        }
        for (place, more) in [(3, "yz"), (4, "result"), (3, "!"), (4, "."), (2, "agent")] {
            strings.append(place, more.as_bytes());
            expected[place].get_or_insert_default().extend_from_slice(more.as_bytes());
            assert!(strings.iter().eq(expected.iter().map(|field| field.as_deref())));
        }
        assert_eq!(strings.len(), "nameagentxyz!result.".len());
        assert_eq!(strings.get(ToolField::COUNT), None);
    }
}
