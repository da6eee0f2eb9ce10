import assert from 'node:assert/strict';
import { test } from 'node:test';
import { provide } from '../../pkg/lib/instance.js';
import { unpackWasm } from '../../pkg/lib/packed-wasm.js';
import * as glue from '../../pkg/wasm/engine.js';
import { packed } from '../../pkg/wasm/inline.js';

// A crash is for the life of the page, so this file has one story and a process of its own.

let isBroken = false;
const reported = [];
globalThis.reportError = (error) => reported.push(error.code);

class Trapping extends glue.RawEventStream {
  push(length) {
    if (isBroken) throw new WebAssembly.RuntimeError('unreachable');
    return super.push(length);
  }
}

provide({ ...glue, RawEventStream: Trapping }, () => unpackWasm(packed));

test('a trap while a custom protocol\'s bytes are taken apart ends the run, lets go of its stream, and is thrown at nobody', async () => {
  const { RunClient } = await import('../../pkg/lib/client.js');
  const client = new RunClient({ baseUrl: '/x', protocol: ({ data }) => ({ type: 'content', content: data }) });
  let push;
  const cancelled = new Promise((cancel) => {
    client.adopt({ sessionId: 's' }, new ReadableStream({ start: (controller) => { push = (text) => controller.enqueue(text); }, cancel }));
  });
  const run = client.open({ sessionId: 's' });
  const { finished } = run;
  await new Promise((resolve) => {
    run.subscribe(({ text }) => { if (text === 'a') resolve(); }, { notify: 'sync' });
    push('data: a\n\n');
  });
  isBroken = true;
  push('data: b\n\n');
  await assert.rejects(finished, { code: 'engine-crashed' });
  await cancelled;
  assert.deepEqual([run.getSnapshot().status, run.getSnapshot().text, reported], ['failed', 'a', ['engine-crashed']]);
});
