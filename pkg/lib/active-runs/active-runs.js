// The sidebar's store: what runs in which session. Nobody's subscription opens anything by itself: the engine connects with the first
// and lets go a second after the last.
import { dispose } from '../dispose.js';
import { SteadyStreamError, toError } from '../errors.js';
import { callGuarded } from '../report.js';
import { CLOSED, nextConnection, nextError } from '../snapshot.js';
import { createStore } from '../store.js';
import { Rows } from './rows.js';

const FAILED = (error) => Object.freeze({ ...CLOSED, state: 'failed', error });

/** What the feed of a client knows: a slot's holder. */
class Watch {
  #feed;
  #wish;
  #rows = new Rows();
  #flaps = [];
  #isOver = false;
  #onRows;
  #areNew = false;

  slot = 0;
  onError;

  constructor(feed, { wish, isSupported, notify, onRows }) {
    this.#feed = feed;
    this.#onRows = onRows;
    this.#wish = wish;
    const initial = Object.freeze({
      ready: false, supported: isSupported, runs: this.#rows.list, connection: CLOSED, error: null,
    });
    this.store = createStore(initial, {
      onPace: (pace) => this.#attend(pace),
      onRead: () => {
        if (this.slot && !this.store.isWatched()) this.#feed.read(this);
      },
    }, notify);
  }

  get isOver() {
    return this.#isOver;
  }

  // For the badge: a feed that nobody watches has no say in it.
  get isLive() {
    return !this.#isOver && this.slot > 0 && this.store.isWatched() && this.store.peek().supported;
  }

  get connection() {
    return this.isLive ? this.store.peek().connection : CLOSED;
  }

  status(sessionId) {
    this.store.getSnapshot();
    return this.#rows.status(sessionId);
  }

  #attend(pace) {
    if (this.#isOver || this.#wish === null) return;
    if (!this.slot) {
      if (pace < 0) return;
      try {
        this.#feed.open(this, (raw, now) => raw.activeRuns(...this.#wish, now));
      } catch (error) {
        if (!(error instanceof SteadyStreamError)) throw error;
        this.#set({ connection: FAILED(error), error });
        this.#flaps.push(error);
        this.#feed.note(this);
        return;
      }
    }
    this.#feed.act((raw, now) => raw.attend(this.slot, pace, now));
    this.#feed.note(this);
  }

  apply({ reset, rows, since, names, state, flap }) {
    const old = this.store.peek();
    if (reset) this.#rows.reset();
    if (rows) this.#rows.apply({ since, rows, names });
    this.#areNew ||= rows !== undefined;
    if (flap) this.#flaps.push(toError(flap));
    const change = {};
    if (this.#rows.list !== old.runs) change.runs = this.#rows.list;
    if (state) {
      Object.assign(change, state);
      change.connection = nextConnection(state.connection, old.connection, this.#feed.toUnix);
      change.error = nextError(state.error, old.error);
    }
    this.#set(change);
  }

  #set(change) {
    const old = this.store.peek();
    if (Object.keys(change).some((key) => change[key] !== old[key])) this.store.set(Object.freeze({ ...old, ...change }));
  }

  /** True if listeners wait for a frame. */
  deliver(isFrame) {
    for (const error of this.#flaps.splice(0)) if (this.onError) callGuarded(this.onError, error);
    if (this.#areNew) this.tellRows();
    if (!this.#isOver) return this.store.deliver(isFrame);
    this.store.finish();
    return false;
  }

  /** What its index has, as far as somebody looks. */
  tellRows() {
    this.#areNew = false;
    if (this.isLive) this.#onRows((sessionId) => this.#rows.find(sessionId));
  }

  handleRead() {}

  close() {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#set({ connection: CLOSED });
    this.#feed.release(this);
    this.#feed.note(this);
  }

  detach() {
    this.close();
  }

  crash(error) {
    this.#isOver = true;
    this.slot = 0;
    this.#set({ connection: FAILED(error), error });
  }
}

export class ActiveRuns {
  #watch;

  /** `watch`: see `createActiveRuns`, which alone makes these. */
  constructor(watch) {
    this.#watch = watch;
    const { subscribe, getSnapshot, getServerSnapshot } = watch.store;
    Object.assign(this, { subscribe, getSnapshot, getServerSnapshot });
  }

  status(sessionId) {
    return this.#watch.status(sessionId);
  }

  get ready() {
    return this.getSnapshot().ready;
  }

  close() {
    this.#watch.close();
  }

  [dispose]() {
    this.close();
  }
}

/**
 * All stores of one client: who asks for what is there gets that, so that no two ask the server. `options`: checked, every
 * default filled in.
 */
export class Sidebars {
  #feed;
  #isSupported;
  #onRows;
  #all = [];              // { key, watch, store }

  /** `onRows(find)`: something of an index that somebody watches has changed; `find(sessionId)` gives a row of it. */
  constructor(feed, isSupported, onRows) {
    this.#feed = feed;
    this.#onRows = onRows;
    this.#isSupported = isSupported;
  }

  get({ retainTerminalMs, emptyStateTimeoutMs, verifyAfterMs, enabled, notify, onError }) {
    this.#all = this.#all.filter(({ watch }) => !watch.isOver);
    const wish = [retainTerminalMs, emptyStateTimeoutMs, verifyAfterMs];
    const key = [...wish, enabled, notify].join();
    let found = this.#all.find((other) => other.key === key);
    if (!found) {
      const watch = new Watch(this.#feed, {
        wish: enabled && this.#isSupported ? wish : null, isSupported: this.#isSupported, notify, onRows: this.#onRows,
      });
      found = { key, watch, store: new ActiveRuns(watch) };
      this.#all.push(found);
    }
    // A component gives a new function each time it renders: the last one is who hears.
    if (onError) found.watch.onError = onError;
    return found.store;
  }

  /** As `onRows`, now. */
  tellRows() {
    for (const { watch } of this.#all) watch.tellRows();
  }

  close() {
    for (const { watch } of this.#all.splice(0)) watch.close();
  }
}
