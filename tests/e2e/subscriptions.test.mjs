// subscribeRunEvents, the low-level way to a run's events: rules B-ES-1 to B-ES-14, on both transports.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { testCases } from './support/cases.mjs';
import { QUICK } from './support/lab.mjs';
import { Stage } from './support/stage.mjs';
import { until } from './support/until.mjs';

let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

/** A run that has begun, and the options of a client on this transport. */
async function begin(recipe) {
  const sessionId = randomUUID();
  const { runId } = await stage.control.recipe({ sessionId, events: 60, eventsPerSecond: 200, ...recipe, start: true });
  return { sessionId, runId };
}

const optionsFor = (transport) => ({ transports: [transport], ...QUICK });
/** A refusal is one of the first connect, however slow the machine is. */
const GRACE = { connectGraceMs: 30_000 };

/** Tests that run once on each transport, with a page of their own for the time. */
function testBoth(name, play) {
  for (const transport of ['fetch', 'eventsource']) {
    test(`${name} [${transport}]`, () => stage.withLab((lab) => play(lab, transport)));
  }
}

const idle = async (sessionId) => (await stage.control.counters(sessionId)).openStreams.now === 0;

describe('subscribeRunEvents', { concurrency: 4 }, () => {
  testCases('subscriptions', () => stage);

  testBoth('every kind of event is heard (B-ES-1)', async (lab, transport) => {
    const run = await begin({ events: 120, reasoning: true, toolCalls: 2, citation: true, usage: true, interrupt: true });
    const key = await lab.start({ via: 'subscribe', ...run, client: { options: optionsFor(transport) } });
    const { chunks, outcomes } = await lab.settled(key);
    assert.deepEqual(outcomes, ['resolved']);
    const kinds = new Set(chunks.map(({ type }) => type));
    for (const kind of ['content', 'thinking', 'tool_start', 'tool_end', 'text_block_end', 'citation', 'usage', 'interrupt', 'done']) {
      assert.ok(kinds.has(kind), `${kind} was not heard`);
    }
    assert.equal(chunks.length, 120, 'each event once');
    assert.ok(chunks.every(({ id }) => /^\d+-\d+$/.test(id)), 'each with its id');
  });

  testBoth('an onError that throws inside the grace does not keep the rejection away (B-ES-8)', async (lab, transport) => {
    const run = await begin();
    await stage.control.faults({ sessionId: run.sessionId, path: 'events' }, [{ status: { code: 503 } }, { status: { code: 503 } }]);
    const error = await lab.page.evaluate(async ({ run: { sessionId, runId }, options }) => {
      const ignore = (event) => event.preventDefault();
      window.addEventListener('error', ignore);
      const onError = () => { throw new Error('a bug of the caller'); };
      const failure = await lab.client({ options }).subscribeRunEvents(sessionId, runId, { onChunk() {}, onError }).catch((e) => e);
      window.removeEventListener('error', ignore);
      return { name: failure?.name, status: failure?.status, isTyped: failure instanceof lab.steadystream.RunEventsConnectError };
    }, { run, options: { ...optionsFor(transport), ...GRACE } });
    assert.deepEqual(error, { name: 'RunEventsConnectError', status: 503, isTyped: true });
    lab.errors.length = 0;
  });

  testBoth('an abort resolves, and nothing is forwarded after it (B-ES-6)', async (lab, transport) => {
    const run = await begin({ events: 2000, eventsPerSecond: 200 });
    const told = await lab.page.evaluate(async ({ run: { sessionId, runId }, options }) => {
      const controller = new AbortController();
      const { signal } = controller;
      const listeners = { added: 0, removed: 0 };
      const { addEventListener, removeEventListener } = signal;
      signal.addEventListener = (...args) => { listeners.added += 1; addEventListener.apply(signal, args); };
      signal.removeEventListener = (...args) => { listeners.removed += 1; removeEventListener.apply(signal, args); };
      let isAborted = false;
      const seen = { before: 0, after: 0 };
      const promise = lab.client({ options }).subscribeRunEvents(sessionId, runId, {
        signal,
        onChunk: () => {
          seen[isAborted ? 'after' : 'before'] += 1;
          if (seen.before !== 10) return;
          isAborted = true;
          controller.abort();
          controller.abort();
        },
      });
      const outcome = await promise.then(() => 'resolved', (error) => error.code);
      return { outcome, seen, listeners, connections: machinery.connections() };
    }, { run, options: optionsFor(transport) });
    assert.equal(told.outcome, 'resolved');
    assert.deepEqual(told.seen, { before: 10, after: 0 });
    assert.equal(told.listeners.removed, told.listeners.added, 'the signal is let go of');
    assert.equal(told.connections, 0);
    await until(() => idle(run.sessionId), 'the server to see it closed');
    assert.equal((await stage.control.runs(run.sessionId))[0].state, 'running', 'an abort cancels nothing');
    await stage.control.now('clear');
  });

  testBoth('a signal that was aborted before sends no request (B-ES-6, W-9)', async (lab, transport) => {
    const run = await begin();
    const outcome = await lab.page.evaluate(({ run: { sessionId, runId }, options }) =>
      lab.client({ options }).subscribeRunEvents(sessionId, runId, { onChunk() {}, signal: AbortSignal.abort() })
        .then(() => 'resolved', (error) => error.code), { run, options: optionsFor(transport) });
    assert.equal(outcome, 'resolved');
    await stage.control.truth(run.runId);
    assert.deepEqual(await stage.control.requests(run.sessionId), [], 'not one request');
  });

  testBoth('nothing listens where nothing answers: a connect failure without a status (B-ES-7)', async (lab, transport) => {
    const server = await stage.addServer();
    await server.stop();
    const key = await lab.start({
      via: 'subscribe',
      sessionId: randomUUID(),
      runId: randomUUID(),
      client: { options: { ...optionsFor(transport), ...GRACE, baseUrl: `${server.app}/bi-chat` } },
    });
    const { outcomes: [{ rejected }], chunks, errors } = await lab.settled(key);
    assert.equal(rejected.name, 'RunEventsConnectError');
    assert.equal(rejected.status, undefined);
    assert.deepEqual(chunks, []);
    assert.equal(errors.length, 1);
  });

  testBoth('a cursor starts the stream strictly after it, whether the server heeds it or not (B-ES-11, B-ES-13)', async (lab, transport) => {
    const run = await begin();
    await stage.control.truth(run.runId);
    const options = optionsFor(transport);
    const all = await lab.settled(await lab.start({ via: 'subscribe', ...run, client: { options } }));
    const lastEventId = all.chunks[24].id;
    const late = await lab.settled(await lab.start({ via: 'subscribe', ...run, lastEventId, client: { options } }));
    assert.deepEqual(late.chunks.map(({ id }) => id), all.chunks.slice(25).map(({ id }) => id));
    const asked = (await stage.control.requests(run.sessionId)).at(-1);
    // A browser's EventSource cannot send the header (W-6), and this server reads nothing else: dedupe made up for it.
    assert.equal(asked.lastEventId, transport === 'fetch' ? lastEventId : null);
  });

  testBoth('ids are compared as pairs of numbers (B-ES-14)', async (lab, transport) => {
    const run = await begin({ events: 600, eventsPerSecond: 0 });
    const { lastId } = (await stage.control.truth(run.runId), await stage.control.runs(run.sessionId))[0];
    assert.ok(lastId);
    await stage.control.faults({ sessionId: run.sessionId, path: 'events' }, [
      { stall: { afterEvents: 200, ms: 100 }, cut: { afterEvents: 200, how: 'fin' } },
      { ignoreCursor: true, stall: { afterEvents: 400, ms: 100 }, cut: { afterEvents: 400, how: 'fin' } },
      { replaySeen: 150 },
    ]);
    const report = await lab.settled(await lab.start({ via: 'subscribe', ...run, client: { options: optionsFor(transport) } }));
    assert.deepEqual(report.outcomes, ['resolved']);
    const seqs = report.chunks.map(({ id }) => Number(id.split('-')[1]));
    assert.ok(seqs.some((seq, i) => seq === 10 && seqs[i - 1] === 9), 'an id of this run ends in -9 and the next in -10');
    assert.equal(report.chunks.length, 600, 'each event once');
    assert.equal(report.text, (await stage.control.truth(run.runId)).text);
  });

  test('an event beyond maxEventBytes rejects a native subscription too (P-11)', () => stage.withLab(async (lab) => {
    const run = await begin();
    const data = JSON.stringify({ type: 'content', content: 'x'.repeat(200_000) });
    await stage.control.faults({ sessionId: run.sessionId, path: 'events' }, [{ malformed: { at: 20, data } }]);
    const options = { ...optionsFor('eventsource'), maxEventBytes: 65_536 };
    const { outcomes: [{ rejected }] } = await lab.settled(await lab.start({ via: 'subscribe', ...run, client: { options } }));
    assert.equal(rejected.code, 'event-too-large');
  }));
});
