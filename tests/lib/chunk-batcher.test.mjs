// ChunkBatcher over the real engine, in Node: the chunks stay with the decisions that are made over their places. When things go
// out, and how often, is held in virtual time by the engine's own tests.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { lives } from '../../pkg/lib/instance.js';
import { ChunkBatcher, SteadyStreamError } from '../../pkg/index.js';

const QUICK = { lingerMs: 0, baseDelayMs: 0, abortFlushMs: 0, onDrop: () => {} };
// Only what is full, or flushed, goes out.
const SLOW = { ...QUICK, lingerMs: 60_000 };

const made = [];
const make = (options) => {
  const batcher = new ChunkBatcher(options);
  made.push(batcher);
  return batcher;
};
afterEach(() => {
  for (const batcher of made.splice(0)) void batcher.abort();
});

/** A `send` that waits until the test answers, batch by batch. */
const held = () => {
  const sends = [];
  const waiting = [];
  const send = (batch, about) => new Promise((resolve, reject) => {
    const one = { batch: [...batch], ...about, resolve, reject };
    sends.push(one);
    waiting.shift()?.(one);
  });
  const next = () => new Promise((resolve) => { waiting.push(resolve); });
  return { send, sends, next };
};

/** A server that keeps the numbers, behind `fail(attempt)`, which may throw before or after the effect. */
const keeping = (fail = () => {}) => {
  const log = [];
  return {
    log,
    send: async (batch, { firstSeq, attempt }) => {
      fail('before', attempt);
      log.push(...batch.slice(log.length - firstSeq));
      fail('after', attempt);
    },
  };
};

const status = (code) => Object.assign(new Error('refused'), { status: code });

test('what is pushed arrives in order, batch by batch', async () => {
  const { log, send } = keeping();
  const sizes = [];
  const batcher = make({ ...SLOW, maxBatchSize: 4, send: (batch, about) => (sizes.push(batch.length), send(batch, about)) });
  for (let n = 0; n < 10; n++) batcher.push(n);
  await batcher.drain();
  assert.deepEqual([log, sizes], [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [4, 4, 2]]);
  assert.deepEqual([batcher.pending, batcher.droppedCount, batcher.isHealthy, lives.size], [0, 0, true, 0]);
});

test('a full batch is sent before push returns, and a flush of nothing sends nothing', () => {
  // S-CB-2, S-CB-3
  const { send, sends } = held();
  const batcher = make({ ...SLOW, maxBatchSize: 2, send });
  batcher.flush();
  batcher.push('a');
  assert.equal(sends.length, 0);
  batcher.push('b');
  assert.deepEqual(sends.map(({ batch, firstSeq, attempt }) => [batch, firstSeq, attempt]), [[['a', 'b'], 0, 1]]);
});

test('a repetition is the same batch under the same id, and the next one waits for it', async () => {
  // S-CB-4, S-CB-11
  const { send, sends, next } = held();
  const batcher = make({ ...SLOW, maxBatchSize: 2, send });
  for (const chunk of ['a', 'b', 'c']) batcher.push(chunk);
  const again = next();
  sends[0].reject(new TypeError('network'));
  assert.deepEqual([(await again).batch, sends[1].attempt, sends[1].batchId, sends[1].firstSeq], [['a', 'b'], 2, sends[0].batchId, 0]);
  const drained = batcher.drain();
  const last = next();
  sends[1].resolve();
  assert.deepEqual([(await last).batch, sends[2].firstSeq], [['c'], 2]);
  assert.notEqual(sends[2].batchId, sends[0].batchId);
  sends[2].resolve();
  await drained;
});

test('a server that keeps the numbers has each chunk once, whatever becomes of the replies', async () => {
  let n = 0;
  const { log, send } = keeping((when) => { if ((n += 1) % 5 < 2) throw when === 'before' ? status(503) : new TypeError('lost'); });
  const batcher = make({ ...QUICK, maxBatchSize: 3, maxRetries: 9, send });
  const chunks = Array.from({ length: 100 }, (_, i) => i);
  for (const chunk of chunks) batcher.push(chunk);
  await batcher.drain();
  assert.deepEqual(log, chunks);
});

