// The socket that all answers of a client share: who rides on it, who the client is, and whether the other end lives.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertHistory } from './support/history.mjs';
import { assertSentOnce, chatOptions, sendChat, socketsOf } from './support/chat.mjs';
import { QUICK } from './support/lab.mjs';
import { Stage } from './support/stage.mjs';
import { assertPrefix, assertSound, assertTruth } from './support/truth.mjs';
import { until } from './support/until.mjs';

let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

// Waits in its middle until assertAllTrue() wants its end.
const LONG = { events: 300, eventsPerSecond: 200, holdAt: 200 };
const NAME = 'shared';

const testAlone = (name, play) => test(name, () => stage.withServer((lab) => play(lab, lab.server.control)));

/** A badge is that of all answers of its client, and each message is on its way for a moment. */
const BEGUN = ['connecting websocket', 'open websocket'];
const CUT = ['reconnecting websocket disconnected', 'open websocket disconnected', 'open websocket'];

async function assertAllTrue(lab, control, all, shown = [BEGUN, 'closed']) {
  // A message that is still on its way has no answer yet that could go on.
  for (const { sessionId } of all) await until(async () => (await control.runs(sessionId)).length > 0, 'an answer');
  await control.now('goOn');
  for (const sent of all) {
    const report = await lab.settled(sent.key);
    assertSound(report);
    await assertTruth(control, report);
    await assertSentOnce(control, sent);
  }
  for (const { key } of all) assertHistory(await lab.report(key), shown);
}

const inTurn = async (count, make) => {
  const all = [];
  for (let i = 0; i < count; i += 1) all.push(await make(i));
  return all;
};

/** A client whose tokens come from the page, one after the other: what a test cannot pass as an option. */
const clientWithTokens = (lab, { tokens, options = {} }) => lab.page.evaluate(([list, name, given]) => {
  window.asked = 0;
  const headers = async () => {
    // The last token is the answer from then on.
    const token = list[Math.min(window.asked, list.length - 1)];
    window.asked += 1;
    return { Authorization: `Bearer ${token}` };
  };
  lab.client({ name, options: { ...given, headers } });
}, [tokens, NAME, { ...QUICK, ...chatOptions(['websocket'], options) }]);

