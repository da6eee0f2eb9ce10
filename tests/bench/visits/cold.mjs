// A page that nobody has seen before: the script's import, whatever it must set up, and the first catch-up. Each turn has a
// browser context of its own: no cache, no compiled code.
import { cut } from '../lib/feed.js';
import { difference, hash, summarize } from '../lib/truth.js';
import { createRun } from '../lib/wire.js';

const CHUNK = 16384;

/** Runs in the page. The bytes are there before the clock starts: what the network does is the workload of that name. */
const catchUp = async ({ script, events, ends }) => {
  const bytes = new Uint8Array(await (await fetch(`/runs/bichat/${events}`)).arrayBuffer());
  let from = 0;
  const groups = ends.map((group) => group.map((end) => bytes.slice(from, from = end)));
  const start = performance.now();
  const { contestant, feed, read } = await import(script);
  const imported = performance.now();
  const job = { groups, protocol: 'bichat', look() {} };
  const state = read(await (contestant.catchUp ? contestant.catchUp(job) : feed(contestant, job)));
  const ms = performance.now() - start;
  const { status, text, parts, blocks } = state;
  return { ms, importMs: imported - start, state: JSON.parse(JSON.stringify({ status, text, parts, blocks })) };
};

export const cold = {
  name: 'cold',
  cases: () => [{ events: 10_000 }],

  async measure({ events }, browser, { rounds }) {
    const run = createRun({ events });
    const wanted = await hash(run.truth);
    let end = 0;
    const ends = cut(run.bytes, CHUNK).map((group) => group.map(({ length }) => (end += length)));
    const entrants = (await browser.contestants()).filter(({ role, protocols, can }) =>
      role !== 'bound' && protocols.includes('bichat') && (can.includes('open') || can.includes('catchUp')));
    const results = entrants.map(({ name, title, role }) => ({ name, title, role, times: [], imports: [] }));
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < entrants.length; i++) {
        const at = (round + i) % entrants.length;
        const result = results[at];
        if (result.wrong) continue;
        try {
          const given = { script: entrants[at].script, events, ends };
          const { ms, importMs, state } = await browser.withEmptyPage((page) => page.evaluate(catchUp, given));
          const got = summarize(state);
          if (await hash(got) !== wanted) throw new Error(difference(got, run.truth));
          result.times.push(ms);
          result.imports.push(importMs);
        } catch (error) {
          result.wrong = `${error?.message ?? error}`;
        }
      }
    }
    return { bytes: run.bytes.length, results };
  },
};
