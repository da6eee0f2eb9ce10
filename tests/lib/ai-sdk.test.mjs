// The transport for the AI SDK, with the real engine, a server of the SDK's own helpers that breaks on request, and the SDK's own chat
// as the user: each message is the one that a perfect connection would have made.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { afterEach, beforeEach, test } from 'node:test';
import { AbstractChat } from 'ai';
import { RunClient, SteadyStreamError } from '../../pkg/index.js';
import { SteadyChatTransport } from '../../pkg/ai-sdk.js';
import { answerTo } from '../e2e/support/ai-answer.mjs';
import { fold } from '../e2e/support/ai-client.mjs';
import { startAiServer } from '../e2e/support/ai-server.mjs';
import { until } from '../e2e/support/until.mjs';

const RETRY = { baseMs: 1, capMs: 5 };
const QUESTION = { role: 'user', parts: [{ type: 'text', text: 'why?' }] };
const plain = (value) => JSON.parse(JSON.stringify(value));

class State {
  status = 'ready';
  error = undefined;
  messages = [];
  snapshot = structuredClone;
  pushMessage = (message) => { this.messages = [...this.messages, message]; };
  replaceMessage = (index, message) => { this.messages = this.messages.with(index, structuredClone(message)); };
  popMessage = () => { this.messages = this.messages.slice(0, -1); };
}

class Chat extends AbstractChat {
  ends = [];

  constructor(id, transport, messages = []) {
    const state = Object.assign(new State(), { messages });
    super({ id, transport, state, onFinish: ({ isAbort, isError }) => { this.ends.push(isAbort ? 'abort' : isError ? 'error' : 'end'); } });
  }

  ask = () => this.sendMessage({ text: 'why?' });

  get answer() {
    return this.messages.at(-1);
  }
}

let server;
let transports;
beforeEach(async () => {
  server = await startAiServer({ paceMs: 1 });
  transports = [];
});
afterEach(async () => {
  for (const transport of transports) transport.close();
  await server.stop();
});

const newTransport = (options) => {
  const transport = new SteadyChatTransport({ api: server.api, retry: RETRY, ...options });
  transports.push(transport);
  return transport;
};
const count = (method, ending = '') => server.requests.filter((request) => request.method === method && request.path.endsWith(ending)).length;
const send = (transport, chatId, options) => transport.sendMessages({
  trigger: 'submit-message', chatId, messageId: undefined, messages: [{ id: 'u', ...QUESTION }], abortSignal: undefined, ...options,
});
const assertWhole = async (message, chatId) => {
  assert.deepEqual(plain(message.parts), plain((await server.message(chatId)).parts));
};

/** Whoever serves something else; `asked` are its requests. */
const serve = async (t, answer) => {
  const asked = [];
  const http = createServer(async (request, response) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const { method, url, headers } = request;
    const one = { method, url, headers, body: pieces.length > 0 ? JSON.parse(Buffer.concat(pieces)) : null };
    asked.push(one);
    answer(response, one);
  });
  await new Promise((resolve) => { http.listen(0, '127.0.0.1', resolve); });
  t.after(() => { http.closeAllConnections(); http.close(); });
  return { asked, api: `http://127.0.0.1:${http.address().port}/chat` };
};
const stream = (response, chunks) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join(''));
  return response;
};

// ------------------------------------------------------------------------------------------------------------------ reloading

/** What Node does not have of a page: its storage, and the signal that it goes away. */
const asPage = (t) => {
  const page = new EventTarget();
  globalThis.addEventListener = page.addEventListener.bind(page);
  globalThis.removeEventListener = page.removeEventListener.bind(page);
  globalThis.sessionStorage = Object.create({
    getItem(key) { return this[key] ?? null; },
    setItem(key, text) { this[key] = String(text); },
    removeItem(key) { delete this[key]; },
  });
  t.after(() => {
    for (const name of ['addEventListener', 'removeEventListener', 'sessionStorage']) delete globalThis[name];
  });
  return { leave: () => page.dispatchEvent(new Event('pagehide')) };
};
const keptHere = () => Object.keys(sessionStorage).length;