describe('one socket', { concurrency: 5 }, () => {
  testAlone('carries several answers, and after a loss each goes on after its own cursor', async (lab, control) => {
    const all = await inTurn(4, (i) => sendChat(lab, { name: NAME, recipe: { ...LONG, events: 300 + i } }));
    for (const { key } of all) await lab.until(key, ({ text }) => text.length > 40);
    await control.now('cut', { how: 'rst' });
    await assertAllTrue(lab, control, all, [BEGUN, ...CUT, 'closed']);
    const sockets = await socketsOf(control);
    assert.deepEqual(sockets.map(({ frames }) => frames), [Array(4).fill('send'), Array(4).fill('resume')]);
    // Nothing that was held is asked for again: both sockets together brought each event once, but for what was on its way.
    const sent = sockets.reduce((sum, { events }) => sum + events, 0);
    assert.ok(sent <= 1206 + 40, `${sent} events for 1206`);
  });

  testAlone('carries the next message, too', async (lab, control) => {
    const all = await inTurn(3, async () => {
      const sent = await sendChat(lab, { name: NAME });
      await lab.settled(sent.key);
      return sent;
    });
    await assertAllTrue(lab, control, all, [[...BEGUN, 'closed']]);
    assert.deepEqual((await socketsOf(control)).map(({ frames }) => frames), [['send', 'send', 'send']]);
  });

  testAlone('is told who leaves an answer that goes on', async (lab, control) => {
    const [left, stays] = await inTurn(2, () => sendChat(lab, { name: NAME, recipe: LONG }));
    await lab.until(left.key, ({ text }) => text !== '');
    await lab.page.evaluate((of) => lab.stream(of).close(), left.key);
    await assertAllTrue(lab, control, [stays]);
    assert.deepEqual((await socketsOf(control)).map(({ frames }) => frames), [['send', 'send', 'leave']]);
  });

  testAlone('brings every client its own: two clients of a page have two', async (lab, control) => {
    const all = await inTurn(2, (i) => sendChat(lab, { name: `client ${i}`, recipe: LONG }));
    await assertAllTrue(lab, control, all, [...BEGUN, 'closed']);
    assert.equal((await socketsOf(control)).length, 2);
  });

  for (const websocketAuth of ['frame', 'subprotocol']) {
    testAlone(`says who the client is by its ${websocketAuth}, and never in a URL`, async (lab, control) => {
      const token = 'secret/+~?>';
      await control.config({ auth: { tokens: [token] } });
      await clientWithTokens(lab, { tokens: [token], options: { websocketAuth } });
      const sent = await sendChat(lab, { name: NAME });
      await assertAllTrue(lab, control, [sent]);
      const [socket] = await socketsOf(control);
      assert.equal(socket.token, token);
      assert.deepEqual(socket.frames, websocketAuth === 'frame' ? ['auth', 'send'] : ['send']);
      assert.equal(socket.protocols[0], websocketAuth === 'frame' ? undefined : 'ws-chat.v1');
      const urls = await lab.page.evaluate(() => machinery.urls);
      assert.ok(urls.length > 0 && urls.every((url) => !url.includes('secret')), String(urls));
    });

    testAlone(`that refuses the token (4401, by ${websocketAuth}) gets a fresh one, once, and the message once`, async (lab, control) => {
      await control.config({ auth: { tokens: ['fresh'] } });
      await clientWithTokens(lab, { tokens: ['stale', 'fresh'], options: { websocketAuth } });
      const sent = await sendChat(lab, { name: NAME, notify: 'sync' });
      await assertAllTrue(lab, control, [sent]);
      assert.deepEqual((await socketsOf(control)).map(({ token }) => token), ['stale', 'fresh']);
      assert.equal(await lab.page.evaluate(() => window.asked), 2);
    });
  }

  testAlone('that refuses the fresh token as well is not asked a third time', async (lab, control) => {
    await control.config({ auth: { tokens: ['another'] } });
    await clientWithTokens(lab, { tokens: ['stale', 'staler', 'stalest'] });
    const { key, sessionId } = await sendChat(lab, { name: NAME });
    const report = await lab.settled(key);
    assertSound(report);
    const { status, error } = report.snapshot;
    assert.deepEqual([status, error.code, error.status], ['failed', 'unauthorized', 401]);
    assertHistory(report, ['connecting websocket', 'failed websocket unauthorized']);
    assert.deepEqual((await socketsOf(control)).map(({ token }) => token), ['stale', 'staler']);
    assert.equal((await control.counters(sessionId)).runsStarted, 0);
  });

  testAlone('asks for a token once, however many answers wait for it', async (lab, control) => {
    await control.config({ auth: { tokens: ['t1', 't2'] } });
    await clientWithTokens(lab, { tokens: ['t1', 't2'] });
    const all = await inTurn(3, () => sendChat(lab, { name: NAME, recipe: LONG }));
    for (const { key } of all) await lab.until(key, ({ text }) => text !== '');
    await control.now('cut', { how: 'rst' });
    await assertAllTrue(lab, control, all, [BEGUN, ...CUT, 'closed']);
    assert.deepEqual((await socketsOf(control)).map(({ token }) => token), ['t1', 't2'], 'a new one for each attempt (FIELD 1.3)');
    assert.equal(await lab.page.evaluate(() => window.asked), 2);
  });

  test('is pinged when it is quiet, and its latency is shown', async () => {
    const server = await stage.addServer();
    const lab = await stage.openLab({ server, clock: true });
    await server.control.now('stall', { heartbeats: true });
    const { key } = await sendChat(lab, { name: NAME });
    await until(async () => (await socketsOf(server.control))[0]?.frames.includes('send'), 'the send');
    await lab.page.clock.runFor(31_000);
    await until(async () => (await socketsOf(server.control))[0].frames.includes('ping'), 'a ping');
    await server.control.now('clear');
    await lab.until(key, ({ connection }) => connection.latency !== null);
    const report = await lab.settled(key);
    assertSound(report);
    await assertTruth(server.control, report);
    assert.equal((await socketsOf(server.control)).length, 1, 'a quiet socket is no lost one');
    assertHistory(report, [...BEGUN, 'closed']);
    await lab.close();
  });

  test('that is half-open is found out by a ping, and the answer goes on over a new one', async () => {
    const server = await stage.addServer();
    const lab = await stage.openLab({ server, clock: true });
    await server.control.faults({ path: 'ws' }, [{ stall: { afterEvents: 5, heartbeats: false } }]);
    const sent = await sendChat(lab, { name: NAME, notify: 'sync' });
    await lab.until(sent.key, ({ text }) => text !== '');
    await lab.page.clock.runFor(29_000);
    assert.equal((await lab.snapshot(sent.key)).connection.state, 'open', 'silent for 29 s');
    await lab.page.clock.runFor(13_000);
    const report = await lab.settled(sent.key);
    assertSound(report);
    await assertTruth(server.control, report);
    await assertSentOnce(server.control, sent);
    // On a slow machine the page's clock runs on meanwhile, and there is another ping.
    const [half, whole] = (await socketsOf(server.control)).map(({ frames }) => [...new Set(frames)]);
    assert.deepEqual([half, whole[0]], [['send', 'ping'], 'resume']);
    assertHistory(report, [...BEGUN, ...CUT, 'closed']);
    await lab.close();
  });

  test('is closed when nobody has needed it for a while', async () => {
    const server = await stage.addServer();
    const lab = await stage.openLab({ server, clock: true });
    const { key } = await sendChat(lab, { name: NAME });
    await lab.settled(key);
    assert.equal((await server.control.counters()).openSockets.now, 1);
    await lab.page.clock.runFor(31_000);
    await until(async () => (await server.control.counters()).openSockets.now === 0, 'the socket to be closed');
    assert.equal((await socketsOf(server.control))[0].close.by, 'client');
    await lab.close();
  });
});
