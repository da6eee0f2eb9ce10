// A message that its client writes, over the real engine, in Node, against a server behind `fetch`.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { coalesce } from '../../pkg/lib/batching/deltas.js';
import { lives } from '../../pkg/lib/instance.js';
import { Generation, RunClient } from '../../pkg/index.js';
import { FakeWriting } from './fake-writing.mjs';

const [WRITE, BATCH, FINISH, CREATE] = ['POST chunks', 'POST chunks/batch', 'POST generations/finish', 'PUT '];
const QUICK = { actorId: 'agent', lingerMs: 0, baseDelayMs: 0, abortFlushMs: 20, onDrop: () => {} };

let server;
let client;
beforeEach(() => {
  server = new FakeWriting();
  server.install();
  client = newClient();
});
afterEach(() => {
  client.close();
  server.uninstall();
});

const newClient = (options) => new RunClient({ baseUrl: 'http://localhost/v1', protocol: 'chunks', ...options });
const text = (delta, more) => ({ type: 'TEXT_MESSAGE_CONTENT', delta, ...more });
const begin = (options) => client.generation('s', { ...QUICK, ...options });
const refusal = (status, body) => new Response(body && JSON.stringify(body), { status });
const count = (call) => server.calls.filter((made) => made === call).length;

test('chunks, the end and the finish come in this order', async () => {
  // S-FIN-1
  const generation = begin({ messageId: 'm1', lingerMs: 60_000, maxBatchSize: 2, segments: false });
  for (const delta of ['a', 'b', 'c']) assert.equal(generation.write(text(delta)), true);
  const outcome = await generation.finish();
  assert.deepEqual(outcome, { status: 'completed', sessionId: 's', messageId: 'm1', error: null, cleanupError: null, droppedCount: 0 });
  assert.deepEqual(server.calls, [BATCH, BATCH, WRITE, FINISH]);
  assert.deepEqual(server.told, ['a', 'b', 'c', 'message-end']);
  assert.deepEqual([server.active, lives.size, generation.write(text('late')), generation.isHealthy], [null, 0, false, false]);
  assert.deepEqual(server.requests[0].said.chunks[0], { messageId: 'm1', actorId: 'agent', role: 'assistant', chunk: text('a') });
  assert.deepEqual(server.requests.map(({ said }) => said.firstSeq), [0, 2, 3, undefined]);
  assert.deepEqual(new Set(server.requests.map(({ type }) => type)), new Set(['application/json']));
});

test('lost replies double nothing, neither of a batch nor of the end', async () => {
  server.faults = { [BATCH]: ['lost', 503, 'lost'], [WRITE]: ['lost', 'lost'], [FINISH]: ['lost', 500] };
  const generation = begin();
  generation.write(text('a'));
  generation.write(text('b'));
  assert.equal((await generation.finish()).status, 'completed');
  assert.deepEqual(server.told, ['a', 'b', 'message-end']);
  assert.deepEqual([count(WRITE), count(FINISH)], [3, 3]);
});

test('headers are asked for on every attempt, and after a 401 once more', async () => {
  let asked = 0;
  client.close();
  client = newClient({ headers: () => ({ authorization: `t${asked += 1}` }) });
  server.faults = { [BATCH]: [503, 401] };
  const generation = begin();
  generation.write(text('a'));
  await generation.finish();
  assert.deepEqual(server.requests.map(({ token }) => token), ['t1', 't2', 't3', 't4', 't5']);
  const refused = begin();
  server.faults = { [BATCH]: [401, 401] };
  refused.write(text('a'));
  const { status, error } = await refused.finished;
  assert.deepEqual([status, error.code, error.status, error.attempts], ['failed', 'batch-failed', 401, 2]);
});

test('a session that is not there is made once, with all attempts from then on, and not for each batch', async () => {
  // S-RQ-3, S-RQ-5, S-RUN-2
  server.isKnown = false;
  const generation = begin({ lingerMs: 60_000, maxBatchSize: 1 });
  server.faults = { [BATCH]: [null, 503, 503, 503] };
  for (const delta of ['a', 'b', 'c']) generation.write(text(delta));
  assert.equal((await generation.finish()).status, 'completed');
  assert.deepEqual(server.told, ['a', 'b', 'c', 'message-end']);
  assert.deepEqual(server.calls.slice(0, 7), [BATCH, CREATE, BATCH, BATCH, BATCH, BATCH, BATCH]);
  assert.equal(count(CREATE), 1);
});

