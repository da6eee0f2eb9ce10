import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { brotliCompressSync } from 'node:zlib';
import { unpackBytes } from '../../pkg/lib/packed-bytes.js';
import { packBytes } from '../../scripts/pack-bytes.mjs';
import { packed } from '../../pkg/wasm/inline.js';

const wasm = readFileSync(new URL('../../pkg/wasm/engine_bg.wasm', import.meta.url));

test('any bytes come back as they were', () => {
  const all = Uint8Array.from({ length: 4096 }, (_, i) => (i * 7 + (i >> 8) * 31) & 255);
  for (const bytes of [new Uint8Array(0), Uint8Array.of(255), all]) assert.deepEqual(unpackBytes(packBytes(bytes)), bytes);
});

test('the inline engine is the engine', () => {
  assert.ok(wasm.equals(unpackBytes(packed)));
});

test('no minifier has anything to escape', () => {
  assert.match(packed, /^[ -~]*$/);
  assert.doesNotMatch(packed, /["'`\\$<]/);
});

test('as text it compresses nearly as well as the binary', () => {
  assert.ok(brotliCompressSync(packed).length < 1.06 * brotliCompressSync(wasm).length);
});
