// Many runs at once: 200 of them with 50 events a second each, every event a chunk of its own, and somebody who looks at all of
// them. What the main thread is busy with beyond the feed itself: the CPU time of its tasks, as the browser counts it.
import { inTurns, measureBusy } from '../lib/busy.mjs';
import { createRun } from '../lib/wire.js';

const RUNS = 200;
const EVENTS_PER_SECOND = 50;
const WARM_UP_MS = 1500;
const MEASURED_MS = 4000;
const MOST_ROUNDS = 5;
/** More than will be said in that time, on a slow machine, too. */
const EVENTS = 2000;

/** Runs in the page. */
const begin = async ({ script, url, ends, runs, eventsPerSecond }) => {
  const { contestant, feedLive } = await import(script);
  const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const follow = (urls, look) => urls.forEach((url, i) => contestant.live(url, (view) => look(i, view)));
  globalThis.live = feedLive(follow, ends.map((end, i) => bytes.slice(i === 0 ? 0 : ends[i - 1], end)), { runs, eventsPerSecond });
};
const beginWatch = () => globalThis.live.watchLongTasks();
const endWatch = () => globalThis.live.longTasks();
const finish = () => globalThis.live.finish();

const measureOne = (browser, { script, role }, run) => browser.withEmptyPage(async (page) => {
  const url = `/runs/bichat/${EVENTS}`;
  await page.evaluate(begin, { script, url, ends: Array.from(run.ends), runs: RUNS, eventsPerSecond: EVENTS_PER_SECOND });
  const busy = await measureBusy(page, { warmUpMs: WARM_UP_MS, measuredMs: MEASURED_MS }, () => page.evaluate(beginWatch));
  const longTasks = await page.evaluate(endWatch);
  const { counts, texts } = await page.evaluate(finish);
  if (role !== 'bound') {
    texts.forEach((text, i) => {
      const wanted = run.truth.text.slice(0, run.lengths[counts[i] - 1]);
      if (text !== wanted) throw new Error(`run ${i}: ${text?.length} units of text instead of ${wanted.length}`);
    });
  }
  return { busy, longTasks };
});

export const live = {
  name: 'live',
  cases: () => [{ runs: RUNS, eventsPerSecond: EVENTS_PER_SECOND }],

  async measure(_, browser, options) {
    const rounds = options.quick ? 2 : Math.min(options.rounds, MOST_ROUNDS);
    const run = createRun({ events: EVENTS });
    const entrants = (await browser.contestants()).filter(({ can }) => can.includes('live'));
    return { results: await inTurns(entrants, rounds, ['busy', 'longTasks'], (entrant) => measureOne(browser, entrant, run)) };
  },
};
