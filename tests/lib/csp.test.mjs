import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engine, load, preload, provide } from '../../pkg/lib/instance.js';

// As browsers answer under `script-src 'self'`.
const refusal = new WebAssembly.CompileError('Refused to compile or instantiate WebAssembly module');

test('a page whose policy forbids wasm is told the one line to add', async () => {
  const failure = { code: 'wasm-blocked', message: /'wasm-unsafe-eval'/, cause: refusal };
  provide({ initSync: () => { throw refusal; }, default: async () => { throw refusal; } }, () => new Uint8Array());
  assert.throws(engine, failure);
  await assert.rejects(load('engine.wasm'), failure);
});

test('a load that failed may be tried again, and bytes that do not compile are refused early too', async () => {
  await assert.rejects(preload(), { code: 'wasm-blocked' });
  await assert.rejects(preload(), { code: 'wasm-blocked' });
});
