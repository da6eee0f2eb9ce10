// node tests/bench/run.mjs [--quick] [--assert] [--rounds=15] [--only=catch-up,growth,sizes] [--without=steadystream]
// See README.md for what the figures mean.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { launch } from './browser.mjs';
import { faults, tables, verdictTable, verdicts } from './report.mjs';
import { measureSizes } from './sizes.mjs';
import * as visits from './visits/index.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const out = fileURLToPath(new URL('.out', import.meta.url));

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    assert: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    without: { type: 'string' },
  },
});
const list = (flag) => flag?.split(',').filter(Boolean) ?? [];
const only = list(flags.only);
const without = list(flags.without);
const isWanted = (name) => only.length === 0 || only.includes(name);
const options = { quick: flags.quick, rounds: Number(flags.rounds ?? (flags.quick ? 5 : 15)), warmUpMs: flags.quick ? 150 : 300 };

const stop = (message) => {
  console.error(`\n  ${message}\n`);
  process.exit(1);
};

if (!without.includes('steadystream') && !existsSync(join(root, 'pkg/wasm/inline.js'))) stop('pkg/wasm is not built: make build');

const browser = await launch({ without });
const progress = process.stderr.isTTY ? (text) => process.stderr.write(`\r\x1b[K${text}`) : () => {};

const report = {
  when: new Date().toISOString(),
  browser: `Chromium ${browser.version}`,
  machine: `${cpus().length} x ${cpus()[0]?.model ?? 'cpu'}`,
  options,
  workloads: [],
};
try {
  const { workloads, isPreciseClock } = await browser.withPage((page) => page.evaluate((given) => ({
    workloads: globalThis.bench.list(given), isPreciseClock: globalThis.bench.isPreciseClock,
  }), options));
  console.log(`${report.browser}, ${report.machine}, ${options.rounds} rounds${flags.quick ? ', quick' : ''}`);
  if (!isPreciseClock) console.log('the clock of this page is coarse: small cases are less exact');
  for (const { name, cases } of workloads.filter((workload) => isWanted(workload.name))) {
    const measured = [];
    for (const params of cases) {
      progress(`${name} ${JSON.stringify(params)}`);
      const work = (page) => page.evaluate((given) => globalThis.bench.measure(...given), [name, params, options]);
      measured.push({ params, measured: await browser.withPage(work) });
    }
    report.workloads.push({ name, cases: measured });
  }
  for (const { name, cases, measure } of Object.values(visits).filter((visit) => isWanted(visit.name))) {
    const measured = [];
    for (const params of cases(options)) {
      progress(`${name} ${JSON.stringify(params)}`);
      measured.push({ params, measured: await measure(params, browser, options) });
    }
    report.workloads.push({ name, cases: measured });
  }
  progress('');
  if (isWanted('sizes') && !without.includes('steadystream')) report.sizes = await measureSizes();
} finally {
  await browser.close();
}

const judged = verdicts(report);
console.log([...tables(report), ...(judged.length ? verdictTable(judged) : [])].join('\n'));

report.verdicts = judged;
mkdirSync(out, { recursive: true });
writeFileSync(join(out, 'result.json'), `${JSON.stringify(report, null, 1)}\n`);
console.log(`\n  all figures: tests/bench/.out/result.json`);

const wrong = faults(report);
for (const fault of wrong) console.error(`\n  WRONG ANSWER, disqualified: ${fault}`);
const missed = judged.filter(({ isMet }) => !isMet).length;
if (missed > 0) console.log(`\n  ${missed} of ${judged.length} bars missed`);
process.exitCode = wrong.length > 0 || (flags.assert && missed > 0) ? 1 : 0;
