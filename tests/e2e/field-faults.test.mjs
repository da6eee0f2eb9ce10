// The ten faults of FIELD 1.1, which no client before passed all of. Default options, unless waiting for a default would take
// minutes: then the option is smaller, and the default is shown with a clock that runs ahead. What a page that is told to be
// offline does is in page-signals.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { testCases } from './support/cases.mjs';
import { chatOptions } from './support/chat.mjs';
import { assertHistory } from './support/history.mjs';
import { Stage } from './support/stage.mjs';
import { assertSound, assertTruth } from './support/truth.mjs';

const TEN_EVENTS = { events: 10, eventsPerSecond: 20, reasoning: false, toolCalls: 0, usage: false };
const DEFAULTS = { retry: {} };

let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

describe('the ten faults', { concurrency: 6 }, () => {
  testCases('field-faults', () => stage);

  const OVER = [['bichat', 'fetch'], ['ws-chat', 'websocket'], ['ws-chat', 'eventsource'], ['ws-chat', 'fetch'], ['ws-chat', 'rest']];
  for (const [protocol, transport] of OVER) {
    test(`E: the server is offline for four seconds [${protocol}, ${transport}]`, () => stage.withServer(async (lab) => {
      const { control } = lab.server;
      const sessionId = randomUUID();
      await control.recipe({ sessionId, ...TEN_EVENTS, eventsPerSecond: 4, holdAt: 5 });
      const options = protocol === 'bichat' ? { transports: [transport], ...DEFAULTS } : { ...chatOptions([transport]), ...DEFAULTS };
      const key = await lab.start({ sessionId, client: { options } });
      await lab.until(key, ({ connection }) => connection.state === 'open');
      await control.now('offline', { ms: 4000 });
      await control.now('goOn', { sessionId });
      const report = await lab.settled(key);
      assertSound(report);
      await assertTruth(control, report);
      // What is lost with the network may be seen before the next attempt is refused.
      assertHistory(report, [
        `connecting ${transport}`, `open ${transport}`, `?reconnecting ${transport} disconnected`,
        `reconnecting ${transport} connect-failed`, `?open ${transport} connect-failed`, `?open ${transport}`, 'closed',
      ]);
      assert.equal((await control.counters(sessionId)).runsStarted, 1);
    }));
  }

  test('F: the default stall limit is 45 s', async () => {
    const lab = await stage.openLab({ clock: true });
    const sessionId = randomUUID();
    await stage.control.recipe({ sessionId, ...TEN_EVENTS, heartbeats: false });
    await stage.control.faults({ sessionId, path: 'events' }, [{ stall: { afterEvents: 1, heartbeats: false } }]);
    const key = await lab.start({ sessionId, client: { options: DEFAULTS } });
    await lab.until(key, ({ text }) => text !== '');
    await lab.page.clock.runFor(43_000);
    assert.equal((await lab.snapshot(key)).connection.state, 'open', 'silent for 43 s');
    await lab.page.clock.runFor(4_000);
    const report = await lab.settled(key);
    assertSound(report);
    assertHistory(report, ['connecting fetch', 'open fetch', 'reconnecting fetch stalled', '?open fetch stalled', '?open fetch', 'closed']);
    await assertTruth(stage.control, report);
    await lab.close();
  });

  test('I: heartbeats, then silence: the cadence was learned, and three of it are enough', async () => {
    const lab = await stage.openLab();
    const sessionId = randomUUID();
    await stage.control.recipe({ sessionId, ...TEN_EVENTS, heartbeatMs: 1100 });
    // Both from the start: the first holds while heartbeats go on, long enough for a page that opens late to hear several,
    // and when it ends there is only the second.
    await stage.control.now('stall', { sessionId, heartbeats: true, ms: 7000 });
    await stage.control.now('stall', { sessionId, heartbeats: false });
    const { runId } = await stage.control.recipe({ sessionId, start: true });
    const key = await lab.start({ via: 'open', sessionId, runId, client: { options: { ...DEFAULTS, liveness: { floorMs: 1000 } } } });
    await lab.until(key, ({ connection }) => connection.error?.code === 'stalled');
    await stage.control.now('clear');
    const report = await lab.settled(key);
    assertSound(report);
    // The silence may outlast a reconnection, and what is over by then comes all at once.
    assertHistory(report, ['connecting fetch', 'open fetch', ['reconnecting fetch stalled', '?open fetch stalled'], '?open fetch', 'closed']);
    await assertTruth(stage.control, report);
    await lab.clear();
    await lab.close();
  });
});
