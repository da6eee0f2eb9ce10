// What a user does with a run: stop it, leave it, come back to it, send it twice. Each verb does its own thing at
// the server and nothing else.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { QUICK } from './support/lab.mjs';
import { Stage } from './support/stage.mjs';
import { assertPrefix, assertSound, assertTruth } from './support/truth.mjs';
import { until } from './support/until.mjs';

const SHORT = { events: 150, eventsPerSecond: 200, reasoning: true, toolCalls: 2 };
// Goes on when the test says so, and not before.
const HELD = { ...SHORT, holdAt: 80 };

let stage;
let control;
before(async () => {
  stage = await Stage.open();
  ({ control } = stage);
});
after(() => stage?.close());

const requestsOf = async (sessionId) => (await control.counters(sessionId)).requests;
const stateOf = async (sessionId) => (await control.runs(sessionId)).map(({ state }) => state);

const goOn = (sessionId) => control.now('goOn', { sessionId });

const begin = (lab, recipe, options) => lab.begin(control, recipe, options);
const testOn = (transport, name, play) => test(`${name} [${transport}]`, () => stage.withLab((lab) => play(lab, transport)));
const testBoth = (name, play) => ['fetch', 'eventsource'].forEach((transport) => testOn(transport, name, play));
const testOnce = (name, play) => test(name, () => stage.withLab(play));

describe('stop', { concurrency: 4 }, () => {
  testBoth('the run is cancelled at the server, once, and nothing connects again', async (lab, transport) => {
    const { key, sessionId } = await begin(lab, HELD, { transport });
    const { events } = await requestsOf(sessionId);
    await lab.page.evaluate((of) => lab.stream(of).stop(), key);
    const report = await lab.settled(key);
    assertSound(report);
    assert.equal(report.snapshot.status, 'cancelled');
    assert.equal(report.snapshot.error, null);
    assert.equal(report.outcomes[0].by, 'user');
    await assertPrefix(control, report);
    assert.deepEqual(await stateOf(sessionId), ['error'], 'today the server tells a cancel as an error (B-EVT-1)');
    const { stop, events: afterwards, stream } = await requestsOf(sessionId);
    assert.deepEqual({ stop, events: afterwards, stream }, { stop: 1, events, stream: 1 });
  });

  testBoth('a run that is stopped while it reconnects does not reconnect', async (lab, transport) => {
    // The waits are long: what connects again does it because of the stop, or against it.
    const options = { retry: { baseMs: 60_000, jitter: 'none' } };
    const { key, sessionId } = await begin(lab, HELD, { transport, options });
    await control.now('cut', { sessionId, how: 'rst' });
    await lab.until(key, ({ connection }) => connection.state === 'reconnecting');
    const { events } = await requestsOf(sessionId);
    await lab.page.evaluate((of) => lab.stream(of).stop(), key);
    const report = await lab.settled(key);
    assertSound(report);
    assert.equal(report.snapshot.status, 'cancelled');
    assert.equal((await requestsOf(sessionId)).events, events);
    assert.equal((await requestsOf(sessionId)).stop, 1);
  });

  testOnce('a stop that the server refuses is worth a warning, and the run is cancelled here (B-STOP-1)', async (lab) => {
    const { key, sessionId } = await begin(lab, HELD);
    await control.faults({ sessionId, path: 'stop' }, [{ status: { code: 500 } }]);
    const stopped = await lab.page.evaluate((of) => lab.stream(of).stop().then(() => 'resolved', (error) => error.code), key);
    assert.equal(stopped, 'resolved');
    const report = await lab.settled(key);
    assertSound(report);
    assert.equal(report.snapshot.status, 'cancelled');
    assert.notEqual(report.snapshot.text, '', 'what was there stays');
  });

  testOnce('a stop that is never answered has its time, and no more', async (lab) => {
    const { key, sessionId } = await begin(lab, HELD, { options: { stopTimeoutMs: 300 } });
    await control.faults({ sessionId, path: 'stop' }, [{ delayHeadersMs: 60_000 }]);
    await lab.page.evaluate((of) => { lab.stream(of).stop(); }, key);
    const report = await lab.settled(key);
    assertSound(report);
    assert.equal(report.snapshot.status, 'cancelled');
    assert.equal(report.outcomes[0].by, 'user');
  });

  testOnce('a run that is over is not stopped again: that would be somebody else’s run', async (lab) => {
    const { key, sessionId } = await begin(lab, { events: 20, eventsPerSecond: 0 });
    await lab.settled(key);
    await lab.page.evaluate((of) => lab.stream(of).stop(), key);
    assert.equal((await requestsOf(sessionId)).stop, 0);
  });

  testOnce('client.stop() ends whatever runs in a session, ours or not', async (lab) => {
    const sessionId = randomUUID();
    await control.recipe({ sessionId, ...HELD, start: true });
    await lab.start({ via: 'resume', sessionId: randomUUID(), client: { name: 'main' } });
    await lab.page.evaluate((id) => lab.client().stop(id), sessionId);
    assert.deepEqual(await stateOf(sessionId), ['error']);
  });

  testOnce('the server cancels: the outcome says whose decision it was', async (lab) => {
    const { key, sessionId } = await begin(lab, { ...SHORT, events: 30, ending: 'cancelled' });
    const report = await lab.settled(key);
    assertSound(report);
    assert.equal(report.snapshot.status, 'cancelled');
    assert.equal(report.outcomes[0].by, 'server');
    assert.equal((await requestsOf(sessionId)).stop, 0);
  });
});

