// `shareAcrossTabs`: the tabs of an origin have one connection for a run, whoever of them goes, and each has all of it.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Lab } from './support/lab.mjs';
import { SidebarLab } from './support/sidebar.mjs';
import { Stage } from './support/stage.mjs';
import { openTabs } from './support/tabs.mjs';
import { assertSound, assertTruth } from './support/truth.mjs';
import { until } from './support/until.mjs';

/** Until it is ended. */
const LONG = { events: 30_000, eventsPerSecond: 100, toolCalls: 2, reasoning: false };

/** The one of `labs` whose page holds the run's lock. */
async function holderOf(labs) {
  const held = await Promise.all(labs.map((lab) => lab.page.evaluate(async () => {
    const mine = crypto.randomUUID();
    return navigator.locks.request(mine, async () => {
      const { held: all } = await navigator.locks.query();
      const { clientId } = all.find(({ name }) => name === mine);
      return all.some(({ name, clientId: whose }) => name.startsWith('steadystream/') && whose === clientId);
    });
  })));
  assert.ok(held.filter(Boolean).length <= 1, 'two tabs hold one lock');
  return labs[held.indexOf(true)];
}

const PROTOCOLS = {
  bichat: { options: { baseUrl: '/bi-chat' }, path: 'events' },
  'bichat, EventSource': { options: { baseUrl: '/bi-chat', transports: ['eventsource'] }, path: 'events' },
  envelope: { options: { baseUrl: '/api/v1', protocol: 'envelope' }, path: 'env-stream' },
  chunks: { options: { baseUrl: '/v1', protocol: 'chunks' }, path: 'chunks-stream' },
  'ui-message': { options: { baseUrl: '/api/chat', protocol: 'ui-message' }, path: 'ui-stream', isUnnamed: true },
  'ui-message, ids of chunks': { options: { baseUrl: '/api/chat', protocol: 'ui-message' }, path: 'ui-stream', isUnnamed: true, config: { uiCursor: true } },
  'ws-chat over fetch': { options: { baseUrl: '', protocol: 'ws-chat', transports: ['fetch'] }, path: 'chat-events' },
};

const wait = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

