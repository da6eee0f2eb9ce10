import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { RunClient } from '../../pkg/lib/client.js';
import { RunEventsConnectError } from '../../pkg/lib/errors.js';
import { FakeRaw, settle, useFakeEngine } from './fake-engine.mjs';

useFakeEngine();

const event = (name, data, id = null) => ({ name, id, data });
const ended = (status, code, more) => ({ state: { status, error: code ? { code, retryable: false, ...more } : null }, end: true });

const subscribed = (options = {}) => {
  const client = new RunClient({ baseUrl: '/bi-chat', protocol: 'bichat' });
  const chunks = [];
  const errors = [];
  const settled = client.subscribeRunEvents('s', 'r', {
    onChunk: (chunk, id) => chunks.push([chunk.type, id]), onError: (error) => errors.push(error.code), ...options,
  });
  return { client, settled, chunks, errors, raw: FakeRaw.latest };
};

test('chunks come in order with their ids, and the end of the run resolves (B-ES-3)', async () => {
  const { settled, chunks, raw } = subscribed({ lastEventId: '4-0' });
  assert.deepEqual(raw.made('subscribe'), [['s', 'r', '4-0']]);
  raw.tell(1, { events: [event('ping', {}), event('content', { content: 'a' }, '5-0')] });
  raw.tell(1, { events: [event('done', { type: 'done' }, '6-0')], ...ended('completed') });
  await settled;
  assert.deepEqual(chunks, [['ping', null], ['content', '5-0'], ['done', '6-0']]);
  assert.deepEqual(raw.made('release'), [[1]]);
});

test('every terminal event resolves, the run\'s own failure too (B-ES-3)', async () => {
  for (const [status, code] of [['completed'], ['cancelled'], ['failed', 'server-error']]) {
    const { settled, raw } = subscribed();
    raw.tell(1, ended(status, code));
    await settled;
  }
});

test('a callback that throws is reported and kills nothing, even on the terminal chunk (B-ES-5)', async () => {
  const report = mock.method(console, 'error', () => {});
  try {
    const { settled, raw } = subscribed({ onChunk: () => { throw new Error('mine'); }, onError: () => { throw new Error('mine too'); } });
    raw.tell(1, { events: [event('content', {}), { flap: { code: 'stalled', retryable: true } }] });
    raw.tell(1, { events: [event('done', null)], ...ended('completed') });
    await settled;
    assert.equal(report.mock.callCount(), 3);
  } finally {
    report.mock.restore();
  }
});

test('a malformed event is one error chunk, and a later done still settles (B-ES-4)', async () => {
  const { settled, chunks, raw } = subscribed();
  raw.tell(1, { events: [{ malformed: true, name: 'content', id: null }, event('done', {})], ...ended('completed') });
  await settled;
  assert.deepEqual(chunks.map(([type]) => type), ['error', 'done']);
});

test('a failure within the grace tells onError once and rejects with its own class and the status (B-ES-7)', async () => {
  const { settled, errors, raw } = subscribed();
  const error = { code: 'connect-failed', retryable: true, status: 503 };
  raw.tell(1, { events: [{ flap: error }], state: { status: 'failed', error }, end: true });
  await assert.rejects(settled, (failure) => failure instanceof RunEventsConnectError && failure.status === 503);
  assert.deepEqual(errors, ['connect-failed']);
});

test('a flap later is told and not fatal; giving up is (B-ES-8, B-ES-10)', async () => {
  const { settled, errors, raw } = subscribed();
  const flap = { flap: { code: 'stalled', retryable: true } };
  raw.tell(1, { events: [event('ping', {}), flap] });
  raw.tell(1, { events: [flap] });
  raw.tell(1, ended('interrupted', 'gave-up', { attempts: 8 }));
  await assert.rejects(settled, { code: 'gave-up', attempts: 8 });
  assert.deepEqual(errors, ['stalled', 'stalled']);
});

test('an aborted subscription resolves and forwards nothing after (B-ES-6)', async () => {
  const controller = new AbortController();
  const chunks = [];
  const { settled, raw } = subscribed({ signal: controller.signal, onChunk: ({ type }) => { chunks.push(type); controller.abort(); } });
  raw.tell(1, { events: [event('ping', {}), event('content', {})] });
  await settled;
  raw.frame();
  assert.deepEqual(chunks, ['ping']);
  assert.equal(raw.made('close').length, 1);
});

test('an already aborted signal resolves without any request (B-ES-6)', async () => {
  FakeRaw.latest = undefined;
  await subscribed({ signal: AbortSignal.abort() }).settled;
  assert.equal(FakeRaw.latest, undefined);
});

test('closing the client resolves a subscription: its caller\'s side has ended it', async () => {
  const { client, settled } = subscribed();
  client.close();
  await settled;
});

test('a flush of any size is delivered', async () => {
  let count = 0;
  const { settled, raw } = subscribed({ onChunk: () => count++ });
  raw.tell(1, { events: Array.from({ length: 300_000 }, () => event('ping', {})), ...ended('completed') });
  await settled;
  assert.equal(count, 300_000);
});

test('wrong arguments reject by name', async () => {
  const client = new RunClient({ baseUrl: '/bi-chat', protocol: 'bichat' });
  const onChunk = () => {};
  await assert.rejects(client.subscribeRunEvents('s', '', { onChunk }), { path: 'runId' });
  await assert.rejects(client.subscribeRunEvents('s', 'r', {}), { path: 'onChunk' });
  await assert.rejects(client.subscribeRunEvents('s', 'r', { onChunk, onError: 1 }), { path: 'onError' });
  await assert.rejects(client.subscribeRunEvents('s', 'r', { onChunk, lastEventId: 5 }), { path: 'lastEventId' });
});

test('its connection counts for the badge', async () => {
  const { client, raw } = subscribed();
  raw.tell(1, { state: { connection: { state: 'offline', attempt: 1, retryAt: null, transport: null, error: null } } });
  assert.equal(client.connection.getSnapshot().state, 'offline');
  await settle();
});
