// Two hundred answers of `ui-message`, each through a schedule of faults of its own, half of them with ids of chunks: whatever
// the network did, the user ends up with what a perfect connection would have shown, once.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { assertHistory, historyOf } from './support/history.mjs';
import { Stage } from './support/stage.mjs';
import { assertSound, assertTruth } from './support/truth.mjs';
import { STALL_MS, uiScheduleOf } from './support/ui-schedule.mjs';
import { until } from './support/until.mjs';

/** SEED=17 plays one schedule, to look at it; RUNS=5000 plays so many. */
const only = process.env.SEED && Number(process.env.SEED);
const RUNS = Number(process.env.RUNS ?? 200);
const PAGES = 6;
/** Two fewer than the browser's connections to one host: a send and what takes it up again overlap for a moment. */
const AT_ONCE = 4;
const OPTIONS = { baseUrl: '/api/chat', protocol: 'ui-message', liveness: { stallMs: STALL_MS } };

let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

async function play(control, lab, { recipe, faults }) {
  const sessionId = randomUUID();
  await control.recipe({ sessionId, ...recipe });
  for (const [path, steps] of Object.entries(faults)) await control.faults({ sessionId, path }, steps);
  const key = await lab.start({ sessionId, requestId: randomUUID(), notify: 'sync', client: { name: sessionId, options: OPTIONS } });
  const report = await lab.settled(key, 40_000);
  assertSound(report);
  const { status, error } = report.snapshot;
  assert.equal(status, 'completed', JSON.stringify({ error, trace: report.trace }));
  await assertTruth(control, report);
  assertHistory(report, historyOf(report.trace));
  const counters = await control.counters(sessionId);
  assert.equal(counters.runsStarted, 1, 'one message, one answer');
  const [{ runId }] = await control.runs(sessionId);
  // The page itself never had two (see assertSound); the server hears of a closed one a moment later.
  assert.ok(counters.runs[runId].peak <= 3, `${counters.runs[runId].peak} streams at once`);
  await until(async () => (await control.counters(sessionId)).openStreams.now === 0, 'the streams to be closed');
  return { cut: counters.cut, requests: counters.requests['ui-send'] + counters.requests['ui-stream'] };
}

/** Plays all schedules, `AT_ONCE` in each page, and tells of those that failed. */
async function playAll(server, schedules) {
  const waiting = [...schedules];
  const failures = [];
  const totals = { runs: 0, cuts: 0, requests: 0 };
  await Promise.all(Array.from({ length: PAGES }, async () => {
    const lab = await stage.openLab({ server });
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      for (let schedule = waiting.shift(); schedule; schedule = waiting.shift()) {
        try {
          const { cut, requests } = await play(server.control, lab, schedule);
          totals.cuts += cut;
          totals.requests += requests;
        } catch (error) {
          failures.push(`SEED=${schedule.seed} ${JSON.stringify(schedule)}\n${error.message}`);
        }
        totals.runs += 1;
      }
    }));
    if (failures.length === 0) await lab.clear();
    await lab.close();
  }));
  assert.equal(failures.length, 0, `${failures.length} of ${totals.runs}:\n\n${failures.join('\n\n')}`);
  return totals;
}

for (const hasIds of [true, false]) {
  test(`answers survive random schedules of faults, ${hasIds ? 'with' : 'without'} ids of chunks`, async (t) => {
    const server = await stage.addServer();
    await server.control.config({ uiCursor: hasIds });
    const all = Array.from({ length: RUNS }, (_, i) => uiScheduleOf(i + 1));
    const schedules = all.filter((schedule) => schedule.hasIds === hasIds && (!only || schedule.seed === only));
    const { runs, cuts, requests } = await playAll(server, schedules);
    t.diagnostic(`${runs} answers: ${requests} connections, ${cuts} cut; all the same to the last byte, all settled once`);
  });
}
