// steadystream/vue in Vue and steadystream/solid in Solid, in Chromium: the same promises, held by the same tests.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../e2e/support/until.mjs';
import { load } from './support/site.mjs';
import { openStage } from './support/stage.mjs';

let stage;
before(async () => { stage = await openStage({ vue: 'vue.js', solid: 'solid.solid.jsx' }); });
after(() => stage?.close());

const SERVERS = { vue: 'vue-server.js', solid: 'solid-server.solid.jsx' };

for (const name of ['vue', 'solid']) {
  describe(name, () => {
    const inPage = (promise, use) => test(promise, () => stage.withPage(name, use));

    inPage('a finished block renders exactly once while 1,000 more deltas arrive, one update a frame', async (page) => {
      const { all, during, texts, status } = await page.evaluate(async () => {
        const client = new app.RunClient({ baseUrl: '/' });
        const { source, block, drone, end } = app.talk();
        const run = client.adopt({ sessionId: 's', runId: 'r' }, source);
        await app.mount([['Answer', { client, run }]]);
        block('One', 'a');
        await drone(20);
        block('Two', 'b');
        await drone(20);
        const before = { ...app.renders };
        await drone(1000);
        const after = { ...app.renders };
        end();
        await run.finished;
        await app.frame();
        return {
          all: after, during: Object.keys(after).filter((what) => after[what] !== before[what]), status: document.getElementById('status').textContent,
          texts: [...document.querySelectorAll('p')].map(({ textContent }) => textContent),
        };
      });
      const finished = Object.entries(all).filter(([what]) => what.includes(' done '));
      assert.equal(finished.length, 2);
      for (const [what, times] of finished) assert.deepEqual([times, during.includes(what)], [1, false], what);
      const updates = during.filter((what) => what.includes('streaming'));
      assert.ok(updates.length >= 25 && updates.length <= 60, `${updates.length} texts in 50 frames`);
      for (const what of updates) assert.equal(all[what], 1, what);
      assert.deepEqual([texts.length, texts[0], status], [3, 'One', 'completed']);
    });

    inPage('two components open one connection, and unmounting everything closes it after the grace', async (page) => {
      const sessionId = randomUUID();
      const { runId } = await stage.control.recipe({ sessionId, start: true, events: 2000, eventsPerSecond: 50, reasoning: false, toolCalls: 0 });
      await page.evaluate(async ([baseUrl, run]) => {
        const client = new app.RunClient({ baseUrl });
        const both = [['Answer', { client, run }], ['Answer', { client, run: { sessionId: run.sessionId } }]];
        await app.mount(both);
        app.unmount();
        await app.mount(both);
      }, [`${stage.server.app}/bi-chat`, { sessionId, runId }]);
      await page.waitForFunction(() => document.querySelectorAll('p')[1]?.textContent.length > 0);
      const begun = performance.now();
      await page.evaluate(() => app.unmount());
      await until(async () => (await stage.control.counters(sessionId)).openStreams.now === 0, 'the connection to be closed');
      assert.ok(performance.now() - begun >= 950, `closed after ${performance.now() - begun} ms`);
      assert.equal((await stage.control.counters(sessionId)).requests.events, 1);
    });

    inPage('a row is updated only when its own status changes', async (page) => {
      const seen = await page.evaluate(async () => {
        const activeRuns = app.makeActiveRuns();
        await app.mount(['a', 'b', 'c'].map((id) => ['Row', { activeRuns, id }]));
        for (let n = 0; n < 5; n += 1) {
          activeRuns.put('b', n % 2 ? 'queued' : 'streaming');
          await app.frame();
          activeRuns.put('z', `status ${n}`);
          await app.frame();
        }
        return [app.renders, document.getElementById('b').textContent];
      });
      assert.deepEqual(seen, [{ 'Dot a': 1, 'Dot b': 6, 'Dot c': 1 }, 'streaming']);
    });

    inPage('a selection is updated when it changes, a new store is shown at once, and the old one is let go', async (page) => {
      const seen = await page.evaluate(async () => {
        const [one, two] = [app.makeStore({ a: 1, b: 1 }), app.makeStore({ a: 10, b: 10 })];
        await app.mount([['Values', { store: one, field: 'a' }], ['Values', { store: one, field: 'b' }]]);
        const text = (id) => document.getElementById(id).textContent;
        const steps = [];
        const step = async (act) => {
          act();
          await app.frame();
          await app.frame();
          steps.push([text('a'), text('b'), app.renders['Value a'], one.listeners, two.listeners].join());
        };
        await step(() => {});
        await step(() => one.set({ a: 1, b: 2 }));
        await step(() => one.set({ a: 2, b: 2 }));
        await step(() => app.set({ store: two }));
        await step(() => two.set({ a: 11, b: 10 }));
        await step(() => one.set({ a: 99, b: 99 }));
        app.unmount();
        return [...steps, one.listeners + two.listeners];
      });
      assert.deepEqual(seen.map(String), ['1,1,1,2,0', '1,2,1,2,0', '2,2,2,2,0', '10,10,3,0,2', '11,10,4,0,2', '11,10,4,0,2', '0']);
    });

    inPage('no run, a key, another key: each is shown at once', async (page) => {
      const sessionId = randomUUID();
      const { runId } = await stage.control.recipe({ sessionId, start: true, events: 60, eventsPerSecond: 0 });
      await page.evaluate((baseUrl) => app.mount([['Answer', { client: new app.RunClient({ baseUrl }), run: null }]]), `${stage.server.app}/bi-chat`);
      assert.equal(await page.textContent('#status'), 'none');
      await page.evaluate((run) => app.set({ run }), { sessionId, runId });
      await page.waitForFunction(() => document.getElementById('status').textContent === 'completed');
      const { text } = await stage.control.truth(runId);
      assert.equal((await page.locator('p').allTextContents()).join(''), text);
      await page.evaluate(() => app.set({ run: { sessionId: crypto.randomUUID() } }));
      await page.waitForFunction(() => document.getElementById('status').textContent === 'none');
      assert.equal(await page.locator('p').count(), 0);
    });

    test("a server's HTML is taken up without a mismatch, though the page knows more already", async () => {
      const { render } = await load(fileURLToPath(new URL(`pages/${SERVERS[name]}`, import.meta.url)));
      const rendered = await render();
      assert.match(rendered.body, /id="badge"[^>]*>closed</);
      await stage.withPage(name, async (page) => {
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
          await app.mount([['Chat', { client }]], { isHydrating: true });
          return {
            isSame: paragraph === document.getElementById('text'), text: paragraph.textContent,
            status: document.getElementById('status').textContent, badge: document.getElementById('badge').textContent, rows: document.querySelectorAll('li').length,
          };
        });
        assert.deepEqual(seen, { isSame: true, text: 'Hello', status: 'streaming', badge: 'open', rows: 1 });
      }, rendered);
    });
  });
}

test("a store of ours is what Solid's from() takes", () => stage.withPage('solid', async (page) => {
  const text = await page.evaluate(async () => {
    const client = new app.RunClient({ baseUrl: '/' });
    const { source, say } = app.talk();
    const run = client.adopt({ sessionId: 's' }, source);
    await app.mount([['Plain', { run }]]);
    say({ type: 'content', content: 'Hello' });
    await app.frame();
    await app.frame();
    return document.getElementById('plain').textContent;
  });
  assert.equal(text, 'Hello');
}));
