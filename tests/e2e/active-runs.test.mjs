// The sidebar's store against the server's own index: B-AR in Chromium, on both transports.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { SidebarLab } from './support/sidebar.mjs';
import { Stage } from './support/stage.mjs';
import { until } from './support/until.mjs';

let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

const play = (name, transport, use) => test(`${name} [${transport}]`, () => stage.withServer(async (lab) => {
  const sidebar = new SidebarLab(lab, transport);
  try {
    await use(sidebar, lab);
  } finally {
    await lab.page.evaluate(() => window.sidebar?.close());
  }
}));
const testBoth = (name, use) => ['fetch', 'eventsource'].forEach((transport) => play(name, transport, use));
const testOnce = (name, use) => play(name, 'fetch', use);

const row = (sessionId, runId, status, updatedAt) => ({ sessionId, runId, status, ...(updatedAt && { updatedAt }) });

describe('active runs', { concurrency: 2 }, () => {
  testBoth('the index, then what becomes of it (B-AR-3, B-AR-4, B-AR-5)', async (sidebar) => {
    const [a, b, c] = [randomUUID(), randomUUID(), randomUUID()];
    await sidebar.control.activeRuns({ rows: [row(a, 'r1', 'streaming'), row(b, 'r2', 'queued')] });
    await sidebar.open();
    const first = await sidebar.untilTrue();
    assert.deepEqual(first.ready, true);
    await sidebar.control.activeRuns({ rows: [row(b, 'r2', 'streaming'), row(c, 'r3', 'queued'), row(a, 'r1', 'completed')] });
    const { runs, errors } = await sidebar.untilTrue();
    assert.deepEqual(runs.map(({ sessionId, status }) => [sessionId, status]), [[b, 'streaming'], [c, 'queued']]);
    assert.deepEqual(errors, []);
    assert.equal((await sidebar.counters()).openActiveRuns.total, 1);
  });

  testBoth('nothing runs: ready with an empty list (B-AR-6)', async (sidebar) => {
    await sidebar.open();
    const { runs, states } = await sidebar.until(({ ready }) => ready);
    assert.deepEqual([runs, states.at(-1)], [[], 'open']);
  });

  testOnce('a real run is seen from its start to its end', async (sidebar, lab) => {
    await sidebar.open({ retainTerminalMs: 60_000 });
    await sidebar.until(({ ready }) => ready);
    const { sessionId } = await lab.begin(sidebar.control, { events: 60, eventsPerSecond: 100 }, { client: { options: sidebar.options } });
    await sidebar.until(({ runs }, id) => runs.some((run) => run.sessionId === id && run.status === 'streaming'), sessionId);
    await sidebar.until(({ runs }, id) => runs.some((run) => run.sessionId === id && run.status === 'completed'), sessionId);
  });

  testBoth('what ended while the connection was down is gone after it (defect c)', async (sidebar) => {
    const [a, b, c] = [randomUUID(), randomUUID(), randomUUID()];
    await sidebar.control.activeRuns({ rows: [row(a, 'r1', 'streaming'), row(b, 'r2', 'streaming')] });
    await sidebar.open();
    await sidebar.untilTrue();
    await sidebar.control.activeRuns({ reach: 'index', rows: [row(a, 'r1', 'failed'), row(c, 'r3', 'queued')] });
    await sidebar.control.now('cut', { how: 'rst', path: 'active-runs' });
    const { runs, ready, errors } = await sidebar.untilTrue();
    assert.deepEqual(runs.map(({ sessionId }) => sessionId).sort(), [b, c].sort());
    assert.deepEqual([ready, errors.length, errors[0].code], [true, 1, 'disconnected']);
  });

  testBoth('a run whose end was lost in its millisecond is found by asking (B-AR-9)', async (sidebar) => {
    const [a, b] = [randomUUID(), randomUUID()];
    await sidebar.control.activeRuns({ rows: [row(a, 'r1', 'streaming', 500), row(b, 'r2', 'streaming', 500)] });
    await sidebar.open({ verifyAfterMs: 300 });
    await sidebar.until(({ runs }) => runs.length === 2);
    await sidebar.control.activeRuns({ rows: [row(a, 'r1', 'completed', 500)] });
    const { runs, errors } = await sidebar.untilTrue();
    assert.deepEqual([runs.map(({ sessionId }) => sessionId), errors], [[b], []]);
  });

  testBoth('an index that is not to be had is told once, in the server\'s words (B-AR-10)', async (sidebar) => {
    await sidebar.control.faults({ path: 'active-runs' }, [{ indexUnavailable: true }, { indexUnavailable: true }]);
    await sidebar.open();
    const { ready, errors } = await sidebar.until(({ ready: isReady }) => isReady);
    assert.deepEqual(errors, [{ code: 'connect-failed', status: undefined, detail: 'active-run index unavailable' }]);
    assert.equal(ready, true);
    assert.equal(await sidebar.control.stepsLeft(), 0, 'not before the index was there');
  });

  testBoth('a backend without the endpoint is left alone', async (sidebar) => {
    await sidebar.control.config({ activeRuns: false });
    await sidebar.open();
    const { ready, errors, state } = await sidebar.until(({ supported }) => !supported);
    assert.deepEqual([ready, errors, state], [false, [], 'closed']);
    const asked = async () => (await sidebar.control.requests()).filter(({ path }) => path === 'active-runs').length;
    // Nothing is armed or open any more that could ask again.
    await sidebar.lab.page.waitForFunction(() => machinery.timers() === 0 && machinery.connections() === 0, undefined, { timeout: 60_000 });
    assert.ok((await asked()) <= 2, 'once, and once to find out why');
  });

  testOnce('headers are asked for once more after a 401', async (sidebar) => {
    await sidebar.control.config({ auth: { tokens: ['good'] } });
    await sidebar.lab.page.evaluate(async (options) => {
      const { Sidebar } = await import('/tests/sidebar.js');
      const tokens = ['old', 'good'];
      const client = lab.client({ options: { ...options, headers: () => ({ Authorization: `Bearer ${tokens.shift() ?? 'none'}` }) } });
      window.sidebar = new Sidebar(client);
    }, sidebar.options);
    const { errors } = await sidebar.until(({ ready }) => ready);
    assert.deepEqual(errors, []);
  });

  testBoth('mounting, unmounting and mounting opens one connection, and the grace closes it (B-AR-2, B-AR-8)', async (sidebar) => {
    const a = randomUUID();
    await sidebar.control.activeRuns({ rows: [row(a, 'r1', 'streaming')] });
    await sidebar.open();
    await sidebar.lab.page.evaluate(() => {
      for (let n = 0; n < 5; n += 1) {
        window.sidebar.leave();
        window.sidebar.watch();
      }
    });
    await sidebar.untilTrue();
    await sidebar.leave();
    const left = performance.now();
    await until(async () => (await sidebar.counters()).openActiveRuns.now === 0, 'the connection to be closed');
    assert.ok(performance.now() - left > 800, 'it was kept for who comes back');
    assert.equal((await sidebar.counters()).openActiveRuns.total, 1);
    const { runs, ready } = await sidebar.report();
    assert.deepEqual([runs, ready], [[], false]);
    await sidebar.open();
    await sidebar.untilTrue();
    assert.equal((await sidebar.counters()).openActiveRuns.total, 2);
  });

  testOnce('ten thousand rows and fifty thousand updates: a notification a frame, and the truth', async (sidebar) => {
    await sidebar.control.activeRuns({ fill: 10_000 });
    await sidebar.open();
    await sidebar.untilTrue();
    await sidebar.control.activeRuns({ churn: { updates: 50_000, sessions: 1000 } });
    const { mostInOneFrame, notifications, frames } = await sidebar.untilTrue();
    // Beside a frame's, the one of subscribe.
    assert.ok(mostInOneFrame <= 2 && notifications <= frames + 4, `${notifications} notifications in ${frames} frames`);
  });

  testOnce('rows that make no sense are passed over (B-AR-1)', async (sidebar) => {
    const a = randomUUID();
    await sidebar.open();
    await sidebar.until(({ ready }) => ready);
    await sidebar.control.activeRuns({ say: [
      { data: '{"sessionId":' }, { data: 'null' }, { data: JSON.stringify(row(a, 'r', 'paused', 1)) }, { event: 'news', data: '1' },
    ] });
    await sidebar.control.activeRuns({ rows: [row(a, 'r1', 'streaming')] });
    const { errors } = await sidebar.untilTrue();
    assert.deepEqual(errors, []);
  });
});

