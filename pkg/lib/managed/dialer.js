// The loop around the engine's link: which says when to connect, wait, park and give up. Its owner opens and closes the
// connections, and tells what becomes of them.
import { Alarm } from '../browser/alarm.js';
import { onlineNow, watchPage, weatherNow } from '../browser/signals.js';
import { engine, guard, lives } from '../instance.js';
import { report } from '../report.js';

const [CONNECT, DROP, LOOK] = [1, 2, 3];
const LOSSES = { 4: 'stalled', 5: 'connect-timeout', 6: 'disconnected' };

/** What `heard` is told. */
export const [BYTES, BEAT, NEWS] = [0, 1, 2];

const clock = () => performance.now();

export class Dialer {
  #raw;
  #owner;
  #alarm = new Alarm(() => this.#enter((raw, now) => raw.timeout(now), true));
  #stopWatching;

  /**
   * `numbers`: see the boundary's `RawLink`. `owner`: { connect(), lose(code), drop(), crash(error) }; after `lose` and a lost
   * connection of its own it calls `lost`. `watches`: whether the page's signals count.
   */
  constructor(numbers, owner, watches) {
    const { RawLink } = engine();
    this.#raw = guard(() => new RawLink(Float64Array.from(numbers), Math.random(), clock()));
    this.#owner = owner;
    if (watches) this.#stopWatching = watchPage((signal) => this.#enter((raw, now) => raw.signal(signal, now)));
    // Whoever waits is not collected: a page may hold nothing but its listeners.
    lives.add(this);
  }

  /** Asks for a connection, with the whole budget. */
  connect() {
    this.#enter((raw, now) => raw.connect(now));
    // Behind the first attempt, because the standard makes one even where there is no network.
    if (this.#stopWatching) for (const signal of weatherNow()) this.#enter((raw, now) => raw.signal(signal, now));
  }

  opened() {
    guard(() => this.#raw.opened(clock()));
    this.#arm();
  }

  /** Called for each message: the deadline only moves later by it, and the alarm may fire early. */
  heard(what) {
    guard(() => this.#raw.heard(what, clock()));
  }

  hint(ms) {
    guard(() => this.#raw.hint(ms));
  }

  /** When the next attempt is due: `retryAt` in unix ms, or null while the page cannot connect. Undefined: never. */
  lost(isByUs, floorMs = 0) {
    const now = clock();
    const at = guard(() => this.#raw.lost(isByUs, floorMs, now));
    if (Number.isNaN(at)) return undefined;
    this.#arm();
    return { retryAt: at === Infinity ? null : Math.round(Date.now() + at - now) };
  }

  get attempt() {
    return guard(() => this.#raw.attempt());
  }

  close() {
    const raw = this.#raw;
    if (!raw) return;
    this.#end();
    guard(() => raw.free());
  }

  // The instance is dead, and its memory with it.
  crash(error) {
    this.#end();
    this.#owner.crash(error);
  }

  #end() {
    this.#raw = undefined;
    this.#alarm.clear();
    this.#stopWatching?.();
    lives.delete(this);
  }

  #enter(fn, isRepeated = false) {
    let due;
    do {
      if (!this.#raw) return;
      try {
        due = guard(() => fn(this.#raw, clock()));
      } catch (error) {
        // A trap: the owner has been told. Whoever watches the page for errors hears of it, too.
        report(error);
        return;
      }
      this.#act(due);
    } while (isRepeated && due);
    if (this.#raw) this.#arm();
  }

  #act(due) {
    if (due === CONNECT) this.#owner.connect();
    else if (due === DROP) this.#owner.drop();
    else if (due === LOOK) this.#enter((raw, now) => raw.signal(onlineNow(), now));
    else if (due) this.#owner.lose(LOSSES[due]);
  }

  #arm() {
    this.#alarm.set(guard(() => this.#raw.deadline()), clock());
  }
}
