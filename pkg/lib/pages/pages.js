// The store of a long list: the stretch of it that is held, what is on its way at its newest end, and one load at a time.
import { dispose } from '../dispose.js';
import { SteadyStreamError } from '../errors.js';
import { onFrame } from '../browser/frame.js';
import { createStore } from '../store.js';
import * as byCursor from './by-cursor.js';
import * as byOffset from './by-offset.js';
import { Live } from './live.js';
import { Stretch } from './stretch.js';

const EMPTY = Object.freeze({ items: Object.freeze([]), hasMore: true, hasNewer: false, status: 'idle', loading: null, error: null });

const typed = (cause) => (cause instanceof SteadyStreamError ? cause : new SteadyStreamError('request-failed', { cause, retryable: true }));

/** The state behind a `Pages`, which users hold. */
export class History {
  #options;
  #walk;
  #stretch;
  #live;
  #shown = new Map();           // row or entry -> its item
  #abort = new AbortController();
  #loads = new Map();           // what is asked for and not yet there -> its promise
  #last = Promise.resolve();
  #reading = null;              // of #loads, the one whose requests are on their way
  #isOutrun = false;            // something has come since the newest page was asked for
  #cancelFrame = null;
  #isTelling = false;
  #isStale = false;

  /** `options`: see parsePages, and `namesOf(value)`. */
  constructor(options) {
    this.#options = options;
    this.#walk = options.style === 'offset' ? byOffset : byCursor;
    this.#live = new Live(() => this.#change());
    this.#stretch = new Stretch(options.namesOf, options.maxItems, (names) => this.#live.keyOf(names));
    this.store = createStore(EMPTY, {
      onPace: (pace) => {
        if (pace >= 0) options.onWatch?.();
        if (pace >= 0 && !this.isOver && (this.#isStale || (!this.#stretch.isLoaded && this.#loads.size === 0))) this.update();
      },
    }, options.notify);
  }

  get isOver() {
    return this.#abort.signal.aborted;
  }

  get order() {
    return this.#options.isNewestFirst ? 'newest-first' : 'oldest-first';
  }

  get isIdle() {
    return this.#loads.size === 0 && !this.store.isWatched();
  }

  /** What is shown at the newest end besides: see Live. */
  overlay(source) {
    this.#live.add(source);
  }

  /** These are the newest now, whether or not they were there. */
  raise(value) {
    if (!this.#stretch.isLoaded || this.isOver) return;
    this.#stretch.raise(value);
    this.#change();
  }

  /** Something has come that the server knows of: the newest page again, once somebody looks, but not at the cost of what they look at. */
  update() {
    this.#isStale = !this.store.isWatched();
    if (this.#isStale || this.#stretch.hasNewer) return;
    if (this.#reading === 'newest') this.#isOutrun = true;
    else this.load('newest');
  }

  /** 'older', 'newer' or 'newest'. A promise of whether it is there; it never rejects. */
  load(direction) {
    if (this.isOver) return Promise.resolve(false);
    const same = this.#loads.get(direction);
    if (same) return same;
    // One after the other: each begins where the one before has ended.
    const loading = this.#last.then(() => this.#run(direction)).finally(() => {
      this.#reading = null;
      this.#loads.delete(direction);
    }).then((isThere) => {
      this.#change();
      if (direction === 'newest' && this.#isOutrun) {
        this.#isOutrun = false;
        this.update();
      }
      return isThere;
    });
    this.#loads.set(direction, loading);
    this.#last = loading;
    this.#change();
    return loading;
  }

  async #run(direction) {
    if (this.isOver) return false;
    if (direction === 'newer' && !this.#stretch.hasNewer && this.#stretch.isLoaded) return true;
    const { signal } = this.#abort;
    this.#reading = direction;
    const waiting = this.#live.waiting();
    this.#set({ error: null });
    try {
      const steps = this.#walk[direction](this.#stretch, this.#options.limit);
      for (let step = steps.next(); !step.done;) {
        const page = await this.#options.load(step.value, signal);
        if (this.isOver) return false;
        step = steps.next(page);
      }
      if (direction === 'newest') this.#live.resolve(waiting);
      return true;
    } catch (cause) {
      if (!this.isOver) this.#set({ error: typed(cause) });
      return false;
    }
  }

  close() {
    if (this.isOver) return;
    this.#abort.abort();
    this.#live.close();
    this.#cancelFrame?.();
    this.#set({ status: 'closed', loading: null });
    this.store.finish();
  }

  // ---- what is shown ----

  #change() {
    if (this.isOver) return;
    const items = this.#list();
    const held = this.store.peek().items;
    const isSame = items.length === held.length && items.every((item, i) => item === held[i]);
    const [loading = null] = this.#loads.keys();
    this.#set({
      items: isSame ? held : Object.freeze(items),
      hasMore: this.#stretch.next !== null,
      hasNewer: this.#stretch.hasNewer,
      loading,
    });
  }

  #set(change) {
    const old = this.store.peek();
    const next = { ...old, ...change };
    if (next.status !== 'closed') next.status = next.loading ? 'loading' : next.error ? 'error' : 'idle';
    if (Object.keys(next).every((name) => next[name] === old[name])) return;
    this.store.set(Object.freeze(next));
    this.#tell();
  }

  // Listeners hear outside of the call that changed something: with the frame, or, where they want to, right behind it.
  #tell() {
    if (this.#isTelling || this.isOver) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      if (this.isOver || !this.store.deliver(false)) return;
      this.#cancelFrame ??= onFrame(() => {
        this.#cancelFrame = null;
        this.store.deliver(true);
      });
    });
  }

  #list() {
    const shown = new Map();
    const make = (of, key, value, { run = null, send = null } = {}) => {
      const old = this.#shown.get(of);
      const isSame = old && old.key === key && old.value === value && old.run === run && old.send === send;
      const item = isSame ? old : Object.freeze({ key, id: value === null ? null : this.#options.idOf(value), value, run, send });
      shown.set(of, item);
      return item;
    };
    const { byRow, rest } = this.#live.sort((names) => this.#stretch.find(names));
    const items = this.#stretch.list().map((row) => make(row, row.key, row.value, byRow.get(row)));
    // What is on its way is newer than anything that is not held.
    if (!this.#stretch.hasNewer) items.push(...rest.map((entry) => make(entry.key, entry.key, entry.value ?? null, entry)));
    this.#shown = shown;
    return this.#options.isNewestFirst ? items.reverse() : items;
  }
}

export class Pages {
  #history;

  /** `history`: see Histories, which alone makes these. */
  constructor(history) {
    if (!(history instanceof History)) {
      throw new SteadyStreamError('invalid-state', { got: 'new Pages()', expected: 'RunClient.messages() or sessions()' });
    }
    this.#history = history;
    const { subscribe, getSnapshot, getServerSnapshot } = history.store;
    Object.assign(this, { subscribe, getSnapshot, getServerSnapshot });
    this.order = history.order;
    // As event handlers.
    this.loadOlder = () => history.load('older');
    this.loadNewer = () => history.load('newer');
    this.refresh = () => history.load('newest');
  }

  get hasMore() {
    return this.getSnapshot().hasMore;
  }

  get hasNewer() {
    return this.getSnapshot().hasNewer;
  }

  close() {
    this.#history.close();
  }

  [dispose]() {
    this.close();
  }
}
