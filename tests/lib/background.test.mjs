// A run that is left in the middle and come back to (K-1 … K-8, A-CB-1, A-REC-1): it goes on without a watcher, whoever comes has all
// of it at once, and whatever is done in whatever order, it has one connection. The package against a server in this process.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { RunClient } from '../../pkg/index.js';
import { Chance } from '../e2e/support/schedule.mjs';

const page = new EventTarget();
const { fetch: theirFetch } = globalThis;

let server;
let baseUrl;
let client;
let words;           // what the server has said
let isOver;
let streams;
let asked;
/** Requests that have neither ended nor been aborted, as the page sees them, and the most there were at a time. */
let live;
let most;

const frames = (from) => words.slice(from).map((word, i) => `id: ${from + i + 1}-0\ndata: ${JSON.stringify({ type: 'content', content: word })}\n\n`).join('');
const LAST = 'id: 999999-0\ndata: {"type":"done"}\n\n';

before(async () => {
  globalThis.addEventListener = page.addEventListener.bind(page);
  globalThis.removeEventListener = page.removeEventListener.bind(page);
  globalThis.fetch = async (url, options) => {
    const request = {};
    live.add(request);
    most = Math.max(most, live.size);
    const end = () => live.delete(request);
    options.signal.addEventListener('abort', end);
    try {
      const response = await theirFetch(url, options);
      const body = response.body.pipeThrough(new TransformStream({ flush: end }));
      return new Response(body, { status: response.status, headers: response.headers });
    } catch (error) {
      end();
      throw error;
    }
  };
  server = createServer((request, response) => {
    asked += 1;
    const from = Number((request.headers['last-event-id'] ?? '0').split('-')[0]);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`: open\n\n${frames(from)}${isOver ? LAST : ''}`);
    streams.add(response);
    response.on('close', () => streams.delete(response));
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  baseUrl = `http://127.0.0.1:${server.address().port}/api`;
});
after(() => {
  globalThis.fetch = theirFetch;
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  [words, isOver, streams, asked, live, most] = [[], false, new Set(), 0, new Set(), 0];
  client = new RunClient({ baseUrl, retry: { baseMs: 1, capMs: 1 }, replay: { ttlMs: 60_000 } });
});
afterEach(() => client.close());

const say = (...more) => {
  const from = words.length;
  words.push(...more);
  for (const stream of streams) stream.write(frames(from));
};

const finish = () => {
  isOver = true;
  for (const stream of streams) stream.end(LAST);
};

const until = async (holds, what) => {
  const end = Date.now() + 10_000;
  while (!holds()) {
    assert.ok(Date.now() < end, `waited too long for ${what}`);
    await new Promise((resolve) => { setTimeout(resolve, 1); });
  }
};

const open = () => client.open({ sessionId: 's', runId: 'r' });
const hasCome = (run) => until(() => run.getSnapshot().text === words.join(''), 'what was said');

test('whoever comes back has all of it at once, and then what comes', async () => {
  const run = open();
  const leave = run.subscribe(() => {});
  say('Tides ', 'ebb ');
  await hasCome(run);
  leave();
  say('and ', 'flow');
  await hasCome(run);
  // Another view of the same chat.
  const again = open();
  assert.equal(again, run);
  const texts = [];
  again.subscribe(({ text }) => texts.push(text), { notify: 'sync' });
  assert.deepEqual(texts, ['Tides ebb and flow']);
  say('.');
  await hasCome(run);
  finish();
  assert.equal((await run.finished).status, 'completed');
  for (const [i, text] of texts.entries()) assert.ok(i === 0 || text.length >= texts[i - 1].length);
  assert.equal(asked, 1);
  assert.deepEqual([client.held.runs, client.held.bytes >= 'Tides ebb and flow.'.length], [1, true]);
  // A moment after the end: the same, without a request (K-5, K-6).
  const last = [];
  open().subscribe(({ text, status }) => last.push([text, status]));
  assert.deepEqual([last, asked], [[['Tides ebb and flow.', 'completed']], 1]);
});

test('callbacks change in the middle, and no connection does (A-CB-1)', async () => {
  const run = open();
  const heard = [];
  let leave = run.subscribe(({ text }) => heard.push(['first', text]), { notify: 'sync' });
  for (const name of ['second', 'third', 'fourth']) {
    say(`${name} `);
    await hasCome(run);
    leave();
    const before = heard.length;
    leave = run.subscribe(({ text }) => heard.push([name, text]), { notify: 'sync' });
    assert.deepEqual(heard.slice(before), [[name, words.join('')]], 'everything, once, at the change');
  }
  const names = heard.map(([name]) => name);
  assert.deepEqual(names, names.toSorted((a, b) => names.indexOf(a) - names.indexOf(b)), 'who was let go hears nothing more');
  assert.deepEqual([asked, most], [1, 1]);
});

test('what is held is counted, and let go when its time is over', async () => {
  const short = new RunClient({ baseUrl, replay: { ttlMs: 20 } });
  assert.deepEqual(short.held, { runs: 0, bytes: 0 });
  const run = short.open({ sessionId: 's', runId: 'r' });
  say('x'.repeat(50_000));
  await hasCome(run);
  assert.equal(short.held.runs, 1);
  assert.ok(short.held.bytes >= 50_000 && short.held.bytes < 75_000, `${short.held.bytes} bytes for 50,000`);
  finish();
  await run.finished;
  await until(() => short.held.runs === 0, 'the end of its time');
  assert.equal(short.held.bytes, 0);
  short.close();
});

test('the same run has one connection under any order of open, close and navigation (A-REC-1)', async () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    [words, isOver, asked, most] = [[], false, 0, 0];
    const chance = new Chance(seed);
    let run = open();
    const leaves = [];
    for (let step = 0; step < 30; step += 1) {
      chance.pick([
        () => { run = open(); },
        () => { run.close(); run = open(); },
        () => { leaves.push(run.subscribe(() => {}, { notify: chance.pick(['sync', 'frame', 'idle', 5]) })); },
        () => { leaves.pop()?.(); },
        () => { page.dispatchEvent(new Event('pagehide')); },
        () => { page.dispatchEvent(new Event('pageshow')); },
        () => { for (const stream of streams) stream.destroy(); },
        () => { say(`word ${step} `); },
        () => { run[Symbol.asyncIterator]().return(); },
      ])();
      assert.ok(live.size <= 1, `SEED=${seed}: ${live.size} connections after step ${step}`);
      if (chance.is(40)) await new Promise((resolve) => { setImmediate(resolve); });
      if (chance.is(20)) run.getSnapshot();
    }
    page.dispatchEvent(new Event('pageshow'));
    say('end');
    await until(() => streams.size === 1, 'the connection');
    finish();
    const { status, text } = await run.finished;
    assert.deepEqual([status, text, most], ['completed', words.join(''), 1], `SEED=${seed}`);
    client.close();
    await until(() => streams.size === 0, 'the end of the connections');
    client = new RunClient({ baseUrl, retry: { baseMs: 1, capMs: 1 } });
  }
});
