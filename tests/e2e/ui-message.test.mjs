// `ui-message` against a server that really breaks, with ids of chunks and, as the AI SDK's servers are, without: what a user ends
// up with, what the badge has shown meanwhile, and that a message arrives once.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { testCases } from './support/cases.mjs';
import { assertSentOnce } from './support/chat.mjs';
import { assertHistory } from './support/history.mjs';
import { AWAY } from './support/lab.mjs';
import { Stage } from './support/stage.mjs';
import { assertPrefix, assertSound, assertTruth } from './support/truth.mjs';
import { until } from './support/until.mjs';

const OPTIONS = { baseUrl: '/api/chat', protocol: 'ui-message' };
const DEFAULTS = { ...OPTIONS, retry: {} };
const LONG = { events: 2000, eventsPerSecond: 100 };
const SHORT = { events: 100, eventsPerSecond: 100 };
/** It goes on when the test says so. */
const HELD = { ...SHORT, holdAt: 60 };
const SLOW = { events: 32, eventsPerSecond: 4, reasoning: false, toolCalls: 0, usage: false };

let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

const testHere = (name, play) => test(name, () => stage.withLab((lab) => play(lab, lab.server.control)));
const testWithCursor = (name, play) => [false, true].forEach((uiCursor) =>
  test(`${name}, ids of chunks: ${uiCursor}`, () => stage.withServer(async (lab) => {
    const { control } = lab.server;
    await control.config({ uiCursor });
    await play(lab, control);
  })));

/** Sends a message in a chat of its own. */
async function send(lab, recipe, { options = OPTIONS, faults = [], ...rest } = {}) {
  const { control } = lab.server;
  const sessionId = randomUUID();
  const requestId = randomUUID();
  await control.recipe({ sessionId, ...recipe });
  for (const { path, steps, loop } of faults) await control.faults({ sessionId, path }, steps, { loop });
  const key = await lab.start({ sessionId, requestId, client: { options }, ...rest });
  return { key, sessionId, requestId };
}

/** The same, and waits for its first text. */
async function begin(lab, ...rest) {
  const sent = await send(lab, ...rest);
  await lab.until(sent.key, ({ text }) => text !== '');
  return sent;
}

/** Ends whatever runs in a chat. */
const stopAll = (lab, sessionId) => lab.page.evaluate(([id, options]) => lab.client({ options }).stop(id), [sessionId, OPTIONS]);

const stop = (lab, key) => lab.page.evaluate((of) => lab.stream(of).stop(), key);

/** Presses Retry, and gives the text that is on the screen then. */
const retry = (lab, key) => lab.page.evaluate((of) => {
  lab.observe('again', lab.stream(of).retry());
  return lab.snapshot('again').text;
}, key);

const requestsOf = async (control, sessionId) => (await control.counters(sessionId)).requests;
const stateOf = async (control, sessionId) => (await control.runs(sessionId)).map(({ state }) => state);
/** How many request ids the server has seen. */
const sendsOf = async (control, sessionId) => Object.keys((await control.counters(sessionId)).sends).length;

describe('ui-message', { concurrency: 6 }, () => {
  testCases('ui-message', () => stage);
});

