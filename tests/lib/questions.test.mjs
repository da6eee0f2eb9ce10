import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { RunClient } from '../../pkg/lib/client.js';
import { foldAnswers } from '../../pkg/lib/questions.js';

const client = new RunClient({ baseUrl: '/bi-chat', protocol: 'bichat', headers: { 'X-CSRF-Token': 't' }, rpcTimeoutMs: 50 });
const accepted = { accepted: true, operation: 'question_submit', sessionId: 's', runId: 'r2', startedAt: 5 };

// Answers every request with this, and keeps what was asked.
const withServer = async (respond, run) => {
  const requests = [];
  const fetch = mock.method(globalThis, 'fetch', async (url, init) => {
    requests.push({ url, ...init, body: JSON.parse(init.body) });
    return respond(init);
  });
  try {
    return [await run(), requests];
  } finally {
    fetch.mock.restore();
  }
};

test('own words win over ticked options, and an unanswered question is left out (B-Q-1)', () => {
  assert.deepEqual(foldAnswers({
    a: { options: ['x', 'y'] }, b: { options: ['x'], customText: 'mine' }, c: { options: [] }, d: { options: ['z'], customText: '  ' }, e: {},
  }), { a: 'x, y', b: 'mine', d: 'z' });
});

test('answers go to the RPC endpoint with the client\'s headers', async () => {
  const [result, [request]] = await withServer(() => Response.json({ id: 1, result: accepted }), () => client.submitAnswers('s', 'c', { q: { options: ['x'] } }));
  assert.deepEqual(result, { success: true, data: accepted });
  assert.deepEqual([request.url, request.method, request.credentials], ['/bi-chat/rpc', 'POST', 'include']);
  assert.equal(request.headers.get('x-csrf-token'), 't');
  assert.equal(request.body.method, 'bichat.question.submit');
  assert.deepEqual(request.body.params, { sessionId: 's', checkpointId: 'c', answers: { q: 'x' } });
});

test('a rejection sends the session alone', async () => {
  const [result, [request]] = await withServer(() => Response.json({ ...accepted, operation: 'question_reject' }), () => client.rejectQuestion('s'));
  assert.equal(result.success, true);
  assert.deepEqual([request.body.method, request.body.params], ['bichat.question.reject', { sessionId: 's' }]);
});

test('whatever goes wrong is a result, never an exception', async () => {
  const hang = ({ signal }) => new Promise((resolve, reject) => {
    const fail = () => reject(signal.reason);
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail);
  });
  const cases = [
    [() => new Response('no', { status: 403 }), 'http-status'],
    [() => { throw new TypeError('Failed to fetch'); }, 'request-failed'],
    [() => new Response('<html>'), 'request-failed'],
    [() => Response.json({ result: { ...accepted, accepted: false } }), 'request-failed'],
    [() => Response.json({ result: { ...accepted, operation: 'other' } }), 'request-failed'],
    [() => Response.json({ result: { ...accepted, runId: '' } }), 'request-failed'],
    [() => Response.json({ error: { message: 'expired' } }), 'request-failed'],
    [() => Response.json(null), 'request-failed'],
    [hang, 'request-timeout'],
  ];
  for (const [respond, code] of cases) {
    const [result] = await withServer(respond, () => client.submitAnswers('s', 'c', {}));
    assert.equal(result.success, false);
    assert.equal(result.error.code, code);
  }
  const aborted = AbortSignal.abort();
  const [unasked, requests] = await withServer(hang, () => client.rejectQuestion('s', { signal: aborted }));
  assert.deepEqual([unasked.error.code, requests.length], ['aborted', 0]);
  const controller = new AbortController();
  const [given] = await withServer((init) => { controller.abort(); return hang(init); }, () => client.rejectQuestion('s', { signal: controller.signal }));
  assert.equal(given.error.code, 'aborted');
  assert.equal((await client.submitAnswers('s', 'c', null)).success, false);
  assert.equal((await client.submitAnswers('', 'c', {})).error.path, 'sessionId');
});

test('a permission is another protocol\'s', async () => {
  const { success, error } = await client.answerPermission('s', 'p', { optionId: 'allow' });
  assert.deepEqual([success, error.code, error.path], [false, 'invalid-argument', 'protocol']);
});
