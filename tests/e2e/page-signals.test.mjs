// What really happens to a page: it is hidden, frozen, put to sleep with its machine, cut off from its network, left and come
// back to. The server's own counts are the witness of what was tried meanwhile.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Fleet } from './support/fleet.mjs';
import { Lab } from './support/lab.mjs';
import { startServer } from './support/server.mjs';
import { Stage } from './support/stage.mjs';
import { openTabs } from './support/tabs.mjs';
import { until } from './support/until.mjs';

const RUN = { events: 160, eventsPerSecond: 100, reasoning: false, toolCalls: 0 };
const ONCE = { events: 2, sockets: 1 };
const NEVER = { events: 0, sockets: 0 };
// With these waits a run that only waited would not be back in time.
const PATIENT = { baseMs: 60_000, capMs: 60_000, jitter: 'none' };
// Far less than any of these runs is without a connection.
const SHORT_BUDGET = { baseMs: 100, capMs: 300, giveUpAfterMs: 800 };

// What the badges show. The error is explained until words come; where all of them come at once, nobody sees it go.
const CUT = ['reconnecting $ disconnected', 'open $ disconnected', '?open $'];
const LEFT = ['offline $', 'connecting $', 'open $'];
const LEFT_AT_ONCE = {
  fetch: ['connecting $', 'offline $', 'connecting $', 'open $'],
  eventsource: ['connecting fetch', 'offline fetch', 'connecting fetch', 'connecting $', 'open $'],
  websocket: ['connecting $', 'offline $', 'connecting $', 'open $'],
};
const FOUND = Object.fromEntries(['fetch', 'eventsource', 'websocket'].map((name) => [name, ['connecting $', 'open $']]));

/** A server and a browser of a group's own, and what its tests need of them. `door`: of the server's addresses. */
function setUp(door) {
  const own = {};
  before(async () => {
    own.server = await startServer();
    own.control = own.server.control;
    own.url = `${own.server[door]}/tests/bare.html`;
    own.elsewhere = `${own.server[door]}/tests/machinery.js`;
    Object.assign(own, await openTabs(own.url));
  });
  after(async () => {
    await own.close?.();
    await own.server?.stop();
  });
  own.begin = (options, recipe) => Fleet.begin(own.lab, own.control, { ...RUN, ...recipe }, options);
  own.hide = async () => {
    await own.other.show();
    await own.tab.waitForFunction(() => document.hidden);
  };
  own.show = async () => {
    await own.tab.show();
    await own.tab.waitForFunction(() => !document.hidden);
  };
  own.gone = (fleet) => until(() => fleet.areGone(), 'the page to let go of its connections');
  /** Nothing is left over, in the page or at the server. */
  own.finish = async (fleet) => {
    await fleet.assertSentOnce();
    await own.lab.clear();
    await own.gone(fleet);
  };
  return own;
}