test('six tabs have one connection, whoever comes and goes', async () => {
  const server = await stage.addServer();
  const { control } = server;
  const origin = `http://sidebars.localhost:${new URL(server.app).port}`;
  // More than is kept of a connection for those who join in.
  await control.activeRuns({ fill: 1000 });
  const tabs = [];
  const add = async () => {
    const sidebar = new SidebarLab(await stage.openLab({ server, origin }), 'fetch');
    Object.assign(sidebar.options, { shareAcrossTabs: true });
    tabs.push(sidebar);
    await sidebar.open();
    return sidebar;
  };
  const assertAll = async (connections) => {
    for (const sidebar of tabs) assert.deepEqual((await sidebar.untilTrue()).errors, []);
    assert.equal((await control.counters()).openActiveRuns.total, connections);
  };
  const holder = await add();
  await assertAll(1);
  await Promise.all([add(), add(), add()]);
  await assertAll(1);
  const [a, b] = [randomUUID(), randomUUID()];
  await control.activeRuns({ rows: [row(a, 'r1', 'streaming'), row(b, 'r2', 'queued')], churn: { updates: 500, sessions: 100 } });
  await Promise.all([add(), add()]);
  await assertAll(1);
  // It is the page that opened the feed first.
  tabs.shift();
  await holder.lab.close();
  await control.activeRuns({ rows: [row(a, 'r1', 'failed'), row(b, 'r2', 'streaming')] });
  await assertAll(2);
  await control.activeRuns({ reach: 'index', rows: [row(b, 'r2', 'completed')] });
  await control.now('cut', { how: 'rst', path: 'active-runs' });
  for (const sidebar of tabs) await sidebar.untilTrue();
  for (const { lab } of tabs) await lab.close();
});

