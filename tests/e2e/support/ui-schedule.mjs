// A schedule of faults by seed for an answer of `ui-message`: what goes wrong with its requests, one after the other.

import { Chance, end, times } from './schedule.mjs';

/** A stalled connection is given up this soon, for the sake of the test's own time. */
export const STALL_MS = 1500;

/** What a step may take, on a machine with much to do: a wait, a connection, all that was said already. */
const STEP_MS = { withIds: 600, without: 2500 };

/** And all of them together: the latest cuts are behind what an answer says in this time. */
const CUTS_MS = 2500;

/** What spoils a stream without breaking it. Chunks that come twice are told by their ids alone. */
const spoil = (chance, hasIds) => chance.pick([
  () => ({}),
  () => ({ splitEvery: chance.between(1, 40) }),
  () => ({ splitAt: Array.from({ length: 6 }, () => chance.between(1, 6000)), splitGapMs: 3 }),
  () => ({ crlf: chance.pick(['crlf', 'cr']) }),
  () => ({ bom: true, retry: chance.between(0, 40) }),
  () => ({ crlf: 'crlf', splitEvery: chance.between(1, 9) }),
  () => ({ drip: { bytes: chance.between(200, 400), everyMs: 1 } }),
  ...(hasIds ? [
    () => ({ duplicate: chance.between(1, 4) }),
    () => ({ replaySeen: chance.between(1, 20) }),
    () => ({ ignoreCursor: true }),
    () => ({ crlf: 'crlf', splitEvery: chance.between(1, 9), duplicate: 3 }),
  ] : []),
])();

/** How a stream ends too early. */
const cut = (chance, hasIds) => chance.pick([
  () => ({ ...spoil(chance, hasIds), cut: { afterBytes: chance.between(1, 8000), ...end(chance) } }),
  () => ({ ...spoil(chance, hasIds), cut: { afterBytes: chance.between(1, 400), ...end(chance) } }),
  () => ({ ...spoil(chance, hasIds), cut: { afterEvents: chance.between(0, 60), ...end(chance) } }),
  () => ({ cut: end(chance) }),
  () => ({ cut: { beforeHeaders: true, how: chance.pick(['drop', 'rst']) } }),
  () => ({ stall: { afterBytes: chance.between(1, 4000), heartbeats: false } }),
  () => ({ stall: { afterEvents: chance.between(0, 30), heartbeats: true, ms: chance.between(50, 300) } }),
  () => ({ delayHeadersMs: chance.between(5, 80), cut: { afterBytes: chance.between(0, 2000), ...end(chance) } }),
])();

/** A message that is put off, taken or not. One that is lost without a word of that is nobody's to ask after. */
const putOff = (chance) => ({
  status: { code: chance.pick([425, 429, 503]), afterEffect: chance.is(50), ...(chance.is(50) && { retryAfter: 0 }) },
});

/** One that is taken, and does not have its whole answer. */
const sendStep = (chance, hasIds) => chance.pick([
  () => ({ status: { code: chance.pick([500, 502, 504]), afterEffect: true } }),
  ...times(4, () => () => cut(chance, hasIds)),
])();

/** One request for what runs. */
const streamStep = (chance, hasIds) => chance.pick([
  () => ({ status: { code: chance.pick([429, 500, 502, 503]), ...(chance.is(20) && { retryAfter: 0 }) } }),
  () => ({ empty: true }),
  ...times(4, () => () => cut(chance, hasIds)),
])();

const costOf = ({ stall }, hasIds) => (hasIds ? STEP_MS.withIds : STEP_MS.without) + (stall && !stall.ms ? STALL_MS : 0);

/**
 * The whole situation of one answer. Without ids (`hasIds` false) an answer that has ended is not there any more, and with them it
 * is for those who have got one: it runs until all that goes wrong is over.
 */
export function uiScheduleOf(seed) {
  const chance = new Chance(seed);
  const hasIds = seed % 2 === 0;
  const sends = [...times(chance.between(0, 1), () => putOff(chance)), sendStep(chance, hasIds)];
  const streams = times(chance.between(1, 6), () => streamStep(chance, hasIds));
  const eventsPerSecond = chance.between(80, 120);
  const lastsMs = [...sends, ...streams].reduce((sum, step) => sum + costOf(step, hasIds), CUTS_MS);
  return {
    seed,
    hasIds,
    recipe: {
      seed,
      events: Math.ceil((lastsMs / 1000) * eventsPerSecond),
      eventsPerSecond,
      reasoning: chance.is(60),
      toolCalls: chance.between(0, 12),
      interrupt: chance.is(30),
      citation: chance.is(30),
      usage: chance.is(60),
      json: chance.pick(['plain', 'plain', 'html', 'ascii']),
      splitSurrogates: chance.is(25),
      heartbeatMs: chance.between(200, 2000),
      chunkEvents: chance.pick([0, 0, 1, 7]),
    },
    faults: { 'ui-send': sends, 'ui-stream': streams },
  };
}
