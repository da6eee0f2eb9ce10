// What each entry adds to a page that uses it, minified and compressed, beside the peers.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundle, weigh } from '../../scripts/weigh.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

export const measureSizes = async () => {
  const row = async (name, contents) => ({ name, ...weigh(await bundle({ stdin: { contents, resolveDir: root } })) });
  return [
    await row('steadystream, default entry', "export * from './pkg/index.js';"),
    await row('steadystream/url, JS alone', "export * from './pkg/url.js';"),
    { name: 'engine_bg.wasm alone', ...weigh(readFileSync(`${root}pkg/wasm/engine_bg.wasm`)) },
    await row('eventsource-parser', "export { createParser } from 'eventsource-parser';"),
    await row('fetch-event-source', "export { fetchEventSource } from '@microsoft/fetch-event-source';"),
  ];
};
