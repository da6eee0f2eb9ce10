// The page and its one script, isolated from other origins: only then does the page's clock tick in 5 us.
import { createServer } from 'node:http';

const ISOLATED = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cache-control': 'no-store',
};
const PAGE = '<!doctype html><meta charset="utf-8"><title>bench</title><link rel="icon" href="data:,"><script type="module" src="/bench.js"></script>';

/** Serves on a free port of 127.0.0.1. */
export const serve = async (script) => {
  const server = createServer((request, response) => {
    const answer = { '/': ['text/html', PAGE], '/bench.js': ['text/javascript', script] }[request.url];
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