test('which refusals mean that the session is not there', async () => {
  // S-RQ-3
  for (const [status, body, isMissing] of [
    [404, undefined, true], [404, { code: 'session_not_found' }, true], [404, { code: 'SESSION_NOT_FOUND' }, true], [404, { code: 'Session not found' }, true],
    [404, { code: 'MESSAGE_NOT_FOUND' }, false], [400, { code: 'INVALID_BODY' }, false], [403, undefined, false],
  ]) {
    server.requests = [];
    server.faults = { [BATCH]: [refusal(status, body)] };
    const generation = begin();
    generation.write(text('a'));
    if (isMissing) await generation.finish();
    const outcome = await generation.finished;
    assert.deepEqual([count(CREATE), outcome.status], isMissing ? [1, 'completed'] : [0, 'failed'], `${status} ${body?.code}`);
    if (!isMissing) assert.deepEqual([outcome.error.status, outcome.error.serverCode], [status, body?.code]);
  }
});

test('whoever has aborted, or closed, makes no session', async () => {
  // S-RQ-4
  for (const end of ['abort', 'close']) {
    server.requests = [];
    server.isKnown = false;
    const generation = begin({ lingerMs: 60_000 });
    generation.write(text('a'));
    if (end === 'abort') void generation.abort();
    else client.close();
    const { status, droppedCount } = await generation.finished;
    assert.deepEqual([status, droppedCount, count(CREATE)], ['aborted', 1, 0], end);
  }
});

test('a refusal has its status, its name and a bounded detail', async () => {
  // S-RQ-1
  server.faults = { [BATCH]: [refusal(400, { code: 'INVALID_BODY', error: 'x'.repeat(1_000) })] };
  const generation = begin();
  generation.write(text('a'));
  const { error } = await generation.finished;
  assert.deepEqual([error.code, error.status, error.serverCode, error.retryable], ['batch-failed', 400, 'INVALID_BODY', false]);
  assert.deepEqual([error.cause.detail.length, error.cause.code], [300, 'http-status']);
  assert.equal(count(BATCH), 1, 'S-CB-10');
});

test('an older generation of ours is ended first, and the new one meets no refusal', async () => {
  // S-RUN-1, S-RUN-3
  const older = begin({ messageId: 'm1' });
  older.write(text('a'));
  server.faults = { [WRITE]: [503], [FINISH]: [503] };
  const newer = begin({ messageId: 'm2' });
  newer.write(text('b'));
  newer.write(text('c'));
  assert.equal((await older.finished).status, 'aborted');
  // The older one's end is not taken for the newer one's.
  const third = begin({ messageId: 'm3' });
  third.write(text('d'));
  assert.deepEqual([(await third.finish()).status, (await newer.finished).status], ['completed', 'aborted']);
  assert.deepEqual(server.told, ['a', 'stop', 'b', 'c', 'stop', 'd', 'message-end']);
});

test('an older generation that is at its finish is waited for, and loses nothing', async () => {
  server.faults = { [BATCH]: [503, 503, 503] };
  const older = begin({ messageId: 'm1', lingerMs: 60_000, baseDelayMs: 20, abortFlushMs: 0 });
  older.write(text('a'));
  const finished = older.finish();
  const newer = begin({ messageId: 'm2' });
  newer.write(text('b'));
  assert.deepEqual([(await finished).status, (await newer.finish()).status], ['completed', 'completed']);
  assert.deepEqual(server.told, ['a', 'message-end', 'b', 'message-end']);
});

test('somebody who takes the session while a finish waits is named, too', async () => {
  const generation = begin({ lingerMs: 60_000 });
  generation.write(text('a'));
  server.active = 'theirs';
  const { status, error } = await generation.finish();
  assert.deepEqual([status, error.code, server.calls], ['failed', 'generation-mismatch', [BATCH]]);
});

test('somebody else in the session is a typed error at once, and nothing of theirs is ended', async () => {
  // S-RUN-3
  server.active = 'theirs';
  const generation = begin();
  generation.write(text('a'));
  const { status, error } = await generation.finished;
  assert.deepEqual([status, error.code, error.status, error.serverCode, error.detail], ['failed', 'generation-mismatch', 409, 'GENERATION_MISMATCH', 'theirs']);
  assert.deepEqual([server.calls, server.active], [[BATCH], 'theirs']);
});

