// The other half of unpack-wasm.rs: a module's code as streams of numbers, one for each kind, in characters.

/** What text is made of: nothing that a minifier might have to escape. */
const ALPHABET = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).filter((c) => !'"\'`\\$<'.includes(c));

/** A number ends with one of the last 64 characters; its digits before that are of the others. */
const LAST_DIGITS = 64;
const DIGITS = ALPHABET.length - LAST_DIGITS;

/** The streams, in the order of the text: bytes before the code and behind it, locals' types, instructions, operands. */
const STREAMS = 'pqdolaivfnhtbcx';

/**
 * opcode -> its operands, a letter for the stream of each; a capital is a number in `a`, the difference to the alignment that
 * is natural (A: none, B: two bytes, …). Opcodes behind the prefix 0xfc begin at 256, those behind 0xfd at 512. What Rust
 * never makes is missing, and a module that has it is refused.
 */
const OPERANDS = new Array(1024).fill('');
const RANGES = '2-4t 12-13b 14n 16c 17xx 32-34l 35-38x 40Ch 41Dh 42Ch 43Dh 44-45Ah 46-47Bh 48-49Ah 50-51Bh 52-53Ch 54Ch 55Dh '
  + '56Ch 57Dh 58Ah 59Bh 60Ah 61Bh 62Ch 63-64x 65i 66v 67ffff 68ffffffff 208x 210x 264xx 266xx 267x 271-273x '
  + '512Eh 513-518Dh 519Ah 520Bh 521Ch 522Dh 523Eh 524-525ffffffffffffffff 533-546x '
  + '596Ahx 597Bhx 598Chx 599Dhx 600Ahx 601Bhx 602Chx 603Dhx 604Ch 605Dh';
for (const [, first, last, operands] of RANGES.matchAll(/(\d+)-?(\d*)([a-z]+)/gi)) {
  OPERANDS.fill(operands, Number(first), Number(last || first) + 1);
}

/** Alignments follow the streams' numbers, from here on. */
const ALIGNED = 16;
const alignmentOf = (letter) => letter.charCodeAt() - 65;
const kindOf = (letter) => (letter < 'a' ? ALIGNED + alignmentOf(letter) : STREAMS.indexOf(letter));

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

function readFunction(body, opcodes, streams) {
  const groups = body.number();
  streams.d.push(groups);
  for (let i = 0; i < groups; i++) streams.d.push(body.number(), body.byte() ^ 127);
  const recent = [];
  for (let depth = 1; depth > 0;) {
    const first = body.byte();
    const opcode = first < 252 ? first : (first - 251) * 256 + body.number();
    opcodes.push(opcode);
    if (opcode === 11) depth--;
    if (opcode > 1 && opcode < 5) depth++;
    for (const kind of OPERANDS[opcode]) {
      const stream = streams[kind];
      if (kind === 'l') {
        const used = body.number();
        while (recent.length <= used) recent.push(recent.length);
        const rank = recent.indexOf(used);
        recent.splice(rank, 1);
        recent.unshift(used);
        stream.push(rank);
      } else if (kind < 'a') {
        streams.a.push(body.number() ^ alignmentOf(kind));
      } else if (kind === 'i') {
        const value = body.signed();
        stream.push(value < 0 ? -2 * value - 1 : 2 * value);
      } else if (kind === 'v') {
        do stream.push(body.byte()); while (stream.at(-1) > 127);
      } else if (kind === 'f') {
        stream.push(body.byte());
      } else {
        const value = body.number();
        stream.push(value);
        if (kind === 'n') for (let i = value; i >= 0; i--) stream.push(body.number());
      }
    }
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
  for (const opcode of used) counts.set(opcode, (counts.get(opcode) ?? 0) + 1);
  const opcodes = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a) || a - b);
  const ranks = new Map(opcodes.map((opcode, rank) => [opcode, rank]));
  streams.o = used.map((opcode) => ranks.get(opcode));

  const instructions = opcodes.flatMap((opcode) => [opcode, OPERANDS[opcode].length, ...Array.from(OPERANDS[opcode], kindOf)]);
  const lengths = Array.from(STREAMS, (letter) => streams[letter].length);
  const text = [[opcodes.length, ...instructions, ...lengths], ...Object.values(streams)].map((numbers) => numbers.map(toText).join(''));
  return `${unpacker.toString('base64')} ${text.join('')}`;
};
