// The reducer of the `ai` package and ours, side by side: the same parts after every chunk, of each rule and of thousands of
// random streams. SEED=17 plays one stream, to look at it; RUNS=20000 plays so many.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chance } from '../e2e/support/schedule.mjs';
import { play } from './ai-reducer.mjs';
import { DIFFERENCES, alike } from './differences.mjs';
import { bytesOf, fold, messageOf, playOurs } from './ours.mjs';
import { RULES, framesOf } from './rules.mjs';
import { sequenceOf } from './sequences.mjs';

const only = process.env.SEED && Number(process.env.SEED);
const RUNS = Number(process.env.RUNS ?? 2000);

const SETTLED = new Set(['completed', 'cancelled', 'failed', 'interrupted']);

/** The differences that were met, by name. */
const met = new Set();

function assertAlike(ours, theirs, isEnd, when) {
  const [one, other] = alike(ours, theirs, { isEnd, meet: (name) => met.add(name) });
  assert.deepEqual(one, other, when);
}

/** Text is numbered without holes, and the run's text is that of its parts. */
function assertText({ text, parts }) {
  const texts = parts.filter(({ type }) => type === 'text');
  assert.deepEqual(texts.map(({ seq }) => seq), texts.map((_, i) => i), 'seq');
  assert.equal(text, texts.map((part) => part.text).join(''), 'text');
}

/** Cut anywhere, an empty piece among them now and then. */
function piecesOf(bytes, chance) {
  const cuts = Array.from({ length: chance.between(1, 40) }, () => chance.between(0, bytes.length)).sort((a, b) => a - b);
  return [...cuts, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : cuts[i - 1], end));
}

/** Frames that the package throws at need a difference that says so. What it showed counts when something came after. */
function meetSkipped(steps, frames) {
  steps.forEach((step, n) => {
    const isEnd = step.error === 'Error';
    if (isEnd || !(step.error || step.isForced)) return;
    const difference = DIFFERENCES.find(({ skips }) => skips?.(step));
    assert.ok(difference, `${step.error} at ${frames[n]} is not among the differences`);
    met.add(difference.name);
  });
}

async function compare(frames, seed, rule = {}) {
  const { steps } = await play(frames);
  meetSkipped(steps, frames);
  const { snapshots, last } = playOurs(frames);
  const read = snapshots.map(messageOf);
  steps.forEach(({ message, isOver }, n) => {
    if (isOver || (rule.differs && n === steps.length - 1)) return;
    assertAlike(read[n], message, SETTLED.has(snapshots[n].status), `after chunk ${n}, ${frames[n]}`);
    assertText(snapshots[n]);
  });
  // U-R-20, and the getter of a tool's input, too.
  assert.deepEqual(snapshots.map(messageOf), read, 'a snapshot changed after it was handed out');
  const end = messageOf(last);
  if (rule.differs) {
    assert.ok(DIFFERENCES.some(({ name, isOfRule }) => name === rule.differs && isOfRule));
    assert.deepEqual(end.parts, rule.ours);
    met.add(rule.differs);
  } else {
    assertAlike(end, steps.at(-1).message, true, 'at the end');
  }
  assert.ok(SETTLED.has(last.status), `${last.status} at the end`);

  const bytes = bytesOf(frames);
  assert.deepEqual(messageOf(fold([bytes])), end, 'in one piece');
  assert.deepEqual(messageOf(fold(piecesOf(bytes, new Chance(seed)))), end, 'cut');
  assert.deepEqual(messageOf(fold(piecesOf(bytes, new Chance(seed + 1)), true)), end, 'cut, and looked at');
  return steps;
}

if (!only) {
  for (const rule of RULES) test(`${rule.rule}: ${rule.name}`, () => compare(framesOf(rule), 1, rule));
}

test('random streams have the same parts after every chunk', async (t) => {
  const seeds = only ? [only] : Array.from({ length: RUNS }, (_, i) => 1 + i);
  const failures = [];
  let chunks = 0;
  for (const seed of seeds) {
    try {
      chunks += (await compare(sequenceOf(seed).frames, seed)).length;
    } catch (error) {
      failures.push(`SEED=${seed}: ${error.message}`);
    }
  }
  assert.equal(failures.length, 0, `${failures.length} of ${seeds.length}:\n\n${failures.slice(0, 10).join('\n\n')}`);
  t.diagnostic(`${seeds.length} streams, ${chunks} chunks`);
});

if (!only) {
  test('every difference that is listed is there', () => {
    assert.deepEqual(DIFFERENCES.map(({ name }) => name).filter((name) => !met.has(name)), []);
  });
}
