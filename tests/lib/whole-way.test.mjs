// The package as it ships, against a real server in this process: no fake between the socket and the snapshot. The browser's
// own part (frames, EventSource, page signals) is for the end-to-end tests.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import { RunClient, RunEventsConnectError } from '../../pkg/index.js';

const TEXT = Array.from({ length: 50 }, (_, i) => `слово${i} `);
const event = (name, payload, id) => `${id ? `id: ${id}\n` : ''}event: ${name}\ndata: ${JSON.stringify({ type: name, ...payload })}\n\n`;
const logAfter = (cursor) => {
  const held = /^5-(\d+)$/.exec(cursor ?? '');
  return TEXT.map((content, i) => event('content', { content }, `5-${i}`)).slice(held ? Number(held[1]) + 1 : 0).join('') + event('done', {}, '6-0');
};

let server;
let baseUrl;
let asked;
// What the server does, by endpoint; each test puts its own in.
let routes;

const stream = (response, body, finish = 'end') => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  if (finish === 'end') response.end(body);
  else response.write(body, () => { if (finish === 'cut') response.destroy(); });
};

before(async () => {
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const endpoint = pathname.replace('/bi-chat/stream', '').slice(1) || 'send';
    asked.push([endpoint, request.headers['last-event-id'], request.headers['x-csrf-token']]);
    routes[endpoint](response, request);
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  baseUrl = `http://127.0.0.1:${server.address().port}/bi-chat/`;
});

after(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  asked = [];
  routes = {
    send: (response) => stream(response, `: stream-open\n\n${event('stream_started', { runId: 'r1' })}`, 'stay'),
    events: (response, request) => stream(response, logAfter(request.headers['last-event-id'])),
    status: (response) => response.end('{"active":false}'),
    stop: (response) => response.end('{}'),
    resume: (response) => response.destroy(),
  };
});

const newClient = (options) => new RunClient({ baseUrl, retry: { baseMs: 1, capMs: 1, ...options?.retry }, ...options });
const made = (endpoint) => asked.filter(([name]) => name === endpoint);

test('a sent run arrives whole although its connection is cut on the way', async () => {
  let cuts = 0;
  routes.events = (response, request) => {
    const rest = Buffer.from(logAfter(request.headers['last-event-id']));
    // Anywhere, inside a character too.
    if (cuts++ < 5) stream(response, rest.subarray(0, 501 + 13 * cuts), 'cut');
    else stream(response, rest);
  };
  const client = newClient();
  const run = client.send('s', 'hello');
  const texts = [];
  run.subscribe(({ text }) => texts.push(text), { notify: 'sync' });
  const { status, by, text, runId } = await run.finished;
  assert.deepEqual([status, by, runId, text], ['completed', 'server', 'r1', TEXT.join('')]);
  for (const held of texts) assert.ok(text.startsWith(held));
  assert.equal(made('send').length, 1);
  client.close();
});

test('a run nobody watched is whole when it is read', async () => {
  const client = newClient();
  const run = client.open({ sessionId: 's', runId: 'r1' });
  assert.equal((await run.finished).text, TEXT.join(''));
  assert.equal(run.getSnapshot().text, TEXT.join(''));
  client.close();
});

test('a run that was lost is interrupted with its text, and retry goes on from there', async () => {
  let isBroken = true;
  routes.status = (response) => response.end('{"active":true,"runId":"r1"}');
  routes.events = (response, request) => {
    const rest = Buffer.from(logAfter(request.headers['last-event-id']));
    if (!isBroken) stream(response, rest);
    else if (request.headers['last-event-id']) response.destroy();
    else stream(response, rest.subarray(0, 700), 'cut');
  };
  const client = newClient({ retry: { baseMs: 1, capMs: 1, maxAttempts: 3 } });
  const run = client.open({ sessionId: 's', runId: 'r1' });
  run.subscribe(() => {});
  const lost = await run.finished;
  assert.deepEqual([lost.status, lost.by, lost.error.code], ['interrupted', 'limit', 'gave-up']);
  assert.ok(lost.text.length > 0 && TEXT.join('').startsWith(lost.text));
  isBroken = false;
  const next = run.retry();
  assert.equal(next.getSnapshot().text, lost.text);
  assert.equal((await next.finished).text, TEXT.join(''));
  assert.equal(run.getSnapshot().text, lost.text);
  client.close();
});