describe('close', { concurrency: 4 }, () => {
  testBoth('we stop watching, the run goes on, and opening it again ends with all of it', async (lab, transport) => {
    const { key, sessionId } = await begin(lab, HELD, { transport });
    const { runId } = await lab.snapshot(key);
    await lab.page.evaluate((of) => lab.stream(of).close(), key);
    const closed = await lab.settled(key);
    assertSound(closed);
    assert.equal(closed.snapshot.status, 'interrupted');
    assert.equal(closed.snapshot.error.code, 'aborted');
    assert.equal(closed.outcomes[0].by, 'user');
    await until(async () => (await control.counters(sessionId)).openStreams.now === 0, 'the stream to be closed');
    assert.deepEqual(await stateOf(sessionId), ['running']);
    const again = await lab.start({ via: 'open', sessionId, runId, client: { name: 'main' } });
    await goOn(sessionId);
    const report = await lab.settled(again);
    assertSound(report);
    await assertTruth(control, report);
    assert.equal((await requestsOf(sessionId)).stop, 0);
  });

  testBoth('an aborted signal is a close', async (lab, transport) => {
    const sessionId = randomUUID();
    await control.recipe({ sessionId, ...HELD });
    const told = await lab.page.evaluate(async ({ id, options }) => {
      const controller = new AbortController();
      const stream = lab.client({ options }).send(id, 'Hello', { signal: controller.signal });
      stream.subscribe(({ text }) => { if (text !== '') controller.abort(); });
      const { status, by, error } = await stream.finished;
      return { status, by, code: error.code, connections: machinery.connections() };
    }, { id: sessionId, options: { transports: [transport], ...QUICK } });
    assert.deepEqual(told, { status: 'interrupted', by: 'user', code: 'aborted', connections: 0 });
    assert.deepEqual(await stateOf(sessionId), ['running']);
    assert.equal((await requestsOf(sessionId)).stop, 0);
  });

  testOnce('client.close() closes every run and stops none', async (lab) => {
    const runs = [await begin(lab, HELD), await begin(lab, HELD), await begin(lab, HELD, { transport: 'eventsource' })];
    const statuses = await lab.page.evaluate((keys) => {
      lab.client().close();
      return keys.map((key) => lab.snapshot(key).status);
    }, runs.map(({ key }) => key));
    assert.deepEqual(statuses, ['interrupted', 'interrupted', 'interrupted']);
    for (const { sessionId } of runs) {
      await until(async () => (await control.counters(sessionId)).openStreams.now === 0, 'the streams to be closed');
      assert.deepEqual(await stateOf(sessionId), ['running']);
      assert.equal((await requestsOf(sessionId)).stop, 0);
    }
  });
});

