// `envelope` in Chromium: numbered envelopes through cuts, losses and repetitions, over both transports; what a chat's other messages
// say is none of ours.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { assertHistory } from './support/history.mjs';
import { AWAY } from './support/lab.mjs';
import { Stage } from './support/stage.mjs';
import { assertPrefix, assertSound, assertTruth } from './support/truth.mjs';
import { until } from './support/until.mjs';

const TRANSPORTS = ['fetch', 'eventsource'];
const RUN = { events: 120, eventsPerSecond: 300, toolCalls: 3 };

let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

const testBoth = (name, play) => TRANSPORTS.forEach((transport) =>
  test(`${name} [${transport}]`, () => stage.withServer((lab) => play(lab, transport, lab.server.control))));

async function send(lab, transport, { recipe = {}, faults = [], options, ...rest } = {}) {
  const sessionId = randomUUID();
  const requestId = randomUUID();
  const { control } = lab.server;
  await control.recipe({ sessionId, ...RUN, ...recipe });
  for (const { path, steps, loop } of faults) await control.faults({ path }, steps, { loop });
  const client = { name: transport, options: { baseUrl: '/api/v1', protocol: 'envelope', transports: [transport], ...options } };
  return { key: await lab.start({ sessionId, requestId, client, ...rest }), sessionId, client };
}

async function assertCompleted(lab, { key, sessionId }, status = 'completed') {
  const report = await lab.settled(key);
  assertSound(report);
  assert.equal(report.snapshot.status, status, JSON.stringify(report.trace));
  await assertTruth(lab.server.control, report);
  assert.equal((await lab.server.control.counters(sessionId)).runsStarted, 1, 'one send, one answer');
  return report;
}

