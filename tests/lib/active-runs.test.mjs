import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { RunClient } from '../../pkg/lib/client.js';
import { ActiveRuns } from '../../pkg/lib/active-runs/active-runs.js';
import { FakeRaw, settle, useFakeEngine } from './fake-engine.mjs';

useFakeEngine();

const CONNECTION = { state: 'open', attempt: 0, retryAt: null, transport: 'fetch', latency: null, error: null };
const state = (change) => ({ state: { ready: true, supported: true, connection: CONNECTION, error: null, ...change } });
// By the engine's codes: 24 more, session and run are new; 5, it is gone.
const NEW = 24;
const GONE = 5;
const rows = (since, list, names) => ({ since, rows: list, ...(names && { names }) });

const begin = (options) => {
  const client = new RunClient({ baseUrl: '/bi-chat' });
  return { client, runs: client.activeRuns(options) };
};

/** Watched, with two rows. */
const shown = (options) => {
  const { client, runs } = begin(options);
  const seen = [];
  const leave = runs.subscribe((snapshot) => seen.push(snapshot));
  const raw = FakeRaw.latest;
  raw.tell(1, { ...rows(1000, [0, NEW + 1, 0, 1, NEW, 5], ['a', 'r1', 'b', 'r2']), ...state() });
  return { client, runs, seen, leave, raw };
};

const plain = ({ runs }) => runs.map(({ sessionId, runId, status, updatedAt }) => [sessionId, runId, status, updatedAt]);

test('it opens nothing before its first subscriber, and tells the engine who watches', () => {
  FakeRaw.latest = null;
  const { client, runs } = begin({ retainTerminalMs: 7, emptyStateTimeoutMs: 8, verifyAfterMs: Infinity });
  assert.ok(runs instanceof ActiveRuns);
  assert.deepEqual(runs.getSnapshot(), {
    ready: false, supported: true, runs: [], connection: client.connection.getSnapshot(), error: null,
  });
  assert.deepEqual([runs.status('a'), runs.ready], [undefined, false]);
  assert.equal(FakeRaw.latest, null);
  const leave = runs.subscribe(() => {});
  const raw = FakeRaw.latest;
  const leaveOther = runs.subscribe(() => {}, { notify: 'sync' });
  leaveOther();
  leave();
  runs.subscribe(() => {});
  assert.deepEqual(raw.made('activeRuns'), [[7, 8, Infinity]]);
  assert.deepEqual(raw.made('attend'), [[1, 1], [1, 0], [1, 1], [1, -1], [1, 1]]);
});

test('the same options give the same object, whoever hears of errors', () => {
  const { client, runs } = begin();
  assert.equal(client.activeRuns({}), runs);
  assert.equal(client.activeRuns({ retainTerminalMs: 0, enabled: true, verifyAfterMs: 60000, onError: () => {} }), runs);
  for (const options of [{ retainTerminalMs: 1 }, { emptyStateTimeoutMs: 1 }, { verifyAfterMs: 1 }, { enabled: false }, { notify: 'idle' }]) {
    assert.notEqual(client.activeRuns(options), runs);
    assert.equal(client.activeRuns(options), client.activeRuns({ ...options }));
  }
});

test('rows are frozen objects, and what did not change stays the same', () => {
  const { runs, seen, raw } = shown();
  const before = runs.getSnapshot();
  assert.deepEqual(plain(before), [['a', 'r1', 'streaming', 1000], ['b', 'r2', 'queued', 1005]]);
  raw.tell(1, rows(2000, [1, 1, 3]));
  const after = runs.getSnapshot();
  assert.deepEqual(plain(after), [['a', 'r1', 'streaming', 1000], ['b', 'r2', 'streaming', 2003]]);
  assert.equal(after.runs[0], before.runs[0]);
  assert.deepEqual(plain(before)[1], ['b', 'r2', 'queued', 1005], 'an old snapshot stays what it was');
  for (const value of [after, after.runs, ...after.runs, before.runs]) assert.ok(Object.isFrozen(value));
  assert.equal(seen.length, 3, 'at once, and once for each flush');
  raw.tell(1, state());
  assert.equal(runs.getSnapshot(), after, 'nothing has changed');
  assert.equal(seen.length, 3);
});

test('rows go, come back in their place, and give their number to others', () => {
  const { runs, raw } = shown();
  raw.tell(1, rows(0, [0, GONE, 0]));
  assert.deepEqual([plain(runs.getSnapshot()).map(([id]) => id), runs.status('a'), runs.status('b')], [['b'], undefined, 'queued']);
  raw.tell(1, rows(3000, [0, 8, 0, 2, NEW + 3, 1], ['r3', 'c', 'r4']));
  assert.deepEqual(plain(runs.getSnapshot()), [['a', 'r3', 'queued', 3000], ['b', 'r2', 'queued', 1005], ['c', 'r4', 'cancelled', 3001]]);
  raw.tell(1, rows(3000, [1, NEW + 4, 0], ['d', 'r5']));
  assert.deepEqual(plain(runs.getSnapshot()).map(([id]) => id), ['a', 'd', 'c']);
  assert.deepEqual(['a', 'b', 'c', 'd', 'e', '__proto__'].map((id) => runs.status(id)), ['queued', undefined, 'cancelled', 'failed', undefined, undefined]);
});

