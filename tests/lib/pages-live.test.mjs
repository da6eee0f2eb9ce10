// What is on its way at the newest end of a history, and the stored message that it becomes: one item, by exact ids alone (W4-6).
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { RunClient } from '../../pkg/lib/client.js';
import { Histories } from '../../pkg/lib/pages/histories.js';
import { FakeList } from './fake-list.mjs';
import { FakeRaw, settle, useFakeEngine } from './fake-engine.mjs';

useFakeEngine();
beforeEach(() => { FakeRaw.latest = null; });

const say = (id, more = {}) => ({ id, role: 'assistant', content: id, ...more });
const shown = (pages) => pages.getSnapshot().items.map(({ key, id, run, send }) => [key, id, ...(run ? ['run'] : []), ...(send ? [send.status] : [])]);

/** A server's newest page, and a client's history of it. */
const begin = async (messages, options) => {
  const server = { messages, asks: 0, next: null };
  const load = async ({ before }) => {
    server.asks += 1;
    return { items: structuredClone(before === null ? server.messages : []), next: before === null ? server.next : null };
  };
  const histories = new Histories('bichat', null);
  const pages = histories.messages('s', { load, ...options }, () => []);
  const leave = pages.subscribe(() => {});
  await pages.refresh();
  return { server, histories, pages, leave };
};

const fakeRun = (snapshot) => {
  const run = { sessionId: 's', isLive: true, snapshot: { requestId: null, runId: null, metadata: null, ...snapshot } };
  run.store = { peek: () => run.snapshot };
  run.know = (change) => Object.assign(run.snapshot, change);
  return run;
};

/** What another part of the client overlays: messages that are being sent. */
class Source {
  entries = [];
  #listeners = new Set();
  isLeft = false;

  get = () => this.entries;

