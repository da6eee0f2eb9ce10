// The oracle itself: what it says of each rule is what the rule says, and both doors of the package lead to the same messages.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { play, readMessages } from './ai-reducer.mjs';
import { RULES, framesOf } from './rules.mjs';
import { sequenceOf } from './sequences.mjs';

const RUNS = Number(process.env.RUNS ?? 500);

/** The kinds of chunks that there are; `data` stands for every name. */
const KINDS = [
  'start', 'finish', 'abort', 'error', 'message-metadata', 'start-step', 'finish-step', 'reset-step', 'text-start', 'text-delta', 'text-end',
  'reasoning-start', 'reasoning-delta', 'reasoning-end', 'tool-input-start', 'tool-input-delta', 'tool-input-available', 'tool-input-error',
  'tool-approval-request', 'tool-approval-response', 'tool-output-available', 'tool-output-error', 'tool-output-denied', 'source-url',
  'source-document', 'file', 'reasoning-file', 'custom', 'steering-message', 'data',
];

for (const rule of RULES) {
  test(`${rule.rule}: ${rule.name}`, async () => {
    const { steps } = await play(framesOf(rule));
    const thrown = steps.flatMap(({ error }, n) => (error ? [n] : []));
    assert.deepEqual(thrown, rule.fails ? [steps.length - 1] : rule.skipped ?? []);
    const { parts, metadata, id } = steps.at(-1).message;
    assert.deepEqual(parts, rule.ends);
    if ('id' in rule) assert.equal(id, rule.id);
    if ('metadata' in rule) assert.deepEqual(metadata, rule.metadata);
  });
}

test('every rule has a stream', () => {
  const named = new Set(RULES.map(({ rule }) => rule));
  assert.deepEqual([...named], Array.from({ length: 20 }, (_, i) => `U-R-${i + 1}`));
});

test('random streams have every kind of chunk', () => {
  const chunks = Array.from({ length: 200 }, (_, i) => sequenceOf(1 + i).chunks).flat();
  const kinds = new Set(chunks.map(({ type }) => (type.startsWith('data-') ? 'data' : type)));
  assert.deepEqual([...kinds].sort(), [...KINDS].sort());
});

test('random streams are valid, and both doors of the package lead to the same messages', async (t) => {
  let chunks = 0;
  let writes = 0;
  for (let seed = 1; seed <= RUNS; seed++) {
    const sequence = sequenceOf(seed);
    // The door that resumes begins anew where a start brings another id, so it has to have the id from the outset.
    const isNamedAtOnce = sequence.chunks[0].messageId !== undefined;
    const options = isNamedAtOnce ? {} : { message: { id: 'message-1', role: 'assistant', parts: [] } };
    const { steps } = await play(sequence.frames, options);
    const broken = steps.findIndex(({ error }, n) => error && sequence.chunks[n].type !== 'error');
    assert.equal(broken, -1, `SEED=${seed}: ${steps[broken]?.error} at ${sequence.frames[broken]}`);
    const written = steps.filter(({ isWrite }) => isWrite).map(({ message }) => message);
    assert.deepEqual(await readMessages(sequence.frames, options), written, `SEED=${seed}`);
    chunks += sequence.chunks.length;
    writes += written.length;
  }
  t.diagnostic(`${RUNS} streams, ${chunks} chunks, ${writes} writes`);
});