describe('send, resume', { concurrency: 6 }, () => {
  const MESSAGES = [{ id: 'u-1', role: 'user', parts: [{ type: 'text', text: 'why?' }] }];
  for (const message of ['why?', { messages: MESSAGES, trigger: 'regenerate-message' }, { message: MESSAGES[0], model: 'small' }]) {
    testHere(`a message is ${typeof message === 'string' ? 'text' : `an object with ${Object.keys(message)}`}`, async (lab, control) => {
      const sent = await send(lab, SHORT, { message });
      const report = await lab.settled(sent.key);
      assertSound(report);
      await assertTruth(control, report);
      await assertSentOnce(control, sent);
    });
  }

  testHere('the same request id while the answer runs is the same stream, sent once', async (lab, control) => {
    const sent = await begin(lab, HELD);
    const isSame = await lab.page.evaluate(([key, { sessionId, requestId }, options]) => (
      lab.client({ name: options }).send(sessionId, 'Hello', { requestId }) === lab.stream(key)
    ), [sent.key, sent, JSON.stringify({ transports: ['fetch'], retry: { baseMs: 20, capMs: 200 }, ...OPTIONS })]);
    assert.ok(isSame);
    await control.now('goOn', { sessionId: sent.sessionId });
    await lab.settled(sent.key);
    await assertSentOnce(control, sent);
  });

  testHere('resume() finds nothing where nothing runs, and nothing is left of it', async (lab, control) => {
    const sessionId = randomUUID();
    assert.equal(await lab.start({ via: 'resume', sessionId, client: { options: OPTIONS } }), null);
    assert.equal((await requestsOf(control, sessionId))['ui-stream'], 1);
  });

  testWithCursor('a page that is loaded anew has all of what runs', async (lab, control) => {
    const sent = await begin(lab, { ...HELD, events: 200, toolCalls: 5 });
    await lab.reload();
    const key = await lab.start({ via: 'resume', sessionId: sent.sessionId, client: { options: OPTIONS } });
    await control.now('goOn', { sessionId: sent.sessionId });
    const report = await lab.settled(key);
    assertSound(report);
    await assertTruth(control, report);
    await assertSentOnce(control, sent);
    assert.equal(await lab.start({ via: 'resume', sessionId: sent.sessionId, client: { options: OPTIONS } }), null, 'over');
  });

  testHere('an answer whose chat has another one by now is not taken for that', async (lab, control) => {
    const { key, sessionId } = await begin(lab, { ...LONG, reasoning: false, toolCalls: 0 }, { options: { ...OPTIONS, ...AWAY } });
    await control.now('cut', { sessionId, how: 'rst' });
    await lab.until(key, ({ connection }) => connection.state === 'reconnecting');
    // From another page, say.
    await control.recipe({ sessionId, start: true, protocol: 'ui-message' });
    await lab.comeBack();
    const lost = await lab.settled(key);
    assertSound(lost);
    assert.deepEqual([lost.snapshot.status, lost.snapshot.error.code], ['interrupted', 'run-ended']);
    assertHistory(lost, ['connecting fetch', 'open fetch', 'reconnecting fetch disconnected', '?open fetch disconnected', 'failed fetch run-ended']);
    assert.notEqual(lost.snapshot.text, '', 'partial text survives');
    const asked = (await control.requests(sessionId)).filter(({ path }) => path === 'ui-stream');
    assert.deepEqual(asked.map(({ status }) => status), [200], 'it was told');
    const [{ runId }] = (await control.runs(sessionId)).toSorted((a, b) => a.startedAt - b.startedAt);
    await stopAll(lab, sessionId);
    assert.ok((await control.truth(runId)).text.startsWith(lost.snapshot.text));
  });

  testHere('an answer that its page leaves goes on at the server', async (lab, control) => {
    const { key, sessionId } = await begin(lab, HELD);
    await lab.page.evaluate((of) => lab.stream(of).close(), key);
    const report = await lab.settled(key);
    assert.equal(report.snapshot.error.code, 'aborted');
    await control.now('goOn', { sessionId });
    await assertPrefix(control, report);
    assert.deepEqual(await stateOf(control, sessionId), ['done']);
    assert.equal((await requestsOf(control, sessionId))['ui-stop'], 0);
  });
});

