// Contestants take turns within a round, in an order that rotates, so that a slow moment of the machine hits them alike and
// nobody always runs in the wake of the same neighbour. Only times of one round are ever divided by each other.

/** A turn repeats short runs until it has lasted about so long, in ms: the clock ticks in 5 us at best. */
const TURN = 8;
const MOST_RUNS_A_TURN = 64;
/** A peer that needs longer than this, in ms, takes part in a few rounds only, and is warm after one run. */
const LONG = 500;
const FEW_ROUNDS = 5;

// Young garbage alone: a full collection would also throw away compiled code and hidden classes that a contestant will need
// again in its next turn, which no page in use suffers.
const collect = () => globalThis.gc?.({ type: 'minor' });
const breathe = () => new Promise((resolve) => { setTimeout(resolve); });

// A promise is awaited only where there is one: a turn of the microtask queue is not everybody's cost.
const settle = (result) => (result instanceof Promise ? result : undefined);

const once = async (entrant) => {
  let result = entrant.run();
  const pending = settle(result);
  if (pending) result = await pending;
  return result;
};

const warmUp = async (entrant, warmUpMs) => {
  const until = performance.now() + warmUpMs;
  let last;
  const isLong = () => entrant.role === 'peer' && last > LONG;
  let runs = 0;
  do {
    const start = performance.now();
    await once(entrant);
    last = performance.now() - start;
    runs += 1;
  } while (!isLong() && (performance.now() < until || runs < 3));
  entrant.rounds = isLong() ? FEW_ROUNDS : Infinity;
  entrant.runs = Math.min(MOST_RUNS_A_TURN, Math.max(1, Math.ceil(TURN / Math.max(last, 0.01))));
};

const turn = async (entrant) => {
  collect();
  let result;
  const start = performance.now();
  for (let left = entrant.runs; left > 0; left--) {
    result = entrant.run();
    const pending = settle(result);
    if (pending) result = await pending;
  }
  const ms = (performance.now() - start) / entrant.runs;
  await entrant.check(result);
  return ms;
};

/**
 * `entrants`: `{ name, role, run, check }`; `run` is timed and may be async, `check` throws when its result is wrong.
 * Gives for each `{ name, role, times }` (ms of each round) or, for a wrong answer, `{ name, role, wrong }`.
 */
export const compete = async (entrants, { rounds, warmUpMs }) => {
  const results = new Map(entrants.map(({ name, role, title }) => [name, { name, title: title ?? name, role, times: [] }]));
  const attempt = async (entrant, fn) => {
    const result = results.get(entrant.name);
    if (result.wrong) return;
    try {
      await fn(result);
    } catch (error) {
      result.wrong = `${error?.message ?? error}`;
      result.times = [];
    }
    await breathe();
  };
  for (const entrant of entrants) await attempt(entrant, () => warmUp(entrant, warmUpMs));
  // A peer may leave ten times the garbage of all others together, whose collection would fall into the turn of whoever comes next:
  // peers come last in a round, and what they leave is collected behind them.
  const groups = [entrants.filter(({ role }) => role !== 'peer'), entrants.filter(({ role }) => role === 'peer')];
  for (let round = 0; round < rounds; round++) {
    for (const group of groups) {
      for (let i = 0; i < group.length; i++) {
        const entrant = group[(round + i) % group.length];
        if (round >= entrant.rounds) continue;
        await attempt(entrant, async (result) => { result.times.push(await turn(entrant)); });
      }
    }
    globalThis.gc?.();
    await breathe();
  }
  return [...results.values()];
};

/**
 * The same for workloads that time parts of a run themselves: `once(entrant, isCounted)` gives costs, and throws when the result is
 * wrong; the first round warms up and counts for nothing. `entrants`: `{ contestant, ... }`.
 */
export const takeTurns = async (entrants, rounds, once) => {
  const results = entrants.map(({ contestant: { name, title, role } }) => ({ name, title: title ?? name, role, costs: [] }));
  for (let round = 0; round <= rounds; round++) {
    for (let i = 0; i < entrants.length; i++) {
      const at = (round + i) % entrants.length;
      const result = results[at];
      // The peers are slow enough for a few rounds to tell.
      if (result.wrong || (result.role === 'peer' && round > FEW_ROUNDS)) continue;
      collect();
      try {
        const costs = await once(entrants[at], round > 0);
        if (round > 0) result.costs.push(costs);
      } catch (error) {
        result.wrong = `${error?.message ?? error}`;
      }
      await breathe();
    }
  }
  return results;
};
