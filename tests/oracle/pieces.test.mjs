// One transcript, however its events come (K-10): live, in the background, over a reload from what was kept, over a lost
// connection from its cursor or from the start. After every piece, what is shown is what one uninterrupted stream would have shown.
//
// The package as it ships against a server in this process. What Node does not have of a page is made here: its storage, and
// the signal that it goes away. The same in a real page: tests/e2e/reload.test.mjs.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { RunClient, createRunCore } from '../../pkg/index.js';
import { Chance } from '../e2e/support/schedule.mjs';
import { plain } from './plain.mjs';
import { sequenceOf } from './sequences.mjs';

const RUNS = Number(process.env.RUNS ?? 100);
const SEEDS = process.env.SEED ? [Number(process.env.SEED)] : Array.from({ length: RUNS }, (_, i) => i + 1);

const SETTLED = new Set(['completed', 'cancelled', 'failed', 'interrupted']);
const encoder = new TextEncoder();
const page = new EventTarget();

const emptyStorage = () => Object.create({
  getItem(key) { return this[key] ?? null; },
  setItem(key, text) { this[key] = String(text); },
  removeItem(key) { delete this[key]; },
});

const WORDS = ['Hello', ' wörld ', '😀', '\ud83d', '\ude00', '"\\', '\n', ''];
const bichatOf = (seed) => {
  const chance = new Chance(seed);
  const text = () => chance.pick(WORDS);
  const call = () => chance.pick(['c1', 'c2']);
  const kinds = [
    () => ['content', { content: text() }], () => ['content', { content: text() }], () => ['content', { content: text() }],
    () => ['thinking', { content: text() }],
    () => ['text_block_end', { textBlockSeq: 0 }],
    () => ['tool_start', { tool: { callId: call(), name: 'sql', arguments: '{"q":1}' } }],
    () => ['tool_end', { tool: { callId: call(), result: text(), durationMs: 3 } }],
    () => ['citation', { citation: { title: text() } }],
    () => ['usage', { usage: { promptTokens: chance.between(0, 99) } }],
    () => ['snapshot', { snapshot: { partialContent: `${text()}${text()}`, partialMetadata: { text_block_offsets: [3] } } }],
  ];
  const events = Array.from({ length: chance.between(20, 60) }, () => chance.pick(kinds)());
  return [...events, ['done', {}]].map(([type, rest], i) => JSON.stringify({ type, ...rest, timestamp: 1_700_000_000_000 + i }));
};

const wsChatOf = (seed) => {
  const chance = new Chance(seed);
  const tokens = Array.from({ length: chance.between(20, 60) }, () => ({ type: 'token', content: chance.pick(WORDS) }));
  const frames = [...tokens, { type: 'done', message_id: 'm', sources: [{ title: 'é' }], confidence: 0.5, generation_time_ms: 7 }];
  return frames.map((frame, i) => JSON.stringify({ ...frame, pending_message_id: 'r', seq: i + 1 }));
};

const envelopeOf = (seed) => {
  const chance = new Chance(seed);
  const text = () => chance.pick(WORDS);
  const tool = (status) => ({ tool: { id: chance.pick(['c1', 'c2']), name: 'sql', title: null, status, parent_id: null,
    input: { q: text() }, result: status === 'completed' ? text() : null, error: status === 'failed' ? 'no' : null, permission_mode: null } });
  const kinds = [
    () => ['assistant_text', { text: text() }], () => ['assistant_text', { text: text() }], () => ['assistant_text', { text: text() }],
    () => ['assistant_thinking', { thinking: text() }],
    () => ['tool_started', tool('started')], () => ['tool_completed', tool('completed')], () => ['tool_failed', tool('failed')],
    () => ['permission_request', { request_id: 'p', tool_name: 'sql', tool_input: {}, data: { options: [] } }],
    () => ['system', { context_usage: { tokens_used: chance.between(0, 99), context_window: 100, percentage: 1 }, chat_id: 'c' }],
    () => ['plan', { data: { entries: [] } }],
  ];
  const events = Array.from({ length: chance.between(20, 60) }, () => chance.pick(kinds)());
  return [...events, ['complete', { status: 'completed', duration_ms: 5 }]].map(([kind, payload], i) => (
    JSON.stringify({ chatId: `s${seed}`, messageId: 'r', streamId: 'x', seq: i + 1, kind, payload })));
};

