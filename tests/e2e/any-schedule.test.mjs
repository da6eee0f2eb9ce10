// Two hundred runs, each through a schedule of faults of its own: whatever the network did, the user ends up with what a
// perfect connection would have shown, once.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { playAll as playAllOf } from './support/play-all.mjs';
import { scheduleOf } from './support/schedule.mjs';
import { Stage } from './support/stage.mjs';
import { assertSound, assertTruth } from './support/truth.mjs';
import { until } from './support/until.mjs';

/** SEED=17 plays one schedule, to look at it; RUNS=5000 plays so many. */
const only = process.env.SEED && Number(process.env.SEED);
const RUNS = Number(process.env.RUNS ?? 200);
/** These also live through restarts of the server, which keeps its log. */
const RESTARTED = 32;
const PAGES = 6;
/** Two fewer than the browser's connections to one host: a send and its log overlap for a moment. */
const AT_ONCE = 4;

let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

async function play(control, lab, { transport, recipe, faults }) {
  const sessionId = randomUUID();
  await control.recipe({ sessionId, ...recipe });
  for (const [path, steps] of Object.entries(faults)) await control.faults({ sessionId, path }, steps);
  // A stalled connection is given up soon, for the sake of this test's own time.
  const client = { name: transport, options: { transports: [transport], liveness: { stallMs: 2000 } } };
  const key = await lab.start({ sessionId, requestId: randomUUID(), client });
  await lab.until(key, ({ runId, status }) => runId !== null || status === 'interrupted');
  await control.now('goOn', { sessionId });
  const report = await lab.settled(key);
  assertSound(report);
  const { status, error } = report.snapshot;
  assert.equal(status, 'completed', JSON.stringify({ error, connections: report.connections }));
  await assertTruth(control, report);
  const counters = await control.counters(sessionId);
  assert.equal(counters.runsStarted, 1, 'one send, one run');
  const gauge = counters.runs[report.snapshot.runId];
  // The page itself never had two (see assertSound); the server hears of a closed one a moment later, so that hand-overs
  // from the send to its log overlap there.
  assert.ok(gauge.peak <= 3, `${gauge.peak} streams at once`);
  await until(async () => (await control.counters(sessionId)).openStreams.now === 0, 'the streams to be closed');
  return { cut: counters.cut, requests: counters.requests.stream + counters.requests.events };
}

const playAll = (server, schedules) => playAllOf(stage, server, schedules, { pages: PAGES, atOnce: AT_ONCE, play });

const schedulesOf = (from, count, options) =>
  Array.from({ length: count }, (_, i) => scheduleOf(from + i, options)).filter(({ seed }) => !only || seed === only);
const tell = (t, name, schedules, { runs, cuts, requests }) => {
  const [first, last] = [schedules.at(0)?.seed, schedules.at(-1)?.seed];
  t.diagnostic(`${runs} ${name}, seeds ${first} to ${last}, both transports: ${requests} connections, ${cuts} cut; all byte-identical, all settled once`);
};

test('runs survive random schedules of faults', async (t) => {
  const schedules = schedulesOf(1, RUNS - RESTARTED, { isSendSafe: true });
  tell(t, 'runs', schedules, await playAll(stage.server, schedules));
});

test('runs survive random schedules of faults while the server restarts and keeps its log', async (t) => {
  const server = await stage.addServer();
  const schedules = schedulesOf(1 + RUNS - RESTARTED, RESTARTED, { isSendSafe: false });
  let isOver = false;
  const restarts = (async () => {
    let count = 0;
    for (; !isOver; count += 1) {
      // The next restart comes when the last one is over and streams run again.
      await until(async () => isOver || (await server.control.counters()).openStreams.now > 2, 'streams');
      if (!isOver) await server.control.now('restart', { keepLog: true, ms: 60 });
      await new Promise((resolve) => { setTimeout(resolve, 400); });
    }
    return count;
  })();
  const totals = await playAll(server, schedules).finally(() => { isOver = true; });
  t.diagnostic(`${await restarts} restarts`);
  tell(t, 'runs through restarts', schedules, totals);
});