describe('a page', { concurrency: true }, () => {
  describe('that nobody looks at', { concurrency: 1 }, () => {
    const own = setUp('app');

    test('gets its text by the timer, settles, and connects nothing', async () => {
      const fleet = await own.begin({ countsFrames: true }, { events: 300 });
      const [{ key }] = fleet.runs;
      await own.hide();
      const seen = await own.lab.report(key);
      await fleet.assertWhole();
      const report = await own.lab.report(key);
      assert.ok(report.snapshot.text.length > 2 * seen.snapshot.text.length, 'most of it came while hidden');
      // Chromium lets a hidden tab's timers fire once a second.
      assert.ok(report.notifications - seen.notifications >= 3, 'and was told as it came');
      assert.ok(report.frames - seen.frames < 3, 'without animation frames');
      await own.show();
      assert.deepEqual(await fleet.reconnections(), NEVER);
      await own.finish(fleet);
    });

    test('is seen again: nobody waits out a long backoff in front of the screen', async () => {
      const fleet = await own.begin({ retry: PATIENT });
      await own.hide();
      assert.equal(await fleet.cut(), 3);
      await fleet.until(({ connection }) => connection.state === 'reconnecting' && connection.retryAt > Date.now() + 30_000);
      await own.show();
      await fleet.assertWhole({ shown: CUT });
      assert.deepEqual(await fleet.reconnections(), ONCE);
      await own.finish(fleet);
    });

    test('is frozen: lets go of everything, tries nothing, and goes on when it thaws', async () => {
      const fleet = await own.begin({ retry: SHORT_BUDGET });
      await own.hide();
      await own.tab.freeze();
      await own.gone(fleet);
      const asked = await fleet.requests();
      await fleet.over();
      assert.equal(await fleet.requests(), asked);
      await own.tab.thaw();
      await fleet.assertWhole({ shown: LEFT });
      assert.deepEqual(await fleet.reconnections(), ONCE);
      await own.show();
      await own.finish(fleet);
    });

    test('is frozen while its messages are on their way: each is taken once', async () => {
      // The server forgets a message with the end of its run (B-SEND-4): these last until they are asked for again.
      const slow = [{ delayHeadersMs: 2_000 }, { delayHeadersMs: 2_000 }];
      const faults = [{ path: 'stream', steps: slow }, { path: 'ws', steps: slow }];
      const fleet = await Fleet.send(own.lab, own.control, { ...RUN, events: 300 }, { faults });
      await own.hide();
      await until(async () => (await fleet.requests()) === 3, 'all to be asked of the server');
      await own.tab.freeze();
      await own.gone(fleet);
      const asked = await fleet.requests();
      await own.control.clearFaults();
      await own.tab.thaw();
      await fleet.assertWhole({ first: LEFT_AT_ONCE });
      assert.equal(asked, 3);
      await own.show();
      await own.lab.clear();
    });

    test('has its machine put to sleep, and its connections cut meanwhile: no event tells of either', async (t) => {
      t.after(() => own.wake());
      const fleet = await own.begin({ retry: SHORT_BUDGET });
      await own.sleep();
      assert.equal(await fleet.cut(), 3);
      await fleet.over();
      own.wake();
      await fleet.assertWhole({ shown: CUT });
      assert.deepEqual(await fleet.reconnections(), ONCE);
      await own.finish(fleet);
    });

    test('does not spend its retry budget, while one that is looked at does', async (t) => {
      const seen = { server: await startServer(), lab: new Lab(own.other, {}) };
      t.after(() => seen.server.stop());
      await seen.lab.load(`${seen.server.app}/tests/bare.html`);
      await own.show();
      const fleet = await own.begin({ retry: SHORT_BUDGET });
      await own.hide();
      const beside = await Fleet.begin(seen.lab, seen.server.control, RUN, { retry: SHORT_BUDGET });
      await Promise.all([own.server, seen.server].map(({ control }) => control.now('offline')));
      for (const { key } of beside.runs) {
        const { snapshot } = await seen.lab.settled(key);
        assert.deepEqual([snapshot.status, snapshot.error.code, snapshot.error.retryable], ['interrupted', 'gave-up', true]);
      }
      // A hidden tab tries but once a second: at its third failure the budget would be spent.
      await fleet.until(({ connection }) => connection.attempt >= 3);
      for (const { status } of await fleet.snapshots()) assert.equal(status, 'streaming');
      await own.control.now('online');
      await own.show();
      await fleet.assertWhole({ shown: ['reconnecting $ disconnected', 'reconnecting $ connect-failed', 'open $ connect-failed', '?open $'] });
      await own.finish(fleet);
    });
  });

  describe('that is left', { concurrency: 1 }, () => {
    const own = setUp('proxy');

    describe('by its network', { concurrency: 1 }, () => {
      test('tries nothing, spends no budget, and connects once as soon as it is back', async () => {
        const fleet = await own.begin({ retry: { ...PATIENT, giveUpAfterMs: 800 } });
        await own.tab.tellOffline(true);
        await own.tab.waitForFunction(() => !navigator.onLine);
        assert.equal(await fleet.cut(), 3);
        await fleet.until(({ connection }) => connection.state === 'offline');
        const asked = await fleet.requests();
        await fleet.over();
        assert.equal(await fleet.requests(), asked);
        await own.tab.tellOffline(false);
        await fleet.assertWhole({ shown: ['offline $ disconnected', ...CUT] });
        assert.deepEqual(await fleet.reconnections(), ONCE);
        await own.finish(fleet);
      });

      test('that left its connections open: what said nothing meanwhile is replaced, before its silence is too long', async () => {
        const fleet = await own.begin();
        // A browser keeps connections for later; those would lead nowhere, and nothing here is about them.
        await own.control.proxy({ cut: { how: 'rst', idleMs: 300 } });
        await own.control.proxy({ blackhole: {} });
        await own.tab.tellOffline(true);
        await fleet.over();
        await own.control.proxy({ clear: true });
        await own.tab.tellOffline(false);
        await fleet.assertWhole({ shown: CUT });
        assert.deepEqual(await fleet.reconnections(), ONCE);
        await own.finish(fleet);
      });

      test('as it believes, while its connections go on: they are kept', async () => {
        const fleet = await own.begin();
        await own.tab.tellOffline(true);
        await fleet.until(({ text }) => text.length > 300);
        await own.tab.tellOffline(false);
        await fleet.assertWhole();
        assert.deepEqual(await fleet.reconnections(), NEVER);
        await own.finish(fleet);
      });
    });

    describe('by its user', { concurrency: 1 }, () => {
      test('is kept by the browser, and goes on where it was when it is shown again', async () => {
        const fleet = await own.begin({ retry: SHORT_BUDGET });
        await own.tab.evaluate(() => window.addEventListener('pageshow', ({ persisted }) => { window.wasKept = persisted; }));
        await own.tab.leave(own.elsewhere);
        await own.gone(fleet);
        const asked = await fleet.requests();
        await fleet.over();
        assert.equal(await fleet.requests(), asked, 'a page that is kept tries nothing');
        await own.tab.back();
        assert.equal(await own.tab.evaluate(() => window.wasKept), true);
        await fleet.assertWhole({ shown: LEFT });
        assert.deepEqual(await fleet.reconnections(), ONCE);
        const cursors = (await own.control.requests(fleet.runs[0].sessionId)).filter(({ path }) => path === 'events');
        assert.deepEqual(cursors.map(({ lastEventId }) => lastEventId !== null), [false, true]);
        await own.finish(fleet);
      });

      test('is not kept, for a reason of its own: nothing is cancelled, and the page that is loaded instead resumes', async () => {
        // Long enough to be found running by a page that loads slowly.
        const fleet = await own.begin({}, { events: 300 });
        await own.tab.evaluate(() => window.addEventListener('unload', () => {}));
        await own.tab.leave(own.elsewhere);
        await own.gone(fleet);
        await own.tab.back();
        const isNew = await own.tab.evaluate(
          () => lab.subjects.size === 0 && performance.getEntriesByType('navigation')[0].notRestoredReasons.reasons.length > 0,
        );
        assert.ok(isNew);
        for (const run of fleet.runs) run.key = await own.lab.start({ ...run, via: 'resume' });
        await fleet.assertWhole({ first: FOUND });
        await own.finish(fleet);
      });

      test('is shown again without having been kept or thrown away: it goes on all the same', async () => {
        const fleet = await own.begin({ retry: PATIENT });
        const tell = (type) => own.tab.evaluate((name) => {
          dispatchEvent(new PageTransitionEvent(name, { persisted: false }));
        }, type);
        await tell('pagehide');
        await own.gone(fleet);
        await tell('pageshow');
        await fleet.assertWhole({ shown: LEFT });
        assert.deepEqual(await fleet.reconnections(), ONCE);
        await own.finish(fleet);
      });

      test('is closed: nothing is cancelled', async () => {
        const fleet = await own.begin();
        await own.tab.close();
        await own.gone(fleet);
        await fleet.over();
        await fleet.assertSentOnce();
      });
    });
  });

  describe('whose clock jumps', { concurrency: 1 }, () => {
    let stage;
    before(async () => { stage = await Stage.open(); });
    after(() => stage?.close());

    test('takes no jump for a silence', async () => {
      const lab = await stage.openLab({ clock: true });
      // Longer than a busy machine takes for two jumps.
      const fleet = await Fleet.begin(lab, stage.control, { ...RUN, events: 800 });
      for (const day of ['2001-01-01', '2101-01-01']) {
        await lab.page.clock.setSystemTime(day);
        await lab.page.clock.fastForward(600_000);
        // A second jump before a word came would be a silence.
        await fleet.hear();
      }
      await fleet.assertWhole();
      assert.deepEqual(await fleet.reconnections(), NEVER);
      await lab.clear();
      await lab.close();
    });
  });
});