  subscribe = (fn) => {
    this.#listeners.add(fn);
    return () => { this.isLeft = this.#listeners.delete(fn); };
  };

  set(...entries) {
    this.entries = entries;
    for (const fn of this.#listeners) fn();
  }
}

const entry = (requestId, status, more = {}) => (
  { names: [`user:${requestId}`], turn: requestId, value: null, send: { requestId, status }, isHeld: status === 'sent', ...more });

describe('a run', () => {
  test('is an item with its session\'s history, and keeps its key when the server gives it a final id', async () => {
    const { server, histories, pages } = await begin([say('m1')]);
    const run = fakeRun({ requestId: 'q' });
    const stream = {};
    histories.noteRun(run, stream);
    assert.deepEqual(shown(pages), [['m1', 'm1'], ['assistant:q', null, 'run']]);
    run.know({ runId: 'p' });
    server.messages.push(say('p', { pending_message_id: 'p', status: 'streaming', content: 'so far' }));
    await pages.refresh();
    assert.deepEqual(shown(pages), [['m1', 'm1'], ['assistant:q', 'p', 'run']]);
    run.isLive = false;
    server.messages[1] = say('final', { pending_message_id: 'p', status: 'complete' });
    histories.noteEnd(run.sessionId);
    assert.equal(pages.getSnapshot().status, 'loading', 'it asks for the stored message by itself');
    await pages.refresh();
    assert.deepEqual(shown(pages), [['m1', 'm1'], ['assistant:q', 'final', 'run']]);
    assert.equal(pages.getSnapshot().items[1].run, stream);
  });

  test('is nobody else: the same text, role or place resolve nothing', async () => {
    const { server, histories, pages } = await begin([]);
    const run = fakeRun({ runId: 'p1' });
    histories.noteRun(run, {});
    server.messages.push(say('p2', { pending_message_id: 'p2', status: 'streaming' }), say('x', { request_id: 'other' }), { id: 'u', role: 'user', runId: 'p1' });
    await pages.refresh();
    assert.deepEqual(shown(pages), [['p2', 'p2'], ['assistant:other', 'x'], ['u', 'u'], ['p1', null, 'run']]);
  });

  test('is known by the id that its last event named', async () => {
    const { server, histories, pages } = await begin([]);
    const run = fakeRun({ runId: 'p1', requestId: 'q' });
    histories.noteRun(run, {});
    run.know({ metadata: { message_id: 'm9' } });
    run.isLive = false;
    server.messages.push(say('m9'));
    await pages.refresh();
    assert.deepEqual(shown(pages), [['assistant:q', 'm9', 'run']]);
  });

  test('that goes on under another stream is the same item', async () => {
    const { histories, pages } = await begin([]);
    histories.noteRun(fakeRun({ runId: 'p' }), { n: 1 });
    histories.noteRun(fakeRun({ runId: 'p' }), { n: 2 });
    assert.deepEqual([shown(pages), pages.getSnapshot().items[0].run.n], [[['p', null, 'run']], 2]);
  });

  test('that is among pages that were given up is not shown at the newest end', async () => {
    const { server, histories, pages } = await begin([say('p', { pending_message_id: 'p' })], { limit: 2, maxItems: 4 });
    histories.noteRun(fakeRun({ runId: 'p' }), {});
    assert.deepEqual(shown(pages), [['p', 'p', 'run']]);
    server.messages = [say('a'), say('b'), say('c'), say('d'), say('e')];
    await pages.refresh();
    assert.deepEqual(shown(pages).map(([key]) => key), ['a', 'b', 'c', 'd', 'e']);
  });

  test('that ends while older messages are looked at takes nobody away from them', async () => {
    const list = new FakeList(12);
    const histories = new Histories('bichat', null);
    const pages = histories.messages('s', { load: list.cursors, limit: 2, maxItems: 4 }, () => []);
    pages.subscribe(() => {});
    for (let n = 0; n < 5; n += 1) await pages.loadOlder();
    const { items } = pages.getSnapshot();
    const run = fakeRun({ runId: 'p' });
    histories.noteRun(run, {});
    run.isLive = false;
    histories.noteEnd(run.sessionId);
    await settle();
    assert.equal(pages.getSnapshot().items, items);
    assert.equal(pages.getSnapshot().status, 'idle');
  });

  test('that ends while nobody looks costs a request when somebody does', async () => {
    const { server, histories, pages, leave } = await begin([say('m1')]);
    leave();
    const { asks } = server;
    const run = fakeRun({ runId: 'p' });
    histories.noteRun(run, {});
    run.isLive = false;
    histories.noteEnd(run.sessionId);
    await settle();
    assert.equal(server.asks, asks);
    server.messages.push(say('m2', { pending_message_id: 'p' }));
    pages.subscribe(() => {});
    await pages.refresh();
    assert.deepEqual([server.asks, shown(pages)], [asks + 1, [['m1', 'm1'], ['p', 'm2', 'run']]]);
  });
});

describe('an overlay', () => {
  test('is at the newest end, a question before its answer, whichever was known first', async () => {
    const { histories, pages } = await begin([say('m1')]);
    const source = new Source();
    histories.noteRun(fakeRun({ requestId: 'q1' }), {});
    histories.overlay(() => source);
    source.set(entry('q1', 'sent'), entry('q2', 'pending'));
    assert.deepEqual(shown(pages), [['m1', 'm1'], ['user:q1', null, 'sent'], ['assistant:q1', null, 'run'], ['user:q2', null, 'pending']]);
  });

  test('is the stored message once that has its request id, and then stays', async () => {
    const { server, histories, pages } = await begin([]);
    const source = new Source();
    histories.overlay(() => source);
    source.set(entry('q', 'sent'));
    server.messages.push({ id: 'u1', role: 'user', request_id: 'q', content: 'hello' });
    await pages.refresh();
    assert.deepEqual(shown(pages), [['user:q', 'u1', 'sent']]);
    source.set();
    assert.deepEqual(shown(pages), [['user:q', 'u1']]);
    await pages.refresh();
    assert.deepEqual(shown(pages), [['user:q', 'u1']]);
  });

  test('whose answer is stored is stored, too, whatever it is called there, and nothing else says so (W4-6)', async () => {
    const { server, histories, pages } = await begin([]);
    const source = new Source();
    histories.overlay(() => source);
    const arrived = [];
    const asked = (requestId, answer) => entry(requestId, 'sent', { answer, arrive: () => arrived.push(requestId) });
    source.set(asked('q1', 'p1'), asked('q2', 'p2'), asked('q3', null));
    // Of the same words, and no request id.
    server.messages.push({ id: 'u1', role: 'user', content: 'hello' }, say('a1', { pending_message_id: 'p1' }));
    await pages.refresh();
    assert.deepEqual(shown(pages), [['u1', 'u1'], ['p1', 'a1'], ['user:q2', null, 'sent'], ['user:q3', null, 'sent']]);
    assert.deepEqual(arrived, ['q1']);
  });

  test('that is given up is gone, but for what the server has taken: that waits for its page', async () => {
    const { histories, pages } = await begin([]);
    const source = new Source();
    histories.overlay(() => source);
    source.set(entry('q1', 'failed'), entry('q2', 'sent'));
    source.set();
    assert.deepEqual(shown(pages), [['user:q2', null, 'sent']]);
    await pages.refresh();
    assert.deepEqual(shown(pages), []);
    pages.close();
    assert.equal(source.isLeft, true);
  });

  test('is not shown where the newest are not held, and is again where they are', async () => {
    const list = new FakeList(9);
    const histories = new Histories('bichat', null);
    const source = new Source();
    histories.overlay((sessionId) => (sessionId === 's' ? source : null));
    const pages = histories.messages('s', { load: list.cursors, limit: 2, maxItems: 4 }, () => []);
    source.set(entry('q', 'pending'));
    const keys = () => shown(pages).map(([key]) => key);
    await pages.refresh();
    assert.deepEqual(keys(), ['m8', 'm9', 'user:q']);
    for (let n = 0; n < 3; n += 1) await pages.loadOlder();
    assert.deepEqual(keys(), ['m2', 'm3', 'm4', 'm5']);
    await pages.refresh();
    assert.deepEqual(keys(), ['m8', 'm9', 'user:q']);
  });
});

describe('a client', () => {
  const begun = (options) => {
    const client = new RunClient({ baseUrl: '', protocol: 'ws-chat', ...options });
    return client;
  };

  test('hangs nothing of a page that has come on the signal that ends its list', async (t) => {
    let listening = 0;
    for (const [name, by] of [['addEventListener', 1], ['removeEventListener', -1]]) {
      const original = AbortSignal.prototype[name];
      t.mock.method(AbortSignal.prototype, name, function count(...args) {
        listening += by;
        return original.apply(this, args);
      });
    }
    const loading = begun().messages('s').loadOlder();
    await settle();
    assert.equal(listening, 1);
    FakeRaw.latest.answer(1, { body: { messages: [say('m1')], next_cursor: null } });
    FakeRaw.latest.frame();
    assert.equal(await loading, true);
    assert.equal(listening, 0);
  });

  test('asks the endpoints of ws-chat by itself, and only then makes an engine', async () => {
    const client = begun();
    const pages = client.messages('a b');
    assert.equal(FakeRaw.latest, null);
    const loading = pages.loadOlder();
    await settle();
    const raw = FakeRaw.latest;
    assert.deepEqual(raw.made('page'), [['/api/chat/sessions/a%20b/messages?limit=50']]);
    raw.answer(1, { body: { messages: [say('m1'), say('m2')], next_cursor: 'm1' } });
    raw.frame();
    assert.equal(await loading, true);
    assert.deepEqual([shown(pages), pages.hasMore], [[['m1', 'm1'], ['m2', 'm2']], true]);
    void pages.loadOlder();
    void client.sessions().loadOlder();
    await settle();
    assert.deepEqual(raw.made('page').slice(1), [
      ['/api/chat/sessions/a%20b/messages?limit=50&before=m1'], ['/api/chat/sessions?limit=50&offset=0'],
    ]);
  });

  test('gives the same object for the same session until it is closed', () => {
    const client = begun();
    const pages = client.messages('s');
    assert.equal(client.messages('s', { limit: 7 }), pages);
    assert.notEqual(client.messages('t'), pages);
    assert.equal(client.sessions(), client.sessions());
    pages.close();
    assert.notEqual(client.messages('s'), pages);
    for (let n = 0; n < 40; n += 1) client.messages(`n${n}`);
    const left = client.messages('n39');
    assert.equal(left.getSnapshot().status, 'idle');
  });

  test('of those that nobody watches it keeps the last', () => {
    const client = begun();
    const watched = client.messages('watched');
    watched.subscribe(() => {});
    const all = Array.from({ length: 30 }, (_, n) => client.messages(`n${n}`));
    assert.deepEqual(all.map((pages) => pages.getSnapshot().status === 'closed'), all.map((_, n) => n < 10));
    assert.notEqual(watched.getSnapshot().status, 'closed');
  });

  test('that closes aborts what it has asked for, and nothing begins any more', async () => {
    const client = begun();
    const pages = client.messages('s');
    const loading = pages.loadOlder();
    await settle();
    client.close();
    assert.deepEqual([await loading, pages.getSnapshot().status], [false, 'closed']);
    assert.deepEqual(FakeRaw.latest.made('forget'), [[1]]);
    assert.throws(() => client.messages('s'), { code: 'invalid-state' });
  });

  test('says what an option should have been', () => {
    const client = begun({ protocol: 'bichat' });
    const wrong = [
      [undefined, 'endpoint'], [{ limit: 1 }, 'limit'], [{ limit: 2.5 }, 'limit'], [{ maxItems: 99 }, 'maxItems'], [{ pageSize: 3 }, 'options.pageSize'],
      [{ load: 7 }, 'load'], [{ load: () => {}, style: 'page' }, 'style'], [{ style: 'cursor' }, 'style'], [{ id: '' }, 'id'], [{ notify: 'never' }, 'notify'],
      [{ load: () => {}, endpoint: {} }, 'endpoint'], [{ endpoint: { path: 'x', style: 'cursor' } }, 'endpoint.path'],
      [{ endpoint: { path: '/x' } }, 'endpoint.style'], [{ endpoint: { path: '/x', style: 'cursor', more: 1 } }, 'endpoint.more'],
      [{ endpoint: { path: '/x', style: 'cursor', next: 1 } }, 'endpoint.next'], [7, 'options'],
    ];
    for (const [options, path] of wrong) {
      const given = options?.notify ? { ...options, load: () => {} } : options;
      assert.throws(() => client.messages('s', given), (error) => error.code === 'invalid-argument' && error.path === path, JSON.stringify(options));
    }
    assert.throws(() => client.messages(''), { code: 'invalid-argument' });
  });

  test('reads an endpoint of another shape', async () => {
    const client = begun({ baseUrl: '/v1', protocol: 'bichat' });
    const pages = client.sessions({
      endpoint: { path: '/threads?mine=1', style: 'offset', items: ({ data }) => data, hasMore: 'more' }, id: 'uid', limit: 2,
    });
    const loading = pages.loadOlder();
    await settle();
    assert.deepEqual(FakeRaw.latest.made('page'), [['/threads?mine=1&limit=2&offset=0']]);
    FakeRaw.latest.answer(1, { body: { data: [{ uid: 'b' }, { uid: 'a' }], more: false } });
    FakeRaw.latest.frame();
    await loading;
    assert.deepEqual([shown(pages), pages.hasMore], [[['b', 'b'], ['a', 'a']], false]);
  });

  test('has what it runs in its history, and what it sends in at the top of its sessions', async () => {
    const client = begun();
    const sessions = client.sessions({ load: async () => ({ items: [{ id: 'a' }, { id: 's' }], hasMore: false }) });
    await sessions.loadOlder();
    const early = client.send('s', 'one', { requestId: 'q1' });
    const pages = client.messages('s', { load: async () => ({ items: [], next: null }) });
    const late = client.send('s', 'two', { requestId: 'q2' });
    assert.deepEqual(pages.getSnapshot().items.map(({ key, run, send }) => [key, run, send?.message ?? null]), [
      ['user:q1', null, 'one'], ['assistant:q1', early, null], ['user:q2', null, 'two'], ['assistant:q2', late, null],
    ]);
    assert.deepEqual(shown(sessions).map(([key]) => key), ['s', 'a']);
  });
});

describe('what comes while the newest page is read', () => {
  /** A server that answers when the test says so. */
  const beginSlow = async () => {
    const reads = [];
    const histories = new Histories('bichat', null);
    const source = new Source();
    histories.overlay(() => source);
    const load = () => new Promise((resolve) => { reads.push((...items) => resolve({ items, next: null })); });
    const pages = histories.messages('s', { load }, () => []);
    pages.subscribe(() => {});
    const answer = async (...items) => {
      await settle();
      reads.shift()(...items);
      await settle();
    };
    await answer();
    return { histories, source, pages, reads, answer };
  };
  const stored = (requestId) => ({ id: requestId, role: 'user', request_id: requestId });

  test('stays on screen, though that page is without it, and has it read once more', async () => {
    const { histories, source, pages, reads, answer } = await beginSlow();
    source.set(entry('q1', 'sent'));
    histories.noteEnd('s');
    await settle();
    // Another tab's message: sent, answered, and let go of there.
    source.set(entry('q1', 'sent'), entry('q2', 'sent'));
    source.set();
    histories.noteEnd('s');
    await answer(stored('q1'));
    assert.deepEqual(shown(pages), [['user:q1', 'q1'], ['user:q2', null, 'sent']]);
    await answer(stored('q1'), stored('q2'));
    assert.deepEqual(shown(pages), [['user:q1', 'q1'], ['user:q2', 'q2']]);
    assert.deepEqual([reads.length, pages.getSnapshot().status], [0, 'idle']);
  });

  test('is read for once, however much it is', async () => {
    const { histories, reads, answer } = await beginSlow();
    for (let n = 0; n < 5; n += 1) {
      histories.noteEnd('s');
      await settle();
    }
    assert.equal(reads.length, 1);
    await answer();
    assert.equal(reads.length, 1);
    await answer();
    assert.equal(reads.length, 0);
  });

  test('and is not in the page that is read for it is gone', async () => {
    const { source, pages, answer } = await beginSlow();
    source.set(entry('q1', 'sent'));
    source.set();
    const read = pages.refresh();
    await answer();
    await read;
    assert.deepEqual(shown(pages), []);
  });
});
