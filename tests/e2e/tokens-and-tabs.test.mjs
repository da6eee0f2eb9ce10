// FIELD 1.3: a token is asked for on every attempt, and a tab that is hidden and shown again sends nothing twice.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { assertSentOnce, chatOptions, sendChat } from './support/chat.mjs';
import { assertHistory } from './support/history.mjs';
import { QUICK } from './support/lab.mjs';
import { startServer } from './support/server.mjs';
import { Stage } from './support/stage.mjs';
import { openTabs } from './support/tabs.mjs';
import { assertSound, assertTruth } from './support/truth.mjs';
import { until } from './support/until.mjs';

const TRANSPORTS = ['websocket', 'eventsource', 'fetch', 'rest'];
/** What carries the answer, as run-server names it. */
const ANSWER = { websocket: 'ws', fetch: 'chat-events', rest: 'chat-status' };
/** What the badge shows where the answer's connection is cut twice. A poll that brought nothing new is no progress. */
const LOST = (transport) => [`reconnecting ${transport} disconnected`, `open ${transport} disconnected`];
const SHOWN = {
  websocket: ['connecting websocket', '?open websocket', ...LOST('websocket'), ...LOST('websocket'), 'open websocket', 'closed'],
  fetch: ['connecting fetch', 'open fetch', ...LOST('fetch'), ...LOST('fetch'), 'open fetch', 'closed'],
  rest: ['connecting rest', '?open rest', 'reconnecting rest connect-failed', '?open rest connect-failed', 'open rest', 'closed'],
};

describe('tokens', { concurrency: 3 }, () => {
  let stage;
  before(async () => { stage = await Stage.open(); });
  after(() => stage?.close());

  // EventSource sends no headers, and says so when it is asked to.
  for (const transport of ['websocket', 'fetch', 'rest']) {
    test(`every attempt has a token of its own [${transport}]`, () => stage.withServer(async (lab) => {
      const { control } = lab.server;
      const path = ANSWER[transport];
      await control.faults({ path }, [{ cut: { afterBytes: 40, how: 'rst' } }, { cut: { afterBytes: 80, how: 'rst' } }]);
      await lab.page.evaluate((options) => {
        let asked = 0;
        const headers = async () => ({ Authorization: `Bearer t${asked += 1}` });
        lab.client({ name: 'tokens', options: { ...options, headers } });
      }, { ...QUICK, ...chatOptions([transport]) });
      const sent = await sendChat(lab, { name: 'tokens', recipe: { holdAt: 50 } });
      const requests = async () => (await control.requests()).filter((request) => request.path === path);
      await until(async () => (await requests()).length >= 3 && (await lab.snapshot(sent.key)).connection.state === 'open', 'the third attempt');
      await control.now('goOn');
      const report = await lab.settled(sent.key);
      assertSound(report);
      await assertTruth(control, report);
      await assertSentOnce(control, sent);
      assertHistory(report, SHOWN[transport]);
      const tokens = (await requests()).map(({ token }) => token);
      assert.ok(tokens.length >= 3, String(tokens));
      assert.equal(new Set(tokens).size, tokens.length, `a token was used again: ${tokens}`);
    }));
  }
});

describe('a tab that is hidden and shown again', () => {
  let server;
  let tabs;
  before(async () => {
    server = await startServer();
    tabs = await openTabs(`${server.app}/tests/bare.html`);
  });
  after(async () => {
    await tabs?.close();
    await server?.stop();
  });

  for (const transport of TRANSPORTS) {
    test(`sends nothing twice, and connects once [${transport}]`, async () => {
      const { lab, tab, other } = tabs;
      const { control } = server;
      await control.reset();
      const sessionId = randomUUID();
      const requestId = randomUUID();
      await control.recipe({ sessionId, events: 200, eventsPerSecond: 200, holdAt: 150 });
      const key = await lab.start({ sessionId, requestId, client: { options: chatOptions([transport]) } });
      await lab.until(key, ({ connection }) => connection.state === 'open');
      for (let i = 0; i < 3; i += 1) {
        await other.show();
        await lab.until(key, () => document.hidden);
        await tab.show();
        await lab.until(key, () => !document.hidden);
      }
      await control.now('goOn');
      const report = await lab.settled(key);
      assertSound(report);
      await assertTruth(control, report);
      await assertSentOnce(control, { sessionId, requestId });
      assertHistory(report, [`connecting ${transport}`, `open ${transport}`, 'closed']);
      const { requests } = await control.counters();
      const { ws, messages, 'chat-events': events } = requests;
      assert.deepEqual({ ws, messages, events }, {
        websocket: { ws: 1, messages: 0, events: 0 },
        rest: { ws: 0, messages: 1, events: 0 },
      }[transport] ?? { ws: 0, messages: 1, events: 1 });
    });
  }
});