// Each test has a server to itself, and so an origin and its connections.
describe('tabs that share', { concurrency: 3 }, () => {
  let stage;
  let apart;
  before(async () => {
    stage = await Stage.open();
    // Each tab a process of its own: one that hangs, or crashes, takes no other with it.
    apart = await Stage.open({ flags: ['--disable-features=ProcessPerSiteUpToMainFrameThreshold'] });
  });
  after(() => Promise.all([stage?.close(), apart?.close()]));

  /** The tabs of one test, which is told when each of them is to come and go. */
  class Tabs {
    all = new Map();          // lab -> the key of its run

    static async at({ options, path, isUnnamed, config }, on = stage) {
      const tabs = new Tabs();
      tabs.stage = on;
      tabs.server = await on.addServer();
      tabs.control = tabs.server.control;
      if (config) await tabs.control.config(config);
      Object.assign(tabs, { options: { shareAcrossTabs: true, ...options }, path, isUnnamed });
      return tabs;
    }

    async begin(recipe) {
      const sessionId = randomUUID();
      const { runId } = await this.control.recipe({ sessionId, start: true, protocol: this.options.protocol ?? 'bichat', ...recipe });
      this.run = this.isUnnamed ? { sessionId } : { sessionId, runId };
    }

    static async of(protocol, recipe, on = stage) {
      const tabs = await Tabs.at(protocol, on);
      await tabs.begin(recipe);
      return tabs;
    }

    /** How many connections were made for the run. */
    async connections() {
      return (await this.control.counters()).requests[this.path];
    }

    async assertConnections(expected, why = '') {
      if (await this.connections() === expected) return;
      const made = (await this.control.requests()).filter(({ path }) => path === this.path);
      assert.fail(`${why} ${expected} expected: ${JSON.stringify(made.map(({ at, connection, lastEventId, outcome, events }) => ({ at, connection, lastEventId, outcome, events })))}`);
    }

    open(count) {
      const origin = `http://tabs.localhost:${new URL(this.server.app).port}`;
      return Promise.all(Array.from({ length: count }, () => this.stage.openLab({ origin, server: this.server })));
    }

    get labs() {
      return [...this.all.keys()];
    }

    async join(labs) {
      await Promise.all(labs.map(async (lab) => {
        this.all.set(lab, await lab.start({ via: 'open', ...this.run, client: { name: 'main', options: this.options } }));
      }));
    }

    async add(count) {
      const labs = await this.open(count);
      await this.join(labs);
      return labs;
    }

    async remove(lab) {
      this.all.delete(lab);
      await lab.close();
    }

    /** Its process is gone, without a last word. */
    async crash(lab) {
      this.all.delete(lab);
      const session = await lab.context.newCDPSession(lab.page);
      const gone = new Promise((resolve) => { lab.page.once('crash', resolve); });
      session.send('Page.crash').catch(() => {});
      await gone;
      await lab.close();
    }

    /** All that are left have shown this much. */
    async show(length) {
      for (const [lab, key] of this.all) {
        await lab.page.waitForFunction(([of, least]) => window.lab.snapshot(of).text.length >= least, [key, length], { polling: 20 });
      }
    }

    /** The answer, which would last for minutes, ends. Each of them has all of it, and has never shown less than before. */
    async end() {
      await this.control.now('finish');
      for (const [lab, key] of this.all) {
        const report = await lab.settled(key);
        assertSound(report);
        await assertTruth(this.control, report);
      }
      for (const lab of this.labs) {
        await lab.clear();
        await this.remove(lab);
      }
    }
  }

  test('the holder is killed fifty times, and nobody misses or doubles anything', async (t) => {
    const tabs = await Tabs.of(PROTOCOLS.bichat, LONG);
    const gaps = [];
    await tabs.add(6);
    await tabs.show(50);
    for (let kill = 0; kill < 50; kill += 1) {
      const holder = await holderOf(tabs.labs);
      const [witness] = tabs.labs.filter((lab) => lab !== holder);
      const gap = witness.page.evaluate((key) => new Promise((resolve) => {
        // The longest silence from now on, until there has been enough to hear.
        let [last, longest, heard] = [performance.now(), 0, 0];
        const leave = lab.stream(key).subscribe(() => {
          const now = performance.now();
          longest = Math.max(longest, now - last);
          last = now;
          heard += 1;
          if (heard !== 12) return;
          leave();
          resolve(longest);
        }, { notify: 'sync' });
      }), tabs.all.get(witness));
      await tabs.remove(holder);
      const [silence] = await Promise.all([gap, tabs.add(1)]);
      gaps.push(silence);
    }
    gaps.sort((a, b) => a - b);
    const at = (share) => `${Math.round(gaps[Math.floor(share * (gaps.length - 1))])} ms`;
    t.diagnostic(`gap until the next event: median ${at(0.5)}, 90 % ${at(0.9)}, longest ${at(1)}`);
    await tabs.assertConnections(51);
    await tabs.end();
  });

  test('twenty of them have one connection', async () => {
    const tabs = await Tabs.at(PROTOCOLS.bichat);
    const labs = await tabs.open(20);
    await tabs.begin(LONG);
    await tabs.join(labs);
    await tabs.show(100);
    await tabs.end();
    await tabs.assertConnections(1);
  });

  for (const [name, protocol] of Object.entries(PROTOCOLS)) {
    test(`who comes later has it all, and goes on when the holder goes [${name}]`, async () => {
      const tabs = await Tabs.of(protocol, LONG);
      await tabs.add(1);
      await tabs.show(60);
      await tabs.add(2);
      await tabs.show(200);
      await tabs.assertConnections(1, 'those who join in need no connection');
      await tabs.remove(await holderOf(tabs.labs));
      await tabs.add(1);
      await tabs.show(400);
      await tabs.assertConnections(2, 'one of those who are left has made one');
      await tabs.end();
      await tabs.assertConnections(2);
    });
  }

  test('a connection that is cut is made once more, for all', async () => {
    const tabs = await Tabs.of(PROTOCOLS.bichat, LONG);
    await tabs.add(3);
    for (let cut = 1; cut <= 2; cut += 1) {
      await tabs.show(200 * cut);
      await tabs.control.now('cut', { how: cut === 1 ? 'rst' : 'fin' });
      await until(async () => await tabs.connections() === cut + 1, 'another connection');
    }
    await tabs.show(800);
    await tabs.end();
    await tabs.assertConnections(3);
  });

  test('the sidebars of all tabs have one connection, too', async () => {
    const tabs = await Tabs.at(PROTOCOLS.bichat);
    const connections = async () => (await tabs.control.counters()).requests['active-runs'];
    const tell = (...rows) => tabs.control.activeRuns({ rows: rows.map(([sessionId, runId, status]) => ({ sessionId, runId, status })) });
    const [a, b, c, d] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    const sidebars = (await tabs.open(5)).map((lab) => {
      const sidebar = new SidebarLab(lab, 'fetch');
      sidebar.options.shareAcrossTabs = true;
      return sidebar;
    });
    await tell([a, 'r1', 'streaming'], [b, 'r2', 'queued']);
    await Promise.all(sidebars.slice(0, 3).map((sidebar) => sidebar.open()));
    await Promise.all(sidebars.slice(0, 3).map((sidebar) => sidebar.untilTrue()));
    await tell([a, 'r1', 'completed'], [c, 'r3', 'streaming']);
    // Who comes later is told all, by the tab that has the connection.
    await Promise.all(sidebars.slice(3).map((sidebar) => sidebar.open()));
    await Promise.all(sidebars.map((sidebar) => sidebar.untilTrue()));
    assert.equal(await connections(), 1);

    const holder = await holderOf(sidebars.map(({ lab }) => lab));
    const left = sidebars.filter(({ lab }) => lab !== holder);
    await holder.close();
    await tell([b, 'r2', 'failed'], [d, 'r4', 'streaming']);
    await Promise.all(left.map((sidebar) => sidebar.untilTrue()));
    assert.equal(await connections(), 2);
    for (const { lab } of left) {
      await lab.page.evaluate(() => window.sidebar.close());
      await lab.clear();
      await lab.close();
    }
  });

  test('all of them are told why a server refuses', async () => {
    const tabs = await Tabs.of(PROTOCOLS.bichat, { events: 50 });
    await tabs.control.faults({ path: 'events' }, [{ status: { code: 403 } }], { loop: true });
    await tabs.add(3);
    for (const [lab, key] of tabs.all) {
      const { snapshot } = await lab.settled(key);
      assert.deepEqual([snapshot.status, snapshot.error.code, snapshot.error.status], ['interrupted', 'http-status', 403]);
      await lab.clear();
      await lab.close();
    }
  });

  test('a holder that is frozen lets go at once, and follows when it is thawed', async (t) => {
    const tabs = await Tabs.of(PROTOCOLS.bichat, LONG);
    const url = `${tabs.server.app}/tests/bare.html`;
    // No page of Playwright's is ever hidden, and what is seen is not frozen.
    const browser = await openTabs(url);
    t.after(() => browser.close());
    const seen = new Lab(browser.other, {});
    await seen.load(url);
    await tabs.join([browser.lab]);
    await tabs.show(100);
    await tabs.join([seen]);
    await tabs.show(200);
    await browser.other.show();
    await browser.tab.freeze();
    await until(async () => await tabs.connections() === 2, 'the other to take over');
    await until(async () => (await tabs.control.counters()).openStreams.now === 1, 'the frozen one to have let go');
    await browser.tab.show();
    await browser.tab.thaw();
    await tabs.show(800);
    await tabs.control.now('finish');
    for (const [lab, key] of tabs.all) {
      const report = await lab.settled(key);
      assertSound(report);
      await assertTruth(tabs.control, report);
    }
    await tabs.assertConnections(2);
  });

  test('a holder that crashes is followed by another', async () => {
    const tabs = await Tabs.of(PROTOCOLS.bichat, LONG, apart);
    await tabs.add(5);
    for (let crash = 1; crash <= 4; crash += 1) {
      await tabs.show(200 * crash);
      await tabs.crash(await holderOf(tabs.labs));
      await until(async () => await tabs.connections() === crash + 1, 'another to take over');
    }
    await tabs.show(1000);
    await tabs.end();
    await tabs.assertConnections(5);
  });

  test('a holder that hangs loses the stream to another, and follows when it is back', async () => {
    const tabs = await Tabs.of(PROTOCOLS.bichat, LONG, apart);
    await tabs.add(3);
    await tabs.show(100);
    const holder = await holderOf(tabs.labs);
    const hung = holder.page.evaluate(() => {
      const until = performance.now() + 12_000;
      while (performance.now() < until);
    });
    await until(async () => await tabs.connections() === 2, 'another to take over');
    await hung;
    // It has been told what it has missed before the answer ends.
    const [[lab, key]] = [...tabs.all].filter(([other]) => other !== holder);
    await tabs.show((await lab.snapshot(key)).text.length);
    await tabs.end();
    await tabs.assertConnections(2);
  });
});
