import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { RunClient } from '../../pkg/lib/client.js';
import { RunStream } from '../../pkg/lib/run-stream.js';
import { FakeRaw, appended, settle, useFakeEngine } from './fake-engine.mjs';

useFakeEngine();

const newClient = (options) => new RunClient({ baseUrl: '/bi-chat', protocol: 'bichat', ...options });
const completed = { state: { status: 'completed', by: 'server' }, end: true };
const interrupted = { state: { status: 'interrupted', by: 'limit', error: { code: 'gave-up', retryable: true, attempts: 3 } }, end: true };

const opened = (run = { sessionId: 's', runId: 'r' }, options, clientOptions) => {
  const client = newClient(clientOptions);
  const stream = client.open(run, options);
  return { client, stream, raw: FakeRaw.latest };
};

// An AbortController that counts who listens to it.
const countingController = () => {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args) => { listeners++; add(...args); };
  signal.removeEventListener = (...args) => { listeners--; remove(...args); };
  return { controller, signal, count: () => listeners };
};

test('a client that is made and not used touches nothing', () => {
  FakeRaw.latest = undefined;
  const client = newClient();
  assert.equal(client.connection.getSnapshot().state, 'closed');
  client.close();
  assert.equal(FakeRaw.latest, undefined);
});

test('send carries the message as the server wants it, with the caller\'s request id verbatim', () => {
  const client = newClient();
  client.send('s', 'hello', { requestId: 'mine' });
  client.send('t', { content: 'hi', debugMode: true, model: 'm', sessionId: 'ignored' }, { requestId: 'other' });
  const [first, second] = FakeRaw.latest.made('send');
  assert.deepEqual([first[0], first[1], JSON.parse(first[2])],
    ['s', 'mine', { debugMode: false, attachments: [], content: 'hello', sessionId: 's', requestId: 'mine' }]);
  assert.deepEqual(JSON.parse(second[2]), { debugMode: true, attachments: [], content: 'hi', model: 'm', sessionId: 't', requestId: 'other' });
});

test('a message of a durable stream is its own id', () => {
  const client = newClient({ protocol: 'chunks' });
  client.send('s', 'hello', { requestId: 'mine' });
  client.send('s', { content: 'hi', role: 'system', actorId: 'a', messageId: 'ignored' }, { requestId: 'other' });
  const [first, second] = FakeRaw.latest.made('send').map(([, , body]) => JSON.parse(body));
  assert.deepEqual(first, { messageId: 'mine', content: 'hello', role: 'user', txid: 'mine' });
  assert.deepEqual(second, { messageId: 'other', content: 'hi', role: 'system', actorId: 'a', txid: 'other' });
});

test('send mints one request id per call', () => {
  const client = newClient();
  const first = client.send('s', 'a').getSnapshot().requestId;
  assert.match(first, /^[0-9a-f-]{36}$/);
  assert.notEqual(client.send('s', 'b').getSnapshot().requestId, first);
});

test('the same request id while the run lives is the same stream, sent once', () => {
  const client = newClient();
  const stream = client.send('s', 'a', { requestId: 'q' });
  assert.equal(client.send('s', 'a', { requestId: 'q' }), stream);
  assert.equal(FakeRaw.latest.made('send').length, 1);
});

test('what cannot be sent is refused by name', () => {
  const client = newClient();
  const cyclic = {};
  cyclic.self = cyclic;
  for (const message of [undefined, null, 7, [], cyclic]) {
    assert.throws(() => client.send('s', message), { code: 'invalid-argument', path: 'message' });
  }
  assert.throws(() => client.send('', 'a'), { code: 'invalid-argument', path: 'sessionId' });
  assert.throws(() => client.send('s', 'a', { requestId: '' }), { code: 'invalid-argument', path: 'requestId' });
  assert.throws(() => client.send('s', 'a', { signal: 1 }), { code: 'invalid-argument', path: 'signal' });
  assert.throws(() => client.open({ runId: 'r' }), { code: 'invalid-argument', path: 'sessionId' });
});

