import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChunkBatcher } from '../../pkg/lib/batching/chunk-batcher.js';
import { lives, provide } from '../../pkg/lib/instance.js';

// A crash is for the life of the page, so this file has one story and a process of its own.

const trap = new WebAssembly.RuntimeError('unreachable');
const freed = [];

/** Sends what is pushed at once, and traps on a push of a control chunk. */
class FakeBatcher {
  #due = [0];

  push(isControl) {
    if (isControl) throw trap;
    this.#due = [1, 0];
    return 0;
  }

  due() { return this.#due.shift() ?? 0; }
  length() { return 1; }
  firstSeq() { return 0; }
  attempt() { return 1; }
  settled() { return 0; }
  pushed() { return 1; }
  deadline() { return Infinity; }
  flush() {}
  abort() {}
  healthy() { return true; }
  free() { freed.push('batcher'); }
}

provide({ RawBatcher: FakeBatcher, initSync: () => ({}) }, () => new Uint8Array());

test('a trap ends all batchers: whoever waits is told, and what is under way is aborted', async () => {
  const heard = [];
  const signals = [];
  const options = (name) => ({
    send: (batch, { signal }) => new Promise(() => { signals.push(signal); }),
    isControl: (chunk) => chunk === 'trap',
    onDrop: (chunks, { reason }) => heard.push([name, ...chunks, reason]),
    onFatalError: ({ code }) => heard.push([name, code]),
  });
  const busy = new ChunkBatcher(options('busy'));
  const idle = new ChunkBatcher(options('idle'));
  busy.push('a');
  const drained = assert.rejects(busy.drain(), { code: 'engine-crashed' });
  globalThis.reportError = () => {};
  assert.throws(() => idle.push('trap'), { code: 'engine-crashed', cause: trap });
  assert.deepEqual(heard, [], 'nothing of the page runs within the call that trapped');
  await drained;
  assert.deepEqual([heard, signals[0].aborted, lives.size], [[['busy', 'a', 'failed'], ['busy', 'engine-crashed']], true, 0]);
  assert.deepEqual([busy.isHealthy, busy.droppedCount], [false, 1]);
  // One that had nothing to do learns of it by its next call.
  assert.equal(idle.isHealthy, false);
  await idle.abort();
  await assert.rejects(idle.drain(), { code: 'engine-crashed' });
  assert.throws(() => new ChunkBatcher(options('new')), { code: 'engine-crashed' });
  assert.deepEqual(freed, [], 'what is in a dead instance is not touched');
});