test('what will not pass is sent once, and is told once', async () => {
  // S-CB-6, S-CB-7, S-CB-10
  for (const [reason, code, isStatus] of [
    [status(409), 'batch-failed', true], [status(400), 'batch-failed', true], [new Response(null, { status: 404 }), 'batch-failed', true],
    [Object.assign(new Error('x'), { retryable: false }), 'batch-failed', false],
    [new DOMException('x', 'AbortError'), 'aborted', false],
  ]) {
    const fatal = [];
    let sent = 0;
    const batcher = make({ ...QUICK, maxBatchSize: 1, send: async () => { sent += 1; throw reason; }, onFatalError: (error) => fatal.push(error) });
    for (const chunk of ['a', 'b', 'c']) batcher.push(chunk);
    const error = await batcher.drain().then(() => null, (cause) => cause);
    assert.ok(error instanceof SteadyStreamError);
    assert.deepEqual([error.code, error.retryable, error.cause, sent, fatal], [code, false, reason, 1, [error]]);
    assert.equal(error.status, isStatus ? reason.status : undefined);
    batcher.push('d');
    await assert.rejects(batcher.drain(), error);
    // S-CB-7, S-CB-8: those that were queued, too.
    assert.deepEqual([batcher.droppedCount, batcher.isHealthy, batcher.pending, fatal.length, lives.size], [4, false, 0, 1, 0]);
  }
});

test('four attempts, and then the reason with how many they were', async () => {
  // S-CB-5
  const fatal = [];
  let sent = 0;
  const batcher = make({ ...QUICK, send: async () => { sent += 1; throw status(503); }, onFatalError: (error) => fatal.push(error) });
  batcher.push('a');
  const error = await batcher.drain().catch((cause) => cause);
  assert.deepEqual([error.code, error.status, error.attempts, error.retryable, sent, fatal.length], ['batch-failed', 503, 4, true, 4, 1]);
  assert.match(error.message, /1 chunk.*HTTP 503.*4 attempts/);
});

test('408, 425 and 429 are tried again, and Retry-After is waited for', async () => {
  // S-RQ-2 with its finding
  for (const code of [408, 425, 429, 500, 502, 503, 504]) {
    let sent = 0;
    const batcher = make({ ...QUICK, send: async () => { if ((sent += 1) === 1) throw status(code); } });
    batcher.push('a');
    await batcher.drain();
    assert.equal(sent, 2, code);
  }
  const { send, sends, next } = held();
  const batcher = make({ ...QUICK, abortFlushMs: 60_000, send });
  const first = next();
  batcher.push('a');
  (await first).reject(new Response(null, { status: 503, headers: { 'retry-after': '3600' } }));
  // As long as it waits: the bound on an abort ends that, and not before.
  await new Promise((resolve) => { setImmediate(resolve); });
  const again = next();
  const aborted = batcher.abort();
  (await again).resolve();
  await aborted;
  assert.deepEqual([sends.length, batcher.droppedCount], [2, 0], 'S-CB-12: a wait ends with an abort');
});

test('a stuck server costs no more than the bound: deltas are made one before any goes, and control chunks never go', () => {
  // S-CB-9
  const { send } = held();
  const dropped = [];
  const batcher = make({
    ...QUICK, maxBatchSize: 50, maxBufferSize: 200, send, isControl: ({ end }) => end === true,
    coalesce: (a, b) => (a.of === b.of ? { of: a.of, text: a.text + b.text } : null),
    onDrop: (chunks, { reason, droppedCount }) => dropped.push([chunks.length, reason, droppedCount]),
  });
  let controls = 0;
  for (let n = 0; n < 20_000; n++) {
    const isEnd = n % 500 === 0 && n > 0;
    controls += isEnd;
    batcher.push(isEnd ? { end: true } : { of: 1, text: 'x' });
    assert.ok(batcher.pending <= 200);
  }
  assert.deepEqual([dropped, batcher.droppedCount, controls], [[], 0, 39]);
  // What cannot be made one goes, the oldest first.
  for (let n = 0; n < 500; n++) batcher.push({ of: n, text: 'y' });
  assert.ok(batcher.pending <= 200 && dropped.length > 0);
  assert.deepEqual(dropped.at(-1), [1, 'full', batcher.droppedCount]);
});