test('an already aborted signal sends nothing, and the run says so (B-SEND-9b)', async () => {
  FakeRaw.latest = undefined;
  const stream = newClient().send('s', 'a', { signal: AbortSignal.abort() });
  assert.equal(FakeRaw.latest, undefined);
  assert.equal(stream.getSnapshot().status, 'interrupted');
  assert.equal(stream.getSnapshot().error.code, 'aborted');
  assert.equal((await stream.finished).by, 'user');
});

test('a run that was never sent can be retried, which sends it', () => {
  const stream = newClient().send('s', 'a', { signal: AbortSignal.abort(), requestId: 'q' });
  const again = stream.retry();
  assert.equal(FakeRaw.latest.made('send')[0][1], 'q');
  assert.equal(again.getSnapshot().status, 'pending');
});

test('a live run opened again is the same stream; after close it is a new one', () => {
  const { client, stream } = opened();
  assert.equal(client.open({ sessionId: 's', runId: 'r' }), stream);
  assert.equal(client.open({ sessionId: 's' }), stream);
  assert.notEqual(client.open({ sessionId: 's', runId: 'other' }), stream);
  stream.close();
  assert.notEqual(client.open({ sessionId: 's', runId: 'r' }), stream);
});

test('a sent run is found by the run id that the server gave it', () => {
  const client = newClient();
  const stream = client.send('s', 'a');
  FakeRaw.latest.tell(1, { state: { runId: 'r7', status: 'streaming' } });
  assert.equal(client.open({ sessionId: 's', runId: 'r7' }), stream);
});

test('a subscriber gets one snapshot a flush, and parts keep their identity', () => {
  const { stream, raw } = opened();
  const heard = [];
  stream.subscribe((snapshot) => heard.push(snapshot));
  raw.emit(1, { state: { status: 'streaming' }, ...appended(0, 'Hel', true) }, 'Hel');
  raw.emit(1, appended(0, 'lo'), 'lo');
  raw.frame();
  raw.frame();
  assert.deepEqual(heard.map(({ text }) => text), ['', 'Hello']);
  assert.equal(stream.getSnapshot(), heard[1]);
  assert.ok(Object.isFrozen(heard[1]));
  raw.tell(1, { state: { cursor: '5-0' } });
  assert.equal(heard[2].parts, heard[1].parts);
  assert.equal(heard[2].cursor, '5-0');
});

test('text of a run that is gone does not end up in another', () => {
  const { stream, raw } = opened();
  stream.subscribe(() => {});
  raw.emit(99, appended(0, 'gone', true), 'gone');
  raw.tell(1, appended(0, 'mine', true), 'mine');
  assert.equal(stream.getSnapshot().text, 'mine');
});

test('nothing is told while the caller is still inside the library', async () => {
  const { stream } = opened();
  const heard = [];
  stream.subscribe(({ status }) => heard.push(status));
  stream.close();
  assert.equal(stream.getSnapshot().status, 'interrupted');
  assert.deepEqual(heard, ['pending']);
  await settle();
  assert.deepEqual(heard, ['pending', 'interrupted']);
});

test('a run nobody watches leaves its text in the engine until someone reads', () => {
  const { stream, raw } = opened();
  raw.tell(1, { state: { status: 'streaming' }, ...appended(0, 'abc', true) }, 'abc');
  raw.calls.length = 0;
  assert.equal(stream.getSnapshot().text, 'abc');
  assert.equal(raw.made('read').length, 1);
  const leave = stream.subscribe(() => {});
  raw.calls.length = 0;
  stream.getSnapshot();
  assert.equal(raw.made('read').length, 0);
  leave();
  assert.deepEqual(raw.made('watch'), [[1, -1]]);
});

test('the text of an unwatched run is whole after its end, and only then its slot is freed', async () => {
  const { stream, raw } = opened();
  raw.tell(1, appended(0, 'abc', true), 'abc');
  raw.tell(1, completed);
  assert.deepEqual(raw.made('release'), []);
  assert.equal((await stream.finished).text, 'abc');
  assert.deepEqual(raw.made('release'), [[1]]);
  assert.equal(stream.getSnapshot().text, 'abc');
});

