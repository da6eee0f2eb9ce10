import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunEventsConnectError, SteadyStreamError, toError } from '../../pkg/lib/errors.js';
import { STREAM_EVENT_TYPES, TERMINAL_STREAM_EVENT_TYPES, isTerminalEvent, toRunEvent } from '../../pkg/lib/events.js';
import { createRequestId } from '../../pkg/lib/request-id.js';
import { readTextBlockOffsets } from '../../pkg/lib/text-blocks.js';
import { headerSource } from '../../pkg/lib/headers.js';

const V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('there are sixteen event names, and exactly four of them end a run (B-ES-1)', () => {
  assert.equal(new Set(STREAM_EVENT_TYPES).size, 16);
  assert.deepEqual(TERMINAL_STREAM_EVENT_TYPES, ['done', 'cancelled', 'error', 'failed']);
  assert.deepEqual(STREAM_EVENT_TYPES.filter(isTerminalEvent), [...TERMINAL_STREAM_EVENT_TYPES]);
  assert.equal(isTerminalEvent('content'), false);
});

test('a payload without a type gets the name of its event (B-ES-2, B-PARSE-4)', () => {
  assert.deepEqual(toRunEvent({ name: 'ping', data: { timestamp: 1 } }), { timestamp: 1, type: 'ping' });
  assert.deepEqual(toRunEvent({ name: 'content', data: { type: 'chunk', content: 'a' } }), { type: 'chunk', content: 'a' });
  assert.equal(toRunEvent({ name: 'message', data: { content: '' } }).type, 'content');
  assert.equal(toRunEvent({ name: 'message', data: {} }).type, 'error');
  assert.equal(toRunEvent({ name: 'content', data: { type: '', content: 'a' } }).type, 'content');
});

test('a terminal event whose data is null still says that it is the end (B-ES-5)', () => {
  assert.deepEqual(toRunEvent({ name: 'done', id: null, data: null }), { type: 'done' });
});

test('a malformed event becomes one error event that is told from the server\'s own (B-ES-4)', () => {
  const event = toRunEvent({ malformed: true, name: 'content', id: null });
  assert.equal(event.type, 'error');
  assert.equal(event.code, 'malformed-event');
  assert.match(event.error, /malformed content event/);
});

test('request ids are UUID v4, with and without the platform\'s generator (B-SEND-1)', () => {
  const real = Object.getOwnPropertyDescriptor(globalThis, 'crypto');
  const withCrypto = (value) => Object.defineProperty(globalThis, 'crypto', { value, configurable: true });
  const { crypto } = globalThis;
  try {
    for (const source of [crypto, { getRandomValues: (bytes) => crypto.getRandomValues(bytes) }, undefined]) {
      withCrypto(source);
      const ids = Array.from({ length: 50 }, createRequestId);
      for (const id of ids) assert.match(id, V4);
      assert.equal(new Set(ids).size, 50);
    }
  } finally {
    Object.defineProperty(globalThis, 'crypto', real);
  }
});

test('offsets in stored metadata are taken as they come, and only the numbers among them (B-TB-4)', () => {
  assert.deepEqual(readTextBlockOffsets({ text_block_offsets: [17.9, '3', NaN, -1, null, 0, Infinity, 32] }), [17, 0, 32]);
  for (const metadata of [undefined, null, {}, { text_block_offsets: 'x' }, 7]) assert.deepEqual(readTextBlockOffsets(metadata), []);
});

test('an error says what came and keeps only what is known', () => {
  const error = toError({ code: 'http-status', retryable: false, status: 404, attempts: null, detail: 'no such session' });
  assert.ok(error instanceof SteadyStreamError && error instanceof Error);
  assert.equal(error.message, 'The server answered HTTP 404, there is no such thing; expected a 2xx status. The server said: no such session');
  assert.equal('attempts' in error, false);
  assert.equal(toError(null), null);
});

test('a status that people meet has words for them (S-UI-3)', () => {
  const words = (status) => toError({ code: 'http-status', retryable: false, status }).message;
  const plain = words(418);
  assert.equal(plain, 'The server answered HTTP 418; expected a 2xx status.');
  const all = [401, 403, 404, 429, 500, 502, 503].map((status) => words(status).replace(/\d{3}/, '418'));
  assert.equal(new Set([...all, plain]).size, 8);
});

test('the connect grace has a class of its own', () => {
  const error = new RunEventsConnectError({ code: 'connect-failed', retryable: true, status: 503 });
  assert.ok(error instanceof RunEventsConnectError && error instanceof SteadyStreamError);
  assert.equal(error.name, 'RunEventsConnectError');
  assert.equal(error.status, 503);
});

test('every code has a sentence', () => {
  const codes = ['connect-failed', 'disconnected', 'http-status', 'unauthorized', 'content-type', 'gave-up', 'stalled', 'connect-timeout', 'run-not-found',
    'run-ended', 'server-error', 'first-event-timeout', 'inactivity-timeout', 'batch-failed', 'generation-mismatch', 'end-not-sent', 'malformed-event', 'event-too-large', 'truncated', 'aborted', 'invalid-argument', 'invalid-state',
    'engine-crashed', 'wasm-blocked', 'not-ready', 'queue-full', 'request-failed', 'request-timeout'];
  for (const code of codes) {
    const { message } = new SteadyStreamError(code, { path: 'x', got: 'y', expected: 'z' });
    assert.match(message, /^[A-Zx].{20,}/, code);
    assert.doesNotMatch(message, /undefined|null/, code);
  }
  assert.match(new SteadyStreamError('wasm-blocked').message, /script-src 'self' 'wasm-unsafe-eval'/);
});

test('the headers function is asked on every attempt, never while the engine is calling', async () => {
  let asked = 0;
  const source = headerSource(() => ({ 'X-CSRF-Token': String(++asked) }));
  const first = source();
  assert.equal(asked, 0);
  assert.equal((await first).get('x-csrf-token'), '1');
  assert.equal((await source()).get('x-csrf-token'), '2');
  assert.notEqual(await headerSource({ a: 'b' })(), await headerSource({ a: 'b' })());
  assert.equal(headerSource(undefined), undefined);
});