test('over reloads it goes on after its cursor, with all that was there before', async (t) => {
  const page = asPage(t);
  await server.stop();
  server = await startAiServer({ paceMs: 3, ids: true });
  let transport = newTransport({ persist: 'session' });
  let wire = await send(transport, 'a');
  for (let n = 0; n < 3; n += 1) {
    const seen = [];
    const reader = wire.getReader();
    while (JSON.stringify(seen).length < 600 * (n + 1)) seen.push((await reader.read()).value);
    page.leave();
    transport.close();
    transport = newTransport({ persist: 'session' });
    wire = await transport.reconnectToStream({ chatId: 'a' });
    assert.notEqual(wire, null);
  }
  const { message, error } = await fold(wire);
  assert.equal(error, undefined);
  await assertWhole(message, 'a');
  const cursors = server.requests.filter(({ method }) => method === 'GET').map(({ cursor }) => Number(cursor));
  assert.equal(cursors.length, 3);
  assert.ok(cursors[0] > 0 && cursors[1] > cursors[0] && cursors[2] > cursors[1], cursors.join());
  assert.deepEqual([count('POST'), keptHere()], [1, 0]);
});

test('where the server gives no ids nothing is kept, and a reload has it from its start', async (t) => {
  const page = asPage(t);
  const transport = newTransport({ persist: 'session' });
  const reader = (await send(transport, 'a')).getReader();
  for (let n = 0; n < 5; n += 1) await reader.read();
  page.leave();
  assert.equal(keptHere(), 0);
  transport.close();
  const { message } = await fold(await newTransport({ persist: 'session' }).reconnectToStream({ chatId: 'a' }));
  await assertWhole(message, 'a');
});

test('an answer that ended while its page was away is none to resume, and nothing is kept of it', async (t) => {
  const page = asPage(t);
  await server.stop();
  server = await startAiServer({ paceMs: 1, ids: true });
  const transport = newTransport({ persist: 'session' });
  const reader = (await send(transport, 'a')).getReader();
  for (let n = 0; n < 5; n += 1) await reader.read();
  page.leave();
  transport.close();
  assert.equal(keptHere(), 1);
  await server.message('a');
  await until(async () => await newTransport({ persist: 'session' }).reconnectToStream({ chatId: 'a' }) === null, 'the end of it');
  await until(() => keptHere() === 0, 'nothing to be kept');
});

test('another answer of the chat is not taken for the one that was kept', async (t) => {
  const page = asPage(t);
  let n = 0;
  let release;
  const isHeard = new Promise((resolve) => { release = resolve; });
  const { api } = await serve(t, async (response, { method }) => {
    n += 1;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const [id, words] = method === 'POST' ? ['one', 'mine'] : ['other', 'theirs'];
    const chunks = [{ type: 'start', messageId: id }, { type: 'text-start', id: '0' }, { type: 'text-delta', id: '0', delta: words }];
    response.flushHeaders();
    if (method === 'GET') await isHeard;
    response.write(chunks.map((chunk, i) => `id: ${10 * n + i}\ndata: ${JSON.stringify(chunk)}\n\n`).join(''));
  });
  const transport = newTransport({ api, persist: 'session' });
  const reader = (await send(transport, 'a')).getReader();
  for (let i = 0; i < 3; i += 1) await reader.read();
  page.leave();
  transport.close();
  const wire = await newTransport({ api, persist: 'session' }).reconnectToStream({ chatId: 'a' });
  release();
  const { message, error } = await fold(wire);
  assert.match(error, /run is over/);
  assert.deepEqual(message.parts.map(({ text }) => text), ['mine']);
});

test('what was kept and makes no sense costs nothing', async (t) => {
  const page = asPage(t);
  await server.stop();
  server = await startAiServer({ paceMs: 2, ids: true });
  const transport = newTransport({ persist: 'session' });
  const reader = (await send(transport, 'a')).getReader();
  for (let n = 0; n < 5; n += 1) await reader.read();
  page.leave();
  transport.close();
  const [key] = Object.keys(sessionStorage);
  const [about] = sessionStorage.getItem(key).split('\n');
  for (const held of ['', '{', '[]', '{"chunks":7}']) {
    sessionStorage.setItem(key, `${about}\n${held}`);
    const again = newTransport({ persist: 'session' });
    const { value } = await (await again.reconnectToStream({ chatId: 'a' })).getReader().read();
    assert.equal(value.type, 'start', held);
    again.close();
  }
  assert.throws(() => newTransport({ persist: 'indexeddb' }), { code: 'invalid-argument', path: 'persist' });
});