test('what was disconnected begins with nothing', () => {
  const { runs, raw } = shown();
  runs.status('a');
  raw.tell(1, { reset: true, ...state({ ready: false }) });
  assert.deepEqual([plain(runs.getSnapshot()), runs.ready, runs.status('a')], [[], false, undefined]);
  raw.tell(1, { ...rows(1, [0, NEW, 0], ['x', 'r9']), ...state() });
  assert.deepEqual([plain(runs.getSnapshot()), runs.status('x')], [[['x', 'r9', 'queued', 1]], 'queued']);
});

test('who looks without watching sees what is there', () => {
  const { runs, leave, raw } = shown();
  leave();
  raw.emit(1, rows(1, [0, GONE, 0]));
  assert.equal(runs.status('a'), undefined);
  raw.emit(1, rows(1, [1, GONE, 0]));
  assert.deepEqual(runs.getSnapshot().runs, []);
  raw.emit(1, state({ ready: false }));
  assert.equal(runs.ready, false);
});

test('the server renders nothing, for ever', () => {
  const { runs, raw } = shown();
  const served = runs.getServerSnapshot();
  assert.deepEqual([served.ready, served.supported, served.runs, served.connection.state], [false, true, [], 'closed']);
  raw.tell(1, rows(1, [0, GONE, 0]));
  assert.equal(runs.getServerSnapshot(), served);
});

test('without the option or the protocol nothing is ever opened (B-AR-2)', () => {
  FakeRaw.latest = null;
  const off = begin({ enabled: false }).runs;
  off.subscribe(() => {})();
  assert.deepEqual([off.ready, off.getSnapshot().supported], [false, true]);
  for (const protocol of ['ws-chat', 'ui-message', 'envelope', 'chunks', () => null]) {
    const runs = new RunClient({ baseUrl: '/', protocol }).activeRuns();
    const seen = [];
    runs.subscribe((snapshot) => seen.push(snapshot.supported));
    assert.deepEqual([seen, runs.ready, runs.getSnapshot().error], [[false], false, null]);
  }
  assert.equal(FakeRaw.latest, null);
});

test('an outage is told to the onError that was given last, and what it throws is its own (B-AR-7)', async () => {
  const report = mock.method(console, 'error', () => {});
  try {
    const { client, runs, raw } = shown({ onError: () => assert.fail('it was replaced') });
    const errors = [];
    client.activeRuns({ onError: (error) => { errors.push(error); throw new Error('mine'); } });
    assert.equal(client.activeRuns(), runs);
    const error = { code: 'connect-failed', retryable: true, detail: 'active-run index unavailable' };
    raw.tell(1, { flap: error, ...state({ ready: false, error, connection: { ...CONNECTION, state: 'reconnecting', error } }) });
    raw.tell(1, state({ ready: false, error, connection: { ...CONNECTION, state: 'connecting', error } }));
    assert.deepEqual(errors.map(({ code, detail }) => [code, detail]), [['connect-failed', 'active-run index unavailable']]);
    const { error: first, connection } = runs.getSnapshot();
    assert.deepEqual([first.code, connection.state, runs.ready], ['connect-failed', 'connecting', false]);
    assert.equal(report.mock.callCount(), 1);
    raw.tell(1, state({ error }));
    assert.equal(runs.getSnapshot().error, first, 'said again it is the same error');
  } finally {
    report.mock.restore();
  }
});

test('the badge counts it while somebody subscribes', async () => {
  const { client, leave, raw } = shown();
  assert.equal(client.connection.getSnapshot().state, 'open');
  leave();
  await settle();
  assert.equal(client.connection.getSnapshot().state, 'closed');
  client.activeRuns().subscribe(() => {});
  assert.equal(client.connection.getSnapshot().state, 'open');
  raw.tell(1, state({ ready: false, supported: false, connection: { ...CONNECTION, state: 'closed' } }));
  assert.equal(client.connection.getSnapshot().state, 'closed');
});

test('close() is final and keeps what was known; asking again gives a new one', async () => {
  const { client, runs, seen, raw } = shown();
  runs.close();
  runs.close();
  assert.deepEqual(raw.made('release'), [[1]]);
  await settle();
  const last = runs.getSnapshot();
  assert.deepEqual([last.connection.state, last.ready, plain(last).length, seen.at(-1)], ['closed', true, 2, last]);
  assert.equal(runs.status('a'), 'streaming');
  runs.subscribe((snapshot) => seen.push(snapshot))();
  assert.equal(raw.made('activeRuns').length, 1);
  assert.notEqual(client.activeRuns(), runs);
  assert.equal(client.connection.getSnapshot().state, 'closed');
  {
    const other = client.activeRuns();
    other[Symbol.dispose ?? Symbol.for('Symbol.dispose')]();
    assert.notEqual(client.activeRuns(), other);
  }
});

