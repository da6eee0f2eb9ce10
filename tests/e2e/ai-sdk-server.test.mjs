// Our client and a server of the AI SDK's own helpers, of another origin than the page: through cuts anywhere in the answer, the
// message is the one that the SDK's reducer makes of it without any.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { ask, fold } from './support/ai-client.mjs';
import { startAiServer } from './support/ai-server.mjs';
import { assertHistory, historyOf } from './support/history.mjs';
import { AWAY } from './support/lab.mjs';
import { Chance } from './support/schedule.mjs';
import { Stage } from './support/stage.mjs';
import { assertMessage, assertSound } from './support/truth.mjs';

const QUESTION = 'why? 何故';
/** An answer comes chunk by chunk, each from the test's own process: a machine with much to do takes its time. */
const PATIENCE = 60_000;
const LOST = ['reconnecting fetch disconnected', '?open fetch disconnected', '?open fetch'];

let stage;
/** What the SDK's own client has of the answer, and how many bytes that is. */
let truth;
before(async () => {
  stage = await Stage.open();
  const server = await startAiServer({ paceMs: 0 });
  const { message } = await fold(await ask(server.api, randomUUID(), QUESTION));
  const response = await fetch(server.api, {
    method: 'POST',
    body: JSON.stringify({ id: randomUUID(), messages: [{ id: 'u-1', role: 'user', parts: [{ type: 'text', text: QUESTION }] }] }),
  });
  truth = { ...message, bytes: (await response.arrayBuffer()).byteLength };
  await server.stop();
});
after(() => stage?.close());

/** A page, and a server that nobody else has. */
const testHere = (name, play, paceMs = 1) => test(name, () => stage.withLab(async (lab) => {
  const server = await startAiServer({ paceMs });
  server.lingerMs = 50;
  try {
    await play(lab, server, { baseUrl: server.api, protocol: 'ui-message' });
  } finally {
    await server.stop();
  }
}));

async function send(lab, options, message = QUESTION) {
  const sessionId = randomUUID();
  const key = await lab.start({ sessionId, message, notify: 'sync', client: { name: sessionId, options } });
  return { key, sessionId };
}

const asked = ({ requests }) => requests.filter(({ method }) => method !== 'OPTIONS').map(({ method, status }) => [method, status]);

/** Answers with no end before somebody can read it: what has ended is not there any more. The latest place to cut them. */
function hold(server) {
  server.holdAt = 150;
  return Math.floor(truth.bytes / 2);
}

/** All of the answer; its id is another one each time. */
async function assertWhole(server, { snapshot }) {
  assert.equal(snapshot.status, 'completed');
  const { id: messageId } = await server.message(snapshot.sessionId);
  assertMessage(snapshot, { ...truth, messageId });
}