test('on request somebody else is waited for, for so long', async () => {
  server.active = 'theirs';
  const generation = begin({ whenBusy: 'wait', lingerMs: 60_000 });
  generation.write(text('a'));
  server.onRequest = () => { if (count(BATCH) === 2) server.active = null; };
  assert.equal((await generation.finish()).status, 'completed');
  assert.deepEqual([server.told, count(BATCH)], [['a', 'message-end'], 2]);
  server.active = 'theirs';
  server.onRequest = () => {};
  const other = begin({ whenBusy: 'wait', waitMs: 0 });
  other.write(text('b'));
  assert.equal((await other.finished).error.code, 'generation-mismatch');
});

test('an end that cannot be written one by one goes as a batch', async () => {
  // S-FIN-2
  server.faults = { [WRITE]: [503, 503, 503] };
  const generation = begin();
  generation.write(text('a'));
  assert.equal((await generation.finish()).status, 'completed');
  assert.deepEqual(server.calls.slice(-5), [WRITE, WRITE, WRITE, BATCH, FINISH]);
  assert.deepEqual(server.told, ['a', 'message-end']);
});

test('behind an end that could not be written nothing is finished', async () => {
  // S-FIN-2, S-FIN-3
  const generation = begin();
  generation.write(text('a'));
  server.faults = { [WRITE]: [400], [BATCH]: [null, 503, 503, 503] };
  const { status, error } = await generation.finish();
  assert.deepEqual([status, error.code, error.status], ['failed', 'end-not-sent', 503]);
  assert.deepEqual([count(BATCH), count(FINISH)], [4, 0]);
});

test('of a session that somebody took in between nothing is ended', async () => {
  const generation = begin();
  generation.write(text('a'));
  server.onRequest = (call) => { if (call === WRITE) server.active = 'theirs'; };
  const { status, error } = await generation.finish();
  assert.deepEqual([status, error.code, error.serverCode], ['failed', 'end-not-sent', 'GENERATION_MISMATCH']);
  assert.deepEqual([server.calls, server.active], [[BATCH, WRITE], 'theirs']);
});

test('an end behind a batch of which nobody knows whether it arrived is written, known or not', async () => {
  server.faults = { [BATCH]: ['lost', 'lost', 'lost', 'lost'] };
  const generation = begin();
  generation.write(text('a'));
  const { status, error, droppedCount } = await generation.finished;
  assert.deepEqual([status, error.code, error.attempts, droppedCount], ['failed', 'batch-failed', 4, 1]);
  assert.deepEqual(server.told, ['a', 'RUN_ERROR']);
});

test("a proxy's page is no receipt", async () => {
  server.faults = { [BATCH]: [new Response('<html>')], [WRITE]: [new Response('{}')], [FINISH]: [new Response('')] };
  const generation = begin();
  generation.write(text('a'));
  assert.equal((await generation.finish()).status, 'completed');
  assert.deepEqual([server.told, server.calls], [['a', 'message-end'], [BATCH, BATCH, WRITE, WRITE, FINISH, FINISH]]);
});

test('nothing goes out for somebody who has aborted while headers were asked for', async () => {
  client.close();
  let give;
  client = newClient({ headers: () => new Promise((resolve) => { give = resolve; }) });
  const generation = begin({ abortFlushMs: 0 });
  generation.write(text('a'));
  await null;
  await null;
  assert.equal((await generation.abort()).status, 'aborted');
  give({});
  await new Promise((resolve) => { setImmediate(resolve); });
  assert.deepEqual(server.calls, []);
});

test('two deltas are one where they differ in nothing else', () => {
  const one = text('a', { messageId: 't', content: 'a', timestamp: 1 });
  assert.deepEqual(coalesce(one, text('b', { messageId: 't', content: 'ab', timestamp: 2 })), text('ab', { messageId: 't', content: 'ab', timestamp: 2 }));
  for (const other of [text('b', { messageId: 'u', content: 'ab', timestamp: 2 }), text('b', { messageId: 't', content: 'ab' }), text('b'), { ...one, type: 'STEP_FINISHED' }]) {
    assert.equal(coalesce(one, other), null);
  }
});

