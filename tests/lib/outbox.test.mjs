// What the outbox shows of a message, what it keeps of one that is unsent, and which two clicks are one.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { RunClient } from '../../pkg/lib/client.js';
import { Outbox } from '../../pkg/lib/outbox/outbox.js';
import { FakeRaw, settle, useFakeEngine } from './fake-engine.mjs';

useFakeEngine();

const PREFIX = 'steadystream.send:/bi-chat|bichat|';
const clients = [];

const newClient = (options) => {
  const client = new RunClient({ baseUrl: '/bi-chat', protocol: 'bichat', ...options });
  clients.push(client);
  return client;
};

beforeEach(() => {
  globalThis.sessionStorage = Object.create({
    getItem(key) { return this[key] ?? null; },
    setItem(key, text) { this[key] = String(text); },
    removeItem(key) { delete this[key]; },
  });
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  delete globalThis.sessionStorage;
});

const state = (change) => ({ state: change });
const taken = state({ sent: 2, runId: 'r', status: 'streaming' });
const lost = (code) => ({ state: { status: 'interrupted', by: 'limit', error: { code, retryable: true } }, end: true });
const records = () => Object.keys(globalThis.sessionStorage).filter((key) => key.startsWith(PREFIX));
const shown = (client) => client.outbox.getSnapshot().messages;
const statuses = (client) => shown(client).map(({ status }) => status);

// ---- the store ----

test('a message is there at once, frozen, and the same object until something of it changes', async () => {
  const client = newClient();
  const message = { content: 'hi', extra: [1] };
  const stream = client.send('s', message);
  const [first] = shown(client);
  assert.deepEqual([first.status, first.sessionId, first.requestId, first.message, first.runId, first.error, first.attempts],
    ['pending', 's', stream.getSnapshot().requestId, message, null, null, 0]);
  assert.ok(Object.isFrozen(first) && Object.isFrozen(client.outbox.getSnapshot()) && Object.isFrozen(shown(client)));
  message.content = 'changed';
  assert.equal(first.message.content, 'hi');
  client.send('s', 'next');
  assert.equal(shown(client)[0], first);
  assert.equal(client.outbox.getSnapshot().unsent, 2);
  FakeRaw.latest.tell(1, taken);
  assert.deepEqual(statuses(client), ['sent', 'pending']);
  assert.equal(shown(client)[0].runId, 'r');
  FakeRaw.latest.tell(1, { state: { status: 'completed', by: 'server' }, end: true });
  assert.deepEqual(statuses(client), ['confirmed', 'pending']);
  await settle();
});

test('listeners hear of changes once a turn, and outside of any call of theirs', async () => {
  const client = newClient();
  const told = [];
  client.outbox.subscribe(({ messages }) => told.push(messages.length));
  client.send('s', 'a');
  client.send('s', 'b');
  assert.deepEqual(told, [0]);
  await settle();
  assert.deepEqual(told, [0, 2]);
});

test('what was not taken has failed, with a way on and a way out (W4-5)', async () => {
  const client = newClient();
  const first = client.send('s', 'a');
  FakeRaw.latest.tell(1, lost('gave-up'));
  const [failed] = shown(client);
  assert.deepEqual([failed.status, failed.error.code], ['failed', 'gave-up']);
  const again = failed.retry();
  assert.notEqual(again, first);
  assert.equal(FakeRaw.latest.made('retry').length, 1);
  FakeRaw.latest.tell(1, state({ sent: 1, status: 'pending' }));
  assert.deepEqual(statuses(client), ['pending']);
  assert.throws(() => failed.retry(), { code: 'invalid-state' });
  FakeRaw.latest.tell(1, lost('send-in-doubt'));
  shown(client)[0].discard();
  assert.deepEqual(shown(client), []);
});

test('a run that lost its end has been sent, and one that the user withdrew is gone', () => {
  const client = newClient();
  client.send('s', 'a');
  client.send('s', 'b');
  client.send('s', 'c');
  FakeRaw.latest.tell(1, taken);
  FakeRaw.latest.tell(1, lost('gave-up'));
  FakeRaw.latest.tell(2, state({ sent: 2 }));
  FakeRaw.latest.tell(2, lost('run-ended'));
  FakeRaw.latest.tell(3, { state: { status: 'cancelled', by: 'user' }, end: true });
  assert.deepEqual(statuses(client), ['sent', 'sent']);
});

