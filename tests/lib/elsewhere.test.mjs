// What a page makes of what others do: a view that takes up their runs, and their messages among its own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunClient } from '../../pkg/lib/client.js';
import { SteadyStreamError } from '../../pkg/lib/errors.js';
import { Outbox } from '../../pkg/lib/outbox/outbox.js';
import { Histories } from '../../pkg/lib/pages/histories.js';
import { RunView } from '../../pkg/lib/run-view.js';
import { initialSnapshot } from '../../pkg/lib/snapshot.js';
import { createStore } from '../../pkg/lib/store.js';
import { settle, useFakeEngine } from './fake-engine.mjs';

useFakeEngine();

class Stream {
  constructor(runId) {
    this.store = createStore({ ...initialSnapshot('s', runId, null), status: 'streaming' });
    this.subscribe = this.store.subscribe;
    this.getSnapshot = this.store.getSnapshot;
  }

  end(status = 'completed') {
    this.store.set({ ...this.store.peek(), status });
    this.store.finish();
  }
}

/** A view, and a client that notes what it is asked for; `answer` settles the oldest question. */
const mount = ({ runId, isSeen = true } = {}) => {
  const asked = [];
  const questions = [];
  const client = {
    find: () => undefined, enlist: () => {}, onMount: () => asked.push('mounted'), close: () => true, stop: async () => {},
    open: (key) => new Stream(key.runId),
    takeUp: (run) => {
      asked.push(`took up ${run.runId}`);
      return new Stream(run.runId);
    },
    resume: (sessionId, signal, wanted) => {
      asked.push(`asked for ${wanted ?? 'any'}`);
      return new Promise((resolve, reject) => questions.push({ resolve, reject }));
    },
  };
  const view = new RunView({ sessionId: 's', runId }, { graceMs: Infinity, notify: 'sync' }, client);
  const leave = isSeen ? view.store.subscribe(() => {}) : () => {};
  const answer = async (stream, error) => {
    const { resolve, reject } = questions.shift();
    if (error) reject(error);
    else resolve(stream);
    await settle();
  };
  return { view, asked, answer, leave, shown: () => view.store.getSnapshot() };
};

const run = (runId) => ({ sessionId: 's', runId, requestId: null });

test('a view takes up a run of another tab while it shows none that goes on', async () => {
  const { view, asked, answer, leave, shown } = mount();
  view.takeUp(run('r1'));
  assert.equal(shown().runId, 'r1', 'whatever the server was asked');
  await answer(new Stream('late'));
  assert.equal(shown().runId, 'r1');
  view.takeUp(run('r2'));
  assert.equal(shown().runId, 'r1');
  const own = new Stream('own');
  view.follow(own);
  own.end('failed');
  view.takeUp(run('r3'));
  assert.equal(shown().runId, 'r3');
  leave();
  view.takeUp(run('r4'));
  assert.deepEqual(asked, ['mounted', 'asked for any', 'took up r1', 'took up r3']);
});

test('not one that nobody looks at, nor one of a run by its name', () => {
  for (const options of [{ isSeen: false }, { runId: 'mine' }]) {
    const { view, asked } = mount(options);
    view.takeUp(run('r1'));
    view.look('r1');
    assert.deepEqual(asked, options.isSeen === false ? [] : ['mounted']);
  }
});

test('what cannot be taken up changes nothing, and nothing is thrown', () => {
  const { view, shown } = mount();
  const before = shown();
  view.takeUp({ get runId() { throw new SteadyStreamError('invalid-state', {}); } });
  assert.equal(shown(), before);
});

test('what the index names is asked about once, and shown if the server has it', async () => {
  const { view, asked, answer, shown } = mount();
  await answer(null);
  view.look('ghost');
  view.look('ghost');
  assert.deepEqual(asked.splice(0), ['mounted', 'asked for any', 'asked for ghost']);
  await answer(null);
  view.look('ghost');
  assert.deepEqual([asked, shown().status], [[], 'none']);
  view.look('r');
  await answer(new Stream('r'));
  assert.deepEqual([asked.splice(0), shown().runId], [['asked for r'], 'r']);
  view.look('other');
  assert.deepEqual(asked, []);
});