// ------------------------------------------------------------------------------------------------------------------- sending

test('an answer comes whole through every cut, and its message is sent once', async () => {
  server.cut(0, 90, 700, 701, 1500, 2500, 4000);
  const chat = new Chat('a', newTransport());
  await chat.ask();
  assert.deepEqual([chat.status, chat.ends, chat.messages.length], ['ready', ['end'], 2]);
  await assertWhole(chat.answer, 'a');
  assert.equal(count('POST'), 1);
  assert.equal(count('GET'), 7);
});

test('its chunks are those of the wire, each once and in order', async () => {
  server.cut(300, 900, 2000);
  const wire = await send(newTransport(), 'a');
  const kinds = [];
  const { message, error } = await fold(wire, ({ type }) => { if (type !== kinds.at(-1)) kinds.push(type); });
  assert.equal(error, undefined);
  await assertWhole(message, 'a');
  assert.deepEqual(kinds, [...answerTo('why?')].map(({ type }) => type).filter((type, i, all) => type !== all[i - 1]));
});

test('the body is what the SDK sends, with one request id', async (t) => {
  const { asked, api } = await serve(t, (response) => stream(response, [{ type: 'finish' }]).end());
  const messages = [{ id: 'u', ...QUESTION }];
  const call = { messages, trigger: 'regenerate-message', messageId: 'm', body: { model: 'x', id: 'other' }, metadata: { n: 1 } };
  const usual = newTransport({ api });
  for (let i = 0; i < 2; i++) await fold(await send(usual, 'a', call));
  const [{ requestId, ...body }, { requestId: second }] = asked.map((one) => one.body);
  assert.deepEqual(body, { model: 'x', id: 'a', messages, trigger: 'regenerate-message', messageId: 'm' });
  assert.match(requestId, /^[\da-f-]{36}$/);
  assert.notEqual(requestId, second);

  const given = [];
  const own = newTransport({ api, prepareBody: async (request) => { given.push(request); return { last: request.messages.at(-1).id }; } });
  await fold(await send(own, 'a', call));
  assert.deepEqual(given, [{ id: 'a', messages, trigger: 'regenerate-message', messageId: 'm', body: call.body, requestMetadata: { n: 1 } }]);
  const { requestId: third, ...rest } = asked[2].body;
  assert.deepEqual([rest, typeof third], [{ last: 'u', trigger: 'submit-message', id: 'a' }, 'string']);
});

test("the transport's headers are asked anew for each attempt, and those of a call are refused", async () => {
  let token = 0;
  server.cut(500);
  const transport = newTransport({ headers: () => ({ 'x-token': String(token++) }) });
  await fold(await send(transport, 'a', { headers: {} }));
  assert.equal(token, 2);
  for (const headers of [{ 'x-token': '1' }, new Headers({ 'x-token': '1' })]) {
    await assert.rejects(send(transport, 'a', { headers }), { code: 'invalid-argument', path: 'headers' });
    await assert.rejects(transport.reconnectToStream({ chatId: 'a', headers }), { code: 'invalid-argument' });
  }
});

// ---------------------------------------------------------------------------------------------------------------------- ends

test("the server's own error is a chunk, and the text before it stays", async (t) => {
  const chunks = [{ type: 'start', messageId: 'm' }, { type: 'text-start', id: '0' }, { type: 'text-delta', id: '0', delta: 'Hel' }, { type: 'error', errorText: 'no model' }];
  const { api } = await serve(t, (response) => stream(response, chunks).end());
  const transport = newTransport({ api });
  const heard = [];
  for await (const chunk of await send(transport, 'a')) heard.push(chunk);
  assert.deepEqual(heard, chunks);
  const chat = new Chat('b', transport);
  await chat.ask();
  assert.deepEqual([chat.status, chat.error.message, chat.answer.parts[0].text], ['error', 'no model', 'Hel']);
});

