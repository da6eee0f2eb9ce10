// All bytes of one run at once, cut into chunks, with a look at the state now and then: what catch-up's workloads have in common.
import { cut, feed, read } from './feed.js';
import { compete } from './rounds.js';
import { speakers } from './speakers.js';
import * as agUi from './ag-ui-truth.js';
import * as bichat from './truth.js';
import * as uiMessage from './ui-truth.js';

const MODELS = { bichat, 'ui-message': uiMessage, 'ag-ui': agUi };

/** A frame whose end is undecided until the next chunk (CR, then perhaps LF) may be missing from a look. */
const ONE_TOKEN = 32;

/** How long the answer is at each look. */
const lengthsAtLooks = (groups, { ends, lengths }) => {
  let bytes = 0;
  let frames = 0;
  return groups.map((group) => {
    for (const chunk of group) bytes += chunk.length;
    while (frames < ends.length && ends[frames] <= bytes) frames += 1;
    return frames === 0 ? 0 : lengths[frames - 1];
  });
};

const createLook = (wanted) => {
  const look = (index, snapshot) => {
    look.count += 1;
    if (Math.abs(snapshot.text.length - wanted[index]) > ONE_TOKEN) {
      throw new Error(`look ${index}: ${snapshot.text.length} units of text instead of ${wanted[index]}`);
    }
  };
  look.count = 0;
  return look;
};

const enter = (contestant, job, truth, wanted) => {
  const { name, title, role } = contestant;
  if (role === 'bound') {
    const prepared = contestant.prepare?.(job);
    return { name, title, role, run: () => contestant.catchUp(job, prepared), check() {} };
  }
  const { summarize, hash } = MODELS[job.protocol];
  const look = createLook(wanted);
  const own = { ...job, look };
  let run = () => read(feed(contestant, own));
  if (contestant.catchUp) run = async () => read(await contestant.catchUp(own));
  return {
    name, title, role, run,
    async check(state) {
      if (look.count === 0 || look.count % job.groups.length !== 0) throw new Error(`${look.count} looks at ${job.groups.length} groups`);
      const got = (contestant.summarize ?? summarize)(state);
      if (await hash(got) !== await hash(truth)) throw new Error(bichat.difference(got, truth));
    },
  };
};

const enterAll = ({ run, protocol, chunk }, contestants) => {
  const groups = cut(run.bytes, chunk);
  const job = { groups, bytes: run.bytes, protocol };
  const wanted = lengthsAtLooks(groups, run);
  return speakers(contestants, protocol)
    .filter(({ open, catchUp, mostEvents = Infinity }) => (open || catchUp) && run.ends.length <= mostEvents)
    .map((contestant) => enter(contestant, job, run.truth, wanted));
};

/**
 * `run`: `{ bytes, ends, lengths, truth }`; `translations`: the same run in other protocols, for who speaks no other. Gives its size
 * and what the rounds gave.
 */
export const measureFeeding = async ({ run, protocol, chunk, translations = {} }, contestants, options) => {
  const entrants = Object.entries({ [protocol]: run, ...translations })
    .flatMap(([spoken, said]) => enterAll({ run: said, protocol: spoken, chunk }, contestants));
  return { bytes: run.bytes.length, results: await compete(entrants, options) };
};
