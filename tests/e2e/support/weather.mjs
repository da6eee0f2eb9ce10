// A schedule of weather by seed: what the network does to all connections of one run while it lasts, and what the server does
// besides. The same seed always gives the same schedule.

import { Chance, end, statusStep, times } from './schedule.mjs';

const hang = (chance) => chance.pick(['rst', 'fin']);

/**
 * What the network does, one after the other: each is an order to the proxy and the pause behind it. Bytes that fell into a hole
 * are gone for good, and so is their connection: what follows a hole is its end, as a real network's timeouts would bring it
 * about, only sooner.
 */
const phase = (chance) => chance.pick([
  () => [{ order: { cut: { how: hang(chance) } }, ms: chance.between(10, 300) }],
  () => [{ order: { cut: { how: hang(chance) }, after: { bytes: chance.between(1, 4000) } }, ms: chance.between(50, 400) }],
  () => [
    { order: { blackhole: {} }, ms: chance.between(30, 250) },
    { order: { clear: true, cut: { how: hang(chance) } }, ms: chance.between(10, 200) },
  ],
  () => [
    { order: { blackhole: {}, after: { bytes: chance.between(1, 4000) } }, ms: chance.between(100, 400) },
    { order: { clear: true, cut: { how: hang(chance) } }, ms: chance.between(10, 200) },
  ],
  () => [
    { order: { halfOpen: { direction: chance.pick(['toClient', 'toServer']) } }, ms: chance.between(30, 250) },
    { order: { clear: true, cut: { how: hang(chance) } }, ms: chance.between(10, 200) },
  ],
  () => [{ order: { delay: { ms: chance.between(5, 60), jitterMs: chance.between(0, 60) }, ms: chance.between(100, 500) }, ms: chance.between(0, 200) }],
  () => [{ order: { throttle: { bytesPerSecond: chance.between(2000, 40_000) }, ms: chance.between(100, 500) }, ms: chance.between(0, 200) }],
  () => [{ order: { refuse: {}, ms: chance.between(30, 200) }, ms: chance.between(0, 200) }],
])();

/** What spoils a stream or a socket without breaking it. */
const spoil = (chance) => chance.pick([
  () => ({}),
  () => ({ splitEvery: chance.between(1, 40) }),
  () => ({ duplicate: chance.between(1, 4) }),
  () => ({ reorder: chance.between(10, 40) }),
  () => ({ drop: chance.between(10, 40) }),
  () => ({ replaySeen: chance.between(1, 20) }),
  () => ({ ignoreCursor: true }),
  () => ({ malformed: { at: chance.between(1, 20) } }),
])();

/** How one socket goes. Some of it says "not over a socket again", which only a ladder can take. */
const socketStep = (chance, isLadder) => chance.pick([
  () => ({ ...spoil(chance), cut: { afterEvents: chance.between(0, 40), ...end(chance) } }),
  () => ({ ...spoil(chance), cut: { afterBytes: chance.between(1, 4000), ...end(chance) } }),
  () => ({ cut: { afterEvents: chance.between(0, 20), into: chance.between(1, 60), ...end(chance) } }),
  () => ({ cut: { afterSend: true, ...end(chance) } }),
  () => ({ cut: { afterAccepted: true, ...end(chance) } }),
  () => ({ close: { afterEvents: chance.between(0, 40), code: chance.pick([1000, 1001, 1011, 1012, 4000, 4429, 4503]) } }),
  () => ({ fragment: chance.between(1, 40), binaryFrame: { at: chance.between(1, 20) } }),
  () => ({ status: { code: chance.pick([403, 502, 503]) } }),
  // Once may be chance; twice in a row is what makes a ladder give way.
  () => times(2, () => ({ status: { code: 403 } })),
  () => ({ delayHeadersMs: chance.between(5, 80) }),
  () => (isLadder ? { close: { afterEvents: chance.between(0, 40), code: chance.pick([1008, 1009, 4404]) } } : {}),
])();

/** How one stream of events goes. */
const eventsStep = (chance) => chance.pick([
  () => ({ ...spoil(chance), cut: { afterBytes: chance.between(1, 4000), ...end(chance) } }),
  () => ({ ...spoil(chance), cut: { afterEvents: chance.between(0, 30), ...end(chance) } }),
  () => ({ cut: { beforeHeaders: true, how: chance.pick(['drop', 'rst']) } }),
  () => ({ stall: { afterEvents: chance.between(0, 20), heartbeats: false } }),
  () => ({ status: { code: chance.pick([408, 429, 500, 502, 503]) } }),
  () => ({ contentType: 'text/html' }),
  () => ({ empty: true }),
  () => ({ buffer: {} }),
])();

const messagesStep = (chance) => chance.pick([
  () => ({}),
  () => ({ cut: { beforeHeaders: true, how: chance.pick(['drop', 'rst']) } }),
  () => ({ status: { code: chance.pick([500, 503]), afterEffect: chance.is(50) } }),
  () => ({ delayHeadersMs: chance.between(5, 60) }),
])();

const ALL = ['websocket', 'eventsource', 'fetch', 'rest'];

function ladderOf(chance) {
  const left = [...ALL];
  return times(chance.between(2, 4), () => left.splice(chance.between(0, left.length - 1), 1)[0]);
}

/** The whole situation of one run: half of them have nothing but a socket, the others a ladder in any order. */
export function weatherOf(seed) {
  const chance = new Chance(seed);
  const transports = seed % 2 === 0 ? ['websocket'] : ladderOf(chance);
  return {
    seed,
    transports,
    recipe: { seed, events: chance.between(40, 100), eventsPerSecond: chance.between(90, 180), citation: chance.is(50), json: chance.pick(['plain', 'html', 'ascii']) },
    phases: times(chance.between(1, 4), () => phase(chance)).flat(),
    faults: {
      ws: times(chance.between(0, 4), () => socketStep(chance, transports.length > 1)).flat(),
      'chat-events': times(chance.between(0, 4), () => eventsStep(chance)),
      'chat-status': times(chance.between(0, 2), () => statusStep(chance)),
      messages: times(chance.between(0, 1), () => messagesStep(chance)),
    },
  };
}