test('only its own ids end the time of a message, whatever it says (W4-6)', () => {
  const outbox = new Outbox(null, 500);
  const snapshot = { status: 'pending', runId: null, requestId: null, error: null, connection: { attempt: 0 } };
  const runs = ['q0', 'q1', 'q2', 'q3'].map((requestId, i) => {
    const run = { sent: 0, isLive: true, store: { peek: () => ({ ...snapshot, requestId, runId: run.runId ?? null }) } };
    const outgoing = outbox.add({ sessionId: i < 3 ? 's' : 't', requestId, message: 'the same' });
    outbox.begin(outgoing, run, { deref() {} }, true);
    return run;
  });
  Object.assign(runs[1], { runId: 'r1', sent: 2 });
  runs[1].outgoing.note(runs[1]);
  const entries = () => outbox.overlay('s').get();
  const here = () => entries().map(({ turn }) => turn);
  assert.deepEqual(entries().map(({ names, answer, isHeld }) => [names, answer, isHeld]), [
    [['user:q0', 'q0'], null, false], [['user:q1', 'q1'], 'r1', true], [['user:q2', 'q2'], null, false],
  ]);
  assert.deepEqual(outbox.overlay('t').get().map(({ turn }) => turn), ['q3']);
  entries()[1].arrive();
  assert.deepEqual(here(), ['q0', 'q2']);
  entries()[0].forget();
  assert.deepEqual(here(), ['q2']);
  // What comes of it later is told by its run alone.
  Object.assign(runs[0], { runId: 'r0', sent: 2 });
  runs[0].outgoing.note(runs[0]);
  assert.deepEqual(here(), ['q2']);
});

// ---- double clicks ----

test('the same message while the first is unsent, or was a moment ago, is the same stream', () => {
  let now = 0;
  const before = performance.now;
  performance.now = () => now;
  try {
    const client = newClient();
    const stream = client.send('s', { content: 'a' });
    now = 60_000;
    assert.equal(client.send('s', { content: 'a' }), stream, 'it waits still');
    assert.notEqual(client.send('t', { content: 'a' }), stream);
    assert.notEqual(client.send('s', { content: 'b' }), stream);
    assert.notEqual(client.send('s', { content: 'a' }, { requestId: 'given' }), stream, 'whoever names it means it');
    FakeRaw.latest.tell(1, taken);
    assert.notEqual(client.send('s', { content: 'a' }), stream, 'a minute later it is meant');
    assert.equal(FakeRaw.latest.made('send').length, 5);
    const other = client.send('u', 'x');
    FakeRaw.latest.tell(6, taken);
    now += 499;
    assert.equal(client.send('u', 'x'), other);
    now += 1;
    assert.notEqual(client.send('u', 'x'), other);
  } finally {
    performance.now = before;
  }
});

test('with 0 every send is meant, and what has failed is no first click', () => {
  const client = newClient({ doubleSendMs: 0 });
  assert.notEqual(client.send('s', 'a'), client.send('s', 'a'));
  const usual = newClient();
  const failed = usual.send('s', 'a');
  FakeRaw.latest.tell(1, lost('gave-up'));
  assert.notEqual(usual.send('s', 'a'), failed);
});

// ---- what is kept ----

const reload = async (options = { persist: 'session' }) => {
  for (const client of clients.splice(0)) client.close();
  FakeRaw.latest = undefined;
  const client = newClient(options);
  await settle();
  return client;
};

test('unsent messages survive a reload, in their order and with their ids, and go out by themselves', async () => {
  const client = newClient({ persist: 'session' });
  const first = client.send('s', 'a', { parts: [{ type: 'text', text: 'held' }] }).getSnapshot().requestId;
  const second = client.send('s', { content: 'b', model: 'm' }).getSnapshot().requestId;
  client.send('t', 'taken');
  FakeRaw.latest.tell(1, state({ sent: 1 }));
  FakeRaw.latest.tell(3, taken);
  const next = await reload();
  const made = FakeRaw.latest.made('send');
  assert.deepEqual(made.map(([session, id, body, held, isTried]) => [session, id, JSON.parse(body).content, held, isTried]), [
    ['s', first, 'a', '{"parts":[{"type":"text","text":"held"}]}', true],
    ['s', second, 'b', undefined, false],
  ]);
  assert.equal(JSON.parse(made[1][2]).model, 'm');
  assert.deepEqual(statuses(next), ['pending', 'pending']);
  FakeRaw.latest.tell(1, taken);
  assert.equal(records().length, 1);
  assert.equal(next.send('s', { content: 'b', model: 'm' }, { requestId: second }).getSnapshot().requestId, second);
  assert.equal(FakeRaw.latest.made('send').length, 2, 'one that names it finds it');
});

test('a message that is sent first goes out behind those that were kept', async () => {
  newClient({ persist: 'session' }).send('s', 'a');
  for (const client of clients.splice(0)) client.close();
  newClient({ persist: 'session' }).send('s', 'b');
  assert.deepEqual(FakeRaw.latest.made('send').map(([, , body]) => JSON.parse(body).content), ['a', 'b']);
});

test('what had to be given up is tried again by the next page', async () => {
  const client = newClient({ persist: 'session' });
  client.send('s', 'a');
  FakeRaw.latest.tell(1, state({ sent: 1 }));
  FakeRaw.latest.tell(1, lost('gave-up'));
  await reload();
  assert.deepEqual(FakeRaw.latest.made('send').map(([, , , , isTried]) => isTried), [true]);
});

