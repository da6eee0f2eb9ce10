// Two hundred answers, each through a network that does what it wants: connections are cut, swallowed, delayed and throttled on
// their way, and the server breaks some besides. Whatever happened, the answer is the server's, and its message arrived once.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { assertSentOnce, sendChat } from './support/chat.mjs';
import { assertHistory, historyOf } from './support/history.mjs';
import { Stage } from './support/stage.mjs';
import { assertSound, assertTruth } from './support/truth.mjs';
import { weatherOf } from './support/weather.mjs';

/** SEED=17 plays one schedule, to look at it; RUNS=5000 plays so many. */
const only = process.env.SEED && Number(process.env.SEED);
const RUNS = Number(process.env.RUNS ?? 200);
/** Each on a page and a server of its own: weather is the same for all connections. */
const AT_ONCE = 12;

let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

/** A stalled connection is given up soon, for the sake of this test's own time. */
const OPTIONS = { liveness: { stallMs: 1000, firstByteMs: 300 }, statusTimeoutMs: 1000 };

async function play(lab, { transports, recipe, phases, faults }) {
  const { control } = lab.server;
  for (const [path, steps] of Object.entries(faults)) await control.faults({ path }, steps);
  const sent = await sendChat(lab, { transports, recipe, options: OPTIONS });
  let isOver = false;
  const network = (async () => {
    for (const { order, ms } of phases) {
      if (isOver) return;
      await control.proxy(order);
      await pause(ms);
    }
  })();
  try {
    const report = await lab.settled(sent.key);
    assertSound(report);
    const { status, error } = report.snapshot;
    assert.equal(status, 'completed', JSON.stringify({ error, trace: report.trace }));
    await assertTruth(control, report);
    await assertSentOnce(control, sent);
    assertHistory(report, historyOf(report.trace));
    return report.trace;
  } finally {
    isOver = true;
    await network;
    // What the weather has swallowed would keep the server waiting for its end.
    await control.proxy({ clear: true, cut: { how: 'rst' } });
  }
}

test('answers survive any weather', async (t) => {
  const schedules = Array.from({ length: RUNS }, (_, i) => weatherOf(1 + i)).filter(({ seed }) => !only || seed === only);
  const [first, last] = [schedules.at(0)?.seed, schedules.at(-1)?.seed];
  const totals = { attempt: 0, lost: 0, switched: 0, settled: 0 };
  const failures = [];
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let schedule = schedules.shift(); schedule; schedule = schedules.shift()) {
      try {
        await stage.withServer(async (lab) => {
          const happened = (await play(lab, schedule)).map((line) => line.split(' ')[0]);
          for (const what of Object.keys(totals)) totals[what] += happened.filter((each) => each === what).length;
        }, { isProxied: true });
      } catch (error) {
        failures.push(`SEED=${schedule.seed} ${JSON.stringify(schedule)}\n${error.message}`);
      }
    }
  }));
  assert.equal(failures.length, 0, `${failures.length} of ${RUNS}:\n\n${failures.join('\n\n')}`);
  const { settled, attempt, lost, switched } = totals;
  t.diagnostic(`${settled} answers, seeds ${first} to ${last}: ${attempt} attempts, ${lost} lost, ${switched} switches; all byte-identical, all sent and settled once`);
});