describe('envelope', { concurrency: 5 }, () => {
  testBoth('an answer of all kinds is what the server has said', async (lab, transport) => {
    const report = await assertCompleted(lab, await send(lab, transport));
    const { parts, usage } = report.snapshot;
    assert.ok(parts.some(({ type }) => type === 'tool') && parts.some(({ type }) => type === 'reasoning'));
    assert.ok(usage.tokens_used > 0);
    assertHistory(report, [`connecting ${transport}`, `open ${transport}`, 'closed']);
  });

  for (const [name, steps] of [
    ['cut again and again', [10, 20, 5, 40].map((afterEvents) => ({ cut: { afterEvents, how: 'rst' } }))],
    ['ended too early', [{ cut: { afterEvents: 30, how: 'fin' } }, { empty: true }]],
    ['told again', [{ cut: { afterEvents: 30, how: 'rst' } }, { replaySeen: 7, duplicate: 5 }]],
    ['told from the start, whatever was asked for', [{ cut: { afterEvents: 30, how: 'rst' } }, { ignoreCursor: true }]],
    ['told with gaps', [{ drop: 12 }, { drop: 9 }]],
    ['told out of order', [{ reorder: 11 }, { reorder: 7 }]],
    ['refused for a while', [{ cut: { afterEvents: 30, how: 'rst' } }, { status: { code: 503 } }]],
  ]) {
    testBoth(`a stream that is ${name} loses and doubles nothing`, async (lab, transport, control) => {
      await assertCompleted(lab, await send(lab, transport, { faults: [{ path: 'env-stream', steps }] }));
      assert.equal(await control.stepsLeft(), 0, 'faults that nobody met');
    });
  }

  testBoth('a send whose reply is lost is made once', async (lab, transport) => {
    await assertCompleted(lab, await send(lab, transport, { faults: [{ path: 'env-send', steps: [{ cut: { beforeHeaders: true, how: 'rst' } }] }] }));
  });

  testBoth('a failure keeps what came, also where nothing did', async (lab, transport) => {
    const failed = await assertCompleted(lab, await send(lab, transport, { recipe: { ending: 'error', error: 'no model' } }), 'failed');
    assert.equal(failed.snapshot.error.detail, 'no model');
    await assertCompleted(lab, await send(lab, transport, { recipe: { ending: 'failed', error: 'no model', events: 1 } }), 'failed');
  });

  testBoth('a stop is the user\'s, and the server\'s stream ends', async (lab, transport, control) => {
    const sent = await send(lab, transport, { recipe: { events: 600 } });
    await lab.until(sent.key, ({ text }) => text.length > 40);
    await lab.page.evaluate((of) => lab.stream(of).stop(), sent.key);
    const report = await lab.settled(sent.key);
    assertSound(report);
    assert.deepEqual([report.snapshot.status, report.outcomes[0].by], ['cancelled', 'user']);
    await assertPrefix(control, report);
  });

  testBoth('a request for permission is answered once, and the answer goes on', async (lab, transport) => {
    const sent = await send(lab, transport, { recipe: { events: 60, interrupt: true, waitForAnswer: true } });
    await lab.until(sent.key, ({ parts }) => parts.some(({ type }) => type === 'interrupt'));
    const results = await lab.page.evaluate(async ([of, options]) => {
      const client = lab.client({ name: options.transports[0], options });
      const { sessionId, parts, status } = lab.snapshot(of);
      const { request_id: id } = parts.find(({ type }) => type === 'interrupt').interrupt;
      const answer = (permission, ...rest) => client.answerPermission(sessionId, permission, ...rest);
      const all = [
        await answer('another', { optionId: 'allow' }), await answer(id, {}),
        await answer(id, { optionId: 'allow', userAnswers: { q: 'x'.repeat(50_000) } }),
        await answer(id, { optionId: 'allow', alternativeInstruction: 'gently', userAnswers: { q: ['é'] } }),
        await answer(id, { optionId: 'allow' }),
      ];
      return [status, ...all.map(({ success, error }) => (success ? 'success' : [error.code, error.status ?? error.path]))];
    }, [sent.key, sent.client.options]);
    assert.deepEqual(results, [
      'waiting', ['http-status', 404], ['invalid-argument', 'optionId'], ['invalid-argument', 'userAnswers'], 'success', ['http-status', 404],
    ]);
    await assertCompleted(lab, sent);
  });

  testBoth('the next message of a queue is a run of its own, named by the one before', async (lab, transport) => {
    const sent = await send(lab, transport, { recipe: { queue: true, events: 80 } });
    const report = await lab.settled(sent.key);
    assertSound(report);
    assert.equal(report.snapshot.status, 'completed');
    const runId = report.snapshot.metadata.assistant_message_id;
    const key = await lab.start({ via: 'open', sessionId: sent.sessionId, runId, client: sent.client });
    const next = await lab.settled(key);
    assertSound(next);
    assert.equal(next.snapshot.status, 'completed');
    await assertTruth(lab.server.control, next);
  });

  // What the stream has left out, it leaves out again: while the answer runs, or until all of it is there.
  const GAP = { drop: 12 };
  const GAP_AGAIN = { replaySeen: 1, drop: 2 };
  for (const [when, again] of [['while it runs', GAP_AGAIN], ['at its end', { drop: 1 }]]) {
    testBoth(`a gap that comes again is read from what is stored, ${when}`, async (lab, transport, control) => {
      // What comes while it is asked for would be asked for as well.
      const recipe = when === 'while it runs' ? { holdAt: 60, eventsPerSecond: 0 } : {};
      const sent = await send(lab, transport, { recipe, faults: [{ path: 'env-stream', steps: [GAP, again] }] });
      if (recipe.holdAt) {
        const isAllThere = async () => {
          const [run] = await control.runs(sent.sessionId);
          return run?.events === recipe.holdAt && (await lab.snapshot(sent.key)).text === (await control.truthSoFar(sent.sessionId)).text;
        };
        await until(isAllThere, 'what is stored');
        await control.now('goOn');
      }
      const report = await assertCompleted(lab, sent);
      assert.equal(await control.stepsLeft(), 0);
      assert.equal(report.trace.filter((entry) => entry.startsWith('gap')).length, 2);
      // A request on a connection that had been idle is repeated by the browser itself, where that ends without a word.
      assert.equal(report.trace.filter((entry) => entry.startsWith('asked')).length, 1);
      assert.ok((await control.counters()).requests['env-events'] >= 1);
    });
  }

  testBoth('what is stored is asked for again where that fails', async (lab, transport, control) => {
    const faults = [
      { path: 'env-stream', steps: [GAP, GAP_AGAIN, GAP_AGAIN, GAP_AGAIN] },
      { path: 'env-events', steps: [{ status: { code: 503 } }, { cut: { afterBytes: 60, how: 'fin' } }] },
    ];
    await assertCompleted(lab, await send(lab, transport, { faults }));
    assert.equal(await control.stepsLeft(), 0);
  });

  testBoth('what is not stored yet is waited for while the answer runs', async (lab, transport, control) => {
    const faults = [
      { path: 'env-stream', steps: [GAP, GAP_AGAIN, GAP_AGAIN] },
      { path: 'env-events', steps: [{ unknownRun: true }, { unknownRun: true }] },
    ];
    const sent = await send(lab, transport, { recipe: { holdAt: 60 }, faults });
    await until(async () => (await control.stepsLeft()) === 0, 'all of it to be asked for');
    await control.now('goOn');
    await assertCompleted(lab, sent);
  });

  testBoth('and what never is costs the rest of it, when it is over', async (lab, transport, control) => {
    const faults = [
      { path: 'env-stream', steps: [GAP] }, { path: 'env-stream', steps: [GAP_AGAIN], loop: true },
      { path: 'env-events', steps: [{ unknownRun: true }], loop: true },
    ];
    const sent = await send(lab, transport, { recipe: { holdAt: 100 }, faults });
    await until(async () => (await control.counters()).requests['env-status'] > 1, 'the question whether it runs, and it does');
    await control.now('goOn');
    const report = await lab.settled(sent.key);
    assertSound(report);
    assert.deepEqual([report.snapshot.status, report.snapshot.error?.code], ['interrupted', 'run-ended'], JSON.stringify(report.trace));
    await assertPrefix(control, report);
  });

  for (const ending of ['complete', 'error']) {
    testBoth(`an answer that was pruned after its ${ending} is told as over, with what came of it`, async (lab, transport, control) => {
      await control.config({ prune: true });
      const sent = await send(lab, transport, {
        recipe: { ending: ending === 'error' ? 'error' : 'done', error: 'no model', holdAt: 30 },
        options: { ...AWAY, liveness: { firstByteMs: 1500 } },
      });
      await lab.endUnread(sent.key, sent.sessionId);
      // Of an answer that is complete one envelope is left, and what is missing before it is asked for on one more connection.
      await until(async () => {
        const { status, connection } = await lab.snapshot(sent.key);
        if (connection.state === 'reconnecting') await lab.comeBack();
        return status !== 'streaming';
      }, 'the end');
      const report = await lab.settled(sent.key);
      assertSound(report);
      const { status, error, text } = report.snapshot;
      assert.deepEqual([status, error?.code, error?.retryable], ['interrupted', 'run-ended', false], JSON.stringify(report.trace));
      assert.ok(text.length > 0);
      await assertPrefix(control, report);
      const { requests } = await control.counters();
      assert.deepEqual([requests['env-events'], requests['env-status']], [1, 1]);
    });
  }

  testBoth('whoever opens an answer that was pruned is told that it is over', async (lab, transport, control) => {
    const sent = await send(lab, transport);
    const { snapshot: { runId } } = await assertCompleted(lab, sent);
    await control.config({ prune: true });
    const key = await lab.start({ via: 'open', sessionId: sent.sessionId, runId, client: sent.client });
    const report = await lab.settled(key);
    assertSound(report);
    assert.deepEqual([report.snapshot.status, report.snapshot.error.code, report.snapshot.text], ['interrupted', 'run-ended', '']);
  });

  testBoth('a page that comes later finds what runs, and all of it', async (lab, transport) => {
    const sent = await send(lab, transport, { recipe: { holdAt: 100 } });
    await lab.until(sent.key, ({ text }) => text.length > 40);
    await lab.reload();
    const key = await lab.start({ via: 'resume', sessionId: sent.sessionId, client: sent.client });
    await lab.server.control.now('goOn');
    assert.notEqual(key, null);
    const report = await lab.settled(key);
    assertSound(report);
    await assertTruth(lab.server.control, report);
  });
});
