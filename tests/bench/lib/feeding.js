// All bytes of one run at once, cut into chunks, with a look at the state now and then: what catch-up's workloads have in common.
import { compete } from './rounds.js';
import { speakers } from './speakers.js';
import * as bichat from './truth.js';
import * as uiMessage from './ui-truth.js';

const MODELS = { bichat, 'ui-message': uiMessage };

const LOOK_EVERY = 65536;
/** A frame whose end is undecided until the next chunk (CR, then perhaps LF) may be missing from a look. */
const ONE_TOKEN = 32;

/** The chunks, copies of their own as the network gives them, in one group for each look. */
const cut = (bytes, size) => {
  const groups = [[]];
  let looked = 0;
  for (let at = 0; at < bytes.length; at += size) {
    const end = Math.min(at + size, bytes.length);
    groups.at(-1).push(bytes.slice(at, end));
    if (end - looked >= LOOK_EVERY && end < bytes.length) {
      groups.push([]);
      looked = end;
    }
  }
  return groups;
};

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

const feed = (contestant, { groups, protocol, look }) => {
  const reader = contestant.open(protocol);
  let snapshot;
  for (let i = 0; i < groups.length; i++) {
    for (const chunk of groups[i]) reader.push(chunk);
    snapshot = reader.snapshot();
    look(i, snapshot);
  }
  reader.close();
  return snapshot;
};

// A string that was put together is one only when it is read.
const flatten = (text) => text.charCodeAt(text.length >> 1);

const read = (state) => {
  flatten(state.text);
  for (const part of state.parts ?? []) if (part.text) flatten(part.text);
  return state;
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

/** `run`: `{ bytes, ends, lengths, truth }`. Gives its size and what the rounds gave. */
export const measureFeeding = async ({ run, protocol, chunk }, contestants, options) => {
  const groups = cut(run.bytes, chunk);
  const job = { groups, bytes: run.bytes, protocol };
  const wanted = lengthsAtLooks(groups, run);
  const entrants = speakers(contestants, protocol).filter(({ open, catchUp }) => open || catchUp)
    .map((contestant) => enter(contestant, job, run.truth, wanted));
  return { bytes: run.bytes.length, results: await compete(entrants, options) };
};
