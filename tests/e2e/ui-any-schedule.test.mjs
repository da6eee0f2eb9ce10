// Two hundred answers of `ui-message`, each through a schedule of faults of its own, half of them with ids of chunks: whatever
// the network did, the user ends up with what a perfect connection would have shown, once.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { assertHistory, historyOf } from './support/history.mjs';
import { playAll as playAllOf } from './support/play-all.mjs';
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

/** Whether the page has all that there is for now, which is further than any stream is broken; or an end too early. */
async function hasAll(control, lab, key, sessionId, { recipe: { holdAt } }) {
  const { text, status, connection } = await lab.snapshot(key);
  if (!['pending', 'streaming'].includes(status)) return true;
  const [run] = await control.runs(sessionId);
  return run?.events === holdAt && connection.state === 'open' && text === (await control.truthSoFar(sessionId)).text;
}

async function play(control, lab, schedule) {
  const { recipe, faults } = schedule;
  const sessionId = randomUUID();
  await control.recipe({ sessionId, ...recipe });
  for (const [path, steps] of Object.entries(faults)) await control.faults({ sessionId, path }, steps);
  const key = await lab.start({ sessionId, requestId: randomUUID(), notify: 'sync', client: { name: sessionId, options: OPTIONS } });
  await until(() => hasAll(control, lab, key, sessionId, schedule), 'all that there is');
  await control.now('goOn', { sessionId });
  const report = await lab.settled(key);
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

const playAll = (server, schedules) => playAllOf(stage, server, schedules, { pages: PAGES, atOnce: AT_ONCE, play });

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