test('a late subscriber of an unwatched, finished run gets its text at once', () => {
  const { stream, raw } = opened();
  raw.tell(1, { ...appended(0, 'abc', true), ...completed }, 'abc');
  const heard = [];
  stream.subscribe(({ text, status }) => heard.push([text, status]));
  assert.deepEqual(heard, [['abc', 'completed']]);
});

test('finished resolves for each of the four ends, with whose decision it was', async () => {
  const error = (code) => ({ code, retryable: false });
  const cases = [
    [{ status: 'completed' }, 'server'],
    [{ status: 'cancelled' }, 'server'],
    [{ status: 'failed', error: error('server-error') }, 'server'],
    [{ status: 'interrupted', error: error('gave-up') }, 'limit'],
    [{ status: 'interrupted', error: error('aborted') }, 'user'],
    [{ status: 'cancelled' }, 'user'],
  ];
  for (const [state, by] of cases) {
    const { stream, raw } = opened();
    const { finished } = stream;
    raw.tell(1, { state: { ...state, by }, ...appended(0, 'x', true), end: true }, 'x');
    const outcome = await finished;
    assert.deepEqual([outcome.status, outcome.by, outcome.text, outcome.runId], [state.status, by, 'x', 'r']);
    assert.equal('by' in stream.getSnapshot(), false);
    assert.equal(outcome.error, stream.getSnapshot().error);
    assert.equal(await stream.finished, outcome);
  }
});

test('stop asks the server once, and is done when it has answered', async () => {
  const { stream, raw } = opened();
  const stopped = stream.stop();
  assert.deepEqual(raw.made('stop'), [['s']]);
  raw.emit(1, { state: { status: 'cancelled', by: 'user' }, end: true });
  raw.answer(1, {});
  raw.frame();
  await stopped;
  assert.equal((await stream.finished).by, 'user');
});

test('stop on a finished run asks nothing: the session may be running another one', async () => {
  const { stream, raw } = opened();
  raw.tell(1, completed);
  await stream.stop();
  assert.deepEqual(raw.made('stop'), []);
});

test('stop warns when the server answers badly or late, and throws when it cannot be asked (B-STOP-1)', async () => {
  const warn = mock.method(console, 'warn', () => {});
  try {
    const client = newClient();
    const reply = async (error) => {
      const stopped = client.stop('s');
      FakeRaw.latest.answer(FakeRaw.latest.made('stop').length, { ok: false, error });
      FakeRaw.latest.frame();
      return stopped;
    };
    await reply({ code: 'http-status', status: 500, retryable: true });
    await reply({ code: 'request-timeout', retryable: true });
    assert.equal(warn.mock.callCount(), 2);
    await assert.rejects(reply({ code: 'request-failed', retryable: true }), { code: 'request-failed' });
  } finally {
    warn.mock.restore();
  }
});

test('aborting watches no longer, and the caller\'s signal is let go when the run settles (B-ES-6)', async () => {
  for (const end of ['abort', 'complete']) {
    const { controller, signal, count } = countingController();
    const { stream, raw } = opened(undefined, { signal });
    assert.equal(count(), 1);
    if (end === 'abort') controller.abort();
    else raw.tell(1, completed);
    assert.equal(count(), 0);
    assert.equal(raw.made('close').length, end === 'abort' ? 1 : 0);
    assert.equal((await stream.finished).status, end === 'abort' ? 'interrupted' : 'completed');
  }
});

test('the signal of a second opener works on the shared stream', async () => {
  const { client, stream } = opened();
  const { controller, signal, count } = countingController();
  assert.equal(client.open({ sessionId: 's', runId: 'r' }, { signal }), stream);
  controller.abort();
  assert.equal((await stream.finished).by, 'user');
  assert.equal(count(), 0);
});