const chunksOf = (seed) => {
  const chance = new Chance(seed);
  const text = () => chance.pick(WORDS);
  const toolCallId = () => chance.pick(['c1', 'c2']);
  const kinds = [
    () => ({ type: 'TEXT_MESSAGE_CONTENT', delta: text() }), () => ({ type: 'TEXT_MESSAGE_CONTENT', delta: text() }),
    () => ({ type: 'STEP_FINISHED', delta: text() }), () => ({ type: 'TEXT_MESSAGE_END' }),
    () => ({ type: 'TOOL_CALL_START', toolCallId: toolCallId(), toolName: 'sql' }),
    () => ({ type: 'TOOL_CALL_ARGS', toolCallId: toolCallId(), delta: text() }),
    () => ({ type: 'TOOL_CALL_END', toolCallId: toolCallId(), toolName: 'sql', input: { q: text() } }),
    () => ({ type: 'TOOL_CALL_RESULT', toolCallId: toolCallId(), content: text() }),
    () => ({ type: 'CUSTOM', name: 'approval-requested', value: { of: text() } }),
  ];
  const chunks = Array.from({ length: chance.between(20, 60) }, () => chance.pick(kinds)());
  return [...chunks, { type: 'RUN_FINISHED', finishReason: 'stop', usage: { totalTokens: 3 } }].map((chunk, seq) => JSON.stringify([{
    type: 'chunk', key: `r:${seq}`, headers: {},
    value: { messageId: 'r', actorId: 'a', role: 'assistant', chunk: JSON.stringify(chunk), seq, createdAt: '2026-11-21T00:00:00Z' },
  }]));
};

// ids: how the server numbers its events, if it does. last: what follows the last one.
const KINDS = {
  'ui-message with ids': { protocol: 'ui-message', ids: (n) => `${1000 + n}-0`, frames: (seed) => sequenceOf(seed).frames, last: '[DONE]' },
  'ui-message without ids': { protocol: 'ui-message', ids: null, frames: (seed) => sequenceOf(seed).frames, last: '[DONE]' },
  bichat: { protocol: 'bichat', ids: (n) => `${1000 + n}-0`, runId: 'r', frames: bichatOf },
  'ws-chat': { protocol: 'ws-chat', ids: String, runId: 'r', frames: wsChatOf, options: { transports: ['fetch'] } },
  envelope: { protocol: 'envelope', ids: String, runId: 'r', frames: envelopeOf },
  chunks: {
    protocol: 'chunks', ids: (n) => `o${n}`, runId: 'r', frames: chunksOf,
    wire: (json, id) => `event: data\ndata: ${json}\n\nevent: control\ndata: {"streamNextOffset":"${id}"}\n\n`,
  },
};

const framed = (json, id) => `${id ? `id: ${id}\n` : ''}data: ${json}\n\n`;

/** One run at the server: so many of its frames are out. */
class Served {
  released = 0;
  responses = new Set();
  sent = new Set();
  /** Frames that were sent before. */
  again = 0;

  constructor({ ids, wire = framed }, frames) {
    this.ids = ids && frames.map((_, i) => ids(i + 1));
    this.frames = frames.map((json, i) => wire(json, this.ids?.[i]));
  }

  serve(request, response) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const cursor = request.headers['last-event-id'] ?? new URL(request.url, 'http://localhost').searchParams.get('offset');
    response.at = (this.ids?.indexOf(cursor) ?? -1) + 1;
    response.write(': open\n\n');
    this.responses.add(response);
    response.on('close', () => this.responses.delete(response));
    this.#advance(response);
  }

  #advance(response) {
    const rest = this.frames.slice(response.at, this.released);
    response.at = Math.max(response.at, this.released);
    for (const frame of rest) if (this.sent.has(frame)) this.again += 1;
    for (const frame of rest) this.sent.add(frame);
    if (rest.length > 0) response.write(rest.join(''));
    if (this.released === this.frames.length) response.end();
  }

  release(count) {
    this.released = Math.min(this.released + count, this.frames.length);
    for (const response of this.responses) this.#advance(response);
  }

  cut() {
    for (const response of this.responses) response.destroy();
    this.responses.clear();
  }
}

const sessions = new Map();
let server;
let baseUrl;

