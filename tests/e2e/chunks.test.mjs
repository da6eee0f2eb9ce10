// `chunks` in Chromium: the rows of a session's durable stream through cuts, losses, repetitions and a reset; one run's message among
// the others of its session; what is sent, refused and stopped.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { assertHistory } from './support/history.mjs';
import { Stage } from './support/stage.mjs';
import { assertPrefix, assertSound, assertTruth } from './support/truth.mjs';

const RUN = { events: 120, eventsPerSecond: 300, toolCalls: 3 };
const CLIENT = { options: { baseUrl: '/v1', protocol: 'chunks' } };
const NOT_FOUND = JSON.stringify({ error: 'Session not found', code: 'SESSION_NOT_FOUND' });

let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

const check = (name, play) => test(name, () => stage.withServer((lab) => play(lab, lab.server.control)));

async function send(lab, { recipe = {}, faults = [], sessionId = randomUUID(), ...rest } = {}) {
  const requestId = randomUUID();
  const { control } = lab.server;
  await control.recipe({ sessionId, ...RUN, ...recipe });
  for (const { path, steps } of faults) await control.faults({ path }, steps);
  return { key: await lab.start({ sessionId, requestId, client: CLIENT, ...rest }), sessionId, requestId };
}

async function assertCompleted(lab, { key, sessionId }, status = 'completed', runs = 1) {
  const report = await lab.settled(key);
  assertSound(report);
  assert.equal(report.snapshot.status, status, JSON.stringify(report.trace));
  await assertTruth(lab.server.control, report);
  assert.equal((await lab.server.control.counters(sessionId)).runsStarted, runs, 'one send, one answer');
  return report;
}

const pathsOf = async (control) => (await control.requests()).map(({ path }) => path);

