// The peer of the cases: two origins that answer as a request's own URL tells them to, and the pages that the cases run in.
// A scripted URL is /s/NAME?SCRIPT: the script is a list of responses, one for each request that comes for NAME.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { play } from './answer.mjs';
import { Journal } from './journal.mjs';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };
const FOLDERS = {
  '/suite/': new URL('./', import.meta.url),
  // Another build of the package may be held against the same cases.
  '/pkg/': new URL(`../../../${process.env.STEADYSTREAM_PKG ?? 'pkg'}/`, import.meta.url),
};

/** `ports`: of the pages' own origin and of another one; hosts are every name under localhost. */
export async function startFixture() {
  const journal = new Journal();
  const servers = await Promise.all([listen(journal), listen(journal)]);
  return {
    journal,
    ports: servers.map((server) => server.address().port),
    close() {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

async function listen(journal) {
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url, 'http://localhost');
    const answer = pathname.startsWith('/s/') ? script(journal, pathname, search, request, response) : file(pathname, response);
    answer.catch((error) => response.destroy(error));
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return server;
}

async function script(journal, pathname, search, request, response) {
  const name = pathname.slice('/s/'.length);
  const { responses, preflight } = JSON.parse(Buffer.from(search.slice(1), 'base64url'));
  const hasBody = request.method !== 'GET' && request.method !== 'OPTIONS';
  const { index, hasLeft } = journal.enter(name, request, hasBody ? await text(request) : undefined);
  if (request.method === 'OPTIONS') {
    response.writeHead(preflight ? 204 : 403, { connection: 'close', ...preflight });
    response.end();
    return;
  }
  // Whoever asks more often than the script foresees is told to go away; the journal shows that he asked.
  const answer = journal.isOver(name) ? undefined : responses[index];
  await play(answer ?? { status: 204 }, response, { hasLeft, gate: (gate) => journal.gate(name, gate) });
}

async function file(pathname, response) {
  const path = pathname === '/' ? '/suite/page/index.html' : pathname;
  const prefix = Object.keys(FOLDERS).find((folder) => path.startsWith(folder));
  try {
    const body = await readFile(fileURLToPath(new URL(path.slice(prefix.length), FOLDERS[prefix])));
    // A connection that was used before is tried again by the browser itself when it is cut, unseen by the page.
    response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'text/plain', connection: 'close' });
    response.end(body);
  } catch {
    response.writeHead(404, { connection: 'close' });
    response.end();
  }
}
