// The sidebar of a busy day: the index of all active runs, then what becomes of some of them, with an immutable view a frame.
import { createActiveRuns } from '../lib/active-wire.js';
import { cut, feed } from '../lib/feed.js';
import { compete } from '../lib/rounds.js';
import { speakers } from '../lib/speakers.js';
import { digest } from '../lib/truth.js';

const PROTOCOL = 'active-runs';
const INDEX = { rows: 10_000, sessions: 1_000 };

const toRow = ({ sessionId, runId, status, updatedAt }) => [sessionId, runId, status, updatedAt];
const hash = (rows) => digest([...rows].sort(([a], [b]) => (a < b ? -1 : 1)));

/** How many events are whole at each look. */
const eventsAtLooks = (groups, ends) => {
  let bytes = 0;
  let events = 0;
  return groups.map((group) => {
    for (const chunk of group) bytes += chunk.length;
    while (events < ends.length && ends[events] <= bytes) events += 1;
    return events;
  });
};

const createJob = async (wire, events, chunk) => {
  const groups = cut(wire.bytes.subarray(0, wire.ends[events - 1]), chunk);
  const seen = eventsAtLooks(groups, wire.ends);
  // Somewhere amid the updates, if there are any.
  const middle = (seen.findIndex((count) => count >= INDEX.rows) + groups.length - 1) >> 1;
  return {
    protocol: PROTOCOL, groups, bytes: wire.bytes, middle,
    counts: seen.map((count) => (count === 0 ? 0 : wire.counts[count - 1])),
    truths: await Promise.all([seen[middle], events].map((count) => hash(wire.after(count)))),
    // What no update speaks of is the same object for ever.
    untouched: wire.after(INDEX.rows).slice(INDEX.sessions).map(([sessionId]) => sessionId),
  };
};

const check = async (job, [middle, last]) => {
  for (const [at, { runs }] of [middle, last].entries()) {
    if (await hash(runs.map(toRow)) !== job.truths[at]) throw new Error(`${at ? 'the end' : 'the view of a frame'} is wrong: ${runs.length} runs`);
  }
  const bySession = new Map(last.runs.map((run) => [run.sessionId, run]));
  const before = new Map(middle.runs.map((run) => [run.sessionId, run]));
  const isMade = (id) => bySession.get(id) !== before.get(id);
  if (job.untouched.some(isMade)) throw new Error('a row that nobody touched is another object');
};

const enter = (contestant, job) => {
  const { name, title, role } = contestant;
  if (role === 'bound') {
    const prepared = contestant.prepare?.(job);
    return { name, title, role, run: () => contestant.catchUp(job, prepared), check() {} };
  }
  const run = () => {
    let kept;
    const look = (index, view) => {
      if (view.runs.length !== job.counts[index]) throw new Error(`look ${index}: ${view.runs.length} runs instead of ${job.counts[index]}`);
      if (index === job.middle) kept = view;
    };
    return [kept, feed(contestant, { ...job, look })].map((view) => view ?? kept);
  };
  return { name, title, role, run, check: (views) => check(job, views) };
};

/** Of one that cannot be asked for all: the time of its first updates, as often as there are so many. */
const extrapolate = (index, first, updates, few) => ({
  ...first,
  wrong: index.wrong ?? first.wrong,
  times: first.times.map((ms, round) => index.times[round] + (ms - index.times[round]) * updates / few),
});

export const activeRuns = {
  name: 'active-runs',
  cases: () => [65536, 16384, 200].map((chunk) => ({ ...INDEX, updates: 50_000, chunk })),

  async measure({ updates, chunk }, contestants, options) {
    const wire = createActiveRuns({ ...INDEX, updates });
    const all = speakers(contestants, PROTOCOL);
    const whole = await createJob(wire, INDEX.rows + updates, chunk);
    const slow = all.filter(({ mostUpdates }) => mostUpdates);
    const parts = await Promise.all(slow.flatMap(({ mostUpdates, ...contestant }) => [0, mostUpdates].map(async (few) => {
      const job = await createJob(wire, INDEX.rows + few, chunk);
      return enter({ ...contestant, name: `${contestant.name}, ${few}` }, job);
    })));
    const entrants = all.filter(({ mostUpdates }) => !mostUpdates).map((contestant) => enter(contestant, whole));
    const results = await compete([...entrants, ...parts], options);
    const find = (name) => results.find((result) => result.name === name);
    return {
      bytes: wire.bytes.length,
      results: [
        ...entrants.map(({ name }) => find(name)),
        ...slow.map(({ name, mostUpdates }) => ({
          ...extrapolate(find(`${name}, 0`), find(`${name}, ${mostUpdates}`), updates, mostUpdates), name,
        })),
      ],
    };
  },
};
