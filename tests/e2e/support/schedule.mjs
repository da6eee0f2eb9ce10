// A schedule of faults by seed: what goes wrong with the requests of one run, one after the other. The same seed always
// gives the same schedule.

const MASK = 0xffffffff;

/** Mulberry32: small, and good enough to spread faults. */
export class Chance {
  #state;

  constructor(seed) {
    this.#state = seed & MASK;
  }

  next() {
    this.#state = (this.#state + 0x6d2b79f5) & MASK;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer from `low` to `high`, both included. */
  between(low, high) {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  pick(items) {
    return items[this.between(0, items.length - 1)];
  }

  /** True in `percent` of a hundred cases. */
  is(percent) {
    return this.next() * 100 < percent;
  }
}

/** How a response ends. Without lingering the browser throws away bytes that it learns of together with the end. */
export const end = (chance) => ({ how: chance.pick(['fin', 'drop', 'rst']), lingerMs: chance.pick([0, 20]) });

/** What spoils a stream without breaking it. Any of it may come together with a cut. */
const spoil = (chance) => chance.pick([
  () => ({}),
  () => ({ splitEvery: chance.between(1, 40) }),
  () => ({ splitAt: Array.from({ length: 6 }, () => chance.between(1, 6000)), splitGapMs: 3 }),
  () => ({ duplicate: chance.between(1, 4) }),
  () => ({ replaySeen: chance.between(1, 20) }),
  () => ({ ignoreCursor: true }),
  () => ({ crlf: chance.pick(['crlf', 'cr']) }),
  () => ({ bom: true, retry: chance.between(0, 40) }),
  () => ({ crlf: 'crlf', splitEvery: chance.between(1, 9), duplicate: 3 }),
  () => ({ drip: { bytes: chance.between(60, 400), everyMs: 1 } }),
])();

/** One request for the event log: bytes fall mid-frame and mid-code-point, events between frames. */
const eventsStep = (chance) => chance.pick([
  () => ({ ...spoil(chance), cut: { afterBytes: chance.between(1, 4000), ...end(chance) } }),
  () => ({ ...spoil(chance), cut: { afterBytes: chance.between(1, 400), ...end(chance) } }),
  () => ({ ...spoil(chance), cut: { afterEvents: chance.between(0, 30), ...end(chance) } }),
  () => ({ cut: end(chance) }),
  () => ({ stall: { afterBytes: chance.between(1, 2000), heartbeats: false } }),
  () => ({ stall: { afterEvents: chance.between(0, 20), heartbeats: true, ms: chance.between(50, 300) } }),
  () => ({ cut: { beforeHeaders: true, how: chance.pick(['drop', 'rst']) } }),
  () => ({ delayHeadersMs: chance.between(5, 80), cut: { afterBytes: chance.between(0, 2000), ...end(chance) } }),
  () => ({ status: { code: chance.pick([408, 429, 500, 502, 503]), ...(chance.is(20) && { retryAfter: 0 }) } }),
  () => ({ empty: true }),
  () => ({ silentClose: true }),
])();

/** The send. As long as its answer has not named the run, repeating it must not start a second one. */
const sendStep = (chance) => chance.pick([
  () => ({}),
  () => ({ splitEvery: chance.between(1, 20) }),
  () => ({ cut: { afterBytes: chance.between(0, 160), ...end(chance) } }),
  () => ({ cut: { beforeHeaders: true, how: chance.pick(['drop', 'rst']) } }),
  () => ({ status: { code: chance.pick([500, 503]), afterEffect: chance.is(50) } }),
  () => ({ delayHeadersMs: chance.between(5, 60) }),
])();

export const statusStep = (chance) => chance.pick([
  () => ({}),
  () => ({ status: { code: chance.pick([500, 503]) } }),
  () => ({ cut: { beforeHeaders: true, how: 'rst' } }),
  () => ({ delayHeadersMs: chance.between(5, 60) }),
])();

export const times = (count, make) => Array.from({ length: count }, make);

/**
 * The whole situation of one run.
 *
 * A run that ends at the server before its id is known can never be found again (B-SEND-4): it is held until it is. It takes its
 * time where something else breaks it, too (not `isSendSafe`).
 */
export function scheduleOf(seed, { isSendSafe }) {
  const chance = new Chance(seed);
  const isFast = chance.is(25) && isSendSafe;
  return {
    seed,
    transport: seed % 2 === 0 ? 'fetch' : 'eventsource',
    recipe: {
      seed,
      events: isSendSafe ? chance.between(60, 160) : chance.between(200, 260),
      eventsPerSecond: isFast ? 0 : isSendSafe ? chance.between(150, 300) : chance.between(90, 140),
      holdAt: chance.between(0, 20),
      reasoning: chance.is(60),
      toolCalls: chance.between(0, 4),
      citation: chance.is(30),
      usage: chance.is(60),
      json: chance.pick(['plain', 'plain', 'html', 'ascii']),
      splitSurrogates: chance.is(25),
      heartbeatMs: chance.between(200, 2000),
      chunkEvents: chance.pick([0, 0, 1, 7]),
    },
    faults: {
      stream: isFast ? [] : times(chance.between(0, 2), () => sendStep(chance)),
      events: times(chance.between(2, 7), () => eventsStep(chance)),
      status: times(chance.between(0, 2), () => statusStep(chance)),
    },
  };
}
