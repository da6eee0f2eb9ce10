// A run by its name (client.run): who listens opens it, whoever leaves last closes it after a grace, and what the page has in its own
// hands stays open. The package against a server in this process.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { RunClient } from '../../pkg/index.js';
import { until } from '../e2e/support/until.mjs';

const page = new EventTarget();
const never = { graceMs: Infinity };
const atOnce = { graceMs: 0 };

let server;
let baseUrl;
let client;
/** sessionId -> { runId, words, isOver, streams } */
let runs;
/** `METHOD path`, in order. */
let asked;
/** Of each event log that was asked for. */
let cursors;
/** The runs whose event logs were. */
let followed;
let isDown;

const frames = (run, from) => run.words.slice(from)
  .map((content, i) => `id: ${from + i + 1}-0\ndata: ${JSON.stringify({ type: 'content', content, runId: run.runId })}\n\n`).join('');
const LAST = 'id: 999999-0\ndata: {"type":"done"}\n\n';

const answer = (response, run, from) => {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-run-id': run.runId });
  response.write(`: open\n\n${frames(run, from)}${run.isOver ? LAST : ''}`);
  run.streams.add(response);
  response.on('close', () => run.streams.delete(response));
};

before(async () => {
  globalThis.addEventListener = page.addEventListener.bind(page);
  globalThis.removeEventListener = page.removeEventListener.bind(page);
  server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://here');
    const what = `${request.method} ${pathname.replace('/api/stream', '')}`;
    asked.push(what);
    if (isDown) return request.socket.destroy();
    let body = '';
    for await (const chunk of request) body += chunk;
    const sessionId = searchParams.get('sessionId') ?? (body && JSON.parse(body).sessionId);
    const run = runs.get(sessionId);
    if (what === 'GET /status') return response.end(JSON.stringify({ active: run !== undefined && !run.isOver, runId: run?.runId }));
    if (what === 'POST /stop') {
      if (run) end(sessionId, 'cancelled');
      return response.end('{}');
    }
    if (what === 'POST ') {
      const begun = begin(sessionId, 'sent');
      answer(response, begun, 0);
      return response.write(`data: {"type":"stream_started","runId":"${begun.runId}"}\n\n`);
    }
    followed.add(searchParams.get('runId'));
    cursors.push(request.headers['last-event-id'] ?? null);
    return answer(response, run, Number((cursors.at(-1) ?? '0').split('-')[0]));
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  baseUrl = `http://127.0.0.1:${server.address().port}/api`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  [runs, asked, cursors, followed, isDown] = [new Map(), [], [], new Set(), false];
  client = new RunClient({ baseUrl, retry: { baseMs: 1, capMs: 1 } });
});
afterEach(() => client.close());

const begin = (sessionId, runId, ...words) => {
  const run = { runId, words, isOver: false, streams: new Set() };
  runs.set(sessionId, run);
  return run;
};
const say = (sessionId, ...words) => {
  const run = runs.get(sessionId);
  const from = run.words.length;
  run.words.push(...words);
  for (const stream of run.streams) stream.write(frames(run, from));
};
const end = (sessionId, type = 'done') => {
  const run = runs.get(sessionId);
  run.isOver = true;
  for (const stream of run.streams) stream.end(LAST.replace('done', type));
};
const streams = (sessionId) => runs.get(sessionId).streams.size;
const count = (what) => asked.filter((each) => each === what).length;
const shows = (view, text) => until(() => view.getSnapshot().text === text, `${text} to be shown`);
const nothing = () => {};
// Timers of one length fire in the order in which they were made.
const graceOver = () => new Promise((resolve) => { setTimeout(resolve, 0); });

test('nothing is asked before somebody listens, and the same name gives the same store', () => {
  const view = client.run({ sessionId: 's', runId: 'r' });
  assert.equal(client.run({ runId: 'r', sessionId: 's' }), view);
  assert.notEqual(client.run({ sessionId: 's' }), view);
  assert.deepEqual([view.getSnapshot().status, client.run({ sessionId: 's' }).getSnapshot().status], ['pending', 'idle']);
  assert.equal(view.getSnapshot(), view.getServerSnapshot());
  assert.equal(view.getSnapshot().runId, 'r');
  assert.deepEqual(asked, []);
});