test('retry goes on in the same slot with the same transcript, and the old stream keeps its last snapshot', async () => {
  const { client, stream, raw } = opened();
  stream.subscribe(() => {});
  raw.tell(1, { ...appended(0, 'abc', true), ...interrupted }, 'abc');
  const last = stream.getSnapshot();
  assert.equal(last.error.attempts, 3);
  const next = stream.retry();
  assert.equal(raw.made('retry')[0][0], 1);
  assert.match(raw.made('retry')[0][1], /^[0-9a-f-]{36}$/);
  assert.deepEqual([next.getSnapshot().status, next.getSnapshot().text, next.getSnapshot().error], ['pending', 'abc', null]);
  assert.equal(next.getSnapshot().parts, last.parts);
  next.subscribe(() => {});
  raw.tell(1, { ...appended(0, 'd'), ...completed }, 'd');
  assert.equal((await next.finished).text, 'abcd');
  assert.equal(stream.getSnapshot(), last);
  assert.equal((await stream.finished).status, 'interrupted');
  assert.ok(next instanceof RunStream);
  client.close();
});

test('a sent run is retried with its message under a new request id', () => {
  const client = newClient();
  const stream = client.send('s', { content: 'a', model: 'm' }, { requestId: 'q' });
  const raw = FakeRaw.latest;
  raw.tell(1, { state: { status: 'failed', error: { code: 'server-error', retryable: true } }, end: true });
  const next = stream.retry();
  const [[, requestId, body]] = raw.made('retry');
  assert.notEqual(requestId, 'q');
  assert.deepEqual(JSON.parse(body), { debugMode: false, attachments: [], content: 'a', model: 'm', sessionId: 's', requestId });
  raw.tell(1, interrupted);
  next.retry();
  assert.notEqual(raw.made('retry')[1][1], requestId);
});

test('retry is refused unless the run was interrupted or failed, and works once', () => {
  const { stream, raw } = opened();
  assert.throws(() => stream.retry(), { code: 'invalid-state' });
  raw.tell(1, interrupted);
  stream.retry();
  assert.throws(() => stream.retry(), { code: 'invalid-state' });
  const done = opened();
  done.raw.tell(1, completed);
  assert.throws(() => done.stream.retry(), { code: 'invalid-state', message: /completed/ });
});

test('closing a settled run frees its slot and leaves its snapshot', () => {
  const { stream, raw } = opened();
  raw.tell(1, { ...appended(0, 'abc', true), ...interrupted }, 'abc');
  stream.close();
  assert.deepEqual(raw.made('release'), [[1]]);
  assert.equal(stream.getSnapshot().text, 'abc');
  assert.throws(() => stream.retry(), { code: 'invalid-state' });
});

test('for await sees every event of the wire in order, and ends with the run', async () => {
  const { stream, raw } = opened();
  const seen = [];
  const reading = (async () => {
    for await (const event of stream) seen.push(event);
  })();
  assert.deepEqual(raw.made('listen'), [[1, true]]);
  raw.tell(1, { events: [{ name: 'ping', id: null, data: {} }, { name: 'content', id: '1-0', data: { type: 'content', content: 'a' } }] });
  await settle();
  raw.tell(1, { events: [{ flap: { code: 'disconnected', retryable: true } }] });
  raw.tell(1, { events: [{ name: 'done', id: '2-0', data: null }], ...completed });
  await reading;
  assert.deepEqual(seen.map(({ type }) => type), ['ping', 'content', 'done']);
  for await (const event of stream) assert.fail(event);
});

test('leaving a for await stops the collecting', async () => {
  const { stream, raw } = opened();
  raw.emit(1, { events: [{ name: 'ping', id: null, data: {} }] });
  const reading = (async () => {
    for await (const event of stream) return event.type;
    return undefined;
  })();
  raw.frame();
  assert.equal(await reading, 'ping');
  assert.deepEqual(raw.made('listen'), [[1, true], [1, false]]);
});

