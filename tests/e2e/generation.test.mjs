// Messages that a page writes, in Chromium against run-server: what its log holds is what was written, each chunk once and in order,
// whatever fails on the way; and what it holds of them meanwhile is bounded.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Chance } from './support/schedule.mjs';
import { Stage } from './support/stage.mjs';

const SEED = Number(process.env.SEED ?? 7);

let stage;
let lab;
let control;
before(async () => {
  stage = await Stage.open();
  lab = await stage.openLab();
  ({ control } = stage);
  await lab.page.evaluate(async () => {
    const { RunClient } = await import('/pkg/index.js');
    const client = new RunClient({ baseUrl: '/v1', protocol: 'chunks' });
    const text = (delta) => ({ type: 'TEXT_MESSAGE_CONTENT', delta });
    /** Writes words and finishes. `tool`: behind so many of them a tool is called. */
    const write = async ({ sessionId, words, tool = -1, ...options }) => {
      const generation = client.generation(sessionId, { actorId: 'page', segments: false, baseDelayMs: 5, ...options });
      let most = 0;
      for (const [n, word] of words.entries()) {
        generation.write(text(word));
        if (n === tool) for (const type of ['TOOL_CALL_START', 'TOOL_CALL_END']) generation.write({ type, toolCallId: 't' });
        most = Math.max(most, generation.pending);
        // A model takes its time between tokens; some come together.
        if (n % 7 === 0 && options.maxBufferSize === undefined) await new Promise((resolve) => { setTimeout(resolve); });
      }
      const { error, cleanupError, ...outcome } = await generation.finish();
      return { ...outcome, most, error: error?.code ?? null, cleanupError: cleanupError?.code ?? null };
    };
    window.writing = { client, write, text };
  });
});
after(() => stage?.close());

const write = (options) => lab.page.evaluate((given) => window.writing.write(given), options);
const wordsOf = (count) => Array.from({ length: count }, (_, n) => `wörd-${n} `);
const chunksOf = ({ rows }) => rows.map(({ value }) => JSON.parse(value.chunk));
const textOf = (chunks) => chunks.map(({ delta = '' }) => delta).join('');

/** One of the ways in which a write may fail. */
const FAULTS = [
  () => ({ status: { code: 503 } }),
  () => ({ status: { code: 502, afterEffect: true } }),
  () => ({ status: { code: 429 } }),
  () => ({ cut: { beforeHeaders: true, how: 'rst' } }),
  () => ({ cut: { beforeHeaders: true, how: 'fin' } }),
  () => ({ cut: { afterBytes: 3, how: 'fin' } }),
  (chance) => ({ writeFailsAfter: chance.between(0, 8) }),
  () => ({ htmlPage: true }),
];

/** Never more in a row than there are attempts. */
function scheduleOf(chance, length, most) {
  const steps = [];
  let row = 0;
  while (steps.length < length) {
    const fails = row < most && chance.is(60);
    row = fails ? row + 1 : 0;
    steps.push(fails ? chance.pick(FAULTS)(chance) : {});
  }
  return steps;
}

