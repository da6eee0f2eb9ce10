// FIELD 1.7: over HTTP/1.1 a browser has six connections to a server, for all tabs. Streams never take them all, and every run has its
// turn.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Stage } from './support/stage.mjs';
import { assertSound, assertTruth } from './support/truth.mjs';
import { until } from './support/until.mjs';

describe('six connections', { concurrency: 1 }, () => {
  let stage;
  let control;
  before(async () => {
    stage = await Stage.open();
    ({ control } = stage);
  });
  after(() => stage?.close());

  const begin = (count, recipe) => Promise.all(Array.from({ length: count }, async () => {
    const sessionId = randomUUID();
    const { runId } = await control.recipe({ sessionId, start: true, ...recipe });
    return { sessionId, runId };
  }));

  /** Counts the streams of a page from now on. A server learns of an end when it is over: there two may seem open for a moment. */
  const count = (lab) => lab.page.evaluate(() => {
    window.streams = { now: 0, peak: 0 };
    const { fetch } = window;
    window.fetch = (url, init) => {
      if (!String(url).includes('/events?')) return fetch(url, init);
      window.streams.now += 1;
      window.streams.peak = Math.max(window.streams.peak, window.streams.now);
      // Aborted when it is over, in whatever way.
      init.signal.addEventListener('abort', () => { window.streams.now -= 1; }, { once: true });
      return fetch(url, init);
    };
  });
  const peak = (lab) => lab.page.evaluate(() => window.streams.peak);

  /** Asks the server for something of the page's own; gives the status, 0 where no answer came. */
  const ask = (lab) => lab.page.evaluate(async () => {
    const request = new XMLHttpRequest();
    request.open('GET', '/bi-chat/stream/status?sessionId=00000000-0000-4000-8000-000000000000');
    request.timeout = 20_000;
    const answered = new Promise((resolve) => { request.onloadend = resolve; });
    request.send();
    await answered;
    return request.status;
  });

  /** Opens them all, asks while none can end, and then lets them. */
  async function follow(labs, runs, options = {}) {
    const keys = await Promise.all(runs.map((run, i) => (
      labs[i % labs.length].start({ via: 'open', ...run, client: { name: 'main', options } }))));
    await until(async () => (await control.counters()).openStreams.now === 4, 'as many streams as there may be');
    for (let n = 0; n < 10; n += 1) assert.equal(await ask(labs[n % labs.length]), 200, 'the page waits for streams');
    await control.now('goOn');
    for (const [i, key] of keys.entries()) {
      const report = await labs[i % labs.length].settled(key);
      assertSound(report);
      await assertTruth(control, report);
    }
  }

  test('nine runs in a page take turns on four', async () => {
    await control.reset();
    const lab = await stage.openLab();
    await count(lab);
    await follow([lab], await begin(9, { events: 250, eventsPerSecond: 125, holdAt: 100 }));
    assert.equal(await peak(lab), 4);
    await lab.clear();
    await lab.close();
  });

  test('two clients of a page have the same four', async () => {
    await control.reset();
    const lab = await stage.openLab();
    await count(lab);
    const runs = await begin(6, { events: 100, eventsPerSecond: 100 });
    const keys = await Promise.all(runs.map((run, i) => lab.start({ via: 'open', ...run, client: { name: `client ${i % 2}`, options: {} } })));
    for (const key of keys) assertSound(await lab.settled(key));
    assert.equal(await peak(lab), 4);
    await lab.clear();
    await lab.close();
  });

  test('tabs that share have four together', async () => {
    await control.reset();
    const origin = `http://six.localhost:${new URL(stage.server.app).port}`;
    const labs = await Promise.all([1, 2, 3].map(() => stage.openLab({ origin })));
    await follow(labs, await begin(9, { events: 250, eventsPerSecond: 125, holdAt: 100 }), { shareAcrossTabs: true });
    const { held } = await labs[0].page.evaluate(() => navigator.locks.query());
    const places = held.filter(({ name }) => !name.startsWith('steadystream.tab/'));
    assert.deepEqual(places, [], 'every place is given back');
    await Promise.all(labs.map((lab) => lab.clear()));
    await Promise.all(labs.map((lab) => lab.close()));
  });

  test('a run that nobody looks at gives way to one that is opened', async () => {
    await control.reset();
    const lab = await stage.openLab();
    await count(lab);
    const [seen, ...unseen] = await begin(5, { events: 3000, eventsPerSecond: 50 });
    await lab.page.evaluate(({ runs }) => {
      for (const run of runs) window.lab.client({ name: 'main' }).open(run);
    }, { runs: unseen });
    await until(async () => (await control.counters()).openStreams.now === 4, 'the streams nobody looks at');
    const key = await lab.start({ via: 'open', ...seen, client: { name: 'main', options: {} } });
    await lab.until(key, ({ text }) => text.length > 100);
    assert.equal(await peak(lab), 4);
    await lab.clear();
    await lab.close();
  });

  test('as many as are asked for', async () => {
    await control.reset();
    const lab = await stage.openLab();
    await count(lab);
    const runs = await begin(3, { events: 60, eventsPerSecond: 60 });
    const keys = await Promise.all(runs.map((run) => (
      lab.start({ via: 'open', ...run, client: { name: 'main', options: { maxConnections: 1 } } }))));
    for (const key of keys) assertSound(await lab.settled(key));
    assert.equal(await peak(lab), 1);
    await lab.clear();
    await lab.close();
  });
});