test('what is refused, given up or over is a typed error, and the text before it stays', async (t) => {
  const begun = [{ type: 'start', messageId: 'm' }, { type: 'text-start', id: '0' }, { type: 'text-delta', id: '0', delta: 'Hel' }];
  let behaviour;
  const { api, asked } = await serve(t, (response, { method }) => behaviour(response, method));
  const cases = [
    ['http-status', (response) => response.writeHead(422).end('no')],
    ['gave-up', (response, method) => (method === 'POST' ? stream(response, begun).end() : response.destroy())],
    ['run-ended', (response, method) => (method === 'POST' ? stream(response, begun).end() : response.writeHead(204).end())],
  ];
  for (const [code, act] of cases) {
    behaviour = act;
    const chat = new Chat(code, newTransport({ api, retry: { ...RETRY, maxAttempts: 3 } }));
    await chat.ask();
    assert.ok(chat.error instanceof SteadyStreamError);
    assert.deepEqual([chat.status, chat.error.code, chat.ends], ['error', code, ['error']]);
    assert.equal(chat.answer.parts[0].text, code === 'http-status' ? 'why?' : 'Hel');
    // What was not told to its end is asked for again.
    const before = asked.length;
    behaviour = (response) => stream(response, [...begun, { type: 'finish' }]).end('data: [DONE]\n\n');
    await chat.resumeStream();
    assert.deepEqual([chat.status, chat.answer.parts[0].text, asked.length - before], ['ready', 'Hel', 1]);
  }
});

test('frames that make no sense are left out, and what may reach a prototype as well', async (t) => {
  const { api } = await serve(t, (response) => {
    stream(response, [{ type: 'start', messageId: 'm' }]);
    response.write('data: {nonsense\n\ndata: {"type":"text-delta"}\n\n');
    response.write('data: {"type":"data-a","data":{"__proto__":{"x":1},"y":[{"constructor":{"prototype":{"x":1}}}]}}\n\n');
    stream({ writeHead() {}, write: (text) => response.end(text) }, [{ type: 'finish' }]);
  });
  const { message, error } = await fold(await send(newTransport({ api }), 'a'));
  assert.equal(error, undefined);
  assert.deepEqual(message.parts, [{ type: 'data-a', data: { y: [{}] } }]);
});

// -------------------------------------------------------------------------------------------------------------------- resuming

test('after a reload a chat has its answer from the start', async () => {
  const reloaded = newTransport();
  const before = await send(reloaded, 'a');
  await before.getReader().read();
  reloaded.close();
  server.cut(400, 1200);
  const chat = new Chat('a', newTransport(), [{ id: 'u', ...QUESTION }]);
  await chat.resumeStream();
  assert.deepEqual([chat.status, chat.ends, chat.messages.length], ['ready', ['end'], 2]);
  await assertWhole(chat.answer, 'a');
  assert.equal(count('POST'), 1);
});

test('where nothing runs, there is nothing to resume', async () => {
  const transport = newTransport();
  assert.equal(await transport.reconnectToStream({ chatId: 'never' }), null);
  assert.equal(await transport.reconnectToStream({ chatId: 'never' }), null);
  assert.equal(count('GET'), 2, 'and it is asked for each time');
});

test('a server that refuses a resume is told', async (t) => {
  const { api } = await serve(t, (response) => response.writeHead(403).end());
  await assert.rejects(newTransport({ api }).reconnectToStream({ chatId: 'a' }), { code: 'http-status', status: 403 });
});

test('whoever comes while it runs, or soon after, has all of it, and nobody asks the server', async () => {
  const transport = newTransport();
  const folded = [];
  const join = async () => { folded.push(fold(await transport.reconnectToStream({ chatId: 'a' }))); };
  let heard = 0;
  for await (const { type } of await send(transport, 'a')) if (type !== 'finish' && heard++ % 20 === 0) await join();
  await join();
  assert.ok(folded.length > 3);
  for (const { message } of await Promise.all(folded)) await assertWhole(message, 'a');
  assert.equal(server.requests.length, 1);
});

