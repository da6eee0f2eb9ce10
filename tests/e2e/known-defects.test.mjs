// What the original systems' own clients get wrong (PROTOCOLS, "defect"). Each test fails on the defective behaviour.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { QUICK } from './support/lab.mjs';
import { Stage } from './support/stage.mjs';
import { assertPrefix, assertSound, assertTruth } from './support/truth.mjs';
import { until } from './support/until.mjs';

let stage;
let control;
before(async () => {
  stage = await Stage.open();
  ({ control } = stage);
});
after(() => stage?.close());

/** A run that has begun, its faults, and the options of a client on this transport. */
async function begin(transport, recipe, faults = {}) {
  const sessionId = randomUUID();
  for (const [path, steps] of Object.entries(faults)) await control.faults({ sessionId, path }, steps);
  const { runId } = await control.recipe({ sessionId, events: 60, eventsPerSecond: 200, ...recipe, start: true });
  return { sessionId, runId, client: { options: { transports: [transport], ...QUICK } } };
}

const testBoth = (name, play) => ['fetch', 'eventsource'].forEach((transport) =>
  test(`${name} [${transport}]`, () => stage.withLab((lab) => play(lab, transport))));

const requestsOf = async ({ sessionId }) => (await control.counters(sessionId)).requests;

describe('known defects of others', { concurrency: 4 }, () => {
  testBoth('B-ES-5: a callback that throws, on the last chunk too, does not keep the promise from settling', async (lab, transport) => {
    const run = await begin(transport);
    const told = await lab.page.evaluate(async ({ sessionId, runId, client: { options } }) => {
      const reported = [];
      const note = (event) => { reported.push(event.message); event.preventDefault(); };
      window.addEventListener('error', note);
      let chunks = 0;
      await lab.client({ options }).subscribeRunEvents(sessionId, runId, {
        onChunk: () => { chunks += 1; throw new Error('a bug of the caller'); },
      });
      window.removeEventListener('error', note);
      return { chunks, reported: reported.length };
    }, run);
    assert.deepEqual(told, { chunks: 60, reported: 60 }, 'every chunk was delivered, every bug told of');
    lab.errors.length = 0;
    assert.equal((await requestsOf(run)).events, 1, 'no reconnect loop');
  });

  testBoth('B-ES-5: a subscriber of a run that throws keeps nobody from it', async (lab, transport) => {
    const run = await begin(transport);
    await lab.page.evaluate(({ sessionId, runId, client: { options } }) => {
      window.addEventListener('error', (event) => event.preventDefault());
      const stream = lab.client({ options }).open({ sessionId, runId });
      stream.subscribe(() => { throw new Error('a bug of the caller'); });
      lab.observe('beside', stream);
    }, run);
    const report = await lab.settled('beside');
    lab.errors.length = 0;
    assertSound(report);
    await assertTruth(control, report);
  });

  testBoth('B-ES-5: a terminal event whose data is null or a primitive settles', async (lab, transport) => {
    for (const data of ['null', '7', '"over"']) {
      const run = await begin(transport, {}, { events: [{ malformed: { at: 30, event: 'done', data } }] });
      const { outcomes, chunks } = await lab.settled(await lab.start({ via: 'subscribe', ...run }));
      assert.deepEqual(outcomes, ['resolved']);
      assert.equal(chunks.at(-1).type, 'done');
      assert.equal((await requestsOf(run)).events, 1, 'no reconnect loop');
    }
  });

  testBoth('B-ES-9: a refused connection is no frame of the server: a typed rejection and not one chunk', async (lab, transport) => {
    for (const code of [401, 404, 503]) {
      const refusals = Array.from({ length: 4 }, () => ({ status: { code } }));
      const { client, ...run } = await begin(transport, {}, { events: refusals });
      // The first connect, however slow the machine is.
      client.options.connectGraceMs = 30_000;
      const key = await lab.start({ via: 'subscribe', ...run, client });
      const { outcomes: [{ rejected }], chunks, errors } = await lab.settled(key);
      assert.equal(rejected.name, 'RunEventsConnectError');
      assert.equal(rejected.status, code);
      assert.deepEqual(chunks, [], 'no "failed to parse" of what was never sent');
      assert.equal(errors.length, 1);
    }
  });

  testBoth('B-ES-9: an error event of the server is no broken connection', async (lab, transport) => {
    const run = await begin(transport, { ending: 'error', error: 'internal error' });
    const { outcomes, chunks, errors } = await lab.settled(await lab.start({ via: 'subscribe', ...run }));
    assert.deepEqual(outcomes, ['resolved']);
    assert.equal(chunks.at(-1).type, 'error');
    assert.deepEqual(errors, []);
    assert.equal((await requestsOf(run)).events, 1);
  });

  testBoth('B-ES-10: a 503 that comes after the grace, on the first connect or on a reconnect, leaves nobody hanging', async (lab, transport) => {
    const slow = [{ delayHeadersMs: 800, status: { code: 503 } }, { status: { code: 503 } }];
    const late = [{ cut: { afterEvents: 20, how: 'fin' } }, { status: { code: 503 } }, { status: { code: 503 } }];
    for (const events of [slow, late]) {
      const run = await begin(transport, {}, { events });
      const { outcomes, text } = await lab.settled(await lab.start({ via: 'subscribe', ...run }));
      assert.deepEqual(outcomes, ['resolved']);
      assert.equal(text, (await control.truth(run.runId)).text);
    }
  });

  testBoth('B-PARSE-2: one bad frame ends nothing, on the send’s own response nor on the log', async (lab, transport) => {
    const sessionId = randomUUID();
    await control.recipe({ sessionId, events: 60, eventsPerSecond: 200 });
    await control.faults({ sessionId, path: 'stream' }, [{ malformed: { at: 1 } }]);
    await control.faults({ sessionId, path: 'events' }, [{ malformed: { at: 10, event: 'error' } }]);
    const key = await lab.start({ sessionId, requestId: randomUUID(), client: { options: { transports: [transport], ...QUICK } } });
    const report = await lab.settled(key);
    assertSound(report);
    await assertTruth(control, report);
    const { stream, events } = await requestsOf({ sessionId });
    assert.deepEqual({ stream, events }, { stream: 1, events: 1 });
  });

  testBoth('B-PARSE-5: a body that ends before its run does is no success', async (lab, transport) => {
    const run = await begin(transport, { events: 400, eventsPerSecond: 100 }, {
      events: Array.from({ length: 40 }, () => ({ cut: { afterEvents: 5, how: 'fin' } })),
    });
    const key = await lab.start({ via: 'open', ...run });
    await lab.until(key, ({ connection }) => connection.error?.code === 'disconnected');
    assert.equal((await lab.snapshot(key)).status, 'streaming', 'cut, and not done');
    const report = await lab.settled(key);
    assertSound(report);
    await assertTruth(control, report);
  });

  testBoth('B-PARSE-5: a log that is gone before its terminal event is run-ended, never completed', async (lab, transport) => {
    const run = await begin(transport, {}, {
      events: [{ noTerminal: true }, ...Array.from({ length: 20 }, () => ({ runNotFound: true }))],
    });
    const report = await lab.settled(await lab.start({ via: 'open', ...run }));
    assertSound(report);
    assert.equal(report.snapshot.status, 'interrupted');
    assert.equal(report.snapshot.error.code, 'run-ended');
    await assertPrefix(control, report);
  });

  testBoth('B-SEND-9b: a signal that was aborted before sends nothing, for send, open, resume and subscribe', async (lab, transport) => {
    const sessionId = randomUUID();
    const { runId } = await control.recipe({ sessionId, events: 60, eventsPerSecond: 200, start: true });
    await lab.page.evaluate(async ({ id, run, options }) => {
      const client = lab.client({ options });
      const signal = AbortSignal.abort();
      await client.send(id, 'Hello', { signal }).finished;
      await client.open({ sessionId: id, runId: run }, { signal }).finished;
      await client.resume(id, { signal });
      await client.subscribeRunEvents(id, run, { onChunk() {}, signal });
    }, { id: sessionId, run: runId, options: { transports: [transport], ...QUICK } });
    await control.truth(runId);
    assert.deepEqual(await control.requests(sessionId), []);
  });

  testBoth('B-SEND-9b: once a run has settled, the caller’s signal is let go of and the connection is closed', async (lab, transport) => {
    // The server keeps its side open after the terminal event: the client has to close it.
    const sessionId = randomUUID();
    await control.recipe({ sessionId, events: 60, eventsPerSecond: 200 });
    await control.faults({ sessionId, path: 'events' }, [{ stall: { afterEvents: 60 } }]);
    const told = await lab.page.evaluate(async ({ id, options }) => {
      const { signal } = new AbortController();
      const listeners = { added: 0, removed: 0 };
      const { addEventListener, removeEventListener } = signal;
      signal.addEventListener = (...args) => { listeners.added += 1; addEventListener.apply(signal, args); };
      signal.removeEventListener = (...args) => { listeners.removed += 1; removeEventListener.apply(signal, args); };
      const { status } = await lab.client({ options }).send(id, 'Hello', { signal }).finished;
      return { status, held: listeners.added - listeners.removed, connections: machinery.connections() };
    }, { id: sessionId, options: { transports: [transport], ...QUICK } });
    assert.deepEqual(told, { status: 'completed', held: 0, connections: 0 });
    await until(async () => (await control.counters(sessionId)).openStreams.now === 0, 'the server to see it closed');
  });

  testBoth('B-SEND-11: what a live stream has dropped is read from the log at the end, once that is back', async (lab, transport) => {
    const sessionId = randomUUID();
    await control.recipe({ sessionId, events: 150, eventsPerSecond: 100, toolCalls: 2 });
    await control.faults({ sessionId, path: 'events' }, [{ logUnavailable: true }]);
    await control.faults({ sessionId, path: 'resume' }, [{ loseAfterSnapshot: 10 }]);
    const report = await lab.settled(await lab.start({ sessionId, requestId: randomUUID(), client: { options: { transports: [transport] } } }));
    await assertTruth(control, report);
    const { resume, events } = (await control.counters(sessionId)).requests;
    assert.deepEqual({ resume, events }, { resume: 1, events: 2 });
  });

  testBoth('B-SEND-9b: a connect limit and a user’s abort are told apart', async (lab, transport) => {
    const [late, left] = [randomUUID(), randomUUID()];
    for (const sessionId of [late, left]) {
      await control.recipe({ sessionId, events: 60 });
      await control.faults({ sessionId, path: 'stream' }, Array.from({ length: 50 }, () => ({ delayHeadersMs: 20_000 })));
    }
    const told = await lab.page.evaluate(async ({ ids, options }) => {
      const client = lab.client({ options });
      const controller = new AbortController();
      const limited = client.send(ids[0], 'Hello');
      const aborted = client.send(ids[1], 'Hello', { signal: controller.signal });
      controller.abort();
      const tell = async (stream) => { const { status, by, error } = await stream.finished; return [status, by, error.code]; };
      return { limited: await tell(limited), aborted: await tell(aborted) };
    }, { ids: [late, left], options: { transports: [transport], retry: { baseMs: 10, capMs: 20, giveUpAfterMs: 400 }, connectTimeoutMs: 150 } });
    assert.deepEqual(told.aborted, ['interrupted', 'user', 'aborted']);
    assert.deepEqual(told.limited.slice(0, 2), ['interrupted', 'limit']);
    assert.notEqual(told.limited[2], 'aborted');
  });
});
