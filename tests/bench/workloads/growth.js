// What one more delta costs when the message is already long: each event is its own chunk, and somebody looks after each.
import { takeTurns } from '../lib/rounds.js';
import { speakers } from '../lib/speakers.js';
import { difference, hash, summarize } from '../lib/truth.js';
import { createRun } from '../lib/wire.js';

const WINDOW = 1000;
const AT = [1000, 10_000, 80_000];
/** The first window is short and comes right after a start, so it is walked as often in each round; its median counts. */
const STARTS = 9;

const cut = ({ bytes, ends }) => Array.from(ends, (end, i) => bytes.slice(i === 0 ? 0 : ends[i - 1], end));

const walk = (contestant, chunks, until, atWindow) => {
  const reader = contestant.open();
  let snapshot;
  let start = performance.now();
  for (let i = 0; i < until; i++) {
    reader.push(chunks[i]);
    snapshot = reader.snapshot();
    if ((i + 1) % WINDOW === 0) {
      const now = performance.now();
      atWindow(i + 1, (now - start) / WINDOW * 1000);
      start = now;
    }
  }
  reader.close();
  return snapshot;
};

/** us per delta over the `WINDOW` deltas that end at each of `AT`, and the final snapshot. */
const measureOnce = (contestant, chunks) => {
  const costs = {};
  const snapshot = walk(contestant, chunks, chunks.length, (count, us) => {
    if (AT.includes(count)) costs[count] = us;
  });
  const starts = [];
  for (let i = 0; i < STARTS; i++) walk(contestant, chunks, WINDOW, (_, us) => starts.push(us));
  costs[AT[0]] = starts.sort((a, b) => a - b)[STARTS >> 1];
  return { costs, snapshot };
};

export const growth = {
  name: 'growth',
  cases: () => [{ at: AT }],

  async measure(_, contestants, { rounds }) {
    const run = createRun({ events: AT.at(-1) });
    const wanted = await hash(run.truth);
    const chunks = cut(run);
    const entrants = speakers(contestants, 'bichat').filter(({ open, role }) => open && role !== 'bound')
      .map((contestant) => ({ contestant }));
    const results = await takeTurns(entrants, rounds, async ({ contestant }) => {
      const { costs, snapshot } = measureOnce(contestant, chunks);
      if (await hash(summarize(snapshot)) !== wanted) throw new Error(difference(summarize(snapshot), run.truth));
      return costs;
    });
    return { at: AT, results };
  },
};
