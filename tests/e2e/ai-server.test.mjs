// The server made of the AI SDK's helpers does what the SDK's own client expects, and breaks where it is told to.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ask, fold, resume } from './support/ai-client.mjs';
import { startAiServer } from './support/ai-server.mjs';

const body = (id) => JSON.stringify({ id, messages: [{ id: 'u-1', role: 'user', parts: [{ type: 'text', text: 'why?' }] }] });
const post = (server, id) => fetch(server.api, { method: 'POST', body: body(id) });

/** The bytes of a response as far as they come, and what ended it too early. */
async function read(response) {
  const pieces = [];
  try {
    for await (const piece of response.body) pieces.push(piece);
  } catch (error) {
    return { bytes: Buffer.concat(pieces), error };
  }
  return { bytes: Buffer.concat(pieces) };
}

describe('the AI SDK server', () => {
  let server;
  beforeEach(async () => { server = await startAiServer({ paceMs: 1 }); });
  afterEach(() => server.stop());

  test("its answers are what the SDK's client makes of them", async () => {
    const chatId = randomUUID();
    const kinds = new Set();
    const { message, error } = await fold(await ask(server.api, chatId), ({ type }) => kinds.add(type));
    assert.equal(error, undefined);
    const { parts, metadata } = await server.message(chatId);
    assert.deepEqual(message.parts, JSON.parse(JSON.stringify(parts)));
    assert.deepEqual(message.metadata, metadata);
    assert.ok(message.parts.at(-1).text.startsWith('You asked: why?\n'));
    assert.deepEqual(message.parts.find(({ type }) => type === 'tool-lookup').output, { rows: ['a', 'b'], percent: 100 });
    assert.ok(kinds.has('data-notice') && !message.parts.some(({ type }) => type === 'data-notice'), 'transient data is in no message');
  });

  test('an answer that runs is replayed from its first chunk and goes on, one that is over is 204', async () => {
    const chatId = randomUUID();
    const first = (await ask(server.api, chatId)).getReader();
    await first.read();
    await first.cancel();
    const { message } = await fold(await resume(server.api, chatId));
    assert.deepEqual(message.parts, JSON.parse(JSON.stringify((await server.message(chatId)).parts)));
    assert.equal(await resume(server.api, chatId), null);
    assert.equal(await resume(server.api, 'never-asked'), null);
    assert.deepEqual(server.requests.map(({ method, status }) => [method, status]), [['POST', 200], ['GET', 200], ['GET', 204], ['GET', 204]]);
  });

  test('a cut destroys the socket behind exactly so many bytes, and the answer goes on', async () => {
    const chatId = randomUUID();
    server.cut(0, 300, 1000);
    const none = await read(await post(server, randomUUID()));
    assert.deepEqual([none.bytes.length, none.error?.name], [0, 'TypeError']);
    const some = await read(await post(server, chatId));
    assert.deepEqual([some.bytes.length, some.error?.name], [300, 'TypeError']);
    const more = await read(await fetch(`${server.api}/${chatId}/stream`));
    assert.deepEqual([more.bytes.length, more.error?.name], [1000, 'TypeError']);
    assert.deepEqual(more.bytes.subarray(0, 300), some.bytes);
    const { bytes, error } = await read(await fetch(`${server.api}/${chatId}/stream`));
    assert.equal(error, undefined);
    assert.deepEqual(bytes.subarray(0, 1000), more.bytes);
    assert.ok(bytes.toString().endsWith('data: [DONE]\n\n'));
  });

  test('an end looks like all there is, behind exactly so many bytes', async () => {
    const chatId = randomUUID();
    server.end(300, 0);
    const some = await read(await post(server, chatId));
    assert.deepEqual([some.bytes.length, some.error], [300, undefined]);
    const none = await read(await fetch(`${server.api}/${chatId}/stream`));
    assert.deepEqual([none.bytes.length, none.error], [0, undefined]);
    const { bytes } = await read(await fetch(`${server.api}/${chatId}/stream`));
    assert.deepEqual(bytes.subarray(0, 300), some.bytes);
    assert.ok(bytes.toString().endsWith('data: [DONE]\n\n'));
  });

  test('a page of another origin may use it', async () => {
    const asked = { Origin: 'http://a.example', 'Access-Control-Request-Headers': 'content-type' };
    const preflight = await fetch(server.api, { method: 'OPTIONS', headers: asked });
    assert.equal(preflight.headers.get('access-control-allow-headers'), 'content-type');
    const response = await fetch(server.api, { method: 'POST', headers: asked, body: body(randomUUID()) });
    assert.equal(response.headers.get('access-control-allow-origin'), 'http://a.example');
    assert.equal(response.headers.get('x-vercel-ai-ui-message-stream'), 'v1');
    await response.body.cancel();
  });

  test('a server that is stopped leaves nobody waiting', async () => {
    const other = await startAiServer({ paceMs: 60_000 });
    const reply = await post(other, randomUUID());
    await other.stop();
    assert.equal((await read(reply)).error?.name, 'TypeError');
    await assert.rejects(post(other, randomUUID()));
  });
});