describe('leaving the page', { concurrency: 4 }, () => {
  testOnce('a reload cancels nothing, and resume() goes on with the whole text', async (lab) => {
    const { sessionId } = await begin(lab, HELD);
    await lab.reload();
    assert.deepEqual(await stateOf(sessionId), ['running']);
    const key = await lab.start({ via: 'resume', sessionId });
    await goOn(sessionId);
    const report = await lab.settled(key);
    assertSound(report);
    await assertTruth(control, report);
    const { stop, stream } = await requestsOf(sessionId);
    assert.deepEqual({ stop, stream }, { stop: 0, stream: 1 });
    assert.equal((await control.counters(sessionId)).runsStarted, 1);
  });

  test('navigating away and closing the tab cancel nothing', async () => {
    const lab = await stage.openLab();
    const { sessionId } = await begin(lab, HELD);
    const { sessionId: other } = await begin(lab, HELD, { transport: 'eventsource' });
    await lab.page.goto('about:blank');
    await until(async () => (await control.counters(sessionId)).openStreams.now === 0, 'the stream to be closed');
    await lab.close();
    await Promise.all([goOn(sessionId), goOn(other)]);
    const [truth] = await Promise.all([control.truth((await control.runs(sessionId))[0].runId), control.truth((await control.runs(other))[0].runId)]);
    assert.equal(truth.terminal, 'done');
    assert.deepEqual([...await stateOf(sessionId), ...await stateOf(other)], ['done', 'done']);
    assert.equal((await requestsOf(sessionId)).stop + (await requestsOf(other)).stop, 0);
  });

  testOnce('resume() of a session where nothing runs is null, and so is one whose status cannot be had (B-STAT-1)', async (lab) => {
    const sessionId = randomUUID();
    await control.faults({ sessionId, path: 'status' }, [
      {}, { status: { code: 404 } }, { status: { code: 500 } }, { delayHeadersMs: 60_000 },
    ]);
    const client = { options: { statusTimeoutMs: 2000 } };
    for (const why of ['nothing runs', '404', '500', 'a timeout']) {
      assert.equal(await lab.start({ via: 'resume', sessionId, client }), null, why);
    }
    assert.equal((await requestsOf(sessionId)).status, 4);
  });

  testOnce('resume() with an aborted signal sends no request (B-SEND-9b)', async (lab) => {
    const sessionId = randomUUID();
    await control.recipe({ sessionId, ...HELD, start: true });
    assert.equal(await lab.page.evaluate((id) => lab.client().resume(id, { signal: AbortSignal.abort() }), sessionId), null);
    assert.deepEqual(await control.requests(sessionId), []);
  });
});

