// One bounded request: whose end it was, and what is left of it.
import assert from 'node:assert/strict';
import { afterEach, mock, test } from 'node:test';
import { request } from '../../pkg/lib/request.js';

afterEach(() => mock.restoreAll());

const stuck = (_, { signal }) => new Promise((_resolve, reject) => {
  signal.addEventListener('abort', () => reject(signal.reason));
});
const read = (response) => response.json();
const ask = (server, rest) => request({ timeoutMs: 1000, ...server }, 'POST', '/x', { read, ...rest });

test('headers that are never there are bounded in time, and given up with their caller', async () => {
  const fetch = mock.method(globalThis, 'fetch', stuck);
  const headers = () => new Promise(() => {});
  await assert.rejects(ask({ headers, timeoutMs: 5 }), { code: 'request-timeout', retryable: true });
  const controller = new AbortController();
  const asked = ask({ headers }, { signal: controller.signal });
  controller.abort();
  await assert.rejects(asked, { code: 'aborted', retryable: false });
  await assert.rejects(ask({}, { signal: controller.signal }), { code: 'aborted' });
  assert.equal(fetch.mock.callCount(), 0, 'nothing has gone out');
});

test('a limit that runs out is told from an abort, and either from the network', async () => {
  mock.method(globalThis, 'fetch', stuck);
  await assert.rejects(ask({ timeoutMs: 5 }), { code: 'request-timeout' });
  const controller = new AbortController();
  const asked = ask({}, { signal: controller.signal });
  controller.abort();
  await assert.rejects(asked, { code: 'aborted' });
  mock.method(globalThis, 'fetch', async () => { throw new TypeError('Failed to fetch'); });
  await assert.rejects(ask({}), { code: 'request-failed', retryable: true });
});

test('JSON says so, a form says it itself, and nothing is kept open', async () => {
  const asked = [];
  mock.method(globalThis, 'fetch', async (_, init) => {
    asked.push(init);
    return Response.json({ n: asked.length });
  });
  const headers = async () => new Headers({ 'content-type': 'text/x', a: 'b' });
  assert.deepEqual(await ask({ headers }, { body: '{}' }), { n: 1 });
  assert.deepEqual(await ask({ headers }, { body: new FormData() }), { n: 2 });
  assert.deepEqual(asked.map((init) => [init.headers.get('content-type'), init.headers.get('a')]), [['application/json', 'b'], [null, 'b']]);
  assert.ok(asked.every(({ signal }) => signal.aborted), 'a body that nobody reads is let go');
});
