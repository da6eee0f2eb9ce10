// Serves one page whose script is bundled from a source file, as an app would be.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { build } from 'esbuild';

const PAGE = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><div id="root"></div><script type="module" src="/page.js"></script>';

/** Starts one on a free port. `entry`: the script's path. */
export async function serveApp(entry) {
  const { outputFiles: [{ contents }] } = await build({
    entryPoints: [entry], bundle: true, format: 'esm', platform: 'browser', target: 'es2022', write: false, logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"development"' },
  });
  const http = createServer(({ url }, response) => {
    const isScript = url === '/page.js';
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' }).end(isScript ? contents : PAGE);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    origin: `http://127.0.0.1:${http.address().port}`,
    stop() {
      http.closeAllConnections();
      http.close();
    },
  };
}