test('what is wrong is said at once', () => {
  const wrong = (path, ...args) => assert.throws(() => client.run(...args), { code: 'invalid-argument', path });
  wrong('sessionId', {});
  wrong('runId', { sessionId: 's', runId: 7 });
  wrong('graceMs', { sessionId: 's' }, { graceMs: -1 });
  wrong('notify', { sessionId: 's' }, { notify: 'soon' });
  assert.throws(() => client.run({ sessionId: 's' }).subscribe(), { code: 'invalid-argument' });
  assert.throws(() => client.run({ sessionId: 's' }).subscribe(nothing, { notify: 'soon' }), { code: 'invalid-argument' });
});

test('mounted, unmounted and mounted again, by two at once: one connection', async () => {
  begin('s', 'r', 'Hello');
  const view = client.run({ sessionId: 's', runId: 'r' });
  view.subscribe(nothing)();
  const leave = view.subscribe(nothing);
  leave();
  leave();
  client.run({ sessionId: 's', runId: 'r' }).subscribe(nothing);
  await shows(view, 'Hello');
  assert.deepEqual(asked, ['GET /events']);
});

test('the last one to leave closes it after the grace, once', async () => {
  begin('s', 'r', 'Hello');
  const view = client.run({ sessionId: 's', runId: 'r' }, atOnce);
  const [first, second] = [view.subscribe(nothing), view.subscribe(nothing)];
  await shows(view, 'Hello');
  first();
  say('s', ' you');
  await shows(view, 'Hello you');
  second();
  await until(() => streams('s') === 0, 'the connection to be closed');
  assert.deepEqual([view.getSnapshot().status, view.getSnapshot().connection.state], ['streaming', 'closed']);
});

test('whoever comes back after the grace is shown what was there, and goes on after its cursor', async () => {
  begin('s', 'r', 'Hello');
  const view = client.run({ sessionId: 's', runId: 'r' }, atOnce);
  const leave = view.subscribe(nothing);
  await shows(view, 'Hello');
  leave();
  await until(() => streams('s') === 0, 'the connection to be closed');
  assert.equal(view.getSnapshot().text, 'Hello');
  say('s', ' you');
  const texts = [];
  view.subscribe(({ text }) => texts.push(text), { notify: 'sync' });
  await shows(view, 'Hello you');
  assert.deepEqual([texts[0], cursors], ['Hello', [null, '1-0']]);
});

test('its end while nobody looked is told to whoever comes back', async () => {
  begin('s', 'r', 'Hello');
  const view = client.run({ sessionId: 's' }, atOnce);
  const leave = view.subscribe(nothing);
  await shows(view, 'Hello');
  leave();
  await until(() => streams('s') === 0, 'the connection to be closed');
  say('s', ' you');
  end('s');
  const texts = [];
  view.subscribe(({ text }) => texts.push(text));
  await until(() => view.getSnapshot().status === 'completed', 'the end');
  assert.deepEqual([view.getSnapshot().text, texts[0]], ['Hello you', 'Hello']);
  assert.equal(count('GET /status'), 1);
});

test('within the grace it ends like any other, and its end is there for whoever comes back', async () => {
  begin('s', 'r', 'Hello');
  const view = client.run({ sessionId: 's', runId: 'r' }, never);
  view.subscribe(nothing)();
  say('s', ' you');
  end('s');
  await until(() => view.getSnapshot().status === 'completed', 'the end');
  const told = [];
  view.subscribe((snapshot) => told.push(snapshot));
  assert.deepEqual(told.map(({ status, text }) => [status, text]), [['completed', 'Hello you']]);
  assert.deepEqual(asked, ['GET /events']);
});

test('without a runId: what the server says runs there, by one status request', async () => {
  begin('s', 'r', 'Hello');
  const view = client.run({ sessionId: 's' });
  const told = [];
  view.subscribe(({ status, runId }) => told.push([status, runId]));
  await shows(view, 'Hello');
  assert.deepEqual(told[0], ['idle', null]);
  assert.equal(view.getSnapshot().runId, 'r');
  assert.deepEqual(asked, ['GET /status', 'GET /events']);
});

