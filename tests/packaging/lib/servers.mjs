// The two servers of ours: one for what has been built, as plain files; one for the run that every consumer reads.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { allowOrigin } from '../../e2e/support/ai-server.mjs';
import { EVENTS } from '../shared/events.js';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.json': 'application/json', '.wasm': 'application/wasm' };

async function listen(answer) {
  const server = createServer((request, response) => answer(new URL(request.url, 'http://localhost'), request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** `policy`: the page's Content-Security-Policy. */
export const serveFiles = (folder, policy) => listen(async ({ pathname }, request, response) => {
  const file = join(folder, normalize(pathname), pathname.endsWith('/') ? 'index.html' : '');
  try {
    const body = await readFile(file);
    if (policy) response.setHeader('content-security-policy', policy);
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'text/plain' }).end(body);
  } catch {
    response.writeHead(404).end('nothing is here');
  }
});

/** The event log of one run. Whoever asks for the whole of it loses the connection in the middle of an event. */
export const serveFeed = () => listen(({ pathname }, request, response) => {
  allowOrigin(request, response);
  if (request.method === 'OPTIONS') return void response.writeHead(204).end();
  if (pathname.endsWith('/status')) return void response.end('{ "active": true, "runId": "r" }');
  if (!pathname.endsWith('/events')) return void response.writeHead(404).end();
  const cursor = request.headers['last-event-id'];
  const from = cursor ? EVENTS.findIndex((event) => event.startsWith(`id: ${cursor}\n`)) + 1 : 0;
  const body = Buffer.from(EVENTS.slice(from).join(''));
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  if (cursor) response.end(body);
  else response.write(body.subarray(0, body.length / 2 + 5), () => response.destroy());
});
