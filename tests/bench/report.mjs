// From measurements to tables, and from tables to verdicts.
import { BARS } from './bars.mjs';
import { ratioSpread, spread } from './statistics.mjs';

const WIDTH = 50;
const CELL = 22;

const chunkName = (bytes) => (bytes >= 1024 ? `${bytes / 1024} KiB` : `${bytes} B`);
const number = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value >= 1 ? value.toFixed(2) : value.toFixed(3));
const range = ({ median, low, high }) => `${number(median).padStart(6)}  ${number(low)}-${number(high)}`;
const line = (name, cells) => `  ${name.padEnd(WIDTH)} ${cells.map((cell) => cell.padEnd(CELL)).join(' ')}`.trimEnd();

/** One case's contestants with their ratios to the reference. */
const ratios = (results) => {
  const reference = results.find(({ role }) => role === 'reference');
  return results.map((result) => ({
    ...result,
    ...(!result.wrong && { ms: spread(result.times), ...(!reference.wrong && { ratio: ratioSpread(result.times, reference.times) }) }),
  }));
};

const ORDER = ['ours', 'reference', 'peer', 'bound'];
const byRole = (a, b) => ORDER.indexOf(a.role) - ORDER.indexOf(b.role);

/** Cases that share all but the chunk size, as one table. */
const feedTable = (title, cases) => {
  const rows = [`\n${title}, ${(cases[0].measured.bytes / 1e6).toFixed(2)} MB`];
  rows.push(line('ratio, middle half', cases.map(({ params }) => `${chunkName(params.chunk)} chunks`)));
  const all = cases.map(({ measured }) => ratios(measured.results));
  for (const { name, title, role } of [...all[0]].sort(byRole)) {
    rows.push(line(role === 'bound' ? `. ${title}` : title, all.map((results) => {
      const { wrong, ratio, ms } = results.find((result) => result.name === name);
      if (wrong) return 'WRONG ANSWER';
      if (role === 'reference') return `${number(1).padStart(6)}  ${number(ms.median)} ms`;
      return ratio ? range(ratio) : `${number(ms.median)} ms`;
    })));
  }
  return rows;
};

const catchUpTable = (cases) => {
  const { events, wire } = cases[0].params;
  return feedTable(`${events.toLocaleString('en')} events, ${wire}`, cases);
};
const activeTitle = ({ params: { rows, updates, sessions } }) =>
  `${rows.toLocaleString('en')} active runs, ${updates.toLocaleString('en')} updates of ${sessions.toLocaleString('en')} sessions`;

const growthTable = (title, { at, results }) => {
  const rows = [`\n${title}`];
  rows.push(line('us, middle half', [...at.map((count) => `at ${count.toLocaleString('en')} deltas`), 'growth']));
  for (const { title, wrong, costs } of [...results].sort(byRole)) {
    rows.push(line(title, wrong ? ['WRONG ANSWER'] : [
      ...at.map((count) => range(spread(costs.map((cost) => cost[count])))),
      range(growthOf(costs, at)),
    ]));
  }
  return rows;
};
const lookName = (every) => (every === 1 ? 'a look after each' : `a look after ${every}`);
const growthOf = (costs, at) => ratioSpread(costs.map((cost) => cost[at.at(-1)]), costs.map((cost) => cost[at[0]]));

/** Cases as columns, the reference's own cell its time; `extra`: more columns, `{ title, cell(result) }`. */
const ratioTable = (title, columns, cases, extra = []) => {
  const rows = [`\n${title}`, line('ratio, middle half', [...columns, ...extra.map((column) => column.title)])];
  const all = cases.map(({ measured }) => ratios(measured.results));
  for (const { name, title: who, role } of [...all[0]].sort(byRole)) {
    const own = all.map((results) => results.find((result) => result.name === name));
    rows.push(line(role === 'bound' ? `. ${who}` : who, [
      ...own.map(({ wrong, ratio, ms }) => {
        if (wrong) return 'WRONG ANSWER';
        return role === 'reference' || !ratio ? `${number(1).padStart(6)}  ${number(ms.median)} ms` : range(ratio);
      }),
      ...extra.map(({ cell }) => (own[0].wrong ? '' : cell(own[0]))),
    ]));
  }
  return rows;
};

const kb = (bytes) => `${(bytes / 1000).toFixed(1)} KB`;
const sizeTable = (sizes) => [
  '\nWhat a page downloads, minified',
  line('', ['raw', 'gzip', 'brotli']),
  ...sizes.map(({ name, raw, gzip, brotli }) => line(name, [raw, gzip, brotli].map(kb))),
];

const groupBy = (items, key) => [...Map.groupBy ? Map.groupBy(items, key).values() : items.reduce(
  (groups, item) => groups.set(key(item), [...groups.get(key(item)) ?? [], item]), new Map()).values()];