describe('a server of the AI SDK', { concurrency: 4 }, () => {
  const OBJECT = { messages: [{ id: 'u-1', role: 'user', parts: [{ type: 'text', text: 'why? ' }, { type: 'text', text: '何故' }] }] };
  for (const message of [QUESTION, OBJECT]) {
    testHere(`reads a message that is ${typeof message === 'string' ? 'text' : 'an object'}`, async (lab, server, options) => {
      const { key } = await send(lab, options, message);
      const report = await lab.settled(key, PATIENCE);
      assertSound(report);
      await assertWhole(server, report);
      assertHistory(report, ['connecting fetch', 'open fetch', 'closed']);
      assert.deepEqual(asked(server), [['POST', 200]]);
    });
  }

  for (const how of ['cut', 'end']) {
    testHere(`loses nothing, whatever byte its stream ${how === 'cut' ? 'breaks behind' : 'ends with'}`, async (lab, server, options) => {
      const chance = new Chance(how.length + 17);
      const latest = hold(server);
      const places = Array.from({ length: 10 }, (_, i) => [0, 1, 5, 6, 7][i] ?? chance.between(8, latest));
      for (const place of places) {
        server.requests.length = 0;
        server[how](place);
        const { key } = await send(lab, options);
        const report = await lab.settled(key, PATIENCE);
        assertSound(report);
        await assertWhole(server, report);
        assertHistory(report, ['connecting fetch', '?open fetch', ...LOST, 'closed']);
        assert.deepEqual(asked(server), [['POST', 200], ['GET', 200]], `behind ${place}`);
      }
    });

    testHere(`loses nothing, however often its stream ${how === 'cut' ? 'breaks' : 'ends'}`, async (lab, server, options) => {
      const chance = new Chance(how.length);
      const latest = hold(server);
      for (let round = 0; round < 3; round += 1) {
        server.requests.length = 0;
        const places = Array.from({ length: 6 }, () => chance.between(0, latest));
        server[how](...places);
        const { key } = await send(lab, options);
        const report = await lab.settled(key, PATIENCE);
        assertSound(report);
        await assertWhole(server, report);
        assertHistory(report, historyOf(report.trace));
        assert.deepEqual(asked(server), [['POST', 200], ...places.map(() => ['GET', 200])], `behind ${places}`);
      }
    });
  }

  testHere('has said all of it with its last chunk, [DONE] or not', async (lab, server, options) => {
    const DONE = 'data: [DONE]\n\n'.length;
    for (const missing of [1, DONE - 1, DONE]) {
      server.requests.length = 0;
      server.cut(truth.bytes - missing);
      const { key } = await send(lab, options);
      const report = await lab.settled(key, PATIENCE);
      assertSound(report);
      await assertWhole(server, report);
      assert.deepEqual(asked(server), [['POST', 200]], `${missing} bytes missing`);
    }
  });

  testHere('that has forgotten an answer has the user told, who keeps what there is', async (lab, server, options) => {
    hold(server);
    server.cut(truth.bytes - 100);
    const { key, sessionId } = await send(lab, { ...options, ...AWAY });
    await lab.until(key, ({ text }) => text.length > 100);
    server.goOn(sessionId);
    await lab.until(key, ({ connection }) => connection.state === 'reconnecting');
    await server.message(sessionId);
    await lab.comeBack();
    const report = await lab.settled(key, PATIENCE);
    assertSound(report);
    assert.deepEqual([report.snapshot.status, report.snapshot.error.code, report.snapshot.error.status], ['interrupted', 'run-ended', 204]);
    assert.ok(report.snapshot.text.length > 100 && truth.parts.at(-1).text.startsWith(report.snapshot.text));
    assertHistory(report, ['connecting fetch', 'open fetch', 'reconnecting fetch disconnected', '?reconnecting fetch http-status', 'failed fetch run-ended']);
    assert.deepEqual(asked(server), [['POST', 200], ['GET', 204]]);
    assert.equal(await lab.start({ via: 'resume', sessionId, client: { options } }), null);
  });

  testHere('has what runs for a page that is loaded anew', async (lab, server, options) => {
    const { key, sessionId } = await send(lab, options);
    await lab.until(key, ({ parts }) => parts.length > 2);
    await lab.reload();
    const resumed = await lab.start({ via: 'resume', sessionId, client: { options } });
    server.paceMs = 0;
    const report = await lab.settled(resumed, PATIENCE);
    assertSound(report);
    await assertWhole(server, report);
  }, 40);

  testHere('knows of no stops: what the user stops is over here, and goes on there', async (lab, server, options) => {
    const { key, sessionId } = await send(lab, options);
    await lab.until(key, ({ text }) => text !== '');
    await lab.page.evaluate((of) => lab.stream(of).stop(), key);
    const report = await lab.settled(key, PATIENCE);
    assertSound(report);
    assert.deepEqual([report.snapshot.status, report.outcomes[0].by], ['cancelled', 'user']);
    assert.ok(truth.parts.at(-1).text.startsWith(report.snapshot.text) && report.snapshot.text !== '');
    server.paceMs = 0;
    assert.deepEqual(asked(server), [['POST', 200], ['POST', 404]]);
    assert.equal((await server.message(sessionId)).parts.at(-1).text, truth.parts.at(-1).text);
  }, 40);
});