test('the headers function is asked for every attempt', async () => {
  let tokens = 0;
  let cuts = 0;
  routes.events = (response, request) => (cuts++ < 2 ? response.destroy() : stream(response, logAfter(request.headers['last-event-id'])));
  const client = newClient({ headers: async () => ({ 'X-CSRF-Token': `t${++tokens}` }) });
  await client.open({ sessionId: 's', runId: 'r1' }).finished;
  assert.deepEqual(made('events').map(([, , token]) => token), ['t1', 't2', 't3']);
  client.close();
});

test('stop cancels at the server, settles as the user\'s, and never reconnects', async () => {
  const client = newClient();
  let log;
  routes.events = (response) => {
    log = response;
    stream(response, event('content', { content: 'a' }, '5-0'), 'stay');
  };
  // This server says a cancel as an error (B-EVT-1): what we intended decides what it was.
  routes.stop = (response) => {
    response.end('{}');
    log.end(event('error', { error: 'internal error' }, '6-0'));
  };
  const run = client.send('s', 'hello');
  await new Promise((resolve) => {
    run.subscribe(({ text }) => { if (text) resolve(); }, { notify: 'sync' });
  });
  await run.stop();
  const { status, by, text } = await run.finished;
  assert.deepEqual([status, by, text], ['cancelled', 'user', 'a']);
  assert.deepEqual([made('stop').length, made('events').length], [1, 1]);
  client.close();
});

test('an abort stops watching at once, and cancels nothing at the server', async () => {
  const client = newClient();
  const controller = new AbortController();
  const hangsUp = new Promise((resolve) => {
    routes.events = (response) => {
      stream(response, event('content', { content: 'a' }, '5-0'), 'stay');
      response.on('close', resolve);
    };
  });
  const run = client.open({ sessionId: 's', runId: 'r1' }, { signal: controller.signal });
  run.subscribe(({ text }) => { if (text) controller.abort(); }, { notify: 'sync' });
  const { status, by, error, text } = await run.finished;
  assert.deepEqual([status, by, error.code, text], ['interrupted', 'user', 'aborted', 'a']);
  await hangsUp;
  assert.deepEqual(made('stop'), []);
  client.close();
});

test('subscribeRunEvents goes on after a cut with the cursor, and delivers nothing twice', async () => {
  let cuts = 0;
  routes.events = (response, request) => {
    const rest = logAfter(request.headers['last-event-id']);
    if (cuts++ < 3) stream(response, rest.slice(0, 300 * cuts), 'cut');
    else stream(response, rest);
  };
  const client = newClient();
  const ids = [];
  const flaps = [];
  await client.subscribeRunEvents('s', 'r1', {
    lastEventId: '5-9', onChunk: (chunk, id) => ids.push(id), onError: ({ code }) => flaps.push(code),
  });
  assert.deepEqual(ids, [...TEXT.keys()].slice(10).map((i) => `5-${i}`).concat('6-0'));
  assert.deepEqual(flaps, ['disconnected', 'disconnected', 'disconnected']);
  assert.equal(made('events')[0][1], '5-9');
  client.close();
});

test('subscribeRunEvents refused at once rejects with the status', async () => {
  for (const status of [401, 404, 503]) {
    routes.events = (response) => response.writeHead(status).end();
    const client = newClient();
    const errors = [];
    await assert.rejects(
      client.subscribeRunEvents('s', 'r1', { onChunk: assert.fail, onError: (error) => errors.push(error.status) }),
      (error) => error instanceof RunEventsConnectError && error.status === status,
    );
    assert.deepEqual(errors, [status]);
    client.close();
  }
});

test('for await has the events of the wire', async () => {
  const client = newClient();
  const seen = [];
  for await (const { type, content } of client.open({ sessionId: 's', runId: 'r1' })) seen.push(content ?? type);
  assert.deepEqual(seen, [...TEXT, 'done']);
  client.close();
});

test('resume finds what is running', async () => {
  const client = newClient();
  assert.equal(await client.resume('s'), null);
  routes.status = (response) => response.end('{"active":true,"runId":"r1"}');
  const run = await client.resume('s');
  assert.equal((await run.finished).text, TEXT.join(''));
  client.close();
});

test('a client closes with everything in it', async () => {
  const client = newClient();
  routes.events = (response) => stream(response, event('content', { content: 'a' }, '5-0'), 'stay');
  const run = client.open({ sessionId: 's', runId: 'r1' });
  const reading = client.subscribeRunEvents('s', 'r1', { onChunk: () => client.close() });
  await reading;
  assert.equal((await run.finished).error.code, 'aborted');
  assert.throws(() => client.open({ sessionId: 's' }), { code: 'invalid-state' });
});
