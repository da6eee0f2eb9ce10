// What each entry adds to a page that uses it, minified and compressed, beside the peers.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));

const bundled = async (contents) => {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'error',
  });
  return outputFiles[0].contents;
};

const weigh = (bytes) => ({
  raw: bytes.length,
  gzip: gzipSync(bytes, { level: 9 }).length,
  brotli: brotliCompressSync(bytes).length,
});

export const measureSizes = async () => {
  const row = async (name, code) => ({ name, ...weigh(await bundled(code)) });
  return [
    await row('steadystream, default entry', "export * from './pkg/index.js';"),
    await row('steadystream/url, JS alone', "export * from './pkg/url.js';"),
    { name: 'engine_bg.wasm alone', ...weigh(readFileSync(`${root}pkg/wasm/engine_bg.wasm`)) },
    await row('eventsource-parser', "export { createParser } from 'eventsource-parser';"),
    await row('fetch-event-source', "export { fetchEventSource } from '@microsoft/fetch-event-source';"),
  ];
};