test('where nothing runs it says so, without an error', async () => {
  const view = client.run({ sessionId: 's' });
  const told = [];
  view.subscribe((snapshot) => told.push(snapshot));
  await until(() => view.getSnapshot().status === 'none', 'the answer');
  assert.deepEqual(told, [view.getServerSnapshot(), { ...view.getServerSnapshot(), status: 'none' }]);
  await view.stop();
  assert.throws(() => view.retry(), { code: 'invalid-state' });
});

test('a send is followed at once, and is the very stream that send() gave', async () => {
  const view = client.run({ sessionId: 's' });
  const told = [];
  view.subscribe((snapshot) => told.push(snapshot));
  const stream = client.send('s', 'Hi');
  assert.equal(view.getSnapshot(), stream.getSnapshot());
  assert.equal(told.at(-1).status, 'pending');
  await until(() => runs.get('s')?.runId === 'sent', 'the send');
  say('s', 'Hello');
  await shows(view, 'Hello');
  assert.equal(view.getSnapshot(), stream.getSnapshot());
  assert.equal(count('POST '), 1);
  assert.equal(client.open({ sessionId: 's', runId: 'sent' }), stream);
});

test('what the page itself has sent is not closed by those who leave', async () => {
  const settled = [];
  client.close();
  client = new RunClient({ baseUrl, onSettled: (stream) => settled.push(stream.getSnapshot().text) });
  const stream = client.send('s', 'Hi');
  const view = client.run({ sessionId: 's' }, atOnce);
  const leave = view.subscribe(nothing);
  await until(() => runs.has('s'), 'the send');
  leave();
  await graceOver();
  say('s', 'Hello');
  end('s');
  await stream.finished;
  assert.deepEqual([settled, view.getSnapshot().status], [['Hello'], 'completed']);
});

test('nor is one that was opened for a view and then by the page', async () => {
  begin('s', 'r', 'Hello');
  const view = client.run({ sessionId: 's', runId: 'r' }, atOnce);
  const leave = view.subscribe(nothing);
  await shows(view, 'Hello');
  const stream = client.open({ sessionId: 's', runId: 'r' });
  leave();
  await graceOver();
  end('s');
  assert.equal((await stream.finished).status, 'completed');
  assert.equal(count('GET /events'), 1);
});

test('two views of one run share it, and the last of them closes it', async () => {
  begin('s', 'r', 'Hello');
  const named = client.run({ sessionId: 's', runId: 'r' }, atOnce);
  const session = client.run({ sessionId: 's' }, atOnce);
  const leave = [named.subscribe(nothing)];
  await shows(named, 'Hello');
  leave.push(session.subscribe(nothing));
  assert.equal(session.getSnapshot(), named.getSnapshot());
  leave[0]();
  await graceOver();
  assert.equal(streams('s'), 1);
  leave[1]();
  await until(() => streams('s') === 0, 'the connection to be closed');
  assert.equal(count('GET /events'), 1);
});

test('a message that is sent while another run is shown takes its place, and that one is closed', async () => {
  begin('s', 'r', 'Hello');
  const view = client.run({ sessionId: 's' });
  view.subscribe(nothing);
  await shows(view, 'Hello');
  const old = runs.get('s');
  client.send('s', 'again');
  assert.equal(view.getSnapshot().status, 'pending');
  await until(() => old.streams.size === 0, 'the old connection to be closed');
});

test('sent while the server was still asked: what was found later is not shown', async () => {
  begin('s', 'r', 'old');
  const view = client.run({ sessionId: 's' });
  view.subscribe(nothing);
  const stream = client.send('s', 'Hi');
  await until(() => runs.get('s').runId === 'sent', 'the send');
  say('s', 'new');
  await shows(view, 'new');
  assert.equal(view.getSnapshot(), stream.getSnapshot());
  assert.deepEqual([...followed], ['sent']);
});

test('left while the server was still asked: nothing is opened', async () => {
  begin('s', 'r', 'Hello');
  const view = client.run({ sessionId: 's' }, atOnce);
  view.subscribe(nothing)();
  await until(() => count('GET /status') === 1, 'the question');
  await client.stop('other');
  assert.equal(streams('s'), 0);
});