test('a control chunk that has no room is not taken, and whoever has it hears so', () => {
  const { send } = held();
  const batcher = make({ ...QUICK, maxBatchSize: 1, maxBufferSize: 3, send, isControl: () => true });
  for (const chunk of ['a', 'b', 'c']) batcher.push(chunk);
  assert.throws(() => batcher.push('d'), { code: 'queue-full', retryable: true });
  assert.deepEqual([batcher.pending, batcher.droppedCount], [3, 0]);
});

test('drain covers what was pushed before it, and waits for no more', async () => {
  // S-CB-8, S-CB-12
  const { send, sends, next } = held();
  const batcher = make({ ...SLOW, maxBatchSize: 2, send });
  for (const chunk of ['a', 'b', 'c']) batcher.push(chunk);
  const drained = batcher.drain();
  batcher.push('d');
  batcher.push('e');
  const more = next();
  sends[0].resolve();
  const second = await more;
  assert.deepEqual(second.batch, ['c', 'd']);
  second.resolve();
  await drained;
  assert.equal(batcher.pending, 1);
});

test('an abort sends what is there, takes no more, and gives up when its time is over', async () => {
  // S-CB-13
  const { log, send } = keeping();
  const signal = new AbortController();
  const batcher = make({ ...SLOW, abortFlushMs: 60_000, maxBatchSize: 2, send, signal: signal.signal });
  for (const chunk of ['a', 'b', 'c']) batcher.push(chunk);
  signal.abort();
  batcher.push('late');
  await batcher.abort();
  assert.deepEqual([log, batcher.droppedCount, lives.size], [['a', 'b', 'c'], 1, 0]);
  await batcher.drain();

  const stuck = held();
  const dropped = [];
  const fatal = [];
  const other = make({
    ...QUICK, abortFlushMs: 20, send: stuck.send, onDrop: (chunks, { reason }) => dropped.push(...chunks, reason), onFatalError: (error) => fatal.push(error),
  });
  other.push('a');
  const drained = assert.rejects(other.drain(), { code: 'aborted' });
  await other.abort();
  await drained;
  assert.deepEqual([stuck.sends[0].signal.aborted, dropped, fatal, lives.size], [true, ['a', 'aborted'], [], 0]);
});

test('what a coalesce does wrong stays its own', () => {
  const { send } = held();
  const reported = [];
  globalThis.reportError = (error) => reported.push(error);
  try {
    const batcher = make({
      ...QUICK, maxBatchSize: 1, maxBufferSize: 3, send,
      coalesce: (one) => {
        void batcher.abort();
        batcher.flush();
        batcher.push('inside');
        return one;
      },
    });
    for (const chunk of ['a', 'b', 'c', 'd']) batcher.push(chunk);
    assert.deepEqual(reported.map(({ code }) => code), ['invalid-state', 'invalid-state']);
    assert.deepEqual([batcher.pending, batcher.droppedCount], [3, 1]);
  } finally {
    delete globalThis.reportError;
  }
});

test('without onDrop the first drop and each hundredth are warned of', () => {
  // S-CB-7
  const warnings = [];
  const { warn } = console;
  console.warn = (text) => warnings.push(text);
  try {
    const batcher = make({ send: () => new Promise(() => {}), abortFlushMs: 0 });
    void batcher.abort();
    for (let n = 0; n < 250; n++) batcher.push(n);
    assert.deepEqual([warnings.length, batcher.droppedCount], [3, 250]);
  } finally {
    console.warn = warn;
  }
});

test('options that make no sense are named', () => {
  const send = async () => {};
  for (const [options, path] of [
    [undefined, 'options'], [{}, 'send'], [{ send, lingerMs: -1 }, 'lingerMs'], [{ send, maxBatchSize: 0 }, 'maxBatchSize'],
    [{ send, maxBatchSize: 2.5 }, 'maxBatchSize'], [{ send, maxBufferSize: 50 }, 'maxBufferSize'], [{ send, maxBufferSize: Infinity }, 'maxBufferSize'],
    [{ send, maxRetries: -1 }, 'maxRetries'], [{ send, coalesce: 1 }, 'coalesce'], [{ send, signal: 1 }, 'signal'], [{ send, linger: 5 }, 'linger'],
  ]) {
    assert.throws(() => make(options), { code: 'invalid-argument', path });
  }
  make({ send, maxRetries: Infinity });
});
