// A schedule of faults by seed for an answer of `ui-message`: what goes wrong with its requests, one after the other.

import { Chance, end, times } from './schedule.mjs';

/** A stalled connection is given up this soon, for the sake of the test's own time. */
export const STALL_MS = 1500;

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
  () => ({
    stall: { afterEvents: chance.between(0, 30), heartbeats: true, ms: chance.between(50, 300) }, cut: { afterBytes: chance.between(4000, 8000), ...end(chance) },
  }),
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

/**
 * The whole situation of one answer. Without ids (`hasIds` false) an answer that has ended is not there any more, and with them it
 * is for those who have got one: it waits in front of its last chunks, further than any cut, until all that goes wrong is over.
 */
export function uiScheduleOf(seed) {
  const chance = new Chance(seed);
  const hasIds = seed % 2 === 0;
  const sends = [...times(chance.between(0, 1), () => putOff(chance)), sendStep(chance, hasIds)];
  const streams = times(chance.between(1, 6), () => streamStep(chance, hasIds));
  const events = chance.between(220, 280);
  return {
    seed,
    hasIds,
    recipe: {
      seed,
      events,
      eventsPerSecond: chance.between(200, 500),
      holdAt: events - chance.between(4, 12),
      reasoning: chance.is(60),
      toolCalls: chance.between(0, 12),
      interrupt: chance.is(30),
      citation: chance.is(30),
      usage: chance.is(60),
      json: chance.pick(['plain', 'plain', 'html', 'ascii']),
      splitSurrogates: chance.is(25),
      // Who waits is not stalled.
      heartbeatMs: chance.between(200, STALL_MS / 2),
      chunkEvents: chance.pick([0, 0, 1, 7]),
    },
    faults: { 'ui-send': sends, 'ui-stream': streams },
  };
}