describe('stop', { concurrency: 6 }, () => {
  testHere('it ends the answer at the server, once, with all that came', async (lab, control) => {
    const sent = await begin(lab, LONG);
    await stop(lab, sent.key);
    const report = await lab.settled(sent.key);
    assertSound(report);
    assert.equal(report.snapshot.status, 'cancelled');
    assert.equal(report.outcomes[0].by, 'user');
    await assertTruth(control, report);
    assertHistory(report, ['connecting fetch', 'open fetch', 'closed']);
    const { 'ui-stop': stops, 'ui-stream': streams } = await requestsOf(control, sent.sessionId);
    assert.deepEqual({ stops, streams, states: await stateOf(control, sent.sessionId) }, { stops: 1, streams: 0, states: ['cancelled'] });
    await assertSentOnce(control, sent);
  });

  testHere('a server that knows of no stops goes on, and we do not', async (lab, control) => {
    const faults = [{ path: 'ui-stop', steps: [{ status: { code: 404 } }] }];
    const sent = await begin(lab, LONG, { faults });
    assert.equal(await lab.page.evaluate((of) => lab.stream(of).stop().then(() => 'resolved'), sent.key), 'resolved');
    const report = await lab.settled(sent.key);
    assertSound(report);
    assert.deepEqual([report.snapshot.status, report.outcomes[0].by], ['cancelled', 'user']);
    assert.notEqual(report.snapshot.text, '', 'partial text survives');
    assertHistory(report, ['connecting fetch', 'open fetch', 'closed']);
    assert.deepEqual(await stateOf(control, sent.sessionId), ['running']);
    assert.equal((await requestsOf(control, sent.sessionId))['ui-stream'], 0);
  });

  testHere('an answer that is stopped while it reconnects does not reconnect', async (lab, control) => {
    // The wait is long: what connects again does it because of the stop, or against it.
    const options = { ...OPTIONS, retry: { baseMs: 60_000, jitter: 'none' } };
    const sent = await begin(lab, LONG, { options });
    await control.now('cut', { sessionId: sent.sessionId, how: 'rst' });
    await lab.until(sent.key, ({ connection }) => connection.state === 'reconnecting');
    await stop(lab, sent.key);
    const report = await lab.settled(sent.key);
    assertSound(report);
    assert.equal(report.snapshot.status, 'cancelled');
    await assertPrefix(control, report);
    assert.notEqual(report.snapshot.text, '', 'partial text survives');
    assertHistory(report, ['connecting fetch', 'open fetch', 'reconnecting fetch disconnected', 'closed']);
    const { 'ui-stop': stops, 'ui-stream': streams } = await requestsOf(control, sent.sessionId);
    assert.deepEqual({ stops, streams }, { stops: 1, streams: 0 });
  });

  testHere('client.stop() ends whatever runs in a chat, ours or not', async (lab, control) => {
    const sessionId = randomUUID();
    await control.recipe({ sessionId, ...LONG, start: true, protocol: 'ui-message' });
    await stopAll(lab, sessionId);
    assert.deepEqual(await stateOf(control, sessionId), ['cancelled']);
  });
});

describe('retry', { concurrency: 6 }, () => {
  testHere('of an answer that failed: the message is sent anew, under a new id', async (lab, control) => {
    const { key, sessionId } = await send(lab, { ...SHORT, ending: 'error', error: 'out of words' });
    const failed = await lab.settled(key);
    assertSound(failed);
    assert.equal(failed.snapshot.status, 'failed');
    await assertTruth(control, failed);
    assert.notEqual(failed.snapshot.text, '', 'partial text survives');
    await control.recipe({ sessionId, ending: 'done' });
    await retry(lab, key);
    const report = await lab.settled('again');
    assertSound(report);
    assert.equal(report.snapshot.status, 'completed');
    await assertTruth(control, report);
    assert.notEqual(report.snapshot.runId, failed.snapshot.runId);
    assert.deepEqual([await sendsOf(control, sessionId), await stateOf(control, sessionId)], [2, ['error', 'done']]);
  });

  testHere('of an answer that ended unread: the message is sent anew, under a new id', async (lab, control) => {
    const { key, sessionId } = await send(lab, HELD, { options: { ...OPTIONS, ...AWAY } });
    await lab.endUnread(key, sessionId);
    const lost = await lab.settled(key);
    assertSound(lost);
    assert.deepEqual([lost.snapshot.status, lost.snapshot.error.code], ['interrupted', 'run-ended']);
    await assertPrefix(control, lost);
    assert.notEqual(lost.snapshot.text, '', 'partial text survives');
    await control.recipe({ sessionId, holdAt: SHORT.events });
    await retry(lab, key);
    const report = await lab.settled('again');
    assertSound(report);
    assert.equal(report.snapshot.status, 'completed');
    await assertTruth(control, report);
    assert.equal(await sendsOf(control, sessionId), 2);
  });

  testWithCursor('of an answer that was given up: it goes on, and nothing is sent', async (lab, control) => {
    const options = { ...OPTIONS, retry: { baseMs: 20, capMs: 100, giveUpAfterMs: 500 } };
    const faults = [
      { path: 'ui-send', steps: [{ cut: { afterEvents: 60, how: 'rst' } }] },
      { path: 'ui-stream', steps: [{ status: { code: 502 } }], loop: true },
    ];
    const sent = await send(lab, { ...SHORT, events: 600, holdAt: 300 }, { faults, options });
    const lost = await lab.settled(sent.key);
    assertSound(lost);
    assert.deepEqual([lost.snapshot.status, lost.snapshot.error.code], ['interrupted', 'gave-up']);
    assert.notEqual(lost.snapshot.text, '', 'partial text survives');
    await control.clearFaults();
    assert.equal(await retry(lab, sent.key), lost.snapshot.text, 'the text stays on the screen');
    await control.now('goOn', { sessionId: sent.sessionId });
    const report = await lab.settled('again');
    assertSound(report);
    assert.equal(report.snapshot.status, 'completed');
    await assertTruth(control, report);
    await assertSentOnce(control, sent);
  });
});