test('a reader that leaves ends nothing, and a later one has what it missed', async () => {
  const transport = newTransport();
  const reader = (await send(transport, 'a')).getReader();
  await reader.read();
  await reader.cancel();
  await assertWhole((await fold(await transport.reconnectToStream({ chatId: 'a' }))).message, 'a');
  assert.deepEqual(server.requests.map(({ method }) => method), ['POST']);
});

test('a run that is over is kept for ttlMs and no longer, and a newer one is not forgotten with it', async (t) => {
  const ttlMs = 123_457;
  const expire = [];
  const { setTimeout: usual } = globalThis;
  t.mock.method(globalThis, 'setTimeout', (act, ms, ...rest) => {
    if (ms !== ttlMs) return usual(act, ms, ...rest);
    expire.push(act);
    return { unref() {} };
  });
  const transport = newTransport({ replay: { ttlMs } });
  const first = await fold(await send(transport, 'a'));
  assert.deepEqual(await fold(await transport.reconnectToStream({ chatId: 'a' })), first);
  const second = await fold(await send(transport, 'a'));
  assert.notEqual(second.message.id, first.message.id);
  expire[0]();
  assert.deepEqual(await fold(await transport.reconnectToStream({ chatId: 'a' })), second);
  expire[1]();
  assert.deepEqual([await transport.reconnectToStream({ chatId: 'a' }), expire.length, count('GET')], [null, 2, 1]);
  const forgetful = newTransport({ replay: { ttlMs: 0 } });
  await fold(await send(forgetful, 'b'));
  assert.equal(await forgetful.reconnectToStream({ chatId: 'b' }), null);
});

test('what is kept of ended runs is bounded, and the oldest goes first', async () => {
  server.paceMs = 0;
  // An answer is some 2100 characters.
  const transport = newTransport({ replay: { maxBytes: 5000 } });
  for (const chatId of ['a', 'b', 'c']) await fold(await send(transport, chatId));
  const kept = [];
  for (const chatId of ['c', 'b', 'a']) if (await transport.reconnectToStream({ chatId })) kept.push(chatId);
  assert.deepEqual([kept, count('GET')], [['c', 'b'], 1]);
});

test('resumes at the same time share one connection', async () => {
  const away = newTransport();
  await send(away, 'a');
  await until(() => count('POST') === 1, 'the answer');
  away.close();
  const transport = newTransport();
  const streams = await Promise.all([1, 2, 3].map(() => transport.reconnectToStream({ chatId: 'a' })));
  for (const { message } of await Promise.all(streams.map((one) => fold(one)))) await assertWhole(message, 'a');
  assert.equal(count('GET'), 1);
});

test('of overlapping resumes of a chat the latest applies, and the first has stopped nothing', async () => {
  const away = newTransport();
  await send(away, 'a');
  await until(() => count('POST') === 1, 'the answer');
  away.close();
  const chat = new Chat('a', newTransport(), [{ id: 'u', ...QUESTION }]);
  const first = chat.resumeStream();
  const second = chat.resumeStream();
  await until(() => chat.status === 'streaming', 'the stream');
  const third = chat.resumeStream();
  await Promise.all([first, second, third]);
  assert.deepEqual([chat.status, chat.messages.length], ['ready', 2]);
  await assertWhole(chat.answer, 'a');
  assert.deepEqual([count('GET'), count('POST', '/stop')], [1, 0]);
});

test('a send that comes while a resume is pending wins', async (t) => {
  let waiting;
  const { asked, api } = await serve(t, (response, { method }) => {
    if (method === 'GET') waiting = response;
    else stream(response, [{ type: 'start', messageId: 'm' }, { type: 'finish' }]).end();
  });
  const transport = newTransport({ api });
  const resumed = transport.reconnectToStream({ chatId: 'a' });
  await until(() => waiting, 'the request');
  const sent = await send(transport, 'a');
  assert.equal(await resumed, null);
  assert.equal((await fold(sent)).message.id, 'm');
  assert.deepEqual(asked.map(({ method }) => method), ['GET', 'POST']);
});

