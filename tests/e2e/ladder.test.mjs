// A transport that fails for a reason that will not pass gives way to the next one, and the run goes on from its cursor: what
// was blamed, what is remembered of it, and when it is tried again.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { testCases } from './support/cases.mjs';
import { assertSentOnce, sendChat } from './support/chat.mjs';
import { assertHistory } from './support/history.mjs';
import { Stage } from './support/stage.mjs';
import { assertSound, assertTruth } from './support/truth.mjs';

let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

const WHOLE = ['websocket', 'eventsource', 'fetch', 'rest'];
const BLOCKED = { status: { code: 403 } };

const testAlone = (name, play) => test(name, () => stage.withServer((lab) => play(lab, lab.server.control)));

/** What pages of this origin remember, in ms from now. */
const remembered = (lab) => lab.page.evaluate(() => {
  const known = JSON.parse(localStorage.getItem('steadystream.blocked'))?.[''] ?? {};
  return Object.fromEntries(Object.entries(known).map(([name, until]) => [name, until - Date.now()]));
});

const remember = (lab, transport, ms) => lab.page.evaluate(([name, left]) => {
  localStorage.setItem('steadystream.blocked', JSON.stringify({ '': { [name]: Date.now() + left } }));
}, [transport, ms]);

/** What the badge shows of a run that nothing befalls. */
const straight = (transport) => [`connecting ${transport}`, `open ${transport}`, 'closed'];

/** `shown`: what the badge showed, as `assertHistory` takes it. */
async function assertCompleted(lab, sent, shown) {
  const report = await lab.settled(sent.key);
  assertSound(report);
  await assertTruth(lab.server.control, report);
  await assertSentOnce(lab.server.control, sent);
  assertHistory(report, shown);
  return report;
}

const countOf = async (control) => (await control.counters()).requests;

describe('ladder', { concurrency: 6 }, () => {
  testCases('ladder', () => stage);

  testAlone('a blocked socket is tried by nobody else: not by the next message, and not after a reload', async (lab, control) => {
    await control.faults({ path: 'ws' }, [BLOCKED], { loop: true });
    const stepsDown = [
      'connecting websocket', 'reconnecting websocket connect-failed', 'reconnecting eventsource connect-failed',
      'open eventsource connect-failed', 'open eventsource', 'closed',
    ];
    await assertCompleted(lab, await sendChat(lab, { transports: WHOLE, name: 'one', notify: 'sync' }), stepsDown);
    const { ws } = await countOf(control);
    const { websocket: left } = await remembered(lab);
    // It merely did not open: a restart of the server looks like that, too.
    assert.ok(left > 20_000 && left <= 30_000, `blocked for ${left} ms more`);
    await assertCompleted(lab, await sendChat(lab, { transports: WHOLE, name: 'one', notify: 'sync' }), [
      ...stepsDown, ...straight('eventsource'),
    ]);
    await lab.reload();
    await assertCompleted(lab, await sendChat(lab, { transports: ['websocket', 'fetch'], name: 'two', notify: 'sync' }), straight('fetch'));
    assert.equal((await countOf(control)).ws, ws, 'sockets that were tried');
  });

  testAlone('what was blocked once is tried again when that is long ago', async (lab, control) => {
    await remember(lab, 'websocket', -1);
    await assertCompleted(lab, await sendChat(lab, { transports: WHOLE, notify: 'sync' }), straight('websocket'));
    assert.equal((await countOf(control)).messages, 0);
  });

  testAlone('a run that polls climbs back to the socket as soon as it may', async (lab, control) => {
    await remember(lab, 'websocket', 1000);
    const recipe = { events: 240, eventsPerSecond: 60 };
    const sent = await sendChat(lab, { transports: ['websocket', 'rest'], recipe, notify: 'sync' });
    await assertCompleted(lab, sent, ['connecting rest', 'open rest', ...straight('websocket')]);
    assert.equal((await countOf(control)).ws, 1);
  });

  testAlone('a client of one transport tries it, whatever others remember', async (lab) => {
    await remember(lab, 'websocket', 600_000);
    await assertCompleted(lab, await sendChat(lab, { notify: 'sync' }), straight('websocket'));
  });

  for (const rung of ['eventsource', 'fetch']) {
    const rungs = WHOLE.slice(0, WHOLE.indexOf(rung) + 1);
    testAlone(`a server that was down on every rung, and is back when it is the turn of ${rung}, is nobody's fault`, async (lab, control) => {
      // Long enough waits to bring the server back in one of them.
      const options = { retry: { baseMs: 2500, capMs: 2500, jitter: 'none' } };
      const sent = await sendChat(lab, { transports: WHOLE, recipe: { events: 300, eventsPerSecond: 100 }, options, notify: 'sync' });
      await lab.until(sent.key, ({ text }) => text !== '');
      await control.now('offline');
      await lab.page.waitForFunction(([key, name]) => {
        const { transport, retryAt } = lab.snapshot(key).connection;
        return transport === name && retryAt !== null;
      }, [sent.key, rung], { polling: 10 });
      await control.now('online');
      await assertCompleted(lab, sent, [
        'connecting websocket', 'open websocket', 'reconnecting websocket disconnected',
        ...rungs.map((name) => `reconnecting ${name} connect-failed`), `open ${rung} connect-failed`, `?open ${rung}`, 'closed',
      ]);
      assert.deepEqual(await remembered(lab), {});
    });
  }

  testAlone('a socket that fails while a lower rung does, too, is not blamed for it', async (lab, control) => {
    await control.faults({ path: 'ws' }, [BLOCKED, BLOCKED]);
    await control.faults({ path: 'messages' }, [{ status: { code: 503 } }]);
    // The message is posted, and its answer read over the socket: that works by now.
    await assertCompleted(lab, await sendChat(lab, { transports: ['websocket', 'fetch'], notify: 'sync' }), [
      'connecting websocket', 'reconnecting websocket connect-failed', 'reconnecting fetch connect-failed',
      'reconnecting fetch http-status', 'reconnecting websocket http-status', 'open websocket http-status', 'open websocket', 'closed',
    ]);
    assert.deepEqual(await remembered(lab), {});
  });

  testAlone('memory that makes no sense is none', async (lab) => {
    for (const text of ['', 'null', '7', '{"":7}', '{"":{"websocket":"soon"}}', '{', '[]']) {
      await lab.page.evaluate((value) => localStorage.setItem('steadystream.blocked', value), text);
      await assertCompleted(lab, await sendChat(lab, { transports: ['websocket', 'fetch'], name: text, notify: 'sync' }), straight('websocket'));
    }
  });
});