describe('subscribeActiveRuns', { concurrency: 2 }, () => {
  const subscribe = (lab, options) => lab.page.evaluate((client) => {
    const controller = new AbortController();
    const heard = { events: [], errors: [], settled: null };
    lab.client({ options: client }).subscribeActiveRuns({
      onEvent: (event) => heard.events.push(event), onError: ({ code }) => heard.errors.push(code), signal: controller.signal,
    }).then(
      () => { heard.settled = 'resolved'; },
      ({ name, code, status, detail }) => { heard.settled = [name, code, status ?? detail]; },
    );
    Object.assign(window, { heard, controller });
  }, options);
  const heard = (lab) => lab.page.evaluate(() => window.heard);
  const settled = (lab) => lab.page.waitForFunction(() => window.heard.settled).then((handle) => handle.jsonValue());

  testBoth('rows in the order of their arrival, on a connection of its own, until it is aborted (B-AR-1)', async ({ control, options }, lab) => {
    const [a, b] = [randomUUID(), randomUUID()];
    await control.activeRuns({ rows: [row(a, 'r1', 'streaming', 500)] });
    await subscribe(lab, options);
    await lab.page.waitForFunction(() => window.heard.events.length === 1);
    await control.activeRuns({ rows: [row(b, 'r2', 'queued', 600), row(a, 'r1', 'failed', 700)] });
    await lab.page.waitForFunction(() => window.heard.events.length === 3);
    assert.deepEqual((await heard(lab)).events, [
      { event: 'snapshot', ...row(a, 'r1', 'streaming', 500) }, { event: 'update', ...row(b, 'r2', 'queued', 600) },
      { event: 'update', ...row(a, 'r1', 'failed', 700) },
    ]);
    await control.now('cut', { how: 'rst', path: 'active-runs' });
    await lab.page.waitForFunction(() => window.heard.events.length === 4);
    assert.deepEqual((await heard(lab)).errors, ['disconnected']);
    await lab.page.evaluate(() => window.controller.abort());
    assert.equal(await settled(lab), 'resolved');
    await until(async () => (await control.counters()).openActiveRuns.now === 0, 'the connection to be closed');
  });

  testBoth('a failure to connect rejects (B-AR-7, B-AR-10)', async ({ control, options }, lab) => {
    // A source that was refused is followed by a request that finds out why.
    const steps = options.transports.includes('eventsource') ? 2 : 1;
    await control.faults({ path: 'active-runs' }, Array.from({ length: steps }, () => ({ status: { code: 503 } })));
    await subscribe(lab, options);
    assert.deepEqual(await settled(lab), ['SteadyStreamError', 'connect-failed', 503]);
    assert.deepEqual((await heard(lab)).errors, []);
    await control.faults({ path: 'active-runs' }, [{ indexUnavailable: true }]);
    await subscribe(lab, options);
    assert.deepEqual(await settled(lab), ['SteadyStreamError', 'connect-failed', 'active-run index unavailable']);
  });
});

