// Holds what a user ended up with against what a perfect connection would have shown.

import assert from 'node:assert/strict';
import { alike } from '../../oracle/differences.mjs';
import { messageOf } from '../../oracle/ours.mjs';
import { plain } from '../../oracle/plain.mjs';

const STATUS = { done: 'completed', cancelled: 'cancelled', error: 'failed', failed: 'failed' };

/** Nothing that the page saw on the way may break a promise: see `Observed` in pages/lab.js. */
export function assertSound(report) {
  assert.deepEqual(report.violations, []);
  assert.deepEqual(report.hangs, []);
  assert.deepEqual(report.doubled, []);
  assert.equal(report.settlings, 1, 'settles exactly once');
  assert.equal(report.outcomes.length, 1, 'finished settles exactly once');
}

function assertText(actual, expected) {
  if (actual === expected) return;
  let at = 0;
  while (at < actual.length && actual[at] === expected[at]) at += 1;
  const around = (text) => JSON.stringify(text.slice(Math.max(0, at - 20), at + 40));
  assert.fail(`text differs at ${at} of ${expected.length} (got ${actual.length}): ${around(actual)}, expected ${around(expected)}`);
}

/** What a client of `ui-message` calls the run's id is its message's, so that its chat's newest run is meant. */
async function truthOf(control, { runId, sessionId }) {
  const [run] = await control.runs(sessionId);
  return control.truth(run?.protocol === 'ui-message' ? undefined : runId, sessionId);
}

/** Text, parts, blocks and status are those of the fault-free run, to the last byte. */
export async function assertTruth(control, report) {
  const truth = await truthOf(control, report.snapshot);
  assertEqualsTruth(truth, report);
  return truth;
}

/** The same, for a truth that is known already. */
export function assertEqualsTruth(truth, report) {
  const { snapshot } = report;
  assertText(snapshot.text, truth.text);
  if (truth.protocol === 'ui-message') assertMessage(snapshot, truth);
  else assertTranscript(snapshot, truth);
  assert.equal(snapshot.status, STATUS[truth.terminal]);
  assert.equal(report.outcomes[0].status, snapshot.status);
  assert.equal(report.outcomes[0].text, truth.text);
}

function assertTranscript(snapshot, truth) {
  assert.deepEqual(snapshot.parts, truth.parts);
  assert.deepEqual(snapshot.blocks, truth.blocks);
  assert.deepEqual(snapshot.usage, truth.usage);
  // What the end of an answer says besides comes the same way, whatever carried it.
  if (truth.done) assert.deepEqual(snapshot.metadata, truth.done);
}

/** The message is the one that the AI SDK's reducer makes of the same chunks, but for what is known to differ. */
export function assertMessage(snapshot, { messageId, metadata, parts }) {
  const theirs = { id: messageId, metadata: metadata ?? undefined, parts };
  const [ours, expected] = alike(messageOf(snapshot), plain(theirs), { isEnd: true });
  assert.deepEqual(ours, expected);
  const texts = snapshot.parts.filter(({ type }) => type === 'text');
  assert.deepEqual(snapshot.blocks.map(({ seq, text }) => [seq, text]), texts.map(({ text }, i) => [i, text]));
}

/** What is there is the beginning of the truth. */
export async function assertPrefix(control, report) {
  const truth = await truthOf(control, report.snapshot);
  assertText(report.snapshot.text, truth.text.slice(0, report.snapshot.text.length));
}
