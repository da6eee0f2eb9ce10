// The same many runs, rendered by React: a row for each, and one message. What the main thread is busy with beyond the feed itself,
// and how many frames a second it has time for.
import { inTurns, measureBusy } from '../lib/busy.mjs';
import { lineOf } from '../lib/shown.js';
import { createRun } from '../lib/wire.js';

const RUNS = 200;
const EVENTS_PER_SECOND = 50;
const WARM_UP_MS = 1500;
const MEASURED_MS = 4000;
const MOST_ROUNDS = 5;
/** More than will be said in that time, on a slow machine, too. */
const EVENTS = 2000;
/** The page shows what it was told within this, or does not. */
const SHOWN_MS = 5000;

/** Runs in the page. */
const begin = async ({ script, url, ends, runs, eventsPerSecond }) => {
  const { contestant, feedLive, readSidebar, IN_SIGHT } = await import(script);
  const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const render = (urls) => contestant.render(urls, (i) => i < IN_SIGHT);
  globalThis.live = feedLive(render, ends.map((end, i) => bytes.slice(i === 0 ? 0 : ends[i - 1], end)), { runs, eventsPerSecond });
  globalThis.readSidebar = readSidebar;
};
const beginWatch = () => {
  globalThis.frames = globalThis.live.countFrames();
  globalThis.live.watchLongTasks();
};
const endWatch = () => ({ fps: globalThis.frames(), longTasks: globalThis.live.longTasks() });
const finish = async () => (await globalThis.live.finish()).counts;
const isShown = ({ lines, message }) => {
  const shown = globalThis.readSidebar();
  return shown.message === message && shown.lines.length === lines.length && lines.every((line, i) => line === shown.lines[i]);
};

const measureOne = (browser, { script, role }, run) => browser.withEmptyPage(async (page) => {
  const url = `/runs/bichat/${EVENTS}`;
  await page.evaluate(begin, { script, url, ends: Array.from(run.ends), runs: RUNS, eventsPerSecond: EVENTS_PER_SECOND });
  const busy = await measureBusy(page, { warmUpMs: WARM_UP_MS, measuredMs: MEASURED_MS }, () => page.evaluate(beginWatch));
  const { fps, longTasks } = await page.evaluate(endWatch);
  const counts = await page.evaluate(finish);
  if (role !== 'bound') {
    const texts = counts.map((count) => run.truth.text.slice(0, run.lengths[count - 1]));
    const wanted = { lines: texts.map((text) => lineOf({ text })), message: texts[0] };
    await page.waitForFunction(isShown, wanted, { timeout: SHOWN_MS }).catch(() => { throw new Error('the page shows something else'); });
  }
  return { busy, fps, longTasks };
});

export const rendered = {
  name: 'rendered',
  cases: () => [{ runs: RUNS, eventsPerSecond: EVENTS_PER_SECOND }],

  async measure(_, browser, options) {
    const rounds = options.quick ? 2 : Math.min(options.rounds, MOST_ROUNDS);
    const run = createRun({ events: EVENTS });
    const entrants = (await browser.contestants()).filter(({ can }) => can.includes('render'));
    return { results: await inTurns(entrants, rounds, ['busy', 'fps', 'longTasks'], (entrant) => measureOne(browser, entrant, run)) };
  },
};