test('a resume that comes while a send is being prepared has the answer to that', async () => {
  let prepare;
  const transport = newTransport({ prepareBody: ({ messages }) => new Promise((resolve) => { prepare = () => resolve({ messages }); }) });
  const sent = send(transport, 'a');
  await until(() => prepare, 'the preparation');
  const resumed = fold(await transport.reconnectToStream({ chatId: 'a' }));
  prepare();
  assert.deepEqual((await fold(await sent)).message, (await resumed).message);
  assert.equal(server.requests.length, 1);
});

test('a send takes the place of an answer that still runs', async () => {
  const transport = newTransport();
  const first = await send(transport, 'a');
  const second = fold(await send(transport, 'a'));
  await assert.rejects(first.pipeTo(new WritableStream()), { code: 'aborted', name: 'AbortError' });
  await assertWhole((await second).message, 'a');
  assert.equal(count('POST', '/stop'), 0);
});

// -------------------------------------------------------------------------------------------------------------------- stopping

const quiet = (t) => t.mock.method(console, 'warn', () => {});

test('stop() ends it at the server, keeps what has come, and is not undone by a resume', async (t) => {
  quiet(t);
  server.paceMs = 5;
  const transport = newTransport();
  const chat = new Chat('a', transport);
  const asked = chat.ask();
  await until(() => chat.answer?.parts.some(({ type, text }) => type === 'text' && text.length > 50) && chat.status === 'streaming', 'text');
  const held = plain(chat.answer);
  await chat.stop();
  await asked;
  assert.deepEqual([chat.status, chat.ends], ['ready', ['abort']]);
  assert.deepEqual(plain(chat.answer), held);
  await until(() => count('POST', '/a/stop') === 1, 'the stop');
  const after = (await fold(await transport.reconnectToStream({ chatId: 'a' }))).message;
  // The server knows of no such request: its answer goes on, and nobody is told.
  const text = (message) => message.parts.at(-1).text;
  assert.ok(text(after).startsWith(text(held)) && text(after).length < text(await server.message('a')).length);
  assert.deepEqual((await fold(await transport.reconnectToStream({ chatId: 'a' }))).message, after);
  assert.equal(count('GET'), 0);
});

test('what is aborted before it was sent is not sent', async () => {
  const transport = newTransport({ prepareBody: async () => { abort.abort(); return {}; } });
  const abort = new AbortController();
  await assert.rejects(send(transport, 'a', { abortSignal: AbortSignal.abort() }), { name: 'AbortError', code: 'aborted' });
  await assert.rejects(send(transport, 'a', { abortSignal: abort.signal }), { name: 'AbortError' });
  assert.equal(await transport.reconnectToStream({ chatId: 'a', abortSignal: AbortSignal.abort() }), null);
  assert.equal(server.requests.length, 0);
});

test('a resume that is aborted while it is pending is cancelled, and stops nothing', async (t) => {
  let request;
  const { asked, api } = await serve(t, (response) => { request = response; });
  const abort = new AbortController();
  const resumed = newTransport({ api }).reconnectToStream({ chatId: 'a', abortSignal: abort.signal });
  await until(() => request, 'the request');
  abort.abort();
  assert.equal(await resumed, null);
  await until(() => request.destroyed, 'it to be cancelled');
  assert.equal(asked.length, 1);
});

test('a chat that sends after a stop waits for it: it must not hit the new answer', async (t) => {
  const order = [];
  const { api } = await serve(t, (response, { url }) => {
    order.push(url);
    // Long enough for a send that does not wait to come first.
    if (url.endsWith('/stop')) setTimeout(() => { order.push('stopped'); response.end('{}'); }, 100);
    else if (order.length === 1) stream(response, [{ type: 'start', messageId: 'm1' }, { type: 'text-start', id: '0' }]);
    else stream(response, [{ type: 'start', messageId: 'm2' }, { type: 'finish' }]).end();
  });
  const chat = new Chat('a', newTransport({ api }));
  const first = chat.ask();
  await until(() => chat.status === 'streaming', 'the answer');
  const stopped = chat.stop();
  await Promise.all([chat.ask(), first, stopped]);
  assert.deepEqual([order, chat.answer.id, chat.status], [['/chat', '/chat/a/stop', 'stopped', '/chat'], 'm2', 'ready']);
});