const TABLES = {
  'catch-up': (cases) => groupBy(cases, ({ params }) => params.events).flatMap(catchUpTable),
  wires: (cases) => groupBy(cases, ({ params }) => params.wire).flatMap(catchUpTable),
  'ui-catch-up': (cases) => groupBy(cases, ({ params }) => params.events).flatMap(catchUpTable),
  'active-runs': (cases) => feedTable(activeTitle(cases[0]), cases),
  growth: (cases) => cases.flatMap(({ measured }) =>
    growthTable('Cost of one more delta, us, each delta a chunk of its own and a look after each', measured)),
  'tool-input': (cases) => cases.flatMap(({ measured }) =>
    growthTable(`Cost of one more delta of a tool's input, us, 16 B each, a chunk of its own, ${lookName(measured.every)}`, measured)),
};

const eventsName = ({ params }) => `${params.events.toLocaleString('en')} events`;
Object.assign(TABLES, {
  cold: (cases) => ratioTable('A cold page, from the import to the final transcript', cases.map(eventsName), cases, [
    { title: 'all of it, ms', cell: ({ times }) => range(spread(times)) },
    { title: 'the import alone, ms', cell: ({ imports }) => range(spread(imports)) },
  ]),
  network: (cases) => ratioTable('Over the network, from the request to the final transcript', cases.map(eventsName), cases),
});

const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
const memoryOver = ({ heap, buffers, wasm, held }) => (heap + buffers + wasm) / held;
TABLES.memory = (cases) => cases.flatMap(({ measured: { results } }) => [
  '\nRuns under way that nobody watches, 1 MiB of text each: memory over the bytes that their transcripts hold',
  line('', ['over what is held', 'runs, held', 'JS heap', 'buffers', 'wasm']),
  ...[...results].sort(byRole).map((result) => line(result.title, result.wrong ? ['WRONG ANSWER'] : [
    number(memoryOver(result)), `${result.runs}, ${mb(result.held)}`, mb(result.heap), mb(result.buffers), mb(result.wasm),
  ])),
]);

/** Of each contestant, what it adds to the bare feed; `ratio` of ours to the expert's. */
const liveSpreads = (results) => {
  const bare = results.find(({ role }) => role === 'bound');
  const above = ({ busy }) => busy.map((ms, round) => ms - (bare?.busy[round] ?? NaN));
  const reference = results.find(({ role }) => role === 'reference');
  return results.map((result) => ({
    ...result, above: spread(above(result)), ...(reference && !reference.wrong && { ratio: ratioSpread(above(result), above(reference)) }),
  }));
};
TABLES.live = (cases) => cases.flatMap(({ params: { runs, eventsPerSecond }, measured: { results } }) => [
  `\n${runs} runs with ${eventsPerSecond} events a second each: CPU time of the main thread, ms per second`,
  line('ratio, middle half', ['above the bare feed', 'ms/s above it', 'ms/s in all', 'long tasks, longest']),
  ...liveSpreads(results).sort(byRole).map(({ title, role, wrong, ratio, above, busy, longTasks }) => {
    if (wrong) return line(title, ['WRONG ANSWER']);
    const long = longTasks.flat();
    return line(role === 'bound' ? `. ${title}` : title, [
      role === 'bound' || !ratio ? '' : range(ratio), role === 'bound' ? '' : range(above), range(spread(busy)),
      long.length === 0 ? 'none' : `${long.length}, ${number(Math.max(...long))} ms`,
    ]);
  }),
]);

TABLES.rendered = (cases) => cases.flatMap(({ params: { runs, eventsPerSecond }, measured: { results } }) => [
  `\nThe same rendered by React, ${runs} rows and one message, ${eventsPerSecond} events a second each`,
  line('middle half', ['frames a second', 'ms/s above the feed', 'ms/s in all', 'long tasks, longest']),
  ...liveSpreads(results).sort(byRole).map(({ title, role, wrong, fps, above, busy, longTasks }) => {
    if (wrong) return line(title, ['WRONG ANSWER']);
    const long = longTasks.flat();
    return line(role === 'bound' ? `. ${title}` : title, [
      range(spread(fps)), role === 'bound' ? '' : range(above), range(spread(busy)),
      long.length === 0 ? 'none' : `${long.length}, ${number(Math.max(...long))} ms`,
    ]);
  }),
]);

/** Everything that was measured, as lines of text. */
export const tables = ({ workloads, sizes }) => [
  ...workloads.flatMap(({ name, cases }) => TABLES[name](cases)),
  ...(sizes ? sizeTable(sizes) : []),
];