test('what it names while the server is asked waits for that answer', async () => {
  const { view, asked, answer, leave } = mount();
  view.look('r');
  assert.deepEqual(asked, ['mounted', 'asked for any']);
  await answer(null);
  assert.deepEqual(asked.splice(0), ['mounted', 'asked for any', 'asked for r']);
  await answer(null);
  assert.deepEqual(asked, []);
  // Whoever comes back asks what runs, and not about that again.
  leave();
  view.rest();
  view.store.subscribe(() => {});
  await answer(null);
  assert.deepEqual(asked, ['mounted', 'asked for any']);
  const other = mount();
  other.view.look('r');
  await other.answer(new Stream('r'));
  assert.deepEqual(other.asked, ['mounted', 'asked for any']);
});

test('a question that nobody has put fails for nobody', async () => {
  const { view, answer, shown } = mount();
  await answer(null);
  const before = shown();
  view.look('r');
  await answer(null, new SteadyStreamError('request-failed', { retryable: true }));
  assert.equal(shown(), before);
});

// ---- messages ----

const shown = (requestId, more = {}) => ({
  requestId, sessionId: 's', message: requestId, status: 'sent', runId: null, error: null, attempts: 0, createdAt: 1, ...more });

test('messages of other tabs stand behind ours, each once, and are told to be in the history', () => {
  const told = [];
  const news = {
    theirs: [shown('q1'), shown('q2', { status: 'pending' }), shown('q3', { runId: 'r3' })],
    messages: () => news.theirs, resolve: (requestId) => told.push(requestId), tellMessages: () => {}, subscribe: (fn) => {
      news.tell = fn;
      return () => { news.tell = null; };
    },
  };
  const outbox = new Outbox(null, 500, news);
  outbox.add({ sessionId: 's', requestId: 'q2', message: 'mine' });
  const source = outbox.overlay('s');
  const entries = source.get();
  assert.deepEqual(entries.map(({ names, turn, answer, isHeld, send }) => [names[0], turn, answer, isHeld, send.message]), [
    ['user:q2', 'q2', null, false, 'mine'], ['user:q1', 'q1', null, true, 'q1'], ['user:q3', 'q3', 'r3', true, 'q3'],
  ]);
  entries[0].arrive();
  entries[2].forget();
  assert.deepEqual([told, outbox.store.getSnapshot().messages], [['q2', 'q3'], []]);
  let changes = 0;
  const leave = source.subscribe(() => { changes += 1; });
  news.tell();
  leave();
  assert.deepEqual([changes > 0, news.tell], [true, null]);
});

test('an answer that was followed before its question was known stands behind it', async () => {
  const histories = new Histories('bichat', null);
  let listener;
  let given = [];
  histories.overlay(() => ({ get: () => given, subscribe: (fn) => { listener = fn; return () => {}; } }));
  const pages = histories.messages('s', { load: () => ({ items: [], next: null }) }, () => []);
  const follow = (runId) => {
    const snapshot = { requestId: null, runId, metadata: null };
    histories.noteRun({ sessionId: 's', isLive: true, store: { peek: () => snapshot } }, {});
  };
  follow('r1');
  follow('r2');
  const asks = (requestId, runId) => ({ names: [`user:${requestId}`], turn: requestId, answer: runId, send: shown(requestId), isHeld: true });
  given = [asks('q1', 'r1'), asks('q2', 'r2')];
  listener();
  assert.deepEqual(pages.getSnapshot().items.map(({ key }) => key), ['user:q1', 'r1', 'user:q2', 'r2']);
});

test('a page that shares nothing opens no channel and holds no lock', async () => {
  const before = globalThis.BroadcastChannel;
  let made = 0;
  globalThis.BroadcastChannel = class { constructor() { made += 1; } };
  Object.defineProperty(globalThis.navigator ?? (globalThis.navigator = {}), 'locks', { value: { request: async () => { made += 1; } }, configurable: true });
  try {
    const client = new RunClient({ baseUrl: '/bi-chat' });
    client.run({ sessionId: 's' }).subscribe(() => {})();
    client.messages('s', { load: () => ({ items: [], next: null }) }).subscribe(() => {})();
    client.send('s', 'hello');
    await settle();
    client.close();
    assert.equal(made, 0);
    const sharing = new RunClient({ baseUrl: '/bi-chat', shareAcrossTabs: true });
    sharing.run({ sessionId: 's' });
    sharing.messages('s', { load: () => ({ items: [], next: null }) });
    assert.equal(made, 0, 'nor one that shows nothing yet');
    sharing.close();
  } finally {
    globalThis.BroadcastChannel = before;
    delete globalThis.navigator.locks;
  }
});
