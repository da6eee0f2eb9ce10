// Serves the package and the tests' page as files, so that the page imports modules as they are in the package.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };

// Another build of the package may be held against the same tests: a broken one must fail them.
const folders = { pkg: process.env.STEADYSTREAM_PKG ?? 'pkg', page: join('tests', 'browser', 'page') };

/** The file behind `/folder/rest`, or undefined. */
const find = (pathname) => {
  const [, folder, ...rest] = normalize(pathname).split('/');
  return Object.hasOwn(folders, folder) ? join(root, folders[folder], ...rest) : undefined;
};

async function answer(request, response) {
  const { pathname } = new URL(request.url, 'http://localhost');
  if (request.method === 'POST') {
    let length = 0;
    for await (const chunk of request) length += chunk.length;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ length }));
    return;
  }
  try {
    const body = await readFile(find(pathname));
    response.writeHead(200, { 'content-type': TYPES[extname(pathname)] ?? 'text/plain', 'cache-control': 'no-store' });
    response.end(body);
  } catch {
    response.writeHead(404, { 'content-type': 'text/plain' });
    response.end('nothing is here');
  }
}

export async function startServer() {
  const server = createServer(answer);
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => { server.close(resolve); });
    },
  };
}