test('the client\'s end is theirs, seen by nobody or not', async () => {
  const { client, runs } = shown();
  const unseen = client.activeRuns({ retainTerminalMs: 5 });
  client.close();
  await settle();
  assert.equal(runs.getSnapshot().connection.state, 'closed');
  unseen.subscribe(() => {});
  assert.equal(unseen.getSnapshot().error, null);
  const late = client.activeRuns();
  late.subscribe(() => {});
  assert.deepEqual([late.getSnapshot().error.code, late.getSnapshot().connection.state], ['invalid-state', 'failed']);
});

test('wrong options are named', () => {
  const { client } = begin();
  const path = (options) => {
    try {
      client.activeRuns(options);
    } catch (error) {
      return [error.code, error.path].join(' ');
    }
    return 'nothing';
  };
  assert.deepEqual(
    [{ retainTerminalMs: -1 }, { emptyStateTimeoutMs: '1' }, { verifyAfterMs: NaN }, { enabled: 1 }, { onError: 'x' }, { notify: 'soon' }].map(path),
    ['retainTerminalMs', 'emptyStateTimeoutMs', 'verifyAfterMs', 'enabled', 'onError', 'notify'].map((name) => `invalid-argument ${name}`),
  );
});

// ---- subscribeActiveRuns ----

const subscribed = (options = {}) => {
  const client = new RunClient({ baseUrl: '/bi-chat' });
  const events = [];
  const errors = [];
  const settled = client.subscribeActiveRuns({
    onEvent: (event) => events.push(event), onError: (error) => errors.push(error.code), ...options,
  });
  return { client, settled, events, errors, raw: FakeRaw.latest };
};

const told = (...events) => ({ events });

test('rows come as they came, each a frozen object, on a connection of their own (B-AR-1)', () => {
  const { client, events, errors, raw } = subscribed();
  client.subscribeActiveRuns({ onEvent: () => {} });
  assert.equal(raw.made('subscribeActiveRuns').length, 2);
  raw.tell(1, told(['snapshot', 'a', 'r1', 'streaming', 5], { flap: { code: 'disconnected' } }, ['update', 'a', 'r1', 'queued', 4]));
  assert.deepEqual(events, [
    { event: 'snapshot', sessionId: 'a', runId: 'r1', status: 'streaming', updatedAt: 5 },
    { event: 'update', sessionId: 'a', runId: 'r1', status: 'queued', updatedAt: 4 },
  ]);
  assert.ok(events.every(Object.isFrozen));
  assert.deepEqual(errors, ['disconnected']);
});

test('a failure to connect rejects, and is told by nothing else (B-AR-7)', async () => {
  const { settled, errors, raw } = subscribed();
  raw.tell(1, { end: { error: { code: 'connect-failed', retryable: true, status: 503 } } });
  await assert.rejects(settled, { name: 'SteadyStreamError', code: 'connect-failed', status: 503 });
  assert.deepEqual([errors, raw.made('release')], [[], [[1]]]);
});

test('an abort resolves and nothing is forwarded after it (B-AR-8)', async () => {
  const controller = new AbortController();
  const { settled, events, raw } = subscribed({ signal: controller.signal });
  raw.emit(1, told(['snapshot', 'a', 'r1', 'streaming', 5]));
  controller.abort();
  raw.frame();
  await settled;
  assert.deepEqual([events, raw.made('release')], [[], [[1]]]);
  FakeRaw.latest = null;
  await new RunClient({ baseUrl: '/' }).subscribeActiveRuns({ onEvent: () => {}, signal: AbortSignal.abort() });
  assert.equal(FakeRaw.latest, null);
});

test('an abort from within a callback ends it there, and the client\'s end resolves', async () => {
  const controller = new AbortController();
  const seen = [];
  const { settled, raw } = subscribed({ signal: controller.signal, onEvent: ({ sessionId }) => { seen.push(sessionId); controller.abort(); } });
  raw.tell(1, told(['snapshot', 'a', 'r1', 'streaming', 5], ['snapshot', 'b', 'r1', 'streaming', 5]));
  await settled;
  assert.deepEqual(seen, ['a']);
  const other = subscribed();
  other.client.close();
  await other.settled;
});

test('wrong arguments reject', async () => {
  const client = new RunClient({ baseUrl: '/' });
  for (const options of [undefined, {}, { onEvent: 1 }, { onEvent() {}, onError: 1 }, { onEvent() {}, signal: 1 }]) {
    await assert.rejects(client.subscribeActiveRuns(options), { code: 'invalid-argument' });
  }
  await assert.rejects(new RunClient({ baseUrl: '/', protocol: 'chunks' }).subscribeActiveRuns({ onEvent() {} }), { path: 'protocol' });
});
