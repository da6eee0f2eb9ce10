// Outside of a browser: the same class over Node's own fetch. What it does in a browser is held by tests/conformance.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { lives } from '../../pkg/lib/instance.js';
import { ManagedEventSource } from '../../pkg/index.js';

const EVENTS = 3000;
let server;
let url;
const seen = [];

before(async () => {
  server = createServer((request, response) => {
    const cursor = request.headers['last-event-id'];
    seen.push([request.method, cursor, request.headers.authorization]);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const from = Number(cursor ?? 0);
    // A piece ends anywhere, also inside of a character.
    const bytes = Buffer.from(Array.from({ length: EVENTS }, (_, i) => `id: ${from + i + 1}\nevent: é\ndata: 😀 ${from + i + 1}\n\n`).join(''));
    response.write(bytes.subarray(0, 50_001));
    response.end(bytes.subarray(50_001));
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  url = `http://127.0.0.1:${server.address().port}/`;
});

after(() => {
  server.close();
  server.closeAllConnections();
});

test('thousands of events over several connections come once each, in order', async () => {
  let asked = 0;
  const source = new ManagedEventSource(url, { method: 'POST', body: 'x', headers: async () => ({ Authorization: `t${asked += 1}` }), retry: { baseMs: 0 } });
  assert.equal(lives.size, 1);
  let next = 1;
  await new Promise((resolve) => {
    source.addEventListener('é', ({ data, lastEventId, origin }) => {
      assert.deepEqual([data, lastEventId, origin], [`😀 ${next}`, String(next), url.slice(0, -1)]);
      next += 1;
      if (next > 2.5 * EVENTS) resolve(source.close());
    });
  });
  assert.deepEqual(seen, [['POST', undefined, 't1'], ['POST', '3000', 't2'], ['POST', '6000', 't3']]);
  assert.deepEqual([source.readyState, lives.size], [2, 0]);
});
