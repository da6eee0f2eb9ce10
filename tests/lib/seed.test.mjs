// What an app has kept of an answer, or goes on with, seeds the transcript (A-FL-4, U-R-1): the package against a server in this
// process.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { RunClient } from '../../pkg/index.js';

let server;
let baseUrl;
let asked;
let answer;        // what the server does with a request; each test puts its own in
let client;

before(async () => {
  server = createServer((request, response) => {
    asked.push([request.method, request.headers['last-event-id'] ?? null]);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    answer(response, asked.length);
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  baseUrl = `http://127.0.0.1:${server.address().port}/api`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => { asked = []; });
afterEach(() => client.close());

const frame = (payload, id) => `${id ? `id: ${id}\n` : ''}data: ${JSON.stringify(payload)}\n\n`;
const content = (text, id) => frame({ type: 'content', content: text }, id);
const newClient = (protocol) => new RunClient({ baseUrl, protocol, retry: { baseMs: 1, capMs: 1 } });

const PARTS = [
  { type: 'text', seq: 0, text: 'Hello ', state: 'done' },
  { type: 'tool', callId: 'c', name: 'sql', agentName: null, arguments: '{}', result: '"4"', error: null, durationMs: 3, state: 'done' },
  { type: 'text', seq: 1, text: 'wör', state: 'streaming' },
];

test('parts with their cursor: the stream goes on after it, in the same block', async () => {
  answer = (response) => response.end(content('ld 😀', '3-0') + frame({ type: 'done' }, '4-0'));
  client = newClient('bichat');
  const run = client.open({ sessionId: 's', runId: 'r', cursor: '2-0', parts: PARTS });
  assert.deepEqual([run.getSnapshot().text, run.getSnapshot().parts, run.getSnapshot().cursor], ['Hello wör', PARTS, '2-0']);
  const { text, status } = await run.finished;
  assert.deepEqual([status, text, asked], ['completed', 'Hello wörld 😀', [['GET', '2-0']]]);
  assert.deepEqual(run.getSnapshot().blocks.map((block) => block.text), ['Hello ', 'wörld 😀']);
});

test('parts without a cursor are on screen until all was told again, and no longer', async () => {
  let goOn;
  answer = (response) => {
    response.write(content('Hello ', '1-0'));
    goOn = () => response.end(content('wörld', '2-0') + frame({ type: 'done' }, '3-0'));
  };
  client = newClient('bichat');
  const run = client.open({ sessionId: 's', runId: 'r', parts: [{ type: 'text', text: 'Hello wör', state: 'streaming' }] });
  const texts = [];
  run.subscribe(({ text, cursor }) => {
    texts.push(text);
    if (cursor === '1-0') goOn();
  }, { notify: 'sync' });
  assert.equal((await run.finished).text, 'Hello wörld');
  for (const text of texts) assert.ok(text === 'Hello wör' || text === 'Hello wörld', text);
  assert.equal(run.getSnapshot().blocks.length, 1);
});

test('an answer goes on with the message that it was sent for, also when it is told again', async () => {
  const parts = [
    { type: 'text', text: 'Let me see.', state: 'done' },
    { type: 'tool-sql', toolCallId: 'c', state: 'output-available', input: { q: 1 }, output: [4] },
  ];
  const chunks = [{ type: 'start' }, { type: 'text-start', id: '0' }, { type: 'text-delta', id: '0', delta: ' Four.' }, { type: 'finish' }];
  // Cut in the middle, told again from its start.
  answer = (response, n) => {
    const frames = chunks.map((chunk) => frame(chunk));
    if (n > 1) response.end(`${frames.join('')}data: [DONE]\n\n`);
    else response.write(frames.slice(0, 3).join(''), () => response.destroy());
  };
  client = newClient('ui-message');
  const run = client.send('s', 'go on', { parts });
  const texts = [];
  run.subscribe(({ text }) => texts.push(text), { notify: 'sync' });
  const { text, status } = await run.finished;
  assert.deepEqual([status, text, asked.map(([method]) => method)], ['completed', 'Let me see. Four.', ['POST', 'GET']]);
  for (const shown of texts) assert.ok(shown.startsWith('Let me see.'), shown);
  const [first, call, last] = run.getSnapshot().parts;
  assert.deepEqual([first.text, call, last.text], ['Let me see.', parts[1], ' Four.']);
});

test('an adopted stream goes on from what is held', async () => {
  client = newClient('ui-message');
  const cursors = [];
  const run = client.adopt(
    { sessionId: 's', cursor: '7', parts: [{ type: 'text', text: 'Hel', state: 'streaming' }] },
    (cursor) => {
      cursors.push(cursor);
      return new Response(`${frame({ type: 'text-delta', id: 'x', delta: 'lo' }, '8')}${frame({ type: 'finish' }, '9')}data: [DONE]\n\n`).body;
    },
  );
  assert.equal((await run.finished).text, 'Hello');
  assert.deepEqual(cursors, ['7']);
});

test('what is no array of parts is refused, what is no part is left out', async () => {
  client = newClient('bichat');
  const circular = [{}];
  circular[0].self = circular;
  for (const parts of [{}, 'text', null, circular]) {
    assert.throws(() => client.open({ sessionId: 's', runId: 'r', parts }), { code: 'invalid-argument', path: 'parts' });
    assert.throws(() => client.send('s', 'm', { parts }), { code: 'invalid-argument', path: 'parts' });
  }
  answer = (response) => response.end(content('a', '3-0') + frame({ type: 'done' }, '4-0'));
  const run = client.open({ sessionId: 's', runId: 'r', cursor: '2-0', parts: [null, 7, {}, { type: 3 }, { type: 'text', text: 'b' }] });
  assert.equal((await run.finished).text, 'ba');
});
