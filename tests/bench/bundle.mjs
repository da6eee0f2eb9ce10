// One script for the page: every file in contestants/ and workloads/ is in it, without a list that could forget one.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const files = (folder) => readdirSync(here + folder).filter((file) => file.endsWith('.js')).sort();
const contestantsBut = (without) => files('contestants').filter((file) => !without.includes(file.slice(0, -3)));

const script = async (contents, minify) => {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: here, sourcefile: 'entry.js' },
    bundle: true,
    minify,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'error',
  });
  return outputFiles[0].contents;
};

/** `without`: file names (no extension) of contestants to leave out. */
export const bundle = (without) => {
  const contestants = contestantsBut(without);
  const workloads = files('workloads');
  return script([
    "import { start } from './page.js';",
    ...contestants.map((file, i) => `import c${i} from './contestants/${file}';`),
    ...workloads.map((file, i) => `import * as w${i} from './workloads/${file}';`),
    `start([${workloads.map((_, i) => `...Object.values(w${i})`)}], [${contestants.map((_, i) => `c${i}`)}]);`,
  ].join('\n'), false);
};

/** What a page of its own needs beside its contestant. */
const HELPERS = [
  "export { feed, read } from './lib/feed.js';",
  "export { holdRuns } from './lib/held.js';",
  "export { feedLive } from './lib/live.js';",
  "export { IN_SIGHT, read as readSidebar } from './lib/shown.js';",
];

/** Each contestant alone, as a page would ship it: path -> script, which exports it and what feeds it. */
export const bundleAlone = async (without) => Object.fromEntries(await Promise.all(contestantsBut(without).map(async (file) => [
  `/alone/${file}`,
  await script([`export { default as contestant } from './contestants/${file}';`, ...HELPERS].join('\n'), true),
])));