test('resume attaches to what is running, and to nothing when nothing is', async () => {
  const client = newClient();
  const reply = (body, extra) => {
    FakeRaw.latest.answer(FakeRaw.latest.made('status').length, { body, ...extra });
    FakeRaw.latest.frame();
  };
  let resumed = client.resume('s');
  reply({ active: true, runId: 'r9', startedAt: 1 });
  assert.equal((await resumed).getSnapshot().runId, 'r9');
  resumed = client.resume('t');
  reply({ active: false });
  assert.equal(await resumed, null);
  resumed = client.resume('u');
  reply({ sessionId: 'u', activeMessageId: 'm4' });
  assert.equal((await resumed).getSnapshot().runId, 'm4');
  for (const idle of [{ sessionId: 't', activeMessageId: null }, { sessionId: 't' }]) {
    resumed = client.resume('t');
    reply(idle);
    assert.equal(await resumed, null);
  }
  const warn = mock.method(console, 'warn', () => {});
  resumed = client.resume('t');
  reply(null, { ok: false, error: { code: 'http-status', status: 404, retryable: false } });
  assert.equal(await resumed, null);
  assert.equal(warn.mock.callCount(), 0);
  resumed = client.resume('t');
  reply(null, { ok: false, error: { code: 'http-status', status: 500, retryable: true } });
  assert.equal(await resumed, null);
  assert.equal(warn.mock.callCount(), 1);
  warn.mock.restore();
  resumed = client.resume('t');
  reply(null, { ok: false, error: { code: 'request-failed', retryable: true } });
  await assert.rejects(resumed, { code: 'request-failed' });
});

test('resume of a marked run waits passively while another one runs, then gives null (B-RES-5)', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const client = newClient();
    const resumed = client.resume('s', { runId: 'mine' });
    const raw = FakeRaw.latest;
    for (const status of [{ active: true, runId: 'theirs' }, { active: true, runId: 'theirs' }, { active: false }]) {
      raw.answer(raw.made('status').length, { body: status });
      raw.frame();
      await settle();
      mock.timers.tick(2000);
      await settle();
    }
    assert.equal(await resumed, null);
    assert.equal(raw.made('status').length, 3);
    assert.deepEqual(raw.made('open'), []);
  } finally {
    mock.timers.reset();
  }
});

test('an aborted resume gives null without asking again', async () => {
  const client = newClient();
  assert.equal(await client.resume('s', { signal: AbortSignal.abort() }), null);
  const controller = new AbortController();
  const resumed = client.resume('s', { runId: 'mine', signal: controller.signal });
  FakeRaw.latest.answer(1, { body: { active: true, runId: 'theirs' } });
  FakeRaw.latest.frame();
  await settle();
  controller.abort();
  assert.equal(await resumed, null);
  assert.equal(FakeRaw.latest.made('status').length, 1);
  // Nor does it wait for an answer that is still on its way.
  const impatient = countingController();
  const unanswered = client.resume('s', { signal: impatient.signal });
  impatient.controller.abort();
  assert.equal(await unanswered, null);
  FakeRaw.latest.answer(2, { body: { active: false } });
  FakeRaw.latest.frame();
  await settle();
  assert.equal(impatient.count(), 0);
});

test('the connection store shows the most worrying live run, and a settled one no more', () => {
  const client = newClient();
  client.open({ sessionId: 'a', runId: '1' });
  client.open({ sessionId: 'b', runId: '2' });
  const raw = FakeRaw.latest;
  const heard = [];
  client.connection.subscribe(({ state }) => heard.push(state));
  const connection = (state, more) => ({ state: { connection: { state, attempt: 0, retryAt: null, transport: 'fetch', error: null, ...more } } });
  raw.emit(1, connection('open'));
  raw.tell(2, connection('reconnecting', { attempt: 2, retryAt: performance.now() + 500 }));
  const { retryAt } = client.connection.getSnapshot();
  assert.ok(Math.abs(retryAt - Date.now() - 500) < 200, 'retryAt is unix ms');
  raw.tell(2, connection('open'));
  raw.tell(1, connection('open'));
  raw.emit(2, completed);
  raw.tell(1, completed);
  assert.deepEqual(heard, ['closed', 'reconnecting', 'open', 'closed']);
});

test('a badge that two runs share is calm when both are', () => {
  const client = newClient();
  client.open({ sessionId: 'a', runId: '1' });
  client.open({ sessionId: 'b', runId: '2' });
  const raw = FakeRaw.latest;
  const heard = [];
  client.connection.subscribe(({ state, error }) => heard.push(error ? `${state} ${error.code}` : state));
  const open = (code) => ({
    state: { connection: { state: 'open', attempt: 0, retryAt: null, transport: 'fetch', error: code ? { code, retryable: true } : null } },
  });
  raw.emit(1, open('disconnected'));
  raw.tell(2, open('disconnected'));
  raw.tell(1, open());
  raw.tell(1, completed);
  raw.tell(2, open());
  raw.tell(2, completed);
  // Twice, because each has an error of its own.
  assert.deepEqual(heard, ['closed', 'open disconnected', 'open disconnected', 'open', 'closed']);
});

