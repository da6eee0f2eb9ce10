// The other half of unpack-wasm.rs: a module's code as streams of numbers, one for each kind, in characters.

/** What text is made of: nothing that a minifier might have to escape. */
const ALPHABET = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).filter((c) => !'"\'`\\$<'.includes(c));

/** A number ends with one of the last 64 characters; its digits before that are of the others. */
const LAST_DIGITS = 64;
const DIGITS = ALPHABET.length - LAST_DIGITS;

/**
 * The streams, in the order of the text: what resembles each other within the 32 KB that gzip looks back. Locals that are read, locals
 * that are written, instructions, operands, locals' types, bytes before the code and behind it.
 */
const STREAMS = 'lmohicbndtvfxapq';

/**
 * opcode -> its operands, a letter for the stream of each. Opcodes behind the prefix 0xfc begin at 256, those behind 0xfd at
 * 512. What Rust never makes is missing, and a module that has it is refused.
 */
const OPERANDS = new Array(1024).fill('');
const RANGES = '2-4t 12-13b 14n 16c 17xx 32l 33-34m 35-38x 40-62ah 63-64x 65i 66v 67ffff 68ffffffff 208x 210x 264xx 266xx 267x '
  + '271-273x 512-523ah 524-525ffffffffffffffff 533-546x 596-603ahx 604-605ah';
for (const [, first, last, operands] of RANGES.matchAll(/(\d+)-?(\d*)([a-z]+)/g)) {
  OPERANDS.fill(operands, Number(first), Number(last || first) + 1);
}

/**
 * opcode -> operands so frequent that with each of them it is an instruction of its own, which has that operand in its
 * description and none in a stream: the two locals that were used last, 0, 1, -64, 255, the least i32. Chosen one by one, as long as
 * that made the whole smaller. Alignments (`a`) are always in the description.
 */
const FREQUENT = { 2: [127], 4: [64], 13: [0], 32: [0, 1], 34: [0], 45: [0], 65: [0, 2, 127, 510, 2 ** 32 - 1] };
const isInside = (opcode, letter, value) => letter === 'a' || (FREQUENT[opcode]?.includes(value) ?? false);

/** Behind the streams' numbers: the operand's value is in the description, not in its stream. */
const INSIDE = 16;

const CODE = 10;
/** Flipped, the small letters of data are numbers of one character. */
const TEXT = 96;

function toText(number) {
  let text = ALPHABET[DIGITS + (number % LAST_DIGITS)];
  for (let rest = Math.floor(number / LAST_DIGITS); rest > 0; rest = Math.floor((rest - 1) / DIGITS)) {
    text = ALPHABET[(rest - 1) % DIGITS] + text;
  }
  return text;
}

/** Reads numbers and bytes one after the other. */
function read(bytes) {
  let at = 0;
  const byte = () => bytes[at++];
  const number = () => {
    let value = 0;
    for (let unit = 1; ; unit *= 128) {
      const next = byte();
      value += (next & 127) * unit;
      if (next < 128) return value;
    }
  };
  const signed = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const next = byte();
      value |= (next & 127) << shift;
      if (next < 128) return next > 63 && shift < 28 ? value - 2 ** (shift + 7) : value;
    }
  };
  const take = (count) => bytes.subarray(at, (at += count));
  return { byte, number, signed, take, at: () => at };
}

/** The code section's body, what stands before the section and what behind it. */
function findCode(wasm) {
  const module = read(wasm);
  module.take(8);
  while (module.at() < wasm.length) {
    const start = module.at();
    const id = module.byte();
    const body = module.take(module.number());
    if (id === CODE) return { before: wasm.subarray(0, start), body, behind: wasm.subarray(module.at()) };
  }
  throw new Error('pack-wasm.mjs: the module has no code');
}

/** An operand as numbers: one, of a table or a wide constant several. `recent`: the function's locals, the last used first. */
function readOperand(letter, body, recent) {
  if (letter === 'l' || letter === 'm') {
    const used = body.number();
    while (recent.length <= used) recent.push(recent.length);
    const rank = recent.indexOf(used);
    recent.splice(rank, 1);
    recent.unshift(used);
    return [rank];
  }
  if (letter === 'i') {
    const value = body.signed();
    return [value < 0 ? -2 * value - 1 : 2 * value];
  }
  if (letter === 'f') return [body.byte()];
  if (letter === 'v') {
    const bytes = [];
    do bytes.push(body.byte()); while (bytes.at(-1) > 127);
    return bytes;
  }
  const value = body.number();
  return letter === 'n' ? [value, ...Array.from({ length: value + 1 }, () => body.number())] : [value];
}

/** `instructions`: their descriptions, as text. */
function readFunction(body, instructions, streams) {
  const groups = body.number();
  streams.d.push(groups);
  for (let i = 0; i < groups; i++) streams.d.push(body.number(), body.byte() ^ 127);
  const recent = [];
  for (let depth = 1; depth > 0;) {
    const first = body.byte();
    const opcode = first < 252 ? first : (first - 251) * 256 + body.number();
    if (opcode === 11) depth--;
    if (opcode > 1 && opcode < 5) depth++;
    const operands = Array.from(OPERANDS[opcode], (letter) => {
      const kind = STREAMS.indexOf(letter);
      const [value, ...more] = readOperand(letter, body, recent);
      if (isInside(opcode, letter, value)) return [INSIDE + kind, value];
      streams[letter].push(value, ...more);
      return [kind, 0];
    });
    instructions.push([opcode, operands.length, ...operands.flat()].map(toText).join(''));
  }
}

/**
 * A module as text, and before it what unpacks it. An instruction that OPERANDS lacks may throw here or come out as others:
 * the caller compares.
 */
export const packWasm = (wasm, unpacker) => {
  const { before, body, behind } = findCode(wasm);
  const streams = Object.fromEntries(Array.from(STREAMS, (letter) => [letter, []]));
  streams.p = [before.length, ...before];
  streams.q = [behind.length, ...Array.from(behind, (byte) => byte ^ TEXT)];
  const code = read(body);
  const count = code.number();
  streams.d.push(count);
  const used = [];
  for (let i = 0; i < count; i++) readFunction(read(code.take(code.number())), used, streams);

  // The most frequent instructions are the shortest numbers.
  const counts = new Map();
  for (const instruction of used) counts.set(instruction, (counts.get(instruction) ?? 0) + 1);
  const instructions = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a) || (a < b ? -1 : 1));
  const ranks = new Map(instructions.map((instruction, rank) => [instruction, rank]));
  streams.o = used.map((instruction) => ranks.get(instruction));

  const map = toText(instructions.length) + instructions.join('') + Array.from(STREAMS, (letter) => toText(streams[letter].length)).join('');
  const text = Object.values(streams).map((numbers) => numbers.map(toText).join(''));
  return `${unpacker.toString('base64')} ${map}${text.join('')}`;
};
