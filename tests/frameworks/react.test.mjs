// steadystream/react in React, in Chromium.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../e2e/support/until.mjs';
import { load } from './support/site.mjs';
import { openStage } from './support/stage.mjs';

let stage;
before(async () => { stage = await openStage({ react: 'react.jsx' }); });
after(() => stage?.close());

const inPage = (promise, use, rendered) => test(promise, () => stage.withPage('react', use, rendered));

inPage('a finished block renders exactly once while 1,000 more deltas arrive', async (page) => {
  const { renders, texts, status } = await page.evaluate(async () => {
    const client = new app.RunClient({ baseUrl: '/' });
    const { source, block, drone, end } = app.talk();
    const run = client.adopt({ sessionId: 's', runId: 'r' }, source);
    await app.mount([['Answer', { client, run }]]);
    block('One', 'a');
    block('Two', 'b');
    await drone(20);
    for (const what of Object.keys(app.renders)) delete app.renders[what];
    await drone(1000);
    const before = { ...app.renders };
    end();
    await run.finished;
    await app.frame();
    return {
      renders: before, status: document.getElementById('status').textContent,
      texts: [...document.querySelectorAll('p')].map(({ textContent }) => textContent),
    };
  });
  const finished = Object.entries(renders).filter(([what]) => what.includes('#done'));
  assert.deepEqual(finished, [], 'rendered before, and never again');
  assert.ok(renders.Answer >= 25 && renders.Answer <= 60, `${renders.Answer} renders of the answer for 50 frames`);
  assert.deepEqual([texts.length, texts[0], texts[1], status], [3, 'One', 'Two', 'completed']);
});

inPage('each block that is finished was rendered once as what it is now', async (page) => {
  const renders = await page.evaluate(async () => {
    const client = new app.RunClient({ baseUrl: '/' });
    const { source, block, drone } = app.talk();
    const run = client.adopt({ sessionId: 's', runId: 'r' }, source);
    await app.mount([['Answer', { client, run }]]);
    for (let n = 0; n < 10; n += 1) {
      block(`Block ${n}`, `call ${n}`);
      await drone(40);
    }
    return app.renders;
  });
  const finished = Object.entries(renders).filter(([what]) => what.includes('#done'));
  assert.equal(finished.length, 10);
  for (const [what, times] of finished) assert.equal(times, 1, what);
});

inPage('StrictMode opens one connection, and unmounting everything closes it after the grace', async (page) => {
  const sessionId = randomUUID();
  const { runId } = await stage.control.recipe({ sessionId, start: true, events: 2000, eventsPerSecond: 50, reasoning: false, toolCalls: 0 });
  await page.evaluate(async ([baseUrl, run]) => {
    const client = new app.RunClient({ baseUrl });
    await app.mount([['Answer', { client, run }], ['Answer', { client, run: { sessionId: run.sessionId } }], ['Badge', { client }]], { strict: true });
  }, [`${stage.server.app}/bi-chat`, { sessionId, runId }]);
  await page.waitForFunction(() => document.querySelectorAll('p')[1]?.textContent.length > 0);
  assert.equal(await page.textContent('#badge'), 'open');
  const { requests, openStreams } = await stage.control.counters(sessionId);
  assert.deepEqual([requests.events, openStreams.now, openStreams.peak], [1, 1, 1]);
  const begun = performance.now();
  await page.evaluate(() => app.unmount());
  await until(async () => (await stage.control.counters(sessionId)).openStreams.now === 0, 'the connection to be closed');
  assert.ok(performance.now() - begun >= 950, `closed after ${performance.now() - begun} ms`);
  assert.equal((await stage.control.counters(sessionId)).requests.events, 1);
});

inPage('the sidebar in StrictMode: one feed for all rows, closed after the grace', async (page) => {
  const ids = [randomUUID(), randomUUID()];
  const feeds = async () => (await stage.control.counters()).openActiveRuns;
  const before = await feeds();
  await page.evaluate(async ([baseUrl, sessions]) => {
    const activeRuns = new app.RunClient({ baseUrl }).activeRuns();
    await app.mount(sessions.map((id) => ['Dot', { activeRuns, id }]), { strict: true });
  }, [`${stage.server.app}/bi-chat`, ids]);
  await stage.control.recipe({ sessionId: ids[1], start: true, events: 2000, eventsPerSecond: 50 });
  await page.waitForFunction((id) => document.getElementById(id).textContent === 'streaming', ids[1]);
  assert.equal(await page.evaluate((id) => document.getElementById(id).textContent, ids[0]), 'none');
  const during = await feeds();
  assert.deepEqual([during.total - before.total, during.now], [1, 1]);
  const begun = performance.now();
  await page.evaluate(() => app.unmount());
  await until(async () => (await feeds()).now === 0, 'the feed to be closed');
  assert.ok(performance.now() - begun >= 950, `closed after ${performance.now() - begun} ms`);
});

inPage('a row renders only when its own status changes', async (page) => {
  const renders = await page.evaluate(async () => {
    const activeRuns = app.makeActiveRuns();
    await app.mount(['a', 'b', 'c'].map((id) => ['Dot', { activeRuns, id }]));
    for (let n = 0; n < 5; n += 1) {
      activeRuns.put('b', n % 2 ? 'queued' : 'streaming');
      await app.frame();
      activeRuns.put('z', `status ${n}`);
      await app.frame();
    }
    return [app.renders, document.getElementById('b').textContent, document.getElementById('a').textContent];
  });
  assert.deepEqual(renders, [{ 'Dot a': 1, 'Dot b': 6, 'Dot c': 1 }, 'streaming', 'none']);
});