describe('chunks', { concurrency: 5 }, () => {
  check('an answer of all kinds is what the server has said', async (lab, control) => {
    const report = await assertCompleted(lab, await send(lab, { recipe: { interrupt: true } }));
    const { parts, usage } = report.snapshot;
    for (const kind of ['tool', 'reasoning', 'text', 'interrupt']) assert.ok(parts.some(({ type }) => type === kind), kind);
    assert.ok(usage.totalTokens > 0);
    assertHistory(report, ['connecting fetch', 'open fetch', 'closed']);
    assert.deepEqual(await pathsOf(control), ['chunks-send', 'chunks-stream']);
  });

  for (const [name, steps] of [
    ['cut again and again', [3, 5, 2, 10].map((afterEvents) => ({ cut: { afterEvents, how: 'rst' } }))],
    ['cut anywhere', [700, 1500, 333, 2801].map((afterBytes) => ({ cut: { afterBytes, how: 'drop' } }))],
    ['ended by its server', [{ cut: { afterEvents: 5, how: 'fin' } }, { cut: { afterEvents: 4, how: 'fin' } }, { empty: true }]],
    ['silent', [{ stall: { afterEvents: 5, heartbeats: false } }]],
    ['told again', [{ cut: { afterEvents: 8, how: 'rst' } }, { replaySeen: 7, duplicate: 3 }]],
    ['told from the start, whatever was asked for', [{ cut: { afterEvents: 8, how: 'rst' } }, { ignoreCursor: true }]],
    ['told with gaps', [{ drop: 6 }, { drop: 4 }]],
    ['told out of order', [{ reorder: 5 }, { reorder: 3 }]],
    ['broken in between', [{ malformed: { at: 3 }, wrongTypes: { at: 5 }, hugeFrame: { at: 6, bytes: 70_000 } }]],
    ['framed in another way', [{ crlf: 'crlf', splitEvery: 61, bom: true, cut: { afterEvents: 12, how: 'rst' } }]],
    ['refused for a while', [{ cut: { afterEvents: 8, how: 'rst' } }, { status: { code: 503 } }]],
  ]) {
    check(`a stream that is ${name} loses and doubles nothing`, async (lab, control) => {
      const faults = [{ path: 'chunks-stream', steps }];
      const client = { options: { ...CLIENT.options, liveness: { stallMs: 300, floorMs: 300 } } };
      await assertCompleted(lab, await send(lab, { faults, recipe: { splitSurrogates: true, heartbeatMs: 100 }, client }));
      assert.equal(await control.stepsLeft(), 0, 'faults that nobody met');
    });
  }

  check('what a reset makes void is not shown', async (lab) => {
    const steps = [{ cut: { afterEvents: 20, how: 'rst' } }];
    const sent = await send(lab, { recipe: { resetAt: 40, holdAt: 36 }, faults: [{ path: 'chunks-stream', steps }] });
    await lab.until(sent.key, ({ text }) => text !== '');
    await lab.server.control.now('goOn', { sessionId: sent.sessionId });
    const report = await lab.settled(sent.key);
    await assertTruth(lab.server.control, report);
    // That the text was replaced is what is asked for here, and what a page otherwise never sees.
    assert.deepEqual([...new Set(report.violations.map((line) => line.replace(/\d+/, 'N')))], ['text of N units was not extended but replaced']);
    assert.equal(report.snapshot.status, 'completed');
  });

  check('a send of which nobody knows whether it arrived is made once', async (lab, control) => {
    const steps = [{ cut: { beforeHeaders: true, how: 'rst' } }, { status: { code: 502, afterEffect: true } }, { status: { code: 503 } }];
    const sent = await send(lab, { faults: [{ path: 'chunks-send', steps }] });
    await assertCompleted(lab, sent);
    assert.equal((await pathsOf(control)).filter((path) => path === 'chunks-send').length, 4);
  });

  check('a session that the server does not know is made', async (lab, control) => {
    await assertCompleted(lab, await send(lab, { faults: [{ path: 'chunks-send', steps: [{ status: { code: 404, body: NOT_FOUND } }] }] }));
    assert.deepEqual(await pathsOf(control), ['chunks-send', 'chunks-create', 'chunks-send', 'chunks-stream']);
    assert.deepEqual((await control.requests()).map(({ method }) => method), ['POST', 'PUT', 'POST', 'GET']);
  });

  check('a session that makes another answer refuses, by name', async (lab, control) => {
    const first = await send(lab, { recipe: { events: 200, eventsPerSecond: 60 } });
    await lab.until(first.key, ({ text }) => text !== '');
    const second = await send(lab, { sessionId: first.sessionId });
    const report = await lab.settled(second.key);
    assertSound(report);
    const { status, error } = report.snapshot;
    assert.deepEqual([status, error.code, error.status, error.serverCode], ['failed', 'http-status', 409, 'GENERATION_MISMATCH']);
    await assertCompleted(lab, first);
    assert.equal((await pathsOf(control)).filter((path) => path === 'chunks-send').length, 2);
  });

  for (const plain of [false, true]) {
    check(`two messages of one stream are two answers [${plain ? 'read from its beginning' : 'read from an offset'}]`, async (lab, control) => {
      await control.config({ plain });
      const steps = [{ cut: { afterEvents: 6, how: 'rst' } }, {}, { cut: { afterEvents: 4, how: 'rst' } }];
      const first = await send(lab, { recipe: { seed: 5 }, faults: [{ path: 'chunks-stream', steps }] });
      const one = await assertCompleted(lab, first);
      const second = await send(lab, { sessionId: first.sessionId, recipe: { seed: 6 } });
      const other = await assertCompleted(lab, second, 'completed', 2);
      assert.notEqual(one.snapshot.runId, other.snapshot.runId);
      assert.notEqual(one.snapshot.text, other.snapshot.text);
      // The first of them once more, for somebody who was not there, behind both.
      const key = await lab.start({ via: 'open', sessionId: first.sessionId, runId: one.snapshot.runId, client: { ...CLIENT, name: 'later' } });
      const again = await lab.settled(key);
      assertSound(again);
      await assertTruth(control, again);
    });
  }

  check('an answer and the next one are watched side by side', async (lab) => {
    const first = await send(lab, { recipe: { events: 90, eventsPerSecond: 200 } });
    const one = await assertCompleted(lab, first);
    const second = await send(lab, { sessionId: first.sessionId, recipe: { events: 300, eventsPerSecond: 200 } });
    await lab.until(second.key, ({ text }) => text !== '');
    const key = await lab.start({ via: 'open', sessionId: first.sessionId, runId: one.snapshot.runId, client: { ...CLIENT, name: 'other' } });
    const again = await lab.settled(key);
    assertSound(again);
    await assertTruth(lab.server.control, again);
    await assertCompleted(lab, second, 'completed', 2);
  });

  check('a failure keeps what came, also where nothing did', async (lab) => {
    const failed = await assertCompleted(lab, await send(lab, { recipe: { ending: 'error', error: 'no model' } }), 'failed');
    assert.equal(failed.snapshot.error.detail, 'no model');
    await assertCompleted(lab, await send(lab, { recipe: { ending: 'failed', error: 'no model', events: 2 } }), 'failed');
    const cancelled = await assertCompleted(lab, await send(lab, { recipe: { ending: 'cancelled' } }), 'cancelled');
    assert.equal(cancelled.outcomes[0].by, 'server');
  });

  check('a stop that stops nothing at the server is the user\'s all the same', async (lab, control) => {
    const sent = await send(lab, { recipe: { events: 900 } });
    await lab.until(sent.key, ({ text }) => text.length > 40);
    await lab.page.evaluate((of) => lab.stream(of).stop(), sent.key);
    const report = await lab.settled(sent.key);
    assertSound(report);
    assert.deepEqual([report.snapshot.status, report.outcomes[0].by], ['cancelled', 'user']);
    assert.equal((await control.counters(sent.sessionId)).stops, 1);
    await assertPrefix(control, report);
  });

  check('a page that was reloaded finds what runs, and all of it', async (lab) => {
    const sent = await send(lab, { recipe: { events: 300, eventsPerSecond: 60 } });
    await lab.until(sent.key, ({ text }) => text.length > 40);
    await lab.reload();
    const key = await lab.start({ via: 'resume', sessionId: sent.sessionId, client: CLIENT });
    assert.notEqual(key, null);
    const report = await lab.settled(key);
    assertSound(report);
    await assertTruth(lab.server.control, report);
    assert.equal(await lab.start({ via: 'resume', sessionId: sent.sessionId, client: CLIENT }), null, 'nothing runs any more');
  });

  check('a page that kept text and cursor is told the rest and nothing twice', async (lab, control) => {
    // Silent between rows and the mark behind them: what is held is more than its offset says.
    const steps = [{ stall: { afterEvents: 9, heartbeats: true } }];
    const recipe = { toolCalls: 0, reasoning: false, events: 200, eventsPerSecond: 120 };
    const sent = await send(lab, { recipe, faults: [{ path: 'chunks-stream', steps }] });
    await lab.until(sent.key, ({ cursor, text }) => text !== '' && cursor.includes('/'));
    const held = await lab.snapshot(sent.key);
    await lab.reload();
    const key = await lab.start({ via: 'open', sessionId: sent.sessionId, runId: held.runId, cursor: held.cursor, client: CLIENT });
    const report = await lab.settled(key);
    assertSound(report);
    const truth = await control.truth(held.runId);
    assert.ok(held.text.length > 0 && held.text.length < truth.text.length);
    assert.equal(held.text + report.snapshot.text, truth.text);
    assert.equal(report.snapshot.status, 'completed');
    const asked = (await control.requests(sent.sessionId)).filter(({ path }) => path === 'chunks-stream');
    assert.equal(asked.at(-1).afterSeq, held.cursor.split('/')[0]);
  });

  check('a message that is not there is not waited for', async (lab) => {
    const sent = await send(lab);
    await assertCompleted(lab, sent);
    const key = await lab.start({ via: 'open', sessionId: sent.sessionId, runId: 'never', client: CLIENT });
    const report = await lab.settled(key);
    assertSound(report);
    assert.deepEqual([report.snapshot.status, report.snapshot.error.code], ['interrupted', 'run-not-found']);
  });
});
