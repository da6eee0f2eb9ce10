// What run-server says in `ui-message` is what the AI SDK's client understands, and its truth is what that client's reducer makes
// of it: a Rust fold and the original, over the same wire.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { ask, fold, resume } from './support/ai-client.mjs';
import { startServer } from './support/server.mjs';

let server;
before(async () => { server = await startServer(); });
after(() => server?.stop());

const RICH = { toolCalls: 11, interrupt: true, events: 500, eventsPerSecond: 0 };

/** An answer of this recipe as the SDK has it, and what run-server says is true of it. */
async function both(recipe, onChunk) {
  const chatId = randomUUID();
  await server.control.recipe({ sessionId: chatId, ...recipe });
  const folded = await fold(await ask(`${server.app}/api/chat`, chatId), (chunk) => onChunk?.(chunk, chatId));
  return { ...folded, truth: await server.control.truth(null, chatId) };
}

function assertSame({ message, error, truth }) {
  assert.deepEqual(message.parts, truth.parts);
  assert.equal(message.id, truth.messageId);
  assert.deepEqual(message.metadata, truth.metadata ?? {});
  assert.equal(error ?? null, truth.error);
  assert.equal(message.parts.filter(({ type }) => type === 'text').map(({ text }) => text).join(''), truth.text);
}

describe('the truth of ui-message', { concurrency: 4 }, () => {
  test('whatever the seed and the recipe', async () => {
    for (let seed = 1; seed <= 24; seed++) {
      const json = ['plain', 'html', 'ascii'][seed % 3];
      const result = await both({ ...RICH, seed, json, splitSurrogates: seed % 2 === 0, toolCalls: seed % 13, reasoning: seed % 5 > 0 });
      assertSame(result);
      assert.equal(result.truth.terminal, 'done');
    }
  });

  test('however few its chunks', async () => {
    for (let events = 2; events <= 40; events++) assertSame(await both({ ...RICH, seed: events, events }));
  });

  test('however it ends', async () => {
    const terminals = { done: 'done', cancelled: 'cancelled', error: 'error', failed: 'error' };
    for (const [ending, terminal] of Object.entries(terminals)) {
      const result = await both({ ...RICH, ending, error: 'no model ☁️' });
      assertSame(result);
      assert.equal(result.truth.terminal, terminal);
    }
  });

  test('wherever it is stopped, in the middle of the input of a tool too', async () => {
    // So many calls that there is little text between them; it waits for its stop.
    const recipe = { toolCalls: 200, events: 4000, eventsPerSecond: 0, reasoning: false };
    const states = new Set();
    for (let chunks = 4; chunks <= 44; chunks += 2) {
      let left = chunks;
      let stopped;
      const result = await both({ ...recipe, seed: chunks, holdAt: chunks }, (_, chatId) => {
        if (--left === 0) stopped = fetch(`${server.app}/api/chat/${chatId}/stop`, { method: 'POST' });
      });
      assert.equal((await stopped).status, 204);
      assertSame(result);
      assert.equal(result.truth.terminal, 'cancelled');
      for (const { state } of result.message.parts) states.add(state);
    }
    assert.ok(states.has('input-streaming'), 'none was stopped in the middle of an input');
  });

  test('and the same when the answer is taken up again', async () => {
    const chatId = randomUUID();
    const api = `${server.app}/api/chat`;
    await server.control.recipe({ sessionId: chatId, ...RICH, events: 300, holdAt: 50 });
    const first = (await ask(api, chatId)).getReader();
    await first.read();
    await first.cancel();
    const again = await resume(api, chatId);
    await server.control.now('goOn', { sessionId: chatId });
    const folded = await fold(again);
    assertSame({ ...folded, truth: await server.control.truth(null, chatId) });
    assert.equal(await resume(api, chatId), null);
  });
});