inPage('a selection renders when it changes, a new store is shown at once, and the old one is let go', async (page) => {
  const seen = await page.evaluate(async () => {
    const [one, two] = [app.makeStore({ a: 1, b: 1 }), app.makeStore({ a: 10, b: 10 })];
    await app.mount([['Value', { store: one, field: 'a' }], ['Value', { store: one, field: 'b' }], ['Fresh', { store: one }]]);
    const text = (id) => document.getElementById(id).textContent;
    const steps = [];
    const step = async (act) => {
      act();
      await app.frame();
      await app.frame();
      steps.push([text('a'), text('b'), text('fresh'), app.renders['Value a'], app.renders['Value b'], one.listeners, two.listeners].join());
    };
    await step(() => {});
    await step(() => one.set({ a: 1, b: 2 }));
    await step(() => one.set({ a: 2, b: 2 }));
    await step(() => { one.set({ a: 3, b: 2 }); one.set({ a: 2, b: 2 }); });
    await step(() => app.set({ store: two }));
    await step(() => two.set({ a: 11, b: 10 }));
    await step(() => one.set({ a: 99, b: 99 }));
    app.unmount();
    return [...steps, one.listeners + two.listeners];
  });
  assert.deepEqual(seen.map((step) => String(step)), [
    '1,1,1,1,1,3,0', '1,2,1,1,2,3,0', '2,2,2,2,2,3,0', '2,2,2,3,2,3,0', '10,10,10,4,3,0,3', '11,10,11,5,3,0,3', '11,10,11,5,3,0,3', '0',
  ]);
});

inPage('a change between rendering and the paint is in the first paint', async (page) => {
  const seen = await page.evaluate(async () => {
    const store = app.makeStore({ a: 1 });
    // Changed by a sibling's effect, before anything is painted.
    app.views.Late = () => {
      store.set({ a: 2 });
      return null;
    };
    const painted = [];
    requestAnimationFrame(() => painted.push(document.getElementById('a')?.textContent));
    await app.mount([['Value', { store, field: 'a' }], ['Late', {}]]);
    return [painted.filter(Boolean), document.getElementById('a').textContent];
  });
  assert.deepEqual(seen[1], '2');
  for (const text of seen[0]) assert.equal(text, '2');
});

inPage('no run at all, a key, another key, a stream: each is shown', async (page) => {
  const [a, b] = [randomUUID(), randomUUID()];
  for (const sessionId of [a, b]) await stage.control.recipe({ sessionId, events: 60, eventsPerSecond: 0 });
  const runs = [];
  for (const sessionId of [a, b]) runs.push(await stage.control.recipe({ sessionId, start: true }));
  await page.evaluate(async (baseUrl) => {
    app.client = new app.RunClient({ baseUrl });
    await app.mount([['Answer', { client: app.client, run: null }]]);
  }, `${stage.server.app}/bi-chat`);
  const status = () => page.textContent('#status');
  assert.equal(await status(), 'none');
  const texts = [];
  for (const { sessionId, runId } of runs) {
    await page.evaluate((run) => app.set({ run }), { sessionId, runId });
    await page.waitForFunction(() => document.getElementById('status').textContent === 'completed');
    texts.push((await page.locator('p').allTextContents()).join(''));
    const { text } = await stage.control.truth(runId);
    assert.equal(texts.at(-1), text);
    await page.evaluate(() => app.set({ run: null }));
    await page.waitForFunction(() => document.getElementById('status').textContent === 'none');
  }
  await page.evaluate((run) => app.set({ run: app.client.open(run) }), { sessionId: a, runId: runs[0].runId });
  await page.waitForFunction(() => document.getElementById('status').textContent === 'completed');
  assert.equal((await stage.control.counters(a)).requests.events, 1);
});

test("a server's HTML is taken up without a mismatch, though the page knows more already", async () => {
  const { render } = await load(fileURLToPath(new URL('pages/react-server.jsx', import.meta.url)));
  const rendered = render();
  assert.match(rendered.body, /<b id="badge">closed<\/b>/);
  await stage.withPage('react', async (page) => {
    const seen = await page.evaluate(async () => {
      const paragraph = document.getElementById('text');
      const client = new app.RunClient({ baseUrl: '/' });
      const activeRuns = app.makeActiveRuns();
      client.activeRuns = () => activeRuns;
      activeRuns.put('x', 'streaming');
      const { source, say } = app.talk();
      client.adopt({ sessionId: 's' }, source);
      say({ type: 'content', content: 'Hello' });
      await app.frame();
      await app.frame();
      await app.mount([['Chat', { client, run: { sessionId: 's' } }]], { hydrate: true });
      return {
        errors: app.errors, isSame: paragraph === document.getElementById('text'), text: paragraph.textContent,
        status: document.getElementById('status').textContent, badge: document.getElementById('badge').textContent, rows: document.querySelectorAll('li').length,
      };
    });
    assert.deepEqual(seen, { errors: [], isSame: true, text: 'Hello', status: 'streaming', badge: 'open', rows: 1 });
  }, rendered);
});
