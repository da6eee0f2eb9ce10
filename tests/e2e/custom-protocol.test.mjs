// A protocol of one function, in Chromium, against a server of its own words that really cuts connections: what a user sees is what
// an uncut run shows.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { assertHistory } from './support/history.mjs';
import { Chance } from './support/schedule.mjs';
import { Stage } from './support/stage.mjs';
import { assertSound } from './support/truth.mjs';
import { until } from './support/until.mjs';
import { decode } from './support/words.mjs';
import { startWordsServer } from './support/words-server.mjs';

/** SEED=17 plays one schedule, to look at it; RUNS=2000 plays so many. */
const only = process.env.SEED && Number(process.env.SEED);
const RUNS = Number(process.env.RUNS ?? 120);
const PAGES = 4;
const AT_ONCE = 3;
const IDS = ['all', 'some', 'none'];

let stage;
/** What each answer is when nothing goes wrong, by its seed. */
const truths = new Map();
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

const testHere = (name, play) => test(name, () => stage.withLab(async (lab) => {
  const server = await startWordsServer();
  try {
    await play(lab, server);
  } finally {
    await server.stop();
  }
}));

async function send(lab, server, plan, options) {
  const sessionId = randomUUID();
  server.plan(sessionId, plan);
  const client = { name: sessionId, options: { baseUrl: server.api, decode: String(decode), ...options } };
  return { key: await lab.start({ sessionId, notify: 'sync', client }), sessionId, client };
}

const PATIENCE = 30_000;

async function report(lab, { key }) {
  const told = await lab.settled(key, PATIENCE);
  assertSound(told);
  return told;
}

const seenIn = ({ snapshot: { status, text, parts, blocks, usage } }) => ({ status, text, parts, blocks, usage });

/** What the answer of this seed is. */
async function truthOf(lab, server, seed) {
  if (!truths.has(seed)) truths.set(seed, seenIn(await report(lab, await send(lab, server, { seed }))));
  return truths.get(seed);
}

async function assertWhole(lab, server, told, seed = 0) {
  const truth = await truthOf(lab, server, seed);
  assert.equal(truth.status, 'completed');
  assert.ok(truth.text.length > 300 && truth.parts.some(({ type }) => type === 'tool') && truth.usage.totalTokens > 0);
  assert.deepEqual(seenIn(told), truth, JSON.stringify(told.trace));
}