test('the badge is what it is now to whoever reads it, and a listener hears of that afterwards', async () => {
  const { client, stream, raw } = opened();
  const heard = [];
  client.connection.subscribe(({ state }) => heard.push(state));
  raw.emit(1, { state: { connection: { state: 'open', attempt: 0, retryAt: null, transport: 'fetch', error: null } } });
  assert.equal(client.connection.getSnapshot().state, 'open', 'before any frame');
  assert.equal(client.connection.getSnapshot(), client.connection.getSnapshot());
  assert.deepEqual(heard, ['closed']);
  await settle();
  assert.deepEqual(heard, ['closed', 'open']);
  assert.equal(stream.getSnapshot().connection.state, 'open');
  client.close();
  assert.equal(client.connection.getSnapshot().state, 'closed');
  await settle();
  assert.deepEqual(heard, ['closed', 'open', 'closed']);
});

test('what was flushed before its frame is told with the frame, and the end at once', () => {
  const frames = [];
  globalThis.requestAnimationFrame = (fn) => frames.push(fn);
  globalThis.cancelAnimationFrame = () => {};
  try {
    const client = newClient();
    const calm = client.open({ sessionId: 'a', runId: '1' });
    client.open({ sessionId: 'b', runId: '2' });
    const raw = FakeRaw.latest;
    const heard = [];
    calm.subscribe(({ text }) => heard.push(text));
    const badge = [];
    client.connection.subscribe(({ state }) => badge.push(state));
    raw.emit(1, appended(0, 'abc', true), 'abc');
    raw.emit(2, { state: { connection: { state: 'open', attempt: 0, retryAt: null, transport: 'fetch', error: null } } });
    raw.hurry();
    raw.hurry();
    assert.deepEqual([heard, badge], [[''], ['closed']]);
    frames.at(-1)();
    assert.deepEqual([heard, badge], [['', 'abc'], ['closed', 'open']]);
    raw.emit(1, completed);
    raw.hurry();
    assert.equal(heard.length, 3);
  } finally {
    delete globalThis.requestAnimationFrame;
    delete globalThis.cancelAnimationFrame;
  }
});

test('a run that settles before the frame takes the badge along with the frame, though nothing else waits for it', () => {
  const frames = [];
  globalThis.requestAnimationFrame = (fn) => frames.push(fn);
  globalThis.cancelAnimationFrame = () => {};
  try {
    const client = newClient();
    client.open({ sessionId: 'a', runId: '1' }).subscribe(() => {});
    const raw = FakeRaw.latest;
    const badge = [];
    client.connection.subscribe(({ state }) => badge.push(state));
    raw.tell(1, { state: { connection: { state: 'open', attempt: 0, retryAt: null, transport: 'fetch', error: null } } });
    raw.emit(1, completed);
    raw.hurry();
    assert.deepEqual(badge, ['closed', 'open']);
    frames.at(-1)();
    assert.deepEqual(badge, ['closed', 'open', 'closed']);
  } finally {
    delete globalThis.requestAnimationFrame;
    delete globalThis.cancelAnimationFrame;
  }
});

test('states are urgent while somebody hears of the connection without delay, also if nothing was begun yet', () => {
  const client = newClient();
  const leave = client.connection.subscribe(() => {}, { notify: 'sync' });
  client.open({ sessionId: 's', runId: 'r' });
  const raw = FakeRaw.latest;
  assert.deepEqual(raw.made('watchStates'), [[true]]);
  client.connection.subscribe(() => {});
  assert.equal(raw.made('watchStates').length, 1);
  leave();
  assert.deepEqual(raw.made('watchStates'), [[true], [false]]);
});

test('an error said twice is the same object', () => {
  const { stream, raw } = opened();
  stream.subscribe(() => {});
  const state = { connection: { state: 'reconnecting', attempt: 1, retryAt: 5000, transport: null, error: { code: 'stalled', retryable: true } } };
  raw.tell(1, { state });
  const first = stream.getSnapshot().connection;
  raw.tell(1, { state });
  assert.equal(stream.getSnapshot().connection, first);
});

