// Where one contestant spends its time in one case:
//   node tests/bench/profile.mjs [--events=50000] [--chunk=65536] [--wire=canonical] [--every=1]
//     [--contestant=steadystream] [--rounds=15]
// Wasm functions have names when the build keeps them: WASM_OPT='-O3 -g' make build
import { parseArgs } from 'node:util';
import { launch } from './browser.mjs';

const { values: flags } = parseArgs({
  options: {
    events: { type: 'string', default: '50000' },
    chunk: { type: 'string', default: '65536' },
    wire: { type: 'string', default: 'canonical' },
    every: { type: 'string', default: '1' },
    contestant: { type: 'string', default: 'steadystream' },
    workload: { type: 'string', default: 'catch-up' },
    rounds: { type: 'string', default: '15' },
    'warm-up': { type: 'string', default: '500' },
    top: { type: 'string', default: '30' },
  },
});
const params = { rows: 10_000, sessions: 1_000, updates: 50_000, events: Number(flags.events), chunk: Number(flags.chunk), wire: flags.wire, every: Number(flags.every) };
const options = { contestants: [flags.contestant], rounds: Number(flags.rounds), warmUpMs: Number(flags['warm-up']) };

/** The functions whose callees are timed: one in each workload. The bundler numbers those of one name. */
const TIMED = /^(feed|walk)\d*$/;

const browser = await launch();
const { profile, measured } = await browser.withPage(async (page) => {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Profiler.enable');
  await cdp.send('Profiler.setSamplingInterval', { interval: 100 });
  await cdp.send('Profiler.start');
  const result = await page.evaluate((given) => globalThis.bench.measure(...given), [flags.workload, params, options]);
  const { profile: recorded } = await cdp.send('Profiler.stop');
  return { profile: recorded, measured: result };
});
await browser.close();

const names = new Map(profile.nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
  const place = url.startsWith('wasm') ? 'wasm' : url ? `line ${lineNumber + 1}` : '';
  return [id, `${functionName || '(anonymous)'} ${place}`.trim()];
}));
// Only what runs under the timed loop: making the input and checking the answer are not what is asked.
const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
const stacks = new Map();
const enter = (node, above) => {
  const isTimed = above || TIMED.test(node.callFrame.functionName);
  const stack = isTimed ? [...above ?? [], names.get(node.id)] : undefined;
  stacks.set(node.id, stack);
  for (const child of node.children ?? []) enter(nodes.get(child), stack);
};
enter(profile.nodes[0]);
const self = new Map();
const inclusive = new Map();
const add = (sums, name, us) => sums.set(name, (sums.get(name) ?? 0) + us);
let total = 0;
profile.samples.forEach((id, i) => {
  const stack = stacks.get(id);
  if (!stack) return;
  const us = profile.timeDeltas[i];
  total += us;
  add(self, stack.at(-1), us);
  for (const name of new Set(stack)) add(inclusive, name, us);
});
for (const { name, wrong, times } of measured.results) console.log(wrong ?? (times ? `${name}: best ${Math.min(...times).toFixed(3)} ms` : name));
const share = (us) => `${((us ?? 0) / total * 100).toFixed(1).padStart(6)} %`;
console.log('    self   with callees');
for (const [name] of [...inclusive].sort((a, b) => (self.get(b[0]) ?? 0) - (self.get(a[0]) ?? 0)).slice(0, Number(flags.top))) {
  console.log(`${share(self.get(name))} ${share(inclusive.get(name))}    ${name.replace(/::h[0-9a-f]{16}/, '')}`);
}