test('whoever is told may leave, and begin another run', async () => {
  const view = client.run({ sessionId: 's' }, atOnce);
  const [first, second] = [[], []];
  let leaveSecond = nothing;
  let again;
  let hasBegun = false;
  view.subscribe(({ requestId }) => {
    first.push(requestId);
    if (requestId === null || hasBegun) return;
    hasBegun = true;
    leaveSecond();
    again = client.send('s', 'and another');
  });
  leaveSecond = view.subscribe(({ requestId }) => second.push(requestId));
  const one = client.send('s', 'one');
  const [{ requestId: idOfOne }, { requestId: idOfOther }] = [one.getSnapshot(), again.getSnapshot()];
  assert.deepEqual([first, second], [[null, idOfOne, idOfOther], [null]]);
  one.close();
  await one.finished;
  await graceOver();
  assert.deepEqual([first.at(-1), second, view.getSnapshot().requestId], [idOfOther, [null], idOfOther], 'nobody hears of the first any more');
});

test('switched through quickly: only where the reader stays is anything left open', async () => {
  for (const id of ['a', 'b', 'c']) begin(id, `run ${id}`, id);
  const view = (sessionId) => client.run({ sessionId, runId: `run ${sessionId}` }, atOnce);
  for (const id of ['a', 'b', 'a', 'c', 'a', 'b']) view(id).subscribe(nothing)();
  view('c').subscribe(nothing);
  await shows(view('c'), 'c');
  await until(() => streams('a') === 0 && streams('b') === 0, 'what was left to be closed');
  assert.equal(streams('c'), 1);
});

test('a server that cannot be reached is an error in the snapshot, and retry() asks again', async () => {
  isDown = true;
  const view = client.run({ sessionId: 's' });
  view.subscribe(nothing);
  await until(() => view.getSnapshot().error, 'the error');
  assert.deepEqual([view.getSnapshot().status, view.getSnapshot().error.code], ['idle', 'request-failed']);
  isDown = false;
  begin('s', 'r', 'Hello');
  view.retry();
  await shows(view, 'Hello');
  assert.equal(view.getSnapshot().error, null);
});

test('retry() of an interrupted run: all that show it go on with it, from its cursor', async () => {
  client.close();
  client = new RunClient({ baseUrl, retry: { baseMs: 1, capMs: 1, maxAttempts: 2 } });
  begin('s', 'r', 'Hello');
  const [named, session] = [client.run({ sessionId: 's', runId: 'r' }), client.run({ sessionId: 's' })];
  named.subscribe(nothing);
  session.subscribe(nothing);
  await shows(named, 'Hello');
  isDown = true;
  for (const stream of runs.get('s').streams) stream.destroy();
  await until(() => named.getSnapshot().status === 'interrupted', 'the interruption');
  isDown = false;
  say('s', ' you');
  session.retry();
  assert.equal(named.getSnapshot(), session.getSnapshot());
  assert.equal(named.getSnapshot().text, 'Hello');
  await shows(named, 'Hello you');
});

test('stop() ends what is shown', async () => {
  begin('s', 'r', 'Hello');
  const { subscribe, getSnapshot, stop } = client.run({ sessionId: 's', runId: 'r' });
  subscribe(nothing);
  await until(() => getSnapshot().text === 'Hello', 'the text');
  await stop();
  assert.equal(getSnapshot().status, 'cancelled');
  await stop();
  assert.equal(count('POST /stop'), 1);
});

test('after close() of the client: an error in the snapshot, nothing thrown into a component', () => {
  const view = client.run({ sessionId: 's', runId: 'r' });
  client.close();
  view.subscribe(nothing);
  assert.equal(view.getSnapshot().error.code, 'invalid-state');
});

test('of the views that nobody looks at, a few are kept', async () => {
  const view = client.run({ sessionId: 's' });
  for (let n = 0; n < 100; n += 1) client.run({ sessionId: `other ${n}` });
  assert.notEqual(client.run({ sessionId: 's' }), view);
  const watched = client.run({ sessionId: 'w' });
  watched.subscribe(nothing);
  for (let n = 0; n < 100; n += 1) client.run({ sessionId: `other ${n}` });
  assert.equal(client.run({ sessionId: 'w' }), watched);
});