test('closing the client ends every run as if one by one, once, and frees the engine outside any call', async () => {
  const { client, stream, raw } = opened();
  raw.tell(1, appended(0, 'abc', true), 'abc');
  const asked = client.resume('s');
  client.close();
  client.close();
  assert.deepEqual([stream.getSnapshot().status, stream.getSnapshot().text], ['interrupted', 'abc']);
  assert.deepEqual([raw.made('shutdown').length, raw.made('free').length], [1, 0]);
  assert.equal((await stream.finished).by, 'user');
  assert.equal(await asked, null);
  await settle();
  assert.equal(raw.made('free').length, 1);
  assert.throws(() => client.open({ sessionId: 's' }), { code: 'invalid-state' });
  assert.throws(() => stream.retry(), { code: 'invalid-state' });
  await assert.rejects(client.stop('s'), { code: 'invalid-state' });
  stream.close();
  await stream.stop();
});

test('using closes', () => {
  const { client, stream, raw } = opened();
  stream[Symbol.dispose]();
  assert.equal(raw.made('close').length, 1);
  client[Symbol.dispose]();
  assert.equal(raw.made('shutdown').length, 1);
});

test('a listener may do anything, even close everything, and the others still hear', async () => {
  const { client, stream, raw } = opened();
  const other = client.open({ sessionId: 't', runId: 'q' });
  const heard = [];
  stream.subscribe(({ status }) => { if (status === 'streaming') client.close(); });
  stream.subscribe(({ status }) => heard.push(status));
  other.subscribe(({ status }) => heard.push(`other ${status}`));
  raw.tell(1, { state: { status: 'streaming' } });
  await settle();
  assert.deepEqual(heard, ['pending', 'other pending', 'interrupted', 'other interrupted']);
});

test('the engine gets the numbers among the options, in its order', () => {
  const client = newClient({
    retry: { baseMs: 1, capMs: 2, stableMs: 3, giveUpAfterMs: 4, maxAttempts: 5, jitter: 'none' },
    liveness: { stallMs: 6, floorMs: 7, firstByteMs: 13 },
    connectGraceMs: 8, connectTimeoutMs: 9, statusTimeoutMs: 10, stopTimeoutMs: 11, maxEventBytes: 12,
    transports: ['eventsource', 'fetch'], eventLog: false, shareAcrossTabs: true,
    outbox: { maxMessages: 16, maxBytes: Infinity },
    watchdog: { firstEventMs: 14, inactivityMs: 15 },
  });
  client.open({ sessionId: 's' });
  assert.deepEqual([...FakeRaw.latest.numbers], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 0, 0, 32, 13, 1, 14, 15, 16, Infinity]);
});

test('a run may have limits of its own for the silence of its maker, and most have none', () => {
  const client = newClient();
  client.open({ sessionId: 's', runId: 'r' });
  const { latest: raw } = FakeRaw;
  assert.deepEqual(raw.made('limit'), []);
  client.send('s', 'why?', { watchdog: { firstEventMs: 30_000 } });
  client.open({ sessionId: 't' }, { watchdog: { inactivityMs: Infinity } });
  assert.deepEqual(raw.made('limit').map(([, first, inactivity]) => [first, inactivity]), [[30_000, 0], [0, Infinity]]);
  for (const begin of [(options) => client.send('s', 'x', options), (options) => client.open({ sessionId: 's' }, options)]) {
    assert.throws(() => begin({ watchdog: { first: 1 } }), { code: 'invalid-argument', path: 'watchdog.first' });
    assert.throws(() => begin({ watchdog: 3 }), { path: 'watchdog' });
  }
});

test('a stream does not come from new', () => {
  assert.throws(() => new RunStream(), { code: 'invalid-state' });
});

