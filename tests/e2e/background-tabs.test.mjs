// A tab in the background, frozen, or left and come back to: what the browser really does to it, with no Playwright to keep
// it awake.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startServer } from './support/server.mjs';
import { openTabs } from './support/tabs.mjs';
import { assertSound, assertTruth } from './support/truth.mjs';
import { until } from './support/until.mjs';

const SHORT = { events: 150, eventsPerSecond: 100, reasoning: true, toolCalls: 2 };

let server;
let control;
let tabs;
before(async () => {
  server = await startServer();
  ({ control } = server);
  tabs = await openTabs(`${server.app}/tests/bare.html`);
});
after(async () => {
  await tabs?.close();
  await server?.stop();
});

const requestsOf = async (sessionId) => (await control.counters(sessionId)).requests;

describe('a tab that nobody looks at', () => {
  for (const transport of ['fetch', 'eventsource']) {
    test(`gets its text by the timer, settles, and connects once [${transport}]`, async () => {
      const { lab, tab, other } = tabs;
      const { key, sessionId } = await lab.begin(control, { ...SHORT, events: 350 }, { transport, countsFrames: true });
      await other.show();
      await lab.until(key, () => document.hidden);
      const { text } = await lab.snapshot(key);
      const before = await lab.report(key);
      const report = await lab.settled(key);
      assertSound(report);
      await assertTruth(control, report);
      assert.ok(report.snapshot.text.length > text.length, 'most of it came while hidden');
      // Chromium lets a hidden tab's timers fire once a second.
      assert.ok(report.notifications - before.notifications >= 3, 'and was told as it came');
      assert.ok(report.frames - before.frames < 3, 'without animation frames');
      await tab.show();
      const { stream, events, status } = await requestsOf(sessionId);
      assert.deepEqual({ stream, events, status }, { stream: 1, events: 1, status: 0 }, 'hiding and showing connects nothing');
    });
  }

  test('is seen again: nobody waits out a long backoff in front of the screen', async () => {
    const { lab, tab, other } = tabs;
    const client = { name: 'patient', options: { transports: ['fetch'], retry: { baseMs: 60_000, capMs: 60_000, jitter: 'none' } } };
    const { key, sessionId } = await lab.begin(control, { ...SHORT, events: 300 }, { client });
    await other.show();
    await lab.until(key, () => document.hidden);
    await control.now('cut', { sessionId, how: 'rst' });
    await lab.until(key, ({ connection }) => connection.state === 'reconnecting' && connection.retryAt > Date.now() + 30_000);
    await tab.show();
    const report = await lab.settled(key);
    assertSound(report);
    await assertTruth(control, report);
    assert.equal((await requestsOf(sessionId)).events, 2);
  });

  test('is frozen and thawed: the run goes on after the cursor', async () => {
    const { lab, tab, other } = tabs;
    const { key, sessionId } = await lab.begin(control, { ...SHORT, events: 300 });
    await other.show();
    await lab.until(key, () => document.hidden);
    await tab.freeze();
    await until(async () => (await control.counters(sessionId)).openStreams.now === 0, 'the frozen tab to let go of its stream');
    const { events } = await requestsOf(sessionId);
    await control.truth((await control.runs(sessionId))[0].runId);
    assert.equal((await requestsOf(sessionId)).events, events, 'a frozen tab connects nothing');
    await tab.thaw();
    const report = await lab.settled(key);
    assertSound(report);
    await assertTruth(control, report);
    await tab.show();
    assert.equal((await requestsOf(sessionId)).events, events + 1);
  });

  test('is left and come back to with the back button: the page lets go of its stream, so that the browser keeps the page', async () => {
    const { lab, tab } = tabs;
    const { key, sessionId } = await lab.begin(control, { ...SHORT, events: 300 });
    await tab.evaluate(() => window.addEventListener('pageshow', ({ persisted }) => { window.wasKept = persisted; }));
    await tab.goto(`${server.app}/tests/machinery.js`);
    await until(async () => (await control.counters(sessionId)).openStreams.now === 0, 'the stream to be let go of');
    await until(() => tab.evaluate(() => location.pathname.endsWith('machinery.js')), 'the other page');
    await tab.evaluate(() => history.back());
    await tab.waitForFunction(() => window.lab);
    assert.equal(await tab.evaluate(() => window.wasKept), true);
    const report = await lab.settled(key);
    assertSound(report);
    await assertTruth(control, report);
    const { stop, stream } = await requestsOf(sessionId);
    assert.deepEqual({ stop, stream }, { stop: 0, stream: 1 });
  });
});
