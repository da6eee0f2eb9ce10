// What one more delta costs when the message is already long: each event is its own chunk, and somebody looks after each.
import { difference, hash, summarize } from '../lib/truth.js';
import { createRun } from '../lib/wire.js';

const WINDOW = 1000;
const AT = [1000, 10_000, 80_000];

const cut = ({ bytes, ends }) => Array.from(ends, (end, i) => bytes.slice(i === 0 ? 0 : ends[i - 1], end));

/** us per delta over the `WINDOW` deltas that end at each of `AT`. */
const walk = (contestant, chunks) => {
  const reader = contestant.open();
  const costs = {};
  let snapshot;
  let start = performance.now();
  for (let i = 0; i < chunks.length; i++) {
    reader.push(chunks[i]);
    snapshot = reader.snapshot();
    const count = i + 1;
    if (count % WINDOW === 0) {
      const now = performance.now();
      if (AT.includes(count)) costs[count] = (now - start) / WINDOW * 1000;
      start = now;
    }
  }
  reader.close();
  return { costs, snapshot };
};

export const growth = {
  name: 'growth',
  cases: () => [{ at: AT }],

  async measure(_, contestants, { rounds }) {
    const run = createRun({ events: AT.at(-1) });
    const wanted = await hash(run.truth);
    const chunks = cut(run);
    const entrants = contestants.filter(({ open, role }) => open && role !== 'bound');
    const results = entrants.map(({ name, title, role }) => ({ name, title: title ?? name, role, costs: [] }));
    // The first round warms up and counts for nothing.
    for (let round = 0; round <= rounds; round++) {
      for (let i = 0; i < entrants.length; i++) {
        const at = (round + i) % entrants.length;
        const result = results[at];
        if (result.wrong) continue;
        globalThis.gc?.();
        try {
          const { costs, snapshot } = walk(entrants[at], chunks);
          if (await hash(summarize(snapshot)) !== wanted) throw new Error(difference(summarize(snapshot), run.truth));
          if (round > 0) result.costs.push(costs);
        } catch (error) {
          result.wrong = `${error?.message ?? error}`;
        }
      }
    }
    return { at: AT, results };
  },
};
