// How many streams may be open at once. Over HTTP/1.1 a browser has six connections to a server, for all its tabs, and a stream
// keeps one: the seventh waits for ever, and so does every other request of the page. Streams leave two of them free and take
// turns. Who waits has no connection and no cost; who gives way goes on later from its cursor.
import { VERSION } from '../tabs/channel.js';
import { PagePool, TabsPool } from './pool.js';

/** Of the browser's six. */
const USUAL = 4;
/** How long a stream keeps its place while others wait, in ms: one that somebody looks at, if nobody looks at theirs, longer. */
const TURN_MS = 2000;
const LONG_TURN_MS = 10_000;

/** Whether the browser has but six connections to this server. Where it does not say, encrypted ones are of a later version. */
const isScarce = ({ protocol, origin }) => {
  if (protocol === 'http:') return true;
  const timings = ['navigation', 'resource'].flatMap((type) => globalThis.performance?.getEntriesByType?.(type) ?? []);
  return timings.some(({ name, nextHopProtocol }) => nextHopProtocol === 'http/1.1' && name.startsWith(`${origin}/`));
};

/** Only browsers are so short of connections; and what is no address has none. */
const parse = (url) => {
  try {
    return new URL(url, globalThis.location.href);
  } catch {
    return null;
  }
};

// One for each server, whoever asks: all clients of a page have the same six.
const all = new Map();

/** The places at the server of `url`; `null` where any number may be open. `limit`: if it is given, this many. */
export const placesAt = (url, limit, isAcrossTabs) => {
  const where = parse(url);
  if (where === null) return null;
  const most = limit ?? (isScarce(where) ? USUAL : Infinity);
  if (most === Infinity) return null;
  const acrossTabs = isAcrossTabs && typeof globalThis.navigator?.locks?.request === 'function' && typeof BroadcastChannel === 'function';
  const name = `steadystream/${VERSION}/places/${most}/${where.origin}`;
  const key = `${name}|${acrossTabs}`;
  if (!all.has(key)) all.set(key, acrossTabs ? new Places(new TabsPool(name, most), name) : new Places(new PagePool(most)));
  return all.get(key);
};

class Places {
  #pool;
  #name;
  #taken = new Set();
  #queue = [];
  #isServing = false;
  #channel = null;
  #timer = null;

  /** `name`: under which tabs tell each other that somebody waits. */
  constructor(pool, name) {
    this.#pool = pool;
    this.#name = name;
  }

  /**
   * Opens a stream where there is a place; else it ends as `crowded`, and `seat.room()` is called when there is one. `seat`:
   * { room(), isSeen() }, the same one for each stream of a run. `begin(tell)` gives what closes the stream. Gives the same.
   */
  open(seat, begin, tell) {
    let close = null;
    let isOver = false;
    const finish = () => {
      isOver = true;
      close?.();
      this.#leave(seat);
    };
    const sit = (release) => {
      Object.assign(seat, { release, since: performance.now(), isReserved: false });
      this.#taken.add(seat);
      this.#listen();
      seat.yield = () => {
        finish();
        this.#wait(seat);
        tell.end('crowded');
      };
      close = begin({
        ...tell,
        end: (how, code) => {
          finish();
          tell.end(how, code);
        },
      });
      if (isOver) close();
    };
    const decide = (release) => {
      if (isOver) {
        release?.();
      } else if (release) {
        sit(release);
      } else {
        isOver = true;
        this.#wait(seat);
        tell.end('crowded');
      }
    };
    if (seat.isReserved) {
      sit(seat.release);
    } else {
      const given = this.#queue.length > 0 ? null : this.#pool.take();
      // Not before this returns: whoever opens it has to hold it first.
      if (given === null) queueMicrotask(() => decide(null));
      else if (given instanceof Promise) given.then(decide);
      else sit(given);
    }
    return finish;
  }

  /** Its run is forgotten. */
  forget(seat) {
    this.#queue = this.#queue.filter((waiting) => waiting !== seat);
    this.#rest();
    this.#listen();
  }

  #leave(seat) {
    if (!this.#taken.delete(seat)) return;
    seat.yield = null;
    seat.release();
    this.#listen();
  }

  #wait(seat) {
    if (!this.#queue.includes(seat)) this.#queue.push(seat);
    this.#serve();
    // Whoever gives way is asked by those who ask already.
    if (this.#timer === null) this.#ask();
  }

  async #serve() {
    if (this.#isServing) return;
    this.#isServing = true;
    while (this.#queue.length > 0) {
      const release = await this.#pool.wait();
      const seat = this.#queue.shift();
      // Whoever waited has gone.
      if (!seat) {
        release();
        break;
      }
      Object.assign(seat, { release, isReserved: true });
      seat.room();
      // Its run is over, or has other plans.
      if (seat.isReserved) {
        seat.isReserved = false;
        release();
      }
    }
    this.#isServing = false;
    this.#rest();
  }

  // Again and again, while somebody waits: whoever has had a turn gives way.
  #ask() {
    const isSeen = this.#queue.some((seat) => seat.isSeen());
    this.#timer = setTimeout(() => this.#ask(), TURN_MS / 4);
    this.#channel?.postMessage(isSeen);
    this.#makeRoom(isSeen);
  }

  // Nobody waits any more.
  #rest() {
    if (this.#queue.length > 0) return;
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  #makeRoom(isSeen) {
    const now = performance.now();
    const hasHadTurn = (seat) => now - seat.since >= (isSeen || !seat.isSeen() ? TURN_MS : LONG_TURN_MS);
    const [first] = [...this.#taken].filter(hasHadTurn).sort((a, b) => a.isSeen() - b.isSeen() || a.since - b.since);
    first?.yield();
  }

  // Other tabs are listened to, and told, only while there is something to give or to wait for.
  #listen() {
    if (this.#name === undefined) return;
    if (this.#taken.size === 0 && this.#queue.length === 0) {
      this.#channel?.close();
      this.#channel = null;
    } else if (this.#channel === null) {
      this.#channel = new BroadcastChannel(this.#name);
      this.#channel.onmessage = ({ data }) => {
        if (typeof data === 'boolean') this.#makeRoom(data);
      };
    }
  }
}
