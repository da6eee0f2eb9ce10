// A cut at every place inside a character and inside a frame's skeleton: between the bytes of a code point, between the CR and
// the LF of a line end, inside an id, right before the blank line that would have made it an event.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Stage } from './support/stage.mjs';
import { assertEqualsTruth, assertSound } from './support/truth.mjs';

let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

/** A run that is over: its log is the same bytes every time. */
async function writeRun(recipe) {
  const sessionId = randomUUID();
  const { runId } = await stage.control.recipe({ sessionId, json: 'plain', eventsPerSecond: 0, usage: false, ...recipe, start: true });
  await stage.control.truth(runId);
  return { sessionId, runId };
}

async function readLog({ sessionId, runId }, step) {
  await stage.control.faults({ sessionId, path: 'events' }, [step]);
  const response = await fetch(`${stage.server.app}/bi-chat/stream/events?sessionId=${sessionId}&runId=${runId}`);
  return Buffer.from(await response.arrayBuffer());
}

const isInsideCharacter = (byte) => (byte & 0xc0) === 0x80;

/** Opens the run once for each place, its log spoiled there, and holds each outcome against the truth. */
async function openAll(lab, run, transport, steps) {
  const truth = await stage.control.truth(run.runId);
  const reports = await lab.openAll({ run, steps, transport });
  reports.forEach((report, i) => {
    const where = JSON.stringify(steps[i]);
    assert.equal(report.snapshot.status, 'completed', where);
    try {
      assertSound(report);
      assertEqualsTruth(truth, report);
    } catch (error) {
      assert.fail(`${where}: ${error.message}`);
    }
  });
  assert.equal(reports.length, steps.length);
}

describe('cuts inside', { concurrency: 4 }, () => {
  for (const transport of ['fetch', 'eventsource']) {
    test(`every code point is cut in two, and joined where the bytes go on [${transport}]`, (t) => stage.withLab(async (lab) => {
      const run = await writeRun({ seed: 16, events: 24, reasoning: false, toolCalls: 0, citation: false });
      const log = await readLog(run, {});
      const places = [...log.keys()].filter((at) => isInsideCharacter(log[at]));
      assert.ok(places.length > 20, `only ${places.length} places inside a character: another seed has more`);
      await openAll(lab, run, transport, places.flatMap((at) => [
        { cut: { afterBytes: at, how: 'fin' } },
        { splitAt: [at], splitGapMs: 2 },
      ]));
      t.diagnostic(`${places.length} places inside a character, each cut and split`);
    }));

    test(`every byte of a frame is the last one, with CR LF line ends [${transport}]`, (t) => stage.withLab(async (lab) => {
      const run = await writeRun({ seed: 11, events: 4, reasoning: false, toolCalls: 0, citation: false });
      const log = await readLog(run, { crlf: 'crlf' });
      // From the first id to the id after it: everything that a frame is made of.
      const from = log.indexOf('id: ');
      const to = log.indexOf('id: ', from + 1) + 4;
      const places = Array.from({ length: to - from }, (_, i) => from + i);
      await openAll(lab, run, transport, places.map((at) => ({ crlf: 'crlf', cut: { afterBytes: at, how: 'fin' } })));
      t.diagnostic(`${places.length} places inside a frame`);
    }));
  }
});
