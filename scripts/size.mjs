// Measures what a page downloads, holds it against the budgets, and holds README to the number it quotes.
// --write puts the measured number into README.

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
const ENTRY_REACHED = { gzip: 116.4 * KB, brotli: 103.1 * KB };

/** Compilers differ by a little: the number that README quotes may differ from today's by so much of it. */
const TOLERANCE = 0.03;
const MARKED = /(<!-- size -->)(.*?)(<!-- \/size -->)/s;

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

function checkReadme(size) {
  const file = join(root, 'README.md');
  const readme = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const measured = `${kb(size.brotli)} brotli, ${kb(size.gzip)} gzip`;
  const quoted = MARKED.exec(readme)?.[2];
  if (quoted === undefined) {
    faults.push('README.md quotes no size: it needs "<!-- size --><!-- /size -->" where the number belongs');
  } else if (process.argv.includes('--write')) {
    if (quoted !== measured) writeFileSync(file, readme.replace(MARKED, `$1${measured}$3`));
  } else {
    const [brotli, gzip] = (quoted.match(/[\d.]+/g) ?? []).map((number) => Number(number) * KB);
    const isNear = (claim, truth) => Math.abs(claim - truth) <= TOLERANCE * truth;
    if (!isNear(brotli, size.brotli) || !isNear(gzip, size.gzip)) {
      faults.push(`README.md says "${quoted}", measured is "${measured}": run \`make size-write\``);
    }
  }
}

const { exports } = JSON.parse(readFileSync(join(pkg, 'package.json'), 'utf8'));
const fileOf = (target) => (typeof target === 'string' ? target : target.default);

const entry = await measure(fileOf(exports['.']));
report('default entry', entry, ENTRY_BUDGET, ENTRY_REACHED);
for (const [name, target] of Object.entries(exports)) {
  if (name === '.' || name === './url' || !/\.m?js$/.test(fileOf(target) ?? '')) continue;
  // The adapter for the AI SDK implements a transport, not a store hook: it is printed, not held to their budget.
  report(name, await measure(fileOf(target), [outsideOfAdapter]), name === './ai-sdk' ? {} : ADAPTER_BUDGET);
}
checkReadme(entry);

for (const fault of faults) console.error(`\n  ${fault}`);
process.exitCode = faults.length > 0 ? 1 : 0;