describe('a protocol of one function', { concurrency: 4 }, () => {
  testHere('is a run like any other', async (lab, server) => {
    const told = await report(lab, await send(lab, server, {}));
    await assertWhole(lab, server, told);
    assertHistory(told, ['connecting fetch', 'open fetch', 'closed']);
    // Each of the server's own events that decode makes nothing of.
    assert.equal(told.trace.filter((entry) => entry.startsWith('malformed')).length, 4);
    assert.deepEqual(server.requests.map(({ method, path }) => [method, path]).slice(0, 1), [['POST', '/ask']]);
  });

  for (const ids of IDS) {
    testHere(`loses and doubles nothing, whatever byte its stream breaks behind, with ids of ${ids}`, async (lab, server) => {
      for (const how of ['rst', 'fin']) {
        for (const bytes of [0, 1, 12, 40, 41, 60, 200, 421, 1100]) {
          const before = server.started;
          const sent = await send(lab, server, { ids, steps: [{ bytes, how }] });
          await assertWhole(lab, server, await report(lab, sent));
          assert.ok(server.started - before <= 2, 'one send, one answer, and one that was the truth');
          const asked = server.requests.filter(({ path }) => path.includes(sent.sessionId));
          assert.deepEqual(asked.map(({ method, status }) => [method, status]), [['GET', 200]]);
          // Of a reset the browser may have told before it told all bytes.
          if (ids === 'none' || (bytes === 1100 && how === 'fin')) assert.equal(asked[0].cursor !== undefined, ids !== 'none');
        }
      }
    });
  }

  testHere('has an answer that broke off and was forgotten told as that', async (lab, server) => {
    const sessionId = randomUUID();
    const client = { name: sessionId, options: { baseUrl: server.api, decode: String(decode) } };
    assert.equal(await lab.start({ via: 'resume', sessionId, client }), null);
    server.plan(sessionId, { paceMs: 20 });
    const key = await lab.start({ sessionId, client, notify: 'sync' });
    await lab.until(key, ({ text }) => text.length > 30);
    // The server is told to stop, and not by this page: the stream ends and no terminal event comes.
    await fetch(`${server.api}/${sessionId}/stop`, { method: 'POST' });
    const told = await report(lab, { key });
    assert.deepEqual([told.snapshot.status, told.snapshot.error.code], ['interrupted', 'run-ended']);
    assert.ok((await truthOf(lab, server, 0)).text.startsWith(told.snapshot.text) && told.snapshot.text.length > 30);
  });

  for (const ids of ['all', 'none']) {
    testHere(`is found by a page that is loaded anew, with ids of ${ids}`, async (lab, server) => {
      const sent = await send(lab, server, { ids, paceMs: 8 });
      await lab.until(sent.key, ({ text }) => text.length > 100);
      server.gate.close();
      await lab.reload();
      const key = await lab.start({ via: 'resume', sessionId: sent.sessionId, client: sent.client, notify: 'sync' });
      server.gate.open();
      assert.notEqual(key, null);
      await assertWhole(lab, server, await report(lab, { key }));
    });
  }

  for (const ids of IDS) {
    testHere(`is kept over a reload with its cursor, with ids of ${ids}`, async (lab, server) => {
      const sent = await send(lab, server, { ids, paceMs: 8 }, { persist: 'session' });
      await lab.until(sent.key, ({ text }) => text.length > 100);
      server.gate.close();
      await lab.reload();
      const key = await lab.start({ via: 'resume', sessionId: sent.sessionId, client: sent.client, notify: 'sync' });
      server.gate.open();
      await assertWhole(lab, server, await report(lab, { key }));
      const { cursor } = server.requests.findLast(({ path }) => path.includes(sent.sessionId));
      assert.equal(cursor !== undefined, ids !== 'none');
    });
  }

  testHere('is stopped by its user, who keeps what came', async (lab, server) => {
    const sent = await send(lab, server, { paceMs: 10 });
    await lab.until(sent.key, ({ text }) => text.length > 30);
    await lab.page.evaluate((of) => lab.stream(of).stop(), sent.key);
    const told = await report(lab, sent);
    assert.deepEqual([told.snapshot.status, told.outcomes[0].by], ['cancelled', 'user']);
    assert.deepEqual(server.requests.at(-1).path, `/ask/${sent.sessionId}/stop`);
  });

  testHere('costs the user one event where the function throws, and no frame', async (lab, server) => {
    const options = { decode: 'function ({ event, data }) { if (event === "fin") return { type: "done" }; if (data.length % 2) throw new Error(data); return { type: "content", content: data }; }' };
    const told = await report(lab, await send(lab, server, { steps: [{ bytes: 500, how: 'rst' }, { bytes: 700, how: 'rst' }] }, options));
    assert.equal(told.snapshot.status, 'completed');
    const uncut = await report(lab, await send(lab, server, {}, options));
    assert.deepEqual(seenIn(told), seenIn(uncut));
    const malformed = ({ trace }) => trace.filter((entry) => entry.startsWith('malformed')).length;
    assert.ok(malformed(uncut) > 20 && malformed(uncut) < 130);
    assert.equal(malformed(told), malformed(uncut), 'once each');
  });
});

/** What goes wrong with one answer. */
function planOf(seed) {
  const chance = new Chance(seed);
  const ids = IDS[seed % 3];
  const steps = Array.from({ length: chance.between(1, 6) }, () => ({
    bytes: chance.pick([() => chance.between(0, 80), () => chance.between(0, 1800)])(),
    how: chance.pick(['rst', 'fin']),
    ...(chance.is(30) && { pieces: chance.between(1, 30) }),
    // What has no id is not known when it comes without the one before it.
    ...(chance.is(40) && ids === 'all' && { back: chance.between(1, 60) }),
  }));
  return { seed: seed % 7, ids, paceMs: chance.pick([0, 0, 1, 3]), steps: [...steps, { ...(chance.is(30) && { pieces: chance.between(1, 9) }) }] };
}

test('answers survive random schedules of cuts, with ids and without', async (t) => {
  const server = await startWordsServer();
  const waiting = Array.from({ length: RUNS }, (_, i) => i + 1).filter((seed) => !only || seed === only);
  const failures = [];
  let requests = 0;
  await Promise.all(Array.from({ length: PAGES }, async () => {
    const lab = await stage.openLab();
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
        const plan = planOf(seed);
        try {
          const sent = await send(lab, server, plan);
          const told = await report(lab, sent);
          await assertWhole(lab, server, told, plan.seed);
          const own = server.requests.filter(({ path }) => path.includes(sent.sessionId));
          requests += own.length + 1;
          await until(() => own.every(({ status }) => status), 'the streams to be closed');
        } catch (error) {
          failures.push(`SEED=${seed} ${JSON.stringify(plan)}\n${error.message}`);
        }
      }
    }));
    if (failures.length === 0) await lab.clear();
    await lab.close();
  }));
  await server.stop();
  assert.equal(failures.length, 0, `${failures.length}:\n\n${failures.join('\n\n')}`);
  t.diagnostic(`${RUNS} answers: ${requests} connections; all the same to the last byte, all settled once`);
});
