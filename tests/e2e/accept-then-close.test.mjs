// FIELD 1.2: a server that takes every socket and closes it after 5 ms. With default options it is asked at most six times in half
// a minute, and in the end the user is told. The clock runs ahead; sockets and server are real.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { chatOptions } from './support/chat.mjs';
import { assertHistory } from './support/history.mjs';
import { Stage } from './support/stage.mjs';
import { assertSound } from './support/truth.mjs';
import { until } from './support/until.mjs';

let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

const HALF_A_MINUTE = 30_000;
const TRICKLE = { events: 400, eventsPerSecond: 1 };

/** Moves the page's clock on, and lets every socket that opens on the way come to its end before time goes further. */
async function runUntil(lab, isOver, step) {
  while (!await isOver()) {
    await lab.page.clock.runFor(step);
    await until(() => lab.page.evaluate(() => machinery.connections() === 0), 'the socket to be closed');
  }
}

/** When sockets were made, by the page's clock; `most`: in any half a minute of it. */
async function socketsOf(lab) {
  const times = await lab.page.evaluate(() => machinery.sockets);
  const most = Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + HALF_A_MINUTE).length));
  return { times, most };
}

const hasRunFor = (lab, ms) => async () => {
  const { times: [first] } = await socketsOf(lab);
  return await lab.page.evaluate(() => performance.now()) > first + ms;
};

/** A page whose time runs ahead, on a server of its own that does so to every socket, and says nothing before. */
async function open({ afterMs = 5 } = {}) {
  const server = await stage.addServer();
  const lab = await stage.openLab({ server, clock: true });
  await server.control.faults({ path: 'ws' }, [{ stall: { heartbeats: false }, close: { afterMs, code: 1000 } }], { loop: true });
  return { lab, control: server.control, client: { options: { ...chatOptions(['websocket']), retry: {} } } };
}

async function openRun(control, recipe) {
  const sessionId = randomUUID();
  const { runId } = await control.recipe({ sessionId, ...recipe, start: true, protocol: 'ws-chat' });
  return { sessionId, runId };
}

describe('accept, then close', { concurrency: 3 }, () => {
  test('at most six sockets in half a minute, and an end that says so', async () => {
    const { lab, control, client } = await open();
    const key = await lab.start({ via: 'open', ...await openRun(control, TRICKLE), client, notify: 'sync' });
    await runUntil(lab, async () => (await lab.snapshot(key)).status === 'interrupted', 2000);
    const report = await lab.settled(key);
    assertSound(report);
    const { error } = report.snapshot;
    assert.deepEqual([error.code, error.retryable, report.outcomes[0].by], ['gave-up', true, 'limit']);
    const { times, most } = await socketsOf(lab);
    assert.ok(most >= 3 && most <= 6, `${most} sockets in half a minute: ${times}`);
    assert.ok(times.length <= 12, `${times.length} sockets until the budget of two minutes was spent`);
    const back = ['reconnecting websocket disconnected', 'open websocket disconnected'];
    assertHistory(report, [
      'connecting websocket', 'open websocket', ...times.slice(1).flatMap(() => back), back[0], 'failed websocket gave-up',
    ]);
    await lab.close();
  });

  test('several answers that wait together make no more sockets than one', async () => {
    const { lab, control, client } = await open();
    const runs = [await openRun(control, TRICKLE), await openRun(control, TRICKLE), await openRun(control, TRICKLE)];
    await lab.page.evaluate(([all, options]) => {
      for (const run of all) lab.observe(run.runId, lab.client({ options }).open(run));
    }, [runs, client.options]);
    await runUntil(lab, hasRunFor(lab, HALF_A_MINUTE), 500);
    const { times, most } = await socketsOf(lab);
    assert.ok(most >= 3 && most <= 6, `${most} sockets in half a minute: ${times}`);
    await lab.close();
  });

  test('a message is sent once, whatever its sockets do', async () => {
    // So long that the message is read from one of them by any machine.
    const { lab, control, client } = await open({ afterMs: 300 });
    const sessionId = randomUUID();
    const requestId = randomUUID();
    await control.recipe({ sessionId, ...TRICKLE });
    await lab.start({ sessionId, requestId, client });
    await runUntil(lab, hasRunFor(lab, HALF_A_MINUTE), 500);
    const { sends, runsStarted } = await control.counters(sessionId);
    assert.deepEqual([sends[requestId], runsStarted], [{ websocket: 1, post: 0 }, 1]);
    const { times, most } = await socketsOf(lab);
    assert.ok(most >= 3 && most <= 6, `${most} sockets in half a minute: ${times}`);
    await lab.close();
  });
});