test('what was turned down, stopped or taken is not kept, and a client that closes forgets nothing', async () => {
  const client = newClient({ persist: 'session' });
  for (const text of ['a', 'b', 'c', 'd']) client.send('s', text);
  assert.equal(records().length, 4);
  FakeRaw.latest.tell(1, { state: { status: 'failed', by: 'server', error: { code: 'http-status', status: 422, retryable: false } }, end: true });
  FakeRaw.latest.tell(2, { state: { status: 'cancelled', by: 'user' }, end: true });
  FakeRaw.latest.tell(3, taken);
  assert.equal(records().length, 1);
  await reload();
  assert.equal(FakeRaw.latest.made('send').length, 1);
});

test('broken, old and foreign records do no harm', async () => {
  const at = Date.now();
  const whole = { v: 1, at, n: 1, sessionId: 's', requestId: 'q', message: 'a', isTried: false };
  const put = (name, record) => sessionStorage.setItem(PREFIX + name, typeof record === 'string' ? record : JSON.stringify(record));
  const wrong = [
    '', '{', 'null', '7', { ...whole, v: 2 }, { ...whole, at: at - 25 * 3600e3 }, { ...whole, at: at + 9e9 }, { ...whole, n: 'x' },
    { ...whole, sessionId: '' }, { ...whole, requestId: 7 }, { ...whole, message: null }, { ...whole, message: [1] },
    { ...whole, parts: {} }, { ...whole, isTried: 'no' },
  ];
  wrong.forEach((record, i) => put(`wrong${i}`, record));
  sessionStorage.setItem('steadystream.send:/other|bichat|q', JSON.stringify(whole));
  await reload();
  assert.equal(FakeRaw.latest, undefined, 'not even an engine is made');
  put('q', whole);
  await reload();
  assert.deepEqual(FakeRaw.latest.made('send').map(([session, id]) => [session, id]), [['s', 'q']]);
});

test('forget() takes the unsent messages of a session, or of all, with it', async () => {
  const client = newClient({ persist: 'session' });
  client.send('s', 'a');
  client.send('t', 'b');
  await client.forget('s');
  assert.equal(records().length, 1);
  await client.forget();
  assert.equal(records().length, 0);
});

test('storage that cannot be used is none', async () => {
  delete globalThis.sessionStorage;
  const client = newClient({ persist: 'session' });
  client.send('s', 'a');
  FakeRaw.latest.tell(1, taken);
  await settle();
  assert.deepEqual(statuses(client), ['sent']);
});

// ---- a session's end ----

test('reset and delete are for one protocol, and nothing of the session stays', async () => {
  await assert.rejects(newClient().delete('s'), { code: 'invalid-argument', path: 'protocol' });
  await assert.rejects(newClient().reset('s'), { code: 'invalid-argument', path: 'protocol' });
  const client = newClient({ protocol: 'chunks' });
  await assert.rejects(client.reset('s', { clearPresence: 1 }), { code: 'invalid-argument', path: 'clearPresence' });
  await assert.rejects(client.delete(''), { code: 'invalid-argument', path: 'sessionId' });
  const stream = client.send('s', 'a');
  client.send('t', 'b');
  const raw = FakeRaw.latest;
  const deleted = client.delete('s');
  raw.emit(1, { state: { status: 'cancelled', by: 'user', sent: 2 }, end: true });
  raw.answer(1, { body: null });
  raw.frame();
  await deleted;
  assert.deepEqual(raw.made('delete'), [['s']]);
  assert.deepEqual(shown(client).map(({ sessionId }) => sessionId), ['t']);
  assert.equal(stream.getSnapshot().status, 'cancelled');
  assert.notEqual(client.open({ sessionId: 's', runId: 'r' }), stream);
  const refused = client.reset('t', { clearPresence: true });
  raw.answer(2, { ok: false, error: { code: 'http-status', status: 500 } });
  raw.frame();
  await assert.rejects(refused, { code: 'http-status', status: 500 });
  assert.deepEqual(raw.made('reset'), [['t', true]]);
  assert.equal(shown(client).length, 1);
});

test('a stop of what has not gone out is no word to the server', async () => {
  const client = newClient();
  const stream = client.send('s', 'a');
  const raw = FakeRaw.latest;
  raw.withdraw = (slot) => {
    raw.emit(slot, { state: { status: 'cancelled', by: 'user' }, end: true });
    return true;
  };
  await stream.stop();
  assert.equal((await stream.finished).status, 'cancelled');
  assert.deepEqual([raw.made('stop'), shown(client)], [[], []]);
});

test('resume() gives a message that is unsent, and sending it again is the same click', async () => {
  newClient({ persist: 'session' }).send('s', 'a');
  for (const client of clients.splice(0)) client.close();
  const client = newClient({ persist: 'session' });
  const stream = await client.resume('s');
  assert.equal(stream.getSnapshot().requestId, shown(client)[0].requestId);
  assert.equal(client.send('s', 'a'), stream);
  assert.equal(FakeRaw.latest.made('send').length, 1);
});