test('a finish that fails is told, and fails nothing', async () => {
  // S-FIN-4
  server.faults = { [FINISH]: [500, refusal(500, { ok: false, code: 'FINISH_FAILED' }), 500] };
  const generation = begin();
  generation.write(text('a'));
  const { status, error, cleanupError } = await generation.finish();
  assert.deepEqual([status, error, cleanupError.code, cleanupError.status, count(FINISH)], ['completed', null, 'http-status', 500, 3]);
});

test('of what never went out there is nothing to end', async () => {
  // S-FIN-5
  client.close();
  client = newClient({ headers: () => { throw new Error('no token'); } });
  const generation = begin();
  generation.write(text('a'));
  const { status, error } = await generation.finished;
  assert.deepEqual([status, error.code, server.calls], ['failed', 'batch-failed', []]);
  assert.deepEqual([(await begin().finish()).status, server.calls], ['completed', []]);
});

test('everything behind a finish is bounded in time, also when the server is stuck', async () => {
  // S-FIN-6
  const stuck = () => Array(20).fill('stuck');
  for (const [faults, status, code, isCleanup] of [
    [{ [BATCH]: stuck() }, 'failed', 'request-timeout', false],
    [{ [WRITE]: stuck(), [BATCH]: [null, ...stuck()] }, 'failed', 'end-not-sent', false],
    [{ [FINISH]: stuck() }, 'completed', 'request-timeout', true],
  ]) {
    server.faults = faults;
    const generation = begin({ finishTimeoutMs: 20, requestTimeoutMs: 60_000, abortFlushMs: 10 });
    generation.write(text('a'));
    const outcome = await generation.finish();
    assert.deepEqual([outcome.status, (isCleanup ? outcome.cleanupError : outcome.error).code], [status, code]);
    assert.equal(lives.size, 0);
    server.active = null;
  }
});

test('an attempt that hangs is given up and made again', async () => {
  server.faults = { [BATCH]: ['stuck', 'stuck'] };
  const generation = begin({ requestTimeoutMs: 20 });
  generation.write(text('a'));
  assert.equal((await generation.finish()).status, 'completed');
  assert.deepEqual(server.told, ['a', 'message-end']);
});

test('an abort sends what the model has said so far, and tells that it was stopped', async () => {
  // S-CB-13
  const signal = new AbortController();
  const generation = begin({ lingerMs: 60_000, signal: signal.signal });
  generation.write(text('so far'));
  signal.abort();
  const { status, error } = await generation.finished;
  assert.deepEqual([status, error, server.told], ['aborted', null, ['so far', 'stop']]);
  assert.deepEqual(server.log[1].reason, 'aborted');
  const early = begin({ signal: AbortSignal.abort() });
  assert.deepEqual([early.write(text('x')), (await early.finished).status], [false, 'aborted']);
});

test('an abort ends a wait for the rest of a finish', async () => {
  const generation = begin({ lingerMs: 60_000 });
  server.faults = { [BATCH]: [new Response(null, { status: 503, headers: { 'retry-after': '60' } })] };
  generation.write(text('a'));
  const heard = new Promise((resolve) => { server.onRequest = resolve; });
  const finished = generation.finish();
  await heard;
  // The refusal's body is read in a few turns.
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => { setImmediate(resolve); });
  await generation.abort();
  assert.equal((await finished).status, 'completed');
  assert.deepEqual(server.told, ['a', 'message-end']);
});

test('a model that falls silent ends its message as failed, with what it has said', async () => {
  // S-WD-2, S-WD-3
  const silent = begin({ watchdog: { firstEventMs: 10 } });
  const { status, error } = await silent.finished;
  assert.deepEqual([status, error.code, error.retryable, server.calls], ['failed', 'first-event-timeout', true, []]);
  const stalled = begin({ watchdog: { inactivityMs: 10 }, lingerMs: 60_000 });
  stalled.write(text('half'));
  const outcome = await stalled.finished;
  assert.equal(outcome.error.code, 'inactivity-timeout');
  assert.deepEqual(server.told, ['half', 'RUN_ERROR']);
  assert.equal(server.log[1].error.code, 'inactivity-timeout');
});

