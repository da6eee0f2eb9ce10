// What another page has left unsent, found a moment after the client was made, and what is sent in that moment.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { RunClient } from '../../pkg/lib/client.js';
import { FakeRaw, settle, useFakeEngine } from './fake-engine.mjs';

useFakeEngine();

const KEY = 'steadystream.send:/bi-chat|bichat|';

/** A database that answers when the test says so. What it is asked goes one after the other, as there. */
class SlowDatabase {
  rows = new Map();
  #waiting = [];
  isSlow = true;

  #request(work) {
    const request = { transaction: { commit() {} } };
    const answer = () => {
      request.result = work();
      request.onsuccess?.();
      request.transaction.oncomplete?.();
    };
    if (this.isSlow) this.#waiting.push(answer);
    else queueMicrotask(answer);
    return request;
  }

  async answer() {
    this.isSlow = false;
    for (const answer of this.#waiting.splice(0)) answer();
    for (let i = 0; i < 10; i++) await settle();
  }

  open() {
    const { rows } = this;
    const transaction = () => {
      const made = { commit() {} };
      const ask = (work) => Object.assign(this.#request(work), { transaction: made });
      made.objectStore = () => ({
        transaction: made,
        get: (key) => ask(() => rows.get(key)),
        put: (text, key) => ask(() => { rows.set(key, text); }),
        getAll: ({ start }) => ask(() => [...rows].filter(([key]) => key.startsWith(start)).map(([, text]) => text)),
        delete: (key) => ask(() => { rows.delete(key); }),
      });
      return made;
    };
    return this.#request(() => ({ transaction, close() {} }));
  }
}

let database;
const clients = [];

const put = (requestId, fields) => {
  const record = { v: 1, at: Date.now() - 1000, n: database.rows.size, sessionId: 's', requestId, message: requestId, isTried: false, ...fields };
  database.rows.set(KEY + requestId, JSON.stringify(record));
};

const newClient = (options) => {
  const client = new RunClient({ baseUrl: '/bi-chat', persist: 'indexeddb', ...options });
  clients.push(client);
  return client;
};

/** The lines of the engine, as it was told of them. */
const lines = () => FakeRaw.latest.calls.filter(([name]) => ['expect', 'stopExpecting', 'send', 'takeOver'].includes(name))
  .map(([name, ...args]) => (name === 'send' ? `send ${JSON.parse(args[2]).content} ${args[4] ?? 'new'}` : `${name} ${args[0]}`));

beforeEach(() => {
  database = new SlowDatabase();
  globalThis.indexedDB = database;
  globalThis.IDBKeyRange = { bound: (start) => ({ start }) };
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await database.answer();
  delete globalThis.indexedDB;
  delete globalThis.IDBKeyRange;
  FakeRaw.latest = undefined;
});

test('who sends before the storage has answered waits for it, and stands behind what it had', async () => {
  put('kept', { isTried: true });
  put('elsewhere', { sessionId: 't' });
  const client = newClient();
  await settle();
  const stream = client.send('s', 'new');
  client.send('u', 'alone');
  assert.equal(stream.getSnapshot().status, 'pending');
  assert.deepEqual(lines(), ['expect s', 'send new new', 'expect u', 'send alone new']);
  await database.answer();
  assert.deepEqual(lines().slice(4).sort(), [
    'expect s', 'expect t', 'expect u', 'send elsewhere false', 'send kept true', 'stopExpecting s', 'stopExpecting t', 'stopExpecting u']);
  const told = lines();
  assert.ok(told.indexOf('send kept true') < told.indexOf('stopExpecting s'));
  client.send('s', 'later');
  assert.equal(lines().at(-1), 'send later new', 'and nobody after that waits');
});

test('storage that fails holds nobody back', async () => {
  globalThis.indexedDB = { open() { throw new Error('forbidden'); } };
  newClient().send('s', 'new');
  await settle();
  await settle();
  assert.deepEqual(lines(), ['expect s', 'send new new', 'expect s', 'stopExpecting s']);
});

test('the same message, or its name, is the message that was kept: one click, one run', async () => {
  put('kept', { message: 'same', isTried: true });
  put('named', { sessionId: 't', isTried: true });
  const client = newClient();
  await settle();
  const stream = client.send('s', 'same');
  const named = client.send('t', 'named', { requestId: 'named' });
  const raw = FakeRaw.latest;
  raw.takeOver = (slot, requestId, body, isTried) => {
    raw.calls.push(['takeOver', slot, requestId, JSON.parse(body).content, isTried]);
    raw.emit(slot, { state: { requestId } });
    return true;
  };
  await database.answer();
  assert.equal(raw.made('send').length, 2);
  assert.deepEqual(raw.made('takeOver').sort(), [[1, 'kept', 'same', true], [2, 'named', 'named', true]]);
  assert.deepEqual([stream, named].map((each) => each.getSnapshot().requestId), ['kept', 'named']);
  assert.deepEqual([...database.rows.keys()].sort(), [`${KEY}kept`, `${KEY}named`], 'under one name');
  assert.equal(client.outbox.getSnapshot().messages.length, 2);
});

test('two that were kept and say the same are two', async () => {
  put('first', { message: 'same' });
  put('second', { message: 'same' });
  newClient();
  await database.answer();
  assert.deepEqual([FakeRaw.latest.made('send').length, FakeRaw.latest.made('takeOver').length], [2, 0]);
});

test('a stop while they are looked for is meant for them, too', async () => {
  put('kept');
  put('other', { sessionId: 't' });
  const client = newClient();
  await settle();
  void client.stop('s').catch(() => {});
  await database.answer();
  assert.deepEqual(FakeRaw.latest.made('send').map(([session]) => session), ['t']);
  assert.deepEqual([...database.rows.keys()], [`${KEY}other`]);
});

test('a delete while they are looked for has them before it, and what is found behind it goes with the session', async () => {
  const client = newClient({ baseUrl: '/v1', protocol: 'chunks' });
  database.rows.set('steadystream.send:/v1|chunks|kept', JSON.stringify({
    v: 1, at: Date.now(), n: 0, sessionId: 's', requestId: 'kept', message: 'a', isTried: false,
  }));
  await settle();
  const deleted = client.delete('s');
  await settle();
  const raw = FakeRaw.latest;
  assert.deepEqual(raw.calls.map(([name]) => name).filter((name) => ['expect', 'delete', 'send'].includes(name)), ['expect', 'delete']);
  raw.answer(1, { body: null });
  raw.frame();
  await settle();
  await database.answer();
  await deleted;
  assert.deepEqual([raw.made('send'), database.rows.size], [[], 0]);
});

test('a client that closes meanwhile sends nothing, and the next one finds all of it', async () => {
  put('kept');
  const client = newClient();
  await settle();
  client.send('s', 'new', { requestId: 'new' });
  client.close();
  await database.answer();
  assert.deepEqual(lines(), ['expect s', 'send new new']);
  assert.deepEqual([...database.rows.keys()].sort(), [`${KEY}kept`, `${KEY}new`]);
  newClient();
  await database.answer();
  assert.deepEqual(FakeRaw.latest.made('send').map(([, requestId]) => requestId), ['kept', 'new']);
});

test('who gives up while they are looked for has sent nothing, and nothing is kept of it', async () => {
  const client = newClient();
  await settle();
  const controller = new AbortController();
  const stream = client.send('s', 'new', { signal: controller.signal });
  controller.abort();
  await database.answer();
  assert.equal(stream.getSnapshot().error.code, 'aborted');
  assert.equal(database.rows.size, 0);
});