test("with onAbort: 'detach' an abort only leaves, and stop() is its own call", async (t) => {
  quiet(t);
  server.paceMs = 2;
  const transport = newTransport({ onAbort: 'detach' });
  const chat = new Chat('a', transport);
  const asked = chat.ask();
  await until(() => chat.status === 'streaming', 'the answer');
  await chat.stop();
  await asked;
  const again = new Chat('a', transport, [{ id: 'u', ...QUESTION }]);
  await again.resumeStream();
  await assertWhole(again.answer, 'a');
  assert.equal(server.requests.length, 1);
  let hasBegun = false;
  const other = fold(await send(transport, 'b'), () => { hasBegun = true; });
  await until(() => hasBegun, 'the answer');
  await transport.stop('b');
  await other;
  await transport.stop('c');
  assert.deepEqual([count('POST', '/b/stop'), count('POST', '/c/stop')], [1, 1]);
});

// ------------------------------------------------------------------------------------------------------------ the transport itself

test('closing lets go of every run, and what comes after is refused', async () => {
  const transport = newTransport();
  const chat = new Chat('a', transport);
  const asked = chat.ask();
  await until(() => chat.status === 'streaming', 'the answer');
  transport.close();
  transport.close();
  await asked;
  assert.deepEqual(chat.ends, ['abort']);
  await assert.rejects(send(transport, 'b'), { code: 'invalid-state' });
  await assert.rejects(transport.reconnectToStream({ chatId: 'b' }), { code: 'invalid-state' });
  await assert.rejects(transport.stop('b'), { code: 'invalid-state' });
  assert.equal(count('POST', '/stop'), 0);
});

test('a client that is given is used, and stays open', async () => {
  const client = new RunClient({ baseUrl: server.api, protocol: 'ui-message', retry: RETRY });
  const transport = new SteadyChatTransport({ client });
  await assertWhole((await fold(await send(transport, 'a'))).message, 'a');
  const foreign = client.send('b', 'why?');
  await new Promise((resolve) => { const leave = foreign.subscribe(({ parts }) => { if (parts.length > 0) { queueMicrotask(() => leave()); resolve(); } }); });
  await assert.rejects(transport.reconnectToStream({ chatId: 'b' }), { code: 'invalid-state' }, 'its beginning was told to somebody else');
  transport.close();
  assert.equal((await foreign.finished).status, 'completed');
  client.close();
});

test('wrong options are named by their path', () => {
  const client = new RunClient({ baseUrl: '', protocol: 'ui-message' });
  for (const [options, path] of [
    [{ baseUrl: '' }, 'baseUrl'], [{ protocol: 'bichat' }, 'protocol'], [{ client: {} }, 'client'], [{ client, api: '/' }, 'api'],
    [{ client, retry: {} }, 'retry'], [{ prepareBody: 'x' }, 'prepareBody'], [{ onAbort: 'pause' }, 'onAbort'], [{ replay: 3 }, 'replay'],
    [{ replay: { ttlMs: -1 } }, 'replay.ttlMs'], [{ replay: { maxBytes: NaN } }, 'replay.maxBytes'], [{ retries: 1 }, 'retries'], [{ retry: { baseMs: 'x' } }, 'retry.baseMs'],
  ]) assert.throws(() => new SteadyChatTransport(options), { code: 'invalid-argument', path }, path);
  client.close();
});

test('a chat without a name is refused', async () => {
  const transport = newTransport();
  await assert.rejects(send(transport, ''), { code: 'invalid-argument', path: 'chatId' });
  await assert.rejects(transport.reconnectToStream({}), { code: 'invalid-argument', path: 'chatId' });
  await assert.rejects(transport.stop(7), { code: 'invalid-argument', path: 'chatId' });
});

test('a body that cannot be made or sent leaves no run behind', async () => {
  const transport = newTransport({ prepareBody: ({ body }) => { if (body) throw new RangeError('too long'); return { big: 1n }; } });
  await assert.rejects(send(transport, 'a', { body: {} }), RangeError);
  await assert.rejects(send(transport, 'a'), { code: 'invalid-argument', path: 'message' });
  assert.equal(await transport.reconnectToStream({ chatId: 'a' }), null);
});