describe('generations', { concurrency: 4 }, () => {
  for (let n = 0; n < 4; n++) {
    test(`through failures and lost replies the log is what was written [${SEED + n}]`, async () => {
      const chance = new Chance(SEED + n);
      const sessionId = randomUUID();
      // The session is not there: the first refusal makes it.
      await control.faults({ sessionId, path: 'chunks-batch' }, [{}, ...scheduleOf(chance, 40, 3)]);
      for (const path of ['chunks-write', 'chunks-finish']) await control.faults({ sessionId, path }, scheduleOf(chance, 3, 2));
      const words = wordsOf(150);
      const outcome = await write({ sessionId, words, tool: 70, maxBatchSize: 10, messageId: `m-${n}` });
      assert.deepEqual([outcome.status, outcome.error, outcome.cleanupError, outcome.droppedCount], ['completed', null, null, 0]);
      const chunks = chunksOf(await control.log(sessionId));
      const expected = words.flatMap((delta, at) => (at === 70 ? [delta, 'TOOL_CALL_START', 'TOOL_CALL_END'] : [delta]));
      assert.deepEqual(chunks.map(({ delta, type }) => delta ?? type), [...expected, 'message-end']);
      const { requests } = await control.counters(sessionId);
      assert.equal(requests['chunks-create'], 1, 'made once, not for each batch');
      // Whoever reads it has it whole.
      const read = await lab.page.evaluate(async ([id, runId]) => {
        const { status, text } = await window.writing.client.open({ sessionId: id, runId }).finished;
        return [status, text];
      }, [sessionId, `m-${n}`]);
      assert.deepEqual(read, ['completed', words.join('')]);
    });
  }

  test('a stuck server costs the page no more than the bound, and then has all of it', async () => {
    const sessionId = randomUUID();
    await write({ sessionId, words: ['before'] });
    await control.faults({ sessionId, path: 'chunks-batch' }, [{ blackhole: true }]);
    const words = wordsOf(12_000);
    const outcome = await write({ sessionId, words, tool: 8000, maxBufferSize: 500, requestTimeoutMs: 1500, messageId: 'stuck' });
    assert.deepEqual([outcome.status, outcome.droppedCount], ['completed', 0]);
    assert.ok(outcome.most <= 500, `${outcome.most} were held`);
    const chunks = chunksOf(await control.log(sessionId)).slice(2);
    assert.equal(textOf(chunks), words.join(''));
    const tool = chunks.findIndex(({ type }) => type === 'TOOL_CALL_START');
    assert.equal(textOf(chunks.slice(0, tool)), words.slice(0, 8001).join(''));
  });

  test('a generation takes the place of the one before it without a refusal (S-RUN-1, S-RUN-3)', async () => {
    const sessionId = randomUUID();
    await write({ sessionId, words: ['first'] });
    await control.faults({ sessionId, path: 'chunks-finish' }, [{ status: { code: 503 } }]);
    const outcomes = await lab.page.evaluate(async (id) => {
      const { client, text } = window.writing;
      const begin = (messageId) => client.generation(id, { actorId: 'page', messageId });
      const older = begin('older');
      older.write(text('cut sho'));
      const newer = begin('newer');
      newer.write(text('whole'));
      return [(await newer.finish()).status, (await older.finished).status];
    }, sessionId);
    assert.deepEqual(outcomes, ['completed', 'aborted']);
    const told = chunksOf(await control.log(sessionId)).map(({ delta, type }) => delta ?? type);
    assert.deepEqual(told, ['first', 'message-end', 'cut sho', 'stop', 'whole', 'message-end']);
    assert.equal((await control.counters(sessionId)).statuses[409], undefined);
  });

  test('an abort brings what was said so far, and whoever reads it sees that it was stopped (S-CB-13)', async () => {
    const sessionId = randomUUID();
    await write({ sessionId, words: ['first'] });
    const [outcome, read] = await lab.page.evaluate(async (id) => {
      const { client, text } = window.writing;
      const generation = client.generation(id, { actorId: 'page', messageId: 'half', lingerMs: 60_000 });
      const told = [];
      generation.subscribe(({ status, pending }) => told.push(`${status} ${pending}`));
      generation.write(text('only half'));
      while (told.length < 2) await new Promise(requestAnimationFrame);
      await generation.abort();
      const run = await client.open({ sessionId: id, runId: 'half' }).finished;
      return [[...told.slice(0, 2), told.at(-1)], [run.status, run.by, run.text]];
    }, sessionId);
    assert.deepEqual([outcome, read], [['open 0', 'open 1', 'aborted 0'], ['cancelled', 'server', 'only half']]);
  });

  test('a run whose model falls silent ends by its limit with what it has (S-WD-3)', async () => {
    const sessionId = randomUUID();
    await write({ sessionId, words: ['first'] });
    const outcome = await lab.page.evaluate(async (id) => {
      const { client, text } = window.writing;
      const generation = client.generation(id, { actorId: 'page', messageId: 'slow', watchdog: { firstEventMs: 0, inactivityMs: 0 } });
      generation.write(text('half'));
      // Before it has arrived there is no such message.
      while (generation.pending > 0) await new Promise((resolve) => { setTimeout(resolve); });
      const { status, by, error, text: shown } = await client
        .open({ sessionId: id, runId: 'slow' }, { watchdog: { inactivityMs: 300 } }).finished;
      await generation.finish();
      return [status, by, error.code, error.retryable, shown];
    }, sessionId);
    assert.deepEqual(outcome, ['interrupted', 'limit', 'inactivity-timeout', true, 'half']);
  });
});