describe('the ten faults, those that take time', { concurrency: 6 }, () => {
  testWithCursor('E: the server is offline for four seconds', async (lab, control) => {
    // Where nothing is kept it must be running when the network is back.
    const sent = await begin(lab, { ...SLOW, eventsPerSecond: 20, holdAt: 16 }, { options: DEFAULTS, notify: 'sync' });
    await control.now('offline', { ms: 4000 });
    await until(async () => (await requestsOf(control, sent.sessionId))['ui-stream'] > 0, 'the next connection');
    await control.now('goOn', { sessionId: sent.sessionId });
    const report = await lab.settled(sent.key);
    assertSound(report);
    assert.equal(report.snapshot.status, 'completed');
    await assertTruth(control, report);
    // What is lost with the network may be seen before the next attempt is refused.
    assertHistory(report, [
      'connecting fetch', 'open fetch', '?reconnecting fetch disconnected', 'reconnecting fetch connect-failed',
      '?open fetch connect-failed', '?open fetch', 'closed',
    ]);
    await assertSentOnce(control, sent);
  });

  test('F: the default stall limit is 45 s', async () => {
    const lab = await stage.openLab({ clock: true });
    const faults = [{ path: 'ui-send', steps: [{ stall: { afterEvents: 5, heartbeats: false } }] }];
    const sent = await begin(lab, { ...SLOW, heartbeats: false, events: 48 }, { options: DEFAULTS, faults });
    await lab.page.clock.runFor(43_000);
    assert.equal((await lab.snapshot(sent.key)).connection.state, 'open', 'silent for 43 s');
    await lab.page.clock.runFor(4_000);
    const report = await lab.settled(sent.key);
    assertSound(report);
    assertHistory(report, ['connecting fetch', 'open fetch', 'reconnecting fetch stalled', '?open fetch stalled', '?open fetch', 'closed']);
    await assertTruth(stage.control, report);
    await assertSentOnce(stage.control, sent);
    await lab.close();
  });

  testHere('I: heartbeats, then silence: the cadence was learned, and three of it are enough', async (lab, control) => {
    const sessionId = randomUUID();
    await control.recipe({ sessionId, ...SLOW, events: 100, heartbeatMs: 1100 });
    // Both from the start, as in field-faults: when the first ends there is only the second.
    await control.now('stall', { sessionId, heartbeats: true, ms: 7000 });
    await control.now('stall', { sessionId, heartbeats: false });
    await control.recipe({ sessionId, start: true, protocol: 'ui-message' });
    const key = await lab.start({ via: 'open', sessionId, client: { options: { ...DEFAULTS, liveness: { floorMs: 1000 } } } });
    await lab.until(key, ({ connection }) => connection.error?.code === 'stalled');
    await control.now('clear');
    const report = await lab.settled(key);
    assertSound(report);
    // The silence may outlast a reconnection.
    assertHistory(report, ['connecting fetch', 'open fetch', ['reconnecting fetch stalled', '?open fetch stalled'], '?open fetch', 'closed']);
    await assertTruth(control, report);
  });
});