/** `{ name, value, bar, goal, isMet, isAtGoal }` for each bar whose workload was measured; `value` is a median. */
export const verdicts = ({ workloads, sizes }) => {
  const list = [];
  const judge = (name, value, { bar, goal, isMost = true }, show = number) => {
    const holds = (limit) => (isMost ? value <= limit : value >= limit);
    list.push({ name, value, bar, goal, sign: isMost ? '<=' : '>=', isMet: holds(bar), isAtGoal: holds(goal), show });
  };
  const ours = (results) => results.find(({ role }) => role === 'ours');
  const casesOf = (wanted) => workloads.find(({ name }) => name === wanted)?.cases ?? [];
  for (const { params: { events, chunk }, measured } of casesOf('catch-up')) {
    const { ratio } = ours(ratios(measured.results)) ?? {};
    const { bar, goal } = BARS.catchUp;
    if (ratio) judge(`catch-up, ${events.toLocaleString('en')} events, ${chunkName(chunk)}`, ratio.median, { bar, goal: goal[chunk] });
  }
  for (const { params: { wire, chunk }, measured } of casesOf('wires')) {
    const { ratio } = ours(ratios(measured.results)) ?? {};
    if (ratio) judge(`${wire}, ${chunkName(chunk)}`, ratio.median, BARS.wires);
  }
  for (const { params: { events, chunk }, measured } of casesOf('ui-catch-up')) {
    const { ratio } = ours(ratios(measured.results)) ?? {};
    if (ratio) judge(`UI message stream, ${events.toLocaleString('en')} chunks, ${chunkName(chunk)}`, ratio.median, BARS.uiCatchUp);
  }
  for (const { params: { chunk }, measured } of casesOf('active-runs')) {
    const { ratio } = ours(ratios(measured.results)) ?? {};
    if (ratio) judge(`active runs, ${chunkName(chunk)}`, ratio.median, BARS.activeRuns);
  }
  for (const { measured: { at, results } } of casesOf('growth')) {
    const { costs } = ours(results) ?? {};
    if (costs?.length) judge('cost per delta, at 80,000 over at 1,000', growthOf(costs, at).median, BARS.growth);
  }
  for (const { measured: { every, at, results } } of casesOf('tool-input')) {
    const { costs } = ours(results) ?? {};
    if (costs?.length) judge(`tool input, at 4,000 over at 500, ${lookName(every)}`, growthOf(costs, at).median, BARS.toolInput);
  }
  for (const name of ['cold', 'network']) {
    for (const { params, measured } of casesOf(name)) {
      const { ratio } = ours(ratios(measured.results)) ?? {};
      if (ratio) judge(`${name}, ${eventsName({ params })}`, ratio.median, BARS[name]);
    }
  }
  for (const { params: { runs }, measured } of casesOf('memory')) {
    const own = ours(measured.results);
    if (own && !own.wrong) judge(`${runs} unwatched runs of 1 MiB, memory over bytes held`, memoryOver(own), BARS.memory);
  }
  for (const { params: { runs }, measured } of casesOf('live')) {
    const { ratio, wrong } = ours(liveSpreads(measured.results)) ?? {};
    if (ratio && !wrong) judge(`${runs} live runs, busy above the bare feed`, ratio.median, BARS.live);
  }
  for (const { params: { runs }, measured } of casesOf('rendered')) {
    const { fps, above, wrong } = ours(liveSpreads(measured.results)) ?? {};
    if (wrong || !fps) continue;
    judge(`${runs} live runs in React, frames a second`, spread(fps).median, BARS.renderedFps);
    judge(`${runs} live runs in React, ms/s above the feed`, above.median, BARS.renderedBusy);
  }
  const entry = sizes?.[0];
  if (entry) for (const kind of ['gzip', 'brotli']) judge(`default entry, ${kind}`, entry[kind], BARS[kind], kb);
  return list;
};

export const verdictTable = (list) => [
  '\nAgainst the bars of DESIGN.md (medians)',
  line('', ['measured', 'bar', 'goal']).replace(/^ {2}/, '  '.padEnd(14)),
  ...list.map(({ name, value, bar, goal, sign, isMet, isAtGoal, show }) =>
    `  ${(isMet ? 'pass' : 'MISSED').padEnd(8)}${name.padEnd(WIDTH - 6)} ${show(value).padEnd(10)} ${sign} ${show(bar).padEnd(10)} ${isAtGoal ? 'at goal' : 'goal'} ${show(goal)}`),
];

/** The wrong answers, a line each. */
export const faults = ({ workloads }) => workloads.flatMap(({ name, cases }) => cases.flatMap(({ params, measured }) =>
  measured.results.filter(({ wrong }) => wrong).map((result) =>
    `${result.name} in ${name} ${JSON.stringify(params)}: ${result.wrong}`)));
