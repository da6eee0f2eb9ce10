// B-SEND-2…4, W4-4, W4-6, S-LOCK-1, PROTOCOLS 6.1-18: a thousand messages over five protocols, from two tabs, through whatever can
// happen to a request, reloads, restarts, a network that goes and comes, second clicks and a user who retries. The server counts.
// `SEED=` plays one again, `SENDS=` changes the number.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Chance } from './support/schedule.mjs';
import { Stage } from './support/stage.mjs';
import { until } from './support/until.mjs';

const SEED = Number(process.env.SEED ?? 20_261);
const SENDS = Number(process.env.SENDS ?? 1000);
const WAVE = 250;

const PROTOCOLS = ['bichat', 'ws-chat', 'ui-message', 'envelope', 'chunks'];
// How many messages a session has: where the server takes one at a time, one.
const TOGETHER = { bichat: 5, 'ws-chat': 5, 'ui-message': 1, envelope: 1, chunks: 1 };

const cut = (chance) => ({ how: chance.pick(['fin', 'drop', 'rst']), lingerMs: chance.pick([0, 20]) });

// What may happen to a request that sends.
const OF_SENDS = [
  () => ({}),
  (chance) => ({ cut: { beforeHeaders: true, ...cut(chance) } }),
  (chance) => ({ cut: { afterBytes: chance.between(0, 60), ...cut(chance) } }),
  (chance) => ({ cut: { afterEvents: 1, ...cut(chance) } }),
  () => ({ status: { code: 503 } }),
  () => ({ status: { code: 503, afterEffect: true } }),
  () => ({ status: { code: 429, retryAfter: 0 } }),
  (chance) => ({ delayHeadersMs: chance.between(5, 80) }),
];
const OF_SOCKETS = [
  () => ({}),
  (chance) => ({ cut: { afterSend: true, ...cut(chance) } }),
  (chance) => ({ cut: { afterAccepted: true, ...cut(chance) } }),
  () => ({ status: { code: 503 } }),
  (chance) => ({ close: { afterEvents: chance.between(1, 9), code: 1012 } }),
];
const OF_OTHERS = [
  () => ({}),
  () => ({ status: { code: 503 } }),
  (chance) => ({ cut: { beforeHeaders: true, ...cut(chance) } }),
  (chance) => ({ cut: { afterEvents: chance.between(1, 4), ...cut(chance) } }),
];
const SENDING = ['stream', 'messages', 'ui-send', 'env-send', 'chunks-send'];
const OTHERS = ['events', 'status', 'chat-events', 'chat-status', 'ui-stream', 'env-stream', 'env-status', 'chunks-stream', 'chunks-status'];

let stage;
let server;
before(async () => {
  stage = await Stage.open();
  ({ server } = stage);
});
after(() => stage?.close());

