// Runs whose streams somebody else opens, with the real engine: what comes is the run's, once, and whoever opened it is asked again
// where he can be.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { RunClient } from '../../pkg/index.js';

// Nobody listens there: whatever asks a server fails.
const NOWHERE = 'http://127.0.0.1:1';
const RETRY = { baseMs: 1, capMs: 1 };

const ANSWER = [
  { type: 'start', messageId: 'm' }, { type: 'text-start', id: '0' }, { type: 'text-delta', id: '0', delta: 'Hel' },
  { type: 'text-delta', id: '0', delta: 'lo 😀' }, { type: 'text-end', id: '0' }, { type: 'finish' },
];

async function* inTurn(chunks) {
  for (const chunk of chunks) {
    await new Promise((resolve) => { setImmediate(resolve); });
    yield chunk;
  }
}

const inOne = (...pieces) => new ReadableStream({
  start(controller) {
    for (const piece of pieces) controller.enqueue(piece);
    controller.close();
  },
});

let client;
beforeEach(() => { client = new RunClient({ baseUrl: NOWHERE, protocol: 'ui-message', retry: RETRY }); });
afterEach(() => client.close());

test('objects, text and bytes are a run, however they are cut', async () => {
  const text = ANSWER.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('');
  const bytes = new TextEncoder().encode(text);
  const sources = [
    inTurn(ANSWER), inTurn([text.slice(0, 50), text.slice(50)]), inOne(text), inOne(bytes.slice(0, 131), bytes.slice(131)),
    inOne(bytes.buffer.slice(0, 200), bytes.buffer.slice(200)), inOne(...ANSWER, 'data: [DONE]\n\n'),
  ];
  for (const [i, source] of sources.entries()) {
    const run = client.adopt({ sessionId: `s${i}` }, source);
    assert.equal(run.getSnapshot().connection.state, 'connecting');
    const { status, text: said, runId } = await run.finished;
    assert.deepEqual([status, said, runId], ['completed', 'Hello 😀', 'm']);
    assert.equal(run.getSnapshot().connection.transport, 'adopted');
  }
});

test('a stream that ends too early is truncated, keeps its text, and cannot be had again', async () => {
  for (const source of [inTurn(ANSWER.slice(0, 3)), inOne(...ANSWER.slice(0, 3))]) {
    const run = client.adopt({ sessionId: 's' }, source);
    const { status, by, error, text } = await run.finished;
    assert.deepEqual([status, by, error.code, error.retryable, text], ['interrupted', 'server', 'truncated', false, 'Hel']);
    assert.throws(() => run.retry(), { code: 'invalid-state' });
  }
});

test('one that fails is lost as well', async () => {
  const run = client.adopt({ sessionId: 's' }, (async function* () {
    yield* inTurn(ANSWER.slice(0, 3));
    throw new Error('the other process is gone');
  })());
  assert.deepEqual(await run.finished.then(({ status, text }) => [status, text]), ['interrupted', 'Hel']);
});

test('whoever opens it is asked again, and what was heard is heard once', async () => {
  const cursors = [];
  let running;
  const run = client.adopt({ sessionId: 's' }, async (cursor) => {
    cursors.push(cursor);
    running = inTurn(cursors.length < 3 ? ANSWER.slice(0, 2 + cursors.length) : ANSWER);
    return running;
  });
  const heard = [];
  for await (const { delta } of run) if (delta) heard.push(delta);
  assert.deepEqual([cursors, heard], [[null, null, null], ['Hel', 'lo 😀']]);
  assert.equal(run.getSnapshot().text, 'Hello 😀');
});

test('with ids it is asked for what comes after them', async () => {
  const log = ['a', 'b', 'c'].map((content, i) => `id: 1-${i}\nevent: content\ndata: ${JSON.stringify({ content })}\n\n`);
  const bichat = new RunClient({ baseUrl: NOWHERE, retry: RETRY });
  const cursors = [];
  const run = bichat.adopt({ sessionId: 's', runId: 'r' }, (cursor) => {
    cursors.push(cursor);
    return inTurn(cursor === null ? log.slice(0, 2) : [log[2], 'event: done\ndata: {}\n\n']);
  });
  assert.deepEqual(await run.finished.then(({ status, text }) => [status, text]), ['completed', 'abc']);
  assert.deepEqual(cursors, [null, '1-1']);
  bichat.close();
});

test('an opener that has nothing ends the run, and one that fails is given up in time', async () => {
  const over = client.adopt({ sessionId: 'a' }, () => null);
  assert.deepEqual(await over.finished.then(({ status, error }) => [status, error.code]), ['interrupted', 'run-not-found']);
  const impatient = new RunClient({ baseUrl: NOWHERE, protocol: 'ui-message', retry: { ...RETRY, maxAttempts: 3 } });
  let asked = 0;
  const failing = impatient.adopt({ sessionId: 'b' }, async () => {
    asked += 1;
    throw new Error('not now');
  });
  assert.deepEqual(await failing.finished.then(({ status, error }) => [status, error.code, error.retryable]), ['interrupted', 'gave-up', true]);
  const before = asked;
  const again = failing.retry();
  await again.finished;
  assert.ok(asked > before, 'retry() asks again');
  impatient.close();
});

test('stop() cancels the stream, and it is the user who did', async () => {
  const cancelled = [];
  const endless = () => new ReadableStream({
    start: (controller) => ANSWER.slice(0, 3).forEach((chunk) => controller.enqueue(chunk)),
    cancel: () => { cancelled.push('stream'); },
  });
  const run = client.adopt({ sessionId: 's' }, endless());
  await new Promise((resolve) => { run.subscribe(({ text }) => text && resolve(), { notify: 'sync' }); });
  await run.stop();
  const { status, by, text } = await run.finished;
  assert.deepEqual([status, by, text, cancelled], ['cancelled', 'user', 'Hel', ['stream']]);
});

test('a run that lives has one stream: another one that is offered is let go of', async () => {
  const cancelled = [];
  const run = client.adopt({ sessionId: 's' }, inTurn(ANSWER));
  const second = new ReadableStream({ cancel: () => { cancelled.push('second'); } });
  assert.equal(client.adopt({ sessionId: 's' }, second), run);
  assert.equal((await run.finished).status, 'completed');
  assert.deepEqual(cancelled, ['second']);
});

test('what is no stream is refused by name', () => {
  for (const source of [undefined, null, 'text', {}, 7, []]) {
    assert.throws(() => client.adopt({ sessionId: 's' }, source), { code: 'invalid-argument', path: 'source' });
  }
  assert.throws(() => client.adopt({}, inTurn([])), { code: 'invalid-argument', path: 'sessionId' });
});

test('a stream whose maker falls silent ends by the limit of its own, with what it has brought (S-WD-3)', async () => {
  const silent = new ReadableStream({ start: (controller) => ANSWER.slice(0, 3).forEach((chunk) => controller.enqueue(chunk)) });
  const { status, by, error, text } = await client.adopt({ sessionId: 's' }, silent, { watchdog: { inactivityMs: 20 } }).finished;
  assert.deepEqual([status, by, error.code, error.retryable, text], ['interrupted', 'limit', 'inactivity-timeout', true, 'Hel']);
});