test('a finish clears the watchdog before anything is waited for', async () => {
  // S-WD-4
  const generation = begin({ watchdog: { inactivityMs: 30 }, requestTimeoutMs: 60, lingerMs: 60_000 });
  server.faults = { [BATCH]: ['stuck'] };
  generation.write(text('a'));
  assert.deepEqual([(await generation.finish()).status, server.told], ['completed', ['a', 'message-end']]);
});

test('text behind a tool is a segment of its own', async () => {
  // S-SEG-1
  const generation = begin({ messageId: 'm' });
  const tool = (type) => ({ type, toolCallId: 't' });
  for (const chunk of [text('a'), text('b'), tool('TOOL_CALL_START'), tool('TOOL_CALL_END'), text('c'), text('c'), text('d', { segmentId: 'own' }), tool('TOOL_CALL_START'), text('e')]) {
    generation.write(chunk);
  }
  await generation.finish();
  const ids = server.log.filter(({ delta }) => delta).map(({ segmentId }) => segmentId);
  assert.deepEqual(ids, ['m:text-0', 'm:text-0', 'm:text-1', 'm:text-1', 'own', 'm:text-2']);
});

test('with a stuck server deltas of one thing are made one, and nothing else', async () => {
  // S-CB-9
  server.faults = { [BATCH]: ['stuck'] };
  const generation = begin({ maxBatchSize: 1, maxBufferSize: 5, requestTimeoutMs: 50, segments: false });
  const words = Array.from({ length: 100 }, (_, n) => `w${n} `);
  generation.write({ type: 'TOOL_CALL_START', toolCallId: 't' });
  for (const word of words.slice(0, 50)) generation.write(text(word));
  generation.write({ type: 'TOOL_CALL_END', toolCallId: 't' });
  for (const word of words.slice(50)) generation.write(text(word));
  assert.equal(generation.pending, 5);
  assert.equal((await generation.finish()).droppedCount, 0);
  assert.equal(server.log.map(({ delta = '' }) => delta).join(''), words.join(''));
  assert.equal(server.told.filter((what) => what === 'TOOL_CALL_END').length, 1);
  const at = server.told.indexOf('TOOL_CALL_END');
  assert.equal(server.told.slice(1, at).join(''), words.slice(0, 50).join(''));
});

test('with a server that is stuck for long the oldest text goes, and is told of: what waits is bounded in its length, too', async () => {
  // S-CB-9
  server.faults = { [BATCH]: ['stuck'] };
  let told = 0;
  const generation = begin({
    maxBatchSize: 1, maxBufferSize: 5, requestTimeoutMs: 50, segments: false, onDrop: (chunks) => { told += chunks.length; },
  });
  const words = Array.from({ length: 4000 }, (_, n) => `${n} `.padStart(10, 'w'));
  generation.write({ type: 'TOOL_CALL_START', toolCallId: 't' });
  for (const word of words) generation.write(text(word));
  assert.equal(generation.pending, 5);
  const { droppedCount } = await generation.finish();
  assert.ok(droppedCount > 0 && droppedCount === told);
  const said = server.log.map(({ delta = '' }) => delta).join('');
  assert.ok(words.join('').endsWith(said) && said.length > 4096 && said.length <= 5 * 4096, `${said.length} units`);
  assert.equal(server.told[0], 'TOOL_CALL_START');
});

test('what makes no sense is named', async () => {
  for (const [options, path] of [
    [undefined, 'options'], [{}, 'actorId'], [{ actorId: 'a', role: 'robot' }, 'role'], [{ actorId: 'a', lingerMs: -1 }, 'lingerMs'],
    [{ actorId: 'a', whenBusy: 'later' }, 'whenBusy'], [{ actorId: 'a', watchdog: { first: 1 } }, 'watchdog.first'], [{ actorId: 'a', linger: 1 }, 'linger'],
  ]) assert.throws(() => client.generation('s', options), { code: 'invalid-argument', path });
  assert.throws(() => client.generation('', QUICK), { path: 'sessionId' });
  const generation = begin();
  for (const chunk of [null, 'text', {}, { type: 1 }]) assert.throws(() => generation.write(chunk), { path: 'chunk' });
  await generation.abort();
  assert.throws(() => new Generation(), { code: 'invalid-state' });
  client.close();
  assert.throws(() => begin(), { code: 'invalid-state' });
  client = new RunClient({ baseUrl: 'http://localhost' });
  assert.throws(() => begin(), { code: 'invalid-argument', path: 'protocol' });
});
