// Measures what a page downloads, holds it against the budgets, and holds README to the numbers it quotes.
// --write puts the measured numbers into README.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle, weigh } from './weigh.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const pkg = join(root, 'pkg');
const KB = 1000;

/** Everything in it: the inline wasm, the glue, the classes. */
const ENTRY_BUDGET = { gzip: 50 * KB, brotli: 45 * KB };
const ADAPTER_BUDGET = { gzip: 1 * KB };

/**
 * The entry is not within its budget yet. Until it is, this fails the build: the size that has been reached and a little for
 * the difference between compilers. It goes down with every gain, up only in the commit that adds a whole feature, and then away.
 */
const ENTRY_REACHED = { gzip: 156.6 * KB, brotli: 139.4 * KB };

/** Compilers differ by a little: the number that README quotes may differ from today's by so much of it. */
const TOLERANCE = 0.03;
const marked = (name) => new RegExp(`(<!-- ${name} -->)(.*?)(<!-- /${name} -->)`, 's');

/** What a page imports by name -> how README's table calls it. A bundler leaves out the rest, but never the engine. */
const IMPORTED = {
  RunClient: '`RunClient`',
  ManagedEventSource: '`ManagedEventSource`',
  ManagedWebSocket: '`ManagedWebSocket`',
  createRunCore: '`createRunCore`',
  isTerminalEvent: '`isTerminalEvent`: no code but the engine',
};

/** What an adapter shares with the entry is not part of its size: the page has that anyway, and the framework. */
const SHARED = /^\.\/(index|errors|dispose|lib\/errors|lib\/dispose)\.js$/;
const outsideOfAdapter = {
  name: 'outside-of-adapter',
  setup(builder) {
    builder.onResolve({ filter: /.*/ }, ({ path, kind }) =>
      kind === 'entry-point' || (path.startsWith('./') && !SHARED.test(path)) ? undefined : { path, external: true });
  },
};

const measure = async (file, plugins = []) => weigh(await bundle({ entryPoints: [join(pkg, file)], plugins }));

const kb = (bytes) => `${(bytes / KB).toFixed(1)} KB`;
const faults = [];

function report(name, size, budget, reached = budget) {
  const cell = (kind) => `${kind} ${kb(size[kind])}${budget[kind] ? ` of ${kb(budget[kind])}` : ''}`.padEnd(24);
  console.log(`  ${name.padEnd(16)} ${cell('raw')} ${cell('gzip')} ${cell('brotli')}`.trimEnd());
  for (const [kind, limit] of Object.entries(budget)) {
    const over = `${name}: ${kb(size[kind])} ${kind} is over the budget of ${kb(limit)}`;
    if (size[kind] > reached[kind]) faults.push(`${over}, and over the ${kb(reached[kind])} that had been reached`);
    else if (size[kind] > limit) console.log(`  OVER BUDGET      ${over}`);
  }
}

const alone = async (name, entry) => weigh(await bundle({ stdin: { contents: `export { ${name} } from './pkg/${entry}'`, resolveDir: root } }));

/** README's table: each way to import, and what it costs. `adapters`: their names and sizes. */
async function measureImports(entry, adapters) {
  const wasm = weigh(readFileSync(join(pkg, 'wasm/engine_bg.wasm')));
  const rows = [['everything', entry]];
  for (const [name, title] of Object.entries(IMPORTED)) rows.push([title, await alone(name, 'index.js')]);
  rows.push(['`RunClient` from `steadystream/url`', await alone('RunClient', 'url.js')]);
  rows.push(['… and its `engine.wasm`', wasm]);
  for (const [name, size] of adapters) rows.push([`\`${name.replace('.', 'steadystream')}\` adds`, size]);
  const cells = rows.map(([title, { gzip, brotli }]) => `| ${title} | ${kb(brotli)} | ${kb(gzip)} |`);
  return `\n| import | brotli | gzip |\n|---|---|---|\n${cells.join('\n')}\n`;
}

/** A text of README between its marks is held to what was measured: the same words, and numbers that are near. */
function checkReadme(name, measured) {
  const file = join(root, 'README.md');
  const readme = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const quoted = marked(name).exec(readme)?.[2];
  const number = /\d+\.\d+(?= KB)/g;
  const numbers = (text) => (text.match(number) ?? []).map(Number);
  if (quoted === undefined) {
    faults.push(`README.md quotes no ${name}: it needs "<!-- ${name} --><!-- /${name} -->" where the numbers belong`);
  } else if (process.argv.includes('--write')) {
    if (quoted !== measured) writeFileSync(file, readme.replace(marked(name), (all, before, old, behind) => before + measured + behind));
  } else {
    const truth = numbers(measured);
    const isNear = quoted.replace(number, '') === measured.replace(number, '')
      && numbers(quoted).every((claim, i) => Math.abs(claim - truth[i]) <= TOLERANCE * truth[i]);
    if (!isNear) faults.push(`README.md says "${quoted}", measured is "${measured}": run \`make size-write\``);
  }
}

const { exports } = JSON.parse(readFileSync(join(pkg, 'package.json'), 'utf8'));
const fileOf = (target) => (typeof target === 'string' ? target : target.default);

const entry = await measure(fileOf(exports['.']));
report('default entry', entry, ENTRY_BUDGET, ENTRY_REACHED);
const adapters = [];
for (const [name, target] of Object.entries(exports)) {
  if (name === '.' || name === './url' || !/\.m?js$/.test(fileOf(target) ?? '')) continue;
  // The adapter for the AI SDK implements a transport, not a store hook: it is printed, not held to their budget.
  const size = await measure(fileOf(target), [outsideOfAdapter]);
  report(name, size, name === './ai-sdk' ? {} : ADAPTER_BUDGET);
  adapters.push([name, size]);
}
const imports = await measureImports(entry, adapters);
console.log(imports.trimEnd().replace(/^/gm, '  '));
checkReadme('size', `${kb(entry.brotli)} brotli, ${kb(entry.gzip)} gzip`);
checkReadme('imports', imports);

for (const fault of faults) console.error(`\n  ${fault}`);
process.exitCode = faults.length > 0 ? 1 : 0;
