// The same as catch-up with the network in it: from the request to the final transcript, from a server on this machine.
import { read } from '../lib/feed.js';
import { compete } from '../lib/rounds.js';
import { speakers } from '../lib/speakers.js';
import { difference, hash, summarize } from '../lib/truth.js';
import { createRun } from '../lib/wire.js';

/** What reads a run by hand looks as often as a frame would: the clock says when. */
const FRAME = 16;

const fetchInto = async (reader, url) => {
  const body = (await fetch(url)).body.getReader();
  let looked = performance.now();
  for (;;) {
    const { done, value } = await body.read();
    if (done) break;
    reader.push(value);
    if (performance.now() - looked < FRAME) continue;
    reader.snapshot();
    looked = performance.now();
  }
  const state = reader.snapshot();
  reader.close();
  return state;
};

const enter = (contestant, url, truth) => {
  const { name, title, role } = contestant;
  const run = contestant.fetchRun ?? ((at) => fetchInto(contestant.open('bichat'), at));
  if (role === 'bound') return { name, title, role, run: () => run(url), check() {} };
  return {
    name, title, role,
    run: async () => read(await run(url)),
    async check(state) {
      const got = summarize(state);
      if (await hash(got) !== await hash(truth)) throw new Error(difference(got, truth));
    },
  };
};

export const network = {
  name: 'network',
  cases: ({ quick }) => (quick ? [10_000] : [10_000, 50_000]).map((events) => ({ events })),

  async measure({ events }, contestants, options) {
    const { bytes, truth } = createRun({ events });
    const entrants = speakers(contestants, 'bichat').filter(({ open, fetchRun }) => open || fetchRun)
      .map((contestant) => enter(contestant, `/runs/bichat/${events}`, truth));
    return { bytes: bytes.length, results: await compete(entrants, options) };
  },
};