test(`${SENDS} sends are exactly ${SENDS} runs`, async (t) => {
  const chance = new Chance(SEED);
  t.diagnostic(`SEED=${SEED}`);
  const { control } = server;
  const context = await stage.browser.newContext();
  const tabs = await Promise.all([context.newPage(), context.newPage()]);
  const failures = [];
  const load = async (tab, go) => {
    // The page itself needs a server.
    await control.now('online');
    await go();
    await tab.waitForFunction(() => window.sends);
  };
  for (const tab of tabs) {
    tab.on('pageerror', (error) => failures.push(String(error)));
    await load(tab, () => tab.goto(`${server.app}/tests/sends.html`));
  }
  await control.recipe({ events: 6, eventsPerSecond: 0 });
  const sum = async (ask) => (await Promise.all(tabs.map((tab) => tab.evaluate(ask)))).reduce((a, b) => a + b, 0);
  const planned = [];
  const lasting = new Map();      // session -> how many runs it will have
  /** Sessions that have more or fewer runs than messages. */
  const miscounted = async () => {
    const wrong = [];
    for (const { sessionId, client, count } of planned) {
      const { runsStarted } = await control.counters(sessionId);
      if (runsStarted !== count) wrong.push(`${client}: ${runsStarted} of ${count}`);
    }
    return wrong;
  };
  const explain = async () => (
    JSON.stringify([await miscounted(), await Promise.all(tabs.map((tab) => tab.evaluate(() => sends.report())))]));

  /** What a wave says: sessions and their messages, for either tab. */
  const plan = async (count) => {
    const lists = [[], []];
    for (const protocol of PROTOCOLS) {
      const together = TOGETHER[protocol];
      for (let left = count / PROTOCOLS.length; left > 0; left -= together) {
        const sessionId = randomUUID();
        // Its server forgets a message with its run: each lasts until all have been taken.
        if (protocol === 'bichat') {
          await control.recipe({ sessionId, events: 3000, eventsPerSecond: 1 });
          lasting.set(sessionId, Math.min(together, left));
        }
        const list = chance.pick(lists);
        const client = `${protocol} ${chance.pick(['session', 'indexeddb'])}`;
        planned.push({ sessionId, client, count: Math.min(together, left) });
        for (let i = 0; i < Math.min(together, left); i++) {
          const requestId = chance.is(20) ? randomUUID() : undefined;
          list.push({ client, sessionId, text: `message ${i}`, requestId, clicks: chance.is(30) ? chance.between(2, 3) : 1 });
        }
      }
    }
    return lists;
  };

  const arm = async () => {
    const steps = (of, count) => Array.from({ length: count }, () => chance.pick(of)(chance));
    await Promise.all(SENDING.map((path) => control.faults({ path }, steps(OF_SENDS, 30))));
    await Promise.all(OTHERS.map((path) => control.faults({ path }, steps(OF_OTHERS, 8))));
    await control.faults({ path: 'ws' }, steps(OF_SOCKETS, 5));
  };

  const happen = async () => {
    const tab = chance.pick(tabs);
    await chance.pick([
      () => load(tab, () => tab.reload()),
      () => load(tab, () => tab.reload()),
      () => control.now('restart', { ms: chance.between(20, 100) }),
      () => control.now('offline', { ms: chance.between(20, 100) }),
      () => control.now('cut', { how: 'rst' }),
    ])();
  };

  let doubled = 0;
  for (let sent = 0; sent < SENDS; sent += WAVE) {
    const lists = await plan(Math.min(WAVE, SENDS - sent));
    await arm();
    const isOffline = chance.is(30);
    if (isOffline) await context.setOffline(true);
    doubled += (await Promise.all(tabs.map((tab, i) => tab.evaluate((list) => sends.send(list), lists[i])))).reduce((a, b) => a + b);
    if (isOffline) await context.setOffline(false);
    for (let i = chance.between(2, 4); i > 0; i--) await happen();
    const isTaken = async () => {
      const open = new Set((await Promise.all(tabs.map((tab) => tab.evaluate(() => sends.open())))).flat());
      for (const [sessionId, count] of lasting) {
        if (open.has(sessionId) || (await control.counters(sessionId)).runsStarted < count) continue;
        lasting.delete(sessionId);
        await control.now('finish', { sessionId });
      }
      return open.size === 0 && (await control.counters()).runsStarted >= Math.min(sent + WAVE, SENDS);
    };
    await until(isTaken, 'all to be taken').catch(async (error) => { throw new Error(`${error.message} ${await explain()}`); });
  }
  await control.clearFaults();
  const isOver = async () => await sum(() => Number(!sends.isOver())) === 0;
  await until(isOver, 'every run to be over').catch(async (error) => { throw new Error(`${error.message} ${await explain()}`); });

  const { runsStarted, deduped, sends } = await control.counters();
  const reports = await Promise.all(tabs.map((tab) => tab.evaluate(() => window.sends.report())));
  t.diagnostic(`deduped ${deduped}, arrived more than once ${Object.values(sends).filter(({ post, websocket }) => post + websocket > 1).length}`);
  assert.deepEqual(await miscounted(), []);
  assert.equal(runsStarted, SENDS);
  assert.equal(doubled, 0, 'a second click is the first one’s stream');
  assert.deepEqual(failures, []);
  for (const { errors, statuses } of reports) {
    assert.deepEqual(errors, []);
    assert.ok(statuses.every((status) => ['sent', 'confirmed'].includes(status)), statuses.join());
  }
});
