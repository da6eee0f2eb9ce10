// Where a page may be: under a Content-Security-Policy, on another origin than its server, before a server that restarts
// without its memory.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { QUICK } from './support/lab.mjs';
import { Stage } from './support/stage.mjs';
import { assertPrefix, assertSound, assertTruth } from './support/truth.mjs';

let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

const withCsp = (policy) => `?csp=${encodeURIComponent(policy)}`;

/** A run under way on a server that nobody else needs. */
async function streamFromOwnServer(transport) {
  const server = await stage.addServer();
  const lab = await stage.openLab({ server });
  const { key } = await lab.begin(server.control, { events: 400, eventsPerSecond: 100 }, { transport, options: QUICK });
  await lab.until(key, ({ text }) => text.length > 40);
  return { server, lab, key };
}

describe('pages', { concurrency: 4 }, () => {
  test("a policy with 'wasm-unsafe-eval' is enough", async () => {
    const lab = await stage.openLab({ query: withCsp("script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'") });
    const sessionId = randomUUID();
    await stage.control.recipe({ sessionId, events: 40, eventsPerSecond: 0 });
    const report = await lab.settled(await lab.start({ sessionId }));
    assertSound(report);
    await assertTruth(stage.control, report);
    await lab.clear();
    await lab.close();
  });

  test('a policy without it is named, together with what would help', async () => {
    const lab = await stage.openLab({ query: withCsp("script-src 'self'") });
    const error = await lab.page.evaluate(() => {
      try {
        lab.client().send('s', 'Hello');
        return null;
      } catch ({ code, message }) {
        return { code, message };
      }
    });
    assert.equal(error?.code, 'wasm-blocked');
    assert.match(error.message, /'wasm-unsafe-eval'/);
    await lab.close();
  });

  for (const transport of ['fetch', 'eventsource']) {
    test(`a server of another origin is followed through cuts and refusals [${transport}]`, async () => {
      const lab = await stage.openLab({ origin: stage.server.controlOrigin });
      const sessionId = randomUUID();
      await stage.control.recipe({ sessionId, events: 100, eventsPerSecond: 100 });
      await stage.control.faults({ sessionId, path: 'events' }, [
        { cut: { afterEvents: 20, how: 'rst' } }, { status: { code: 503, retryAfter: 1 } }, { status: { code: 503, retryAfter: 1 } },
      ]);
      const options = { transports: [transport], baseUrl: `${stage.server.app}/bi-chat` };
      const report = await lab.settled(await lab.start({ sessionId, requestId: randomUUID(), client: { options } }));
      assertSound(report);
      await assertTruth(stage.control, report);
      const refused = report.connections.find(({ status }) => status === 503);
      assert.ok(refused?.waitMs > 800, 'Retry-After can be read across origins, where the server exposes it');
      await lab.clear();
      await lab.close();
    });

    test(`a server that restarts without its log: interrupted as run-ended, and what came is kept [${transport}]`, async () => {
      const { server, lab, key } = await streamFromOwnServer(transport);
      await server.control.now('restart', { keepLog: false, ms: 100 });
      const report = await lab.settled(key);
      assertSound(report);
      assert.equal(report.snapshot.status, 'interrupted');
      assert.equal(report.snapshot.error.code, 'run-ended');
      assert.ok(report.snapshot.text.length > 40);
      await assertPrefix(server.control, report);
      await lab.clear();
      await lab.close();
    });

    test(`a server that restarts and gives up what ran: failed in its own words, and what came is kept [${transport}]`, async () => {
      const { server, lab, key } = await streamFromOwnServer(transport);
      await server.control.now('restart', { keepLog: true, reap: true, ms: 100 });
      const report = await lab.settled(key);
      assertSound(report);
      assert.equal(report.snapshot.status, 'failed');
      assert.equal(report.snapshot.error.detail, 'generation failed: worker stopped heartbeating');
      await assertTruth(server.control, report);
      await lab.clear();
      await lab.close();
    });
  }

  test('the default options are enough for a whole run through a cut', async () => {
    const lab = await stage.openLab();
    const sessionId = randomUUID();
    await stage.control.recipe({ sessionId, events: 60, eventsPerSecond: 60 });
    await stage.control.faults({ sessionId, path: 'events' }, [{ cut: { afterEvents: 20, how: 'drop' } }]);
    await lab.page.evaluate((id) => {
      const { RunClient } = lab.steadystream;
      const client = new RunClient({ baseUrl: '/bi-chat' });
      lab.clients.set('defaults', client);
      lab.observe('run', client.send(id, 'Hello'));
    }, sessionId);
    const report = await lab.settled('run');
    assertSound(report);
    await assertTruth(stage.control, report);
    assert.equal((await stage.control.requests(sessionId))[0].requestId?.length, 36, 'a request id is minted (B-SEND-1)');
    await lab.clear();
    await lab.close();
  });
});