test('a run that has ended a moment ago is found again without a request, and later is not', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { client, stream, raw } = opened();
    raw.emit(1, appended(0, 'abc', true), 'abc');
    raw.tell(1, completed);
    assert.equal(client.open({ sessionId: 's', runId: 'r' }), stream);
    assert.equal(stream.getSnapshot().text, 'abc');
    assert.notEqual(client.open({ sessionId: 's' }), stream, 'what runs now is another question');
    assert.notEqual(client.open({ sessionId: 's', runId: 'other' }), stream);
    const asked = raw.made('open').length;
    mock.timers.tick(29_999);
    assert.equal(client.open({ sessionId: 's', runId: 'r' }), stream);
    assert.equal(raw.made('open').length, asked);
    mock.timers.tick(1);
    assert.notEqual(client.open({ sessionId: 's', runId: 'r' }), stream);
    client.close();
  } finally {
    mock.timers.reset();
  }
});

test('a message that is sent again right after its answer is not sent', () => {
  const client = newClient();
  const stream = client.send('s', 'Hello', { requestId: 'q' });
  const raw = FakeRaw.latest;
  raw.tell(1, completed);
  assert.equal(client.send('s', 'Hello', { requestId: 'q' }), stream);
  assert.equal(raw.made('send').length, 1);
  client.close();
});

test('what was lost is not kept, nor anything with a time of 0 or after the client', () => {
  const { client, stream, raw } = opened();
  raw.tell(1, interrupted);
  assert.notEqual(client.open({ sessionId: 's', runId: 'r' }), stream);
  const forgetful = opened(undefined, undefined, { replay: { ttlMs: 0 } });
  forgetful.raw.tell(1, completed);
  assert.notEqual(forgetful.client.open({ sessionId: 's', runId: 'r' }), forgetful.stream);
  const over = opened();
  over.raw.tell(1, completed);
  over.client.close();
  assert.throws(() => over.client.open({ sessionId: 's', runId: 'r' }), { code: 'invalid-state' });
});

test('onSettled hears of each end once, after the listeners, and text that nobody reads stays where it is', () => {
  const heard = [];
  const options = { onSettled: (stream) => heard.push(stream) };
  const { stream, raw } = opened(undefined, undefined, options);
  raw.emit(1, appended(0, 'abc', true), 'abc');
  raw.tell(1, completed);
  assert.deepEqual(heard, [stream]);
  assert.deepEqual(raw.made('release'), []);
  const watched = opened(undefined, undefined, { onSettled: () => { heard.push('hook'); throw new Error('theirs'); } });
  heard.length = 0;
  const reported = mock.method(console, 'error', () => {});
  watched.stream.subscribe(({ status }) => heard.push(status));
  watched.raw.tell(1, interrupted);
  assert.deepEqual(heard, ['pending', 'interrupted', 'hook']);
  assert.equal(reported.mock.callCount(), 1);
  reported.mock.restore();
  assert.throws(() => newClient({ onSettled: 7 }), { code: 'invalid-argument', path: 'onSettled' });
  assert.throws(() => newClient({ replay: { ttlMs: -1 } }), { code: 'invalid-argument', path: 'replay.ttlMs' });
  assert.throws(() => newClient({ replay: { ttl: 1 } }), { code: 'invalid-argument', path: 'replay.ttl' });
});

test('what is kept is bounded in bytes, read or not: the oldest goes first', () => {
  const client = newClient({ replay: { maxBytes: 10 } });
  const streams = ['a', 'b', 'c'].map((runId) => client.open({ sessionId: 's', runId }));
  const raw = FakeRaw.latest;
  const isKept = () => streams.map((stream, i) => client.open({ sessionId: 's', runId: 'abc'[i] }) === stream);
  raw.heldBytes = { 1: 6, 2: 4, 3: 1 };
  raw.tell(1, completed);
  raw.tell(2, completed);
  assert.deepEqual(isKept(), [true, true, true]);
  raw.tell(3, completed);
  assert.deepEqual(isKept(), [false, true, true]);
  const watched = client.open({ sessionId: 's', runId: 'large' });
  watched.subscribe(() => {});
  const slot = raw.made('open').length;
  raw.emit(slot, appended(0, 'more than ten', true), 'more than ten');
  raw.tell(slot, completed);
  assert.deepEqual(isKept().slice(1), [false, false], 'what is too large by itself drives out all others, and itself');
  client.close();
});
