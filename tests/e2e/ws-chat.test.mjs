// `ws-chat` over all its transports, against a server that really breaks: what a user ends up with, what the badge has shown
// meanwhile, and that a message arrives once.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { testCases } from './support/cases.mjs';
import { assertSentOnce, sendChat } from './support/chat.mjs';
import { Stage } from './support/stage.mjs';
import { assertPrefix, assertSound, assertTruth } from './support/truth.mjs';

let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

const LONG = { events: 400, eventsPerSecond: 200 };
const TRANSPORTS = ['websocket', 'eventsource', 'fetch', 'rest'];

const testOn = (transports, name, play) => transports.forEach((transport) =>
  test(`${name} [${transport}]`, () => stage.withServer((lab) => play(lab, transport))));

/** Presses Retry, and gives the text that is on the screen then. */
const retry = (lab, key) => lab.page.evaluate((of) => {
  lab.observe('again', lab.stream(of).retry());
  return lab.snapshot('again').text;
}, key);

describe('ws-chat', { concurrency: 6 }, () => {
  testCases('ws-chat', () => stage);

  testOn(TRANSPORTS, 'retry() of an answer that failed sends the message anew, under a new id', async (lab, transport) => {
    const { control } = lab.server;
    const { key, sessionId } = await sendChat(lab, { transports: [transport], recipe: { ending: 'error', error: 'out of words' } });
    const failed = await lab.settled(key);
    assert.equal(failed.snapshot.status, 'failed');
    assert.notEqual(failed.snapshot.text, '', 'what came stays (W4-5)');
    await control.recipe({ sessionId, ending: 'done' });
    await retry(lab, key);
    const report = await lab.settled('again');
    await assertTruth(control, report);
    assert.notEqual(report.snapshot.runId, failed.snapshot.runId);
    assert.equal(Object.keys((await control.counters(sessionId)).sends).length, 2, 'two request ids');
  });

  testOn(['websocket'], 'retry() of an answer whose transport was refused goes on where it was', async (lab) => {
    const { control } = lab.server;
    await control.faults({ path: 'ws' }, [{ close: { afterEvents: 60, code: 1008 } }]);
    const sent = await sendChat(lab, { recipe: LONG });
    const lost = await lab.settled(sent.key);
    assertSound(lost);
    assert.equal(lost.snapshot.error.code, 'socket-refused');
    await assertPrefix(control, lost);
    assert.equal(await retry(lab, sent.key), lost.snapshot.text, 'the text stays on the screen');
    const report = await lab.settled('again');
    assertSound(report);
    await assertTruth(control, report);
    await assertSentOnce(control, sent);
  });

  testOn(['websocket'], 'retry() of what a plain server began and lost sends it anew, under a new id', async (lab) => {
    const { control } = lab.server;
    await control.config({ plain: true });
    await control.faults({ path: 'ws' }, [{ cut: { afterEvents: 9, how: 'rst' } }]);
    const { key, sessionId } = await sendChat(lab);
    assert.equal((await lab.settled(key)).snapshot.status, 'interrupted');
    await retry(lab, key);
    const report = await lab.settled('again');
    await assertTruth(control, report);
    assert.equal(Object.keys((await control.counters(sessionId)).sends).length, 2, 'two request ids');
  });

  testOn(TRANSPORTS, 'stop() ends the answer at the server, once, and nothing connects again', async (lab, transport) => {
    const { control } = lab.server;
    const sent = await sendChat(lab, { transports: [transport], recipe: { events: 2000, eventsPerSecond: 200 } });
    await lab.until(sent.key, ({ connection }) => connection.state === 'open');
    await lab.page.evaluate((of) => lab.stream(of).stop(), sent.key);
    const report = await lab.settled(sent.key);
    assertSound(report);
    assert.equal(report.snapshot.status, 'cancelled');
    assert.equal(report.outcomes[0].by, 'user');
    await assertPrefix(control, report);
    const { requests, stops } = await control.counters();
    const { state } = (await control.runs(sent.sessionId))[0];
    assert.deepEqual({ stops, state, sockets: requests.ws }, { stops: 1, state: 'cancelled', sockets: transport === 'websocket' ? 1 : 0 });
    await assertSentOnce(control, sent);
  });

  testOn(['websocket'], 'an answer that its page leaves goes on at the server', async (lab) => {
    const { control } = lab.server;
    const { key, sessionId } = await sendChat(lab, { recipe: LONG });
    await lab.until(key, ({ text }) => text !== '');
    await lab.page.evaluate((of) => lab.stream(of).close(), key);
    const report = await lab.settled(key);
    assert.equal(report.snapshot.error.code, 'aborted');
    const truth = await control.truth(undefined, sessionId);
    assert.equal(truth.terminal, 'done');
    assert.ok(truth.text.startsWith(report.snapshot.text));
  });
});
