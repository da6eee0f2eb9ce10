// The page, its scripts and the runs, isolated from other origins: only then does the page's clock tick in 5 us.
import { createServer } from 'node:http';
import { createUiRun } from './lib/ui-wire.js';
import { createRun } from './lib/wire.js';

const ISOLATED = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cache-control': 'no-store',
};
const page = (script) => `<!doctype html><meta charset="utf-8"><title>bench</title><link rel="icon" href="data:,">${script}`;

// What a client asks below it is its own affair: the answer is that run.
const RUN = /^\/runs\/(bichat|ui-message)\/(\d+)(\/|$)/;
const MAKE = { bichat: createRun, 'ui-message': createUiRun };

/** Serves on a free port of 127.0.0.1. `scripts`: path -> contents; `/bench.js` is the page's own. */
export const serve = async (scripts) => {
  const runs = new Map();
  const runOf = ([, protocol, events]) => {
    const key = `${protocol} ${events}`;
    if (!runs.has(key)) runs.set(key, Buffer.from(MAKE[protocol]({ events: Number(events) }).bytes));
    return runs.get(key);
  };
  const answerTo = (path) => {
    if (path === '/') return ['text/html', page('<script type="module" src="/bench.js"></script>')];
    if (path === '/empty') return ['text/html', page('')];
    if (Object.hasOwn(scripts, path)) return ['text/javascript', scripts[path]];
    const run = RUN.exec(path);
    return run ? ['text/event-stream', runOf(run)] : undefined;
  };
  const server = createServer((request, response) => {
    const answer = answerTo(new URL(request.url, 'http://bench').pathname);
    response.writeHead(answer ? 200 : 404, { ...ISOLATED, 'content-type': answer?.[0] ?? 'text/plain' });
    response.end(answer?.[1]);
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close: () => { server.close(); server.closeAllConnections(); },
  };
};