before(async () => {
  globalThis.addEventListener = page.addEventListener.bind(page);
  globalThis.removeEventListener = page.removeEventListener.bind(page);
  server = createServer((request, response) => {
    const [sessionId] = /\bs\d+\b/.exec(request.url);
    sessions.get(sessionId).serve(request, response);
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  baseUrl = `http://127.0.0.1:${server.address().port}/api`;
});

after(() => {
  server.closeAllConnections();
  server.close();
});

const shown = ({ text, parts, usage, metadata }) => plain({ text, parts, usage, metadata });

/** What one uninterrupted stream shows after each frame. */
const truthOf = ({ protocol, ids, wire = framed }, frames) => {
  const core = createRunCore({ protocol });
  const look = () => ({ shown: shown(core.snapshot()), isOver: SETTLED.has(core.snapshot().status) });
  const truth = [look()];
  frames.forEach((json, i) => {
    core.push(encoder.encode(wire(json, ids?.(i + 1))));
    truth.push(look());
  });
  core.end();
  const { status } = core.snapshot();
  const end = shown(core.snapshot());
  core.free();
  return { truth, end, status };
};

const same = (a, b) => {
  try {
    assert.deepEqual(a, b);
    return true;
  } catch {
    return false;
  }
};

const until = async (holds, why) => {
  const end = Date.now() + 10_000;
  while (!holds()) {
    if (Date.now() > end) assert.fail(why());
    await new Promise((resolve) => { setTimeout(resolve, 1); });
  }
};

// What a failed run leaves open, or the process would wait for it.
let client;
after(() => client?.close());

async function playInPieces(kind, seed, counts) {
  const chance = new Chance(seed * 7919);
  const events = kind.frames(seed);
  const frames = kind.last ? [...events, kind.last] : events;
  const { truth, end, status } = truthOf(kind, frames);
  const sessionId = `s${seed}`;
  const served = new Served(kind, frames);
  sessions.set(sessionId, served);
  globalThis.sessionStorage = emptyStorage();

  const newClient = () => new RunClient({
    baseUrl, protocol: kind.protocol, persist: 'session', retry: { baseMs: 1, capMs: 1 }, replay: { ttlMs: 0 }, statusTimeoutMs: 1,
    ...kind.options,
  });
  client = newClient();
  let run = client.open({ sessionId, runId: kind.runId });
  let unsubscribe = null;

  // An error ends a run before the stream does.
  const last = truth.findIndex(({ isOver }) => isOver);
  while (served.released < last) {
    // A request that is on its way when its page goes away may be answered for nobody.
    await until(() => served.responses.size === 1, () => `SEED=${seed}: ${served.responses.size} connections`);
    const way = chance.pick(['live', 'background', 'reloaded', 'cut']);
    counts[way] += 1;
    if (way === 'live') unsubscribe ??= run.subscribe(() => {}, { notify: chance.pick(['sync', 'frame']) });
    if (way === 'background') {
      unsubscribe?.();
      unsubscribe = null;
    }
    if (way === 'cut') served.cut();
    if (way === 'reloaded') {
      const before = shown(run.getSnapshot());
      page.dispatchEvent(new Event('pagehide'));
      const kept = sessionStorage;
      globalThis.sessionStorage = emptyStorage();
      client.close();
      await until(() => served.responses.size === 0, () => 'a page that is gone is still connected');
      globalThis.sessionStorage = kept;
      unsubscribe = null;
      client = newClient();
      const next = await client.resume(sessionId);
      assert.deepEqual(shown(next.getSnapshot()), before, `SEED=${seed}: not all is there at once`);
      run = next;
    }
    // The last words settle the run: they are looked at below.
    served.release(Math.min(chance.between(1, 12), Math.max(1, last - 1 - served.released)));
    if (served.released === last) break;
    const expected = truth[served.released].shown;
    // What changes nothing must have come, too, or it would be asked for again.
    const hasCome = () => !kind.ids || run.getSnapshot().cursor === served.ids[served.released - 1];
    await until(() => hasCome() && same(shown(run.getSnapshot()), expected), () => {
      try {
        assert.deepEqual(shown(run.getSnapshot()), expected);
      } catch (error) {
        return `SEED=${seed}, ${way}, after ${served.released} of ${frames.length} frames: ${error.message}`;
      }
      return 'late';
    });
  }
  served.release(frames.length);
  const outcome = await run.finished;
  assert.equal(outcome.status, status, `SEED=${seed}: ${JSON.stringify(outcome.error)}`);
  assert.deepEqual(shown(run.getSnapshot()), end, `SEED=${seed}`);
  await until(() => Object.keys(sessionStorage).length === 0, () => `SEED=${seed}: a run that has ended is still kept`);
  if (kind.ids) assert.equal(served.again, 0, `SEED=${seed}: what was held was not asked for again`);
  client.close();
  served.cut();
  sessions.delete(sessionId);
}

for (const [name, kind] of Object.entries(KINDS)) {
  test(`${name}: any pieces give one transcript`, async (t) => {
    const counts = { live: 0, background: 0, reloaded: 0, cut: 0 };
    for (const seed of SEEDS) await playInPieces(kind, seed, counts);
    t.diagnostic(`${SEEDS.length} runs in ${Object.entries(counts).map(([way, count]) => `${count} pieces ${way}`).join(', ')}`);
  });
}
