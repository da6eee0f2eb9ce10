// What one more delta of a tool's input costs when the input is already long: each delta is its own chunk, and somebody looks at
// what has come of the input, after each or once a frame.
import { takeTurns } from '../lib/rounds.js';
import { speakers } from '../lib/speakers.js';
import { createToolRun } from '../lib/tool-wire.js';
import { difference, digest } from '../lib/truth.js';

const WINDOW = 500;
const AT = [500, 4000];
/** The short run is over so soon that in each round it is made as often; its median counts. The peers are slow enough for one. */
const STARTS = 9;
/** How far behind its text an input may be, in units of JSON: a key, a number or an escape that is not whole yet. */
const LATE = 64;
/** A look is held against the truth once in so many, and in rounds that do not count alone: that costs more than the work. */
const CHECK_EVERY = 61;

const PROTOCOLS = ['ui-message', 'ag-ui'];

const walk = (contestant, { chunks, first, deltas }, onDelta) => {
  const reader = contestant.open('ui-message');
  const read = () => reader.snapshot().parts.at(-1).input;
  for (let i = 0; i < chunks.length; i++) {
    reader.push(chunks[i]);
    if (i >= first && i < first + deltas) onDelta(read);
  }
  const { type, input } = reader.snapshot().parts.at(-1);
  reader.close();
  return { name: type.slice('tool-'.length), input };
};

const createWatch = (run, { deltas, every, isChecked }) => {
  let count = 0;
  let looks = 0;
  let start;
  const watch = {
    us: undefined,
    onDelta(read) {
      count += 1;
      if (count % every === 0) {
        const input = read();
        looks += 1;
        if (isChecked && looks % CHECK_EVERY === 0) check(input);
      }
      const now = performance.now();
      if (count === deltas - WINDOW + 1) start = now;
      if (count === deltas) watch.us = (now - start) / (WINDOW - 1) * 1000;
    },
    finish() {
      if (count !== deltas) throw new Error(`${count} deltas seen of ${deltas}`);
    },
  };
  const check = (input) => {
    const length = (typeof input === 'string' ? input : JSON.stringify(input) ?? '').length;
    const wanted = run.lengthAfter(count);
    if (Math.abs(length - wanted) > LATE) throw new Error(`delta ${count}: an input of ${length} units instead of ${wanted}`);
  };
  return watch;
};

const once = async (contestant, { run, job, truth }, every, isChecked) => {
  const watch = createWatch(run, { deltas: job.deltas, every, isChecked });
  const result = await (contestant.toolInput ?? ((...given) => walk(contestant, ...given)))(job, watch.onDelta);
  watch.finish();
  if (await digest([result.name, result.input]) !== truth) throw new Error(difference(result, run.truth));
  return watch.us;
};

export const toolInput = {
  name: 'tool-input',
  cases: () => [16, 1].map((every) => ({ every, at: AT })),

  async measure({ every }, contestants, { rounds, warmUpMs }) {
    const runs = await Promise.all(AT.map(async (deltas) => {
      const run = createToolRun({ deltas });
      return { run, deltas, truth: await digest([run.truth.name, run.truth.input]) };
    }));
    const entrants = PROTOCOLS.flatMap((protocol) => speakers(contestants, protocol)
      .filter(({ open, toolInput: own }) => open || own)
      .map((contestant) => ({
        contestant, jobs: runs.map(({ run, deltas, truth }) => ({ run, truth, job: { ...run.speak(protocol), deltas } })),
      })));
    const results = await takeTurns(entrants, rounds, async ({ contestant, jobs: [short, long] }, isCounted) => {
      const until = performance.now() + (isCounted || contestant.role === 'peer' ? 0 : warmUpMs);
      while (performance.now() < until) await once(contestant, long, every, true);
      const starts = [];
      for (let i = contestant.role === 'peer' ? STARTS : 1; i <= STARTS; i++) starts.push(await once(contestant, short, every, !isCounted));
      return {
        [AT[0]]: starts.sort((a, b) => a - b)[starts.length >> 1],
        [AT[1]]: await once(contestant, long, every, !isCounted),
      };
    });
    return { every, at: AT, results };
  },
};