describe('sending', { concurrency: 4 }, () => {
  testOnce('two sends with one request id are one run and one stream', async (lab) => {
    const sessionId = randomUUID();
    const requestId = randomUUID();
    await control.recipe({ sessionId, ...SHORT });
    const isSame = await lab.page.evaluate(({ id, request }) => {
      const client = lab.client();
      const first = client.send(id, 'Hello', { requestId: request });
      lab.observe('one', first);
      return client.send(id, 'Hello', { requestId: request }) === first;
    }, { id: sessionId, request: requestId });
    assert.ok(isSame);
    const report = await lab.settled('one');
    assertSound(report);
    await assertTruth(control, report);
    const { stream, events } = await requestsOf(sessionId);
    assert.deepEqual({ stream, events }, { stream: 1, events: 1 });
  });

  testOnce('two tabs that send with one request id share one run, and both end with all of it', async (lab) => {
    const sessionId = randomUUID();
    const requestId = randomUUID();
    await control.recipe({ sessionId, ...HELD });
    const keys = [];
    for (const name of ['one tab', 'another tab']) {
      keys.push(await lab.start({ sessionId, requestId, client: { name } }));
    }
    await until(async () => (await control.counters(sessionId)).deduped === 1, 'the second send');
    await goOn(sessionId);
    const reports = await Promise.all(keys.map((key) => lab.settled(key)));
    for (const report of reports) {
      assert.deepEqual(report.violations, []);
      await assertTruth(control, report);
    }
    assert.equal(reports[0].snapshot.runId, reports[1].snapshot.runId);
    const { runsStarted, deduped } = await control.counters(sessionId);
    assert.deepEqual({ runsStarted, deduped }, { runsStarted: 1, deduped: 1 });
    await lab.page.evaluate(() => { machinery.doubled.length = 0; });     // two tabs, two connections
  });

  testOnce('opening a run that is open gives the same stream, and no second connection', async (lab) => {
    const { key, sessionId } = await begin(lab, HELD);
    const { runId } = await lab.snapshot(key);
    const isSame = await lab.page.evaluate(({ of, id, run }) => {
      const client = lab.client();
      return client.open({ sessionId: id, runId: run }) === lab.stream(of) && client.open({ sessionId: id }) === lab.stream(of);
    }, { of: key, id: sessionId, run: runId });
    assert.ok(isSame);
    await goOn(sessionId);
    assertSound(await lab.settled(key));
    assert.equal((await requestsOf(sessionId)).events, 1);
  });

  testOnce('a send with an aborted signal sends no request (B-SEND-9b)', async (lab) => {
    const sessionId = randomUUID();
    const told = await lab.page.evaluate(async (id) => {
      const { status, by, error } = await lab.client().send(id, 'Hello', { signal: AbortSignal.abort() }).finished;
      return { status, by, code: error.code };
    }, sessionId);
    assert.deepEqual(told, { status: 'interrupted', by: 'user', code: 'aborted' });
    assert.deepEqual(await control.requests(sessionId), []);
  });

  for (const transport of ['fetch', 'eventsource']) {
    test(`retry() of a run that was given up goes on where it was [${transport}]`, async () => {
      // A server of its own: these faults end when all of them are cleared.
      const server = await stage.addServer();
      const lab = await stage.openLab({ server });
      const sessionId = randomUUID();
      const stuck = { status: { code: 503 } };
      await server.control.recipe({ sessionId, events: 400, holdAt: 200, eventsPerSecond: 200, reasoning: true });
      await server.control.faults({ sessionId, path: 'events' }, [{ cut: { afterEvents: 60, how: 'fin' } }]);
      await server.control.faults({ sessionId, path: 'events' }, [stuck], { loop: true });
      await server.control.faults({ sessionId, path: 'resume' }, [stuck], { loop: true });
      const options = { transports: [transport], retry: { baseMs: 20, capMs: 50, giveUpAfterMs: 300 } };
      const key = await lab.start({ sessionId, requestId: randomUUID(), client: { name: 'main', options } });
      const lost = await lab.settled(key);
      assertSound(lost);
      assert.equal(lost.snapshot.status, 'interrupted');
      assert.equal(lost.snapshot.error.code, 'gave-up');
      assert.equal(lost.snapshot.error.status, 503);
      assert.equal(lost.outcomes[0].by, 'limit');
      await server.control.clearFaults();
      const begins = await lab.page.evaluate((of) => {
        lab.observe('again', lab.stream(of).retry());
        return lab.snapshot('again').text;
      }, key);
      assert.equal(begins, lost.snapshot.text, 'the text stays on the screen');
      await server.control.now('goOn', { sessionId });
      await assertPrefix(server.control, lost);
      const report = await lab.settled('again');
      assertSound(report);
      await assertTruth(server.control, report);
      assert.equal((await server.control.counters(sessionId)).runsStarted, 1);
      const last = (await server.control.requests(sessionId)).filter(({ path }) => path === 'events').at(-1);
      if (transport === 'fetch') assert.equal(last.lastEventId, lost.snapshot.cursor, 'from the cursor of what is held');
      await lab.clear();
      await lab.close();
    });
  }

  testOnce('retry() of a run that the server failed sends the message anew, as a new request', async (lab) => {
    const { key, sessionId } = await begin(lab, { ...SHORT, events: 30, ending: 'error', error: 'internal error' });
    const failed = await lab.settled(key);
    assert.equal(failed.snapshot.status, 'failed');
    await control.recipe({ sessionId, events: 40, ending: 'done' });
    await lab.page.evaluate((of) => lab.observe('anew', lab.stream(of).retry()), key);
    const report = await lab.settled('anew');
    await assertTruth(control, report);
    assert.notEqual(report.snapshot.runId, failed.snapshot.runId);
    const sent = (await control.requests(sessionId)).filter(({ path }) => path === 'stream').map(({ requestId }) => requestId);
    assert.equal(new Set(sent).size, 2, 'a request id is never used for two runs (B-SEND-4)');
  });

  testOnce('a rotated token is used by the very next attempt (FIELD 1.3)', async (lab) => {
    const sessionId = randomUUID();
    await control.recipe({ sessionId, events: 100, eventsPerSecond: 100 });
    await control.faults({ sessionId, path: 'events' }, [{ cut: { afterEvents: 20, how: 'fin' } }, { cut: { afterEvents: 20, how: 'rst' } }]);
    await lab.page.evaluate(({ id, options }) => {
      let turn = 0;
      const headers = async () => ({ Authorization: `Bearer t${turn += 1}` });
      lab.observe('rotating', lab.client({ options: { ...options, headers } }).send(id, 'Hello'));
    }, { id: sessionId, options: QUICK });
    const report = await lab.settled('rotating');
    assertSound(report);
    await assertTruth(control, report);
    const tokens = (await control.requests(sessionId)).map(({ token }) => token);
    assert.deepEqual(tokens, ['t1', 't2', 't3', 't4'], 'the send, the log and two reconnects');
  });

  test('a 401 is answered with a fresh token, and the run goes on', async () => {
    const server = await stage.addServer();
    const lab = await stage.openLab({ server });
    const sessionId = randomUUID();
    await server.control.recipe({ sessionId, events: 100, eventsPerSecond: 100 });
    await server.control.config({ auth: { tokens: ['old'] } });
    await lab.page.evaluate(({ id, options }) => {
      window.token = 'old';
      const headers = () => ({ Authorization: `Bearer ${window.token}` });
      lab.observe('renewed', lab.client({ options: { ...options, headers } }).send(id, 'Hello'));
    }, { id: sessionId, options: QUICK });
    await lab.until('renewed', ({ text }) => text !== '');
    // The token is known to be refused only by the refusal, which is when the page renews it.
    await lab.page.evaluate(() => {
      const { fetch: request } = window;
      window.fetch = async (...args) => {
        const response = await request(...args);
        if (response.status === 401) window.token = 'new';
        return response;
      };
    });
    await server.control.config({ auth: { tokens: ['new'] } });
    await server.control.now('cut', { sessionId, how: 'fin' });
    const report = await lab.settled('renewed');
    assertSound(report);
    await assertTruth(server.control, report);
    const answers = (await server.control.requests(sessionId)).map(({ token, status }) => `${token} ${status}`);
    assert.deepEqual(answers, ['old 200', 'old 200', 'old 401', 'new 200']);
    await lab.close();
  });
});
