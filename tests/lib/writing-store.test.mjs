// A batcher and a generation as stores: one snapshot until something has changed, at most one notification a frame, the end the last.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { ChunkBatcher, RunClient } from '../../pkg/index.js';
import { FakeWriting } from './fake-writing.mjs';

const QUICK = { lingerMs: 0, baseDelayMs: 0, abortFlushMs: 0, onDrop: () => {} };
const text = (delta) => ({ type: 'TEXT_MESSAGE_CONTENT', delta });

/** Frames that come when the test says so. */
let frames;
const frame = async () => {
  for (let i = 0; i < 5; i++) await turn();
  for (const fire of frames.splice(0)) fire();
};

let server;
let client;
beforeEach(() => {
  frames = [];
  globalThis.requestAnimationFrame = (fire) => frames.push(fire);
  globalThis.cancelAnimationFrame = () => {};
  server = new FakeWriting();
  server.install();
  client = new RunClient({ baseUrl: 'http://localhost/v1', protocol: 'chunks' });
});
afterEach(() => {
  client.close();
  server.uninstall();
  delete globalThis.requestAnimationFrame;
  delete globalThis.cancelAnimationFrame;
});

test('a batcher shows what it holds, and where its batch is', async () => {
  let answer;
  const batcher = new ChunkBatcher({ ...QUICK, send: () => new Promise((resolve, reject) => { answer = { resolve, reject }; }) });
  const before = batcher.getSnapshot();
  assert.deepEqual(before, { status: 'open', pending: 0, inFlight: 0, droppedCount: 0, isHealthy: true, error: null });
  assert.ok(Object.isFrozen(before));
  assert.equal(batcher.getSnapshot(), before);
  const told = [];
  batcher.subscribe((snapshot) => told.push(snapshot));
  for (const chunk of [1, 2, 3]) batcher.push(chunk);
  await frame();
  assert.deepEqual(told.map(({ pending, inFlight }) => [pending, inFlight]), [[0, 0], [3, 1]], 'once for three');
  assert.equal(batcher.getSnapshot(), told[1]);
  answer.reject({ status: 400 });
  await frame();
  await frame();
  const { status, pending, droppedCount, isHealthy, error } = told.at(-1);
  assert.deepEqual([status, pending, droppedCount, isHealthy, error.code, told.length], ['failed', 0, 3, false, 'batch-failed', 3]);
  assert.equal(batcher.getServerSnapshot(), before);
});

test('an abort that sends what is left is told from one that is over', async () => {
  let answer;
  const batcher = new ChunkBatcher({ ...QUICK, abortFlushMs: 1000, send: () => new Promise((resolve) => { answer = resolve; }) });
  const told = [];
  batcher.subscribe(({ status }) => told.push(status), { notify: 'sync' });
  batcher.push(1);
  const over = batcher.abort();
  for (let i = 0; i < 5; i++) await turn();
  answer();
  await over;
  await turn();
  assert.deepEqual([...new Set(told)], ['open', 'aborting', 'aborted']);
  const late = [];
  batcher.subscribe(({ status }) => late.push(status));
  assert.deepEqual(late, ['aborted']);
});

test('a generation is open, finishing, and then what its outcome says', async () => {
  const generation = client.generation('s', { ...QUICK, actorId: 'agent', messageId: 'm' });
  const begin = generation.getSnapshot();
  assert.deepEqual(begin, {
    sessionId: 's', messageId: 'm', status: 'open', pending: 0, inFlight: 0, droppedCount: 0, isHealthy: true, error: null, cleanupError: null,
  });
  const [told, heard] = [[], []];
  generation.subscribe((snapshot) => told.push(snapshot));
  const leave = generation.subscribe(() => heard.push(0));
  leave();
  for (const word of ['a', 'b']) generation.write(text(word));
  assert.equal(generation.getSnapshot().pending, 2, 'whoever reads is up to date');
  await frame();
  const outcome = await generation.finish();
  await turn();
  const end = told.at(-1);
  assert.deepEqual([end.status, end.pending, end.inFlight, end.error, heard.length], [outcome.status, 0, 0, null, 1]);
  assert.ok(told.length <= 3, `${told.length} notifications`);
  assert.equal(generation.getSnapshot(), end);
});

test('a generation says why it fails while it still ends, and what the clean-up came to', async () => {
  server.faults = { 'POST chunks/batch': [400], 'POST generations/finish': [500, 500, 500] };
  const generation = client.generation('s', { ...QUICK, actorId: 'agent' });
  const told = [];
  generation.subscribe(({ status, error }) => told.push([status, error?.code ?? null].join()), { notify: 'sync' });
  generation.write(text('a'));
  await generation.finished;
  await turn();
  assert.deepEqual([...new Set(told)], ['open,', 'finishing,batch-failed', 'failed,batch-failed']);
  assert.equal(generation.getSnapshot().cleanupError.status, 500);
});

test('a listener that throws is its own affair', async () => {
  const reported = [];
  const before = globalThis.reportError;
  globalThis.reportError = (error) => reported.push(error.message);
  const generation = client.generation('s', { ...QUICK, actorId: 'agent' });
  generation.subscribe(({ pending }) => { if (pending > 0) throw new Error('mine'); }, { notify: 'sync' });
  generation.write(text('a'));
  assert.equal((await generation.finish()).status, 'completed');
  globalThis.reportError = before;
  assert.ok(reported.includes('mine'));
});
