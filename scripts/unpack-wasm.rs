//! Makes the engine's wasm out of the text that carries it; pack-wasm.mjs is the other half. A module of its own, because
//! this runs once, in a page that has compiled nothing yet: as JavaScript it took ten times as long.

#![no_std]
#![no_main]

// The streams. What is not named here are operands of one number each.
const READ: u32 = 0;
const WRITTEN: u32 = 1;
const INSTRUCTIONS: u32 = 2;
const SIGNED: u32 = 4;
const TABLE: u32 = 7;
const DECLARED: u32 = 8;
const WIDE: u32 = 10;
const PLAIN: u32 = 11;
const BEFORE: u32 = 14;
const BEHIND: u32 = 15;
const STREAMS: usize = 16;
/// From here on an operand's value stands in the instruction's description, beside its kind.
const INSIDE: u32 = 16;

/// Flipped, the small letters of data are numbers of one character.
const TEXT: u32 = 96;

const MOST_LOCALS: usize = 4096;
const MOST_OPCODES: usize = 512;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// A number ends with one of 64 characters, from `=` on; its digits before that are of the 25 below.
/// Left out of both are those that a minifier might have to escape.
fn read_numbers(text: &[u8], numbers: &mut [u32]) {
    let mut count = 0;
    let mut value = 0;
    for code in text {
        let code = u32::from(*code);
        if code > 60 {
            numbers[count] = value * 64 + code - 61 - u32::from(code > 92) - u32::from(code > 96);
            count += 1;
            value = 0;
        } else {
            value = value * 25 + code - 31 - u32::from(code > 34) - u32::from(code > 36) - u32::from(code > 39);
        }
    }
}

struct Unpacker<'a> {
    numbers: &'a [u32],
    /// Where each stream is read next.
    at: [u32; STREAMS],
    /// Where each instruction is described: its opcode, how many operands it has, the kind and value of each.
    instructions: [u32; MOST_OPCODES],
    /// The function's locals, the last used first.
    recent: [u16; MOST_LOCALS],
    out: &'a mut [u8],
    to: usize,
}

impl Unpacker<'_> {
    fn next(&mut self, stream: u32) -> u32 {
        let at = &mut self.at[stream as usize];
        *at += 1;
        self.numbers[*at as usize - 1]
    }

    fn put(&mut self, byte: u32) {
        self.out[self.to] = byte as u8;
        self.to += 1;
    }

    fn put_number(&mut self, mut value: u32) {
        while value > 127 {
            self.put(value | 128);
            value >>= 7;
        }
        self.put(value);
    }

    fn put_signed(&mut self, mut value: i32) {
        while !(-64..64).contains(&value) {
            self.put(value as u32 | 128);
            value >>= 7;
        }
        self.put(value as u32 & 127);
    }

    fn put_all(&mut self, stream: u32, flipped: u32) {
        for _ in 0..self.next(stream) {
            let byte = self.next(stream);
            self.put(byte ^ flipped);
        }
    }

    /// What stands behind its own size was written from `start` on, five bytes too far.
    fn put_size(&mut self, start: usize) {
        let end = self.to;
        self.to = start - 5;
        self.put_number((end - start) as u32);
        self.out.copy_within(start..end, self.to);
        self.to += end - start;
    }

    fn put_function(&mut self) {
        let groups = self.next(DECLARED);
        self.put_number(groups);
        for _ in 0..groups {
            let count = self.next(DECLARED);
            self.put_number(count);
            let kind = self.next(DECLARED);
            self.put(kind ^ 127);
        }
        let mut seen = 0;
        let mut depth = 1;
        while depth > 0 {
            let instruction = self.next(INSTRUCTIONS);
            let about = self.instructions[instruction as usize] as usize;
            let opcode = self.numbers[about];
            match opcode {
                2..=4 => depth += 1,
                11 => depth -= 1,
                _ => {}
            }
            if opcode < 256 {
                self.put(opcode);
            } else {
                self.put(251 + opcode / 256);
                self.put_number(opcode % 256);
            }
            for operand in 0..self.numbers[about + 1] {
                let at = about + 2 + 2 * operand as usize;
                let kind = self.numbers[at];
                let mut value = if kind < INSIDE { self.next(kind) } else { self.numbers[at + 1] };
                match kind % INSIDE {
                    // Told by where it stands in `recent`; beyond `seen` everybody is in order.
                    READ | WRITTEN => {
                        while seen <= value {
                            self.recent[seen as usize] = seen as u16;
                            seen += 1;
                        }
                        let local = self.recent[value as usize];
                        self.recent.copy_within(0..value as usize, 1);
                        self.recent[0] = local;
                        self.put_number(u32::from(local));
                    }
                    SIGNED => self.put_signed((value >> 1) as i32 ^ -((value & 1) as i32)),
                    // Bytes: more than a number of ours holds.
                    WIDE => {
                        while value > 127 {
                            self.put(value);
                            value = self.next(WIDE);
                        }
                        self.put(value);
                    }
                    PLAIN => self.put(value),
                    TABLE => {
                        self.put_number(value);
                        for _ in 0..=value {
                            let target = self.next(TABLE);
                            self.put_number(target);
                        }
                    }
                    _ => self.put_number(value),
                }
            }
        }
    }
}

/// From `base` on there are a number for each character, then the text, then the module. Returns where that ends.
///
/// # Safety
/// All of that is memory, and nobody else's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unpack(base: usize, length: usize, room: usize) -> usize {
    // SAFETY: the caller's word; the three do not overlap.
    let (numbers, text, out) = unsafe {
        (
            core::slice::from_raw_parts_mut(base as *mut u32, length),
            core::slice::from_raw_parts((base + 4 * length) as *const u8, length),
            core::slice::from_raw_parts_mut((base + 5 * length) as *mut u8, room),
        )
    };
    read_numbers(text, numbers);

    // They begin with their map: the instructions in use, the streams' lengths.
    let mut about = 1;
    let mut instructions = [0; MOST_OPCODES];
    for instruction in &mut instructions[..numbers[0] as usize] {
        *instruction = about;
        about += 2 + 2 * numbers[about as usize + 1];
    }
    let mut at = [0; STREAMS];
    let mut start = about + STREAMS as u32;
    for (i, at) in at.iter_mut().enumerate() {
        *at = start;
        start += numbers[about as usize + i];
    }

    let mut unpacker = Unpacker { numbers, at, instructions, recent: [0; MOST_LOCALS], out, to: 0 };
    unpacker.put_all(BEFORE, 0);
    unpacker.put(10);
    unpacker.to += 5;
    let code = unpacker.to;
    let functions = unpacker.next(DECLARED);
    unpacker.put_number(functions);
    for _ in 0..functions {
        unpacker.to += 5;
        let start = unpacker.to;
        unpacker.put_function();
        unpacker.put_size(start);
    }
    unpacker.put_size(code);
    unpacker.put_all(BEHIND, TEXT);
    base + 5 * length + unpacker.to
}
