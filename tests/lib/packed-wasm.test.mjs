import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { brotliCompressSync } from 'node:zlib';
import { unpackWasm } from '../../pkg/lib/packed-wasm.js';
import { packWasm } from '../../scripts/pack-wasm.mjs';
import { packed } from '../../pkg/wasm/inline.js';

const unpacker = Buffer.from(packed.slice(0, packed.indexOf(' ')), 'base64');
const wasm = readFileSync(new URL('../../pkg/wasm/engine_bg.wasm', import.meta.url));

const sized = (bytes) => [...(bytes.length < 128 ? [bytes.length] : [bytes.length & 127 | 128, bytes.length >> 7]), ...bytes];
const section = (id, ...bytes) => [id, ...sized(bytes)];
/** A module of one function without parameters: its locals and its code, in wasm's own bytes. */
const moduleOf = (locals, code) => Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, 1, 0x60, 0, 0),
  ...section(3, 1, 0),
  ...section(5, 1, 0, 1),
  ...section(10, 1, ...sized([...locals, ...code, 0x0b])),
  ...section(0, 2, 0x68, 0x69, 0xff),
);
const NO_LOCALS = [0];
const DROP = 0x1a;

const comesBack = (locals, code) => {
  const module = moduleOf(locals, code);
  assert.ok(WebAssembly.validate(module), 'the case itself is valid');
  assert.deepEqual(unpackWasm(packWasm(module, unpacker)), module);
};

test('constants of every length come back as they were', () => {
  const int32 = [[0], [0x3f], [0x40], [0x7f], [0xc0, 0], [0xbf, 0x7f], [0xff, 0xff, 0xff, 0xff, 7], [0x80, 0x80, 0x80, 0x80, 0x78]];
  comesBack(NO_LOCALS, int32.flatMap((bytes) => [0x41, ...bytes, DROP]));
  const int64 = [[0x7f], [0xff, 0], [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f]];
  comesBack(NO_LOCALS, int64.flatMap((bytes) => [0x42, ...bytes, DROP]));
  comesBack(NO_LOCALS, [0x43, 0, 0, 0xc0, 0x7f, DROP, 0x44, 1, 2, 3, 4, 5, 6, 0xf0, 0x3f, DROP]);
});

test('locals come back, the 300th too', () => {
  const get = (...index) => [0x20, ...index, DROP];
  comesBack([2, 0xac, 2, 0x7f, 1, 0x7b], [0, 0, 5, 1, 5].flatMap((i) => get(i)).concat(get(0xab, 2), get(3), get(0xab, 2), get(0xac, 2)));
});

test('blocks, branches and tables of branches come back', () => {
  comesBack(NO_LOCALS, [0x02, 0x40, 0x03, 0x40, 0x41, 0, 0x0d, 1, 0x0b, 0x0b]);
  const targets = Array.from({ length: 130 }, (_, i) => i % 2);
  comesBack(NO_LOCALS, [0x02, 0x40, 0x41, 0, 0x0e, 130 | 128, 1, ...targets, 0, 0x0b]);
});

test('memory of natural and of other alignment, SIMD and bulk operations come back', () => {
  comesBack(NO_LOCALS, [2, 1, 0].flatMap((align) => [0x41, 0, 0x28, align, 0x80, 8, DROP]));
  const vector = [0xfd, 12, ...Array.from({ length: 16 }, (_, i) => 255 - 8 * i)];
  comesBack(NO_LOCALS, [...vector, ...vector, 0xfd, 0xae, 1, 0xfd, 21, 15, DROP, 0x41, 0, ...vector, 0xfd, 11, 0, 16]);
  comesBack(NO_LOCALS, [0x41, 0, 0x41, 1, 0x41, 2, 0xfc, 10, 0, 0, 0x41, 0, 0x41, 1, 0x41, 2, 0xfc, 11, 0]);
});

test('the inline engine is the engine', () => {
  assert.ok(wasm.equals(unpackWasm(packed)));
});

test('no minifier has anything to escape', () => {
  assert.match(packed, /^[ -~]*$/);
  assert.doesNotMatch(packed, /["'`\\$<]/);
});

test('as text it compresses better than the binary', () => {
  assert.ok(brotliCompressSync(packed).length < 0.95 * brotliCompressSync(wasm).length);
});
