// The one store contract: a snapshot that keeps its identity until something changed, listeners that hear of each change
// once, each at its own pace. What the snapshot is, and when it changes, is its owner's business.
import { callGuarded } from './report.js';
import { requireFunction } from './options.js';
import { invalid } from './errors.js';

// What a store asks of the engine, in the terms of RawHost.watch().
const UNWATCHED = -1;
const FRAME = 1;
const IDLE = 100;

const paceOf = (notify) => {
  if (notify === 'frame') return FRAME;
  if (notify === 'sync') return 0;
  if (notify === 'idle') return IDLE;
  if (typeof notify === 'number' && notify >= 0 && notify < Infinity) return Math.max(notify, FRAME);
  throw invalid('notify', notify, "'frame', 'idle', 'sync' or milliseconds >= 0");
};

export const requirePolicy = (notify) => { paceOf(notify); };

// Idle time may never come under load; a listener that asked for it still hears within this.
const IDLE_TIMEOUT_MS = 250;

const whenIdle = (fn) => {
  if (typeof requestIdleCallback !== 'function') {
    const timer = setTimeout(fn, IDLE_TIMEOUT_MS);
    return () => clearTimeout(timer);
  }
  const handle = requestIdleCallback(fn, { timeout: IDLE_TIMEOUT_MS });
  return () => cancelIdleCallback(handle);
};

const after = (fn, ms) => {
  const timer = setTimeout(fn, ms);
  return () => clearTimeout(timer);
};

/**
 * `initial`: the first snapshot, and the server's for ever. `owner.onPace(pace)`: the most demanding pace of all listeners
 * changed. `owner.onRead()`: someone reads; bring `set()` up to date. `notify`: the default policy of this store's listeners.
 */
export const createStore = (initial, { onPace, onRead } = {}, notify = 'frame') => {
  paceOf(notify);                 // a wrong default is the creator's mistake, not the first listener's
  const listeners = new Set();
  let snapshot = initial;
  let pace = UNWATCHED;
  let isFinal = false;

  const tell = (listener) => {
    listener.cancel?.();
    listener.cancel = undefined;
    if (listener.seen === snapshot || !listeners.has(listener)) return;
    listener.seen = snapshot;
    if (listener.pace > FRAME) listener.toldAt = performance.now();
    callGuarded(listener.fn, snapshot);
  };

  // Slower listeners keep one pending call, which will read the snapshot of its own time.
  const schedule = (listener) => {
    if (listener.cancel) return;
    const fire = () => {
      listener.cancel = undefined;
      tell(listener);
    };
    const wait = listener.pace - (performance.now() - listener.toldAt);
    if (listener.idle) listener.cancel = whenIdle(fire);
    else if (wait <= 0) tell(listener);
    else listener.cancel = after(fire, wait);
  };

  const updatePace = () => {
    let next = UNWATCHED;
    for (const listener of listeners) if (next === UNWATCHED || listener.pace < next) next = listener.pace;
    if (next === pace) return;
    pace = next;
    onPace?.(pace);
  };

  const getSnapshot = () => {
    onRead?.();
    return snapshot;
  };

  const subscribe = (fn, options) => {
    requireFunction('subscribe', fn);
    const policy = options?.notify ?? notify;
    const listener = { fn, pace: paceOf(policy), idle: policy === 'idle', seen: undefined, toldAt: 0, cancel: undefined };
    listeners.add(listener);
    updatePace();
    onRead?.();
    tell(listener);
    if (isFinal) listeners.delete(listener);
    return () => {
      if (!listeners.delete(listener)) return;
      listener.cancel?.();
      updatePace();
    };
  };

  return {
    subscribe,
    getSnapshot,
    getServerSnapshot: () => initial,
    /** The snapshot as it is, without asking the owner to refresh it. */
    peek: () => snapshot,
    /** A listener is waiting, so the owner's deltas should carry the text. */
    isWatched: () => pace !== UNWATCHED,
    set: (next) => { snapshot = next; },
    /** Tells the listeners of a change, each at its pace. True if some wait for a frame, because this is none. */
    deliver: (isFrame) => {
      let areWaiting = false;
      for (const listener of [...listeners]) {
        if (listener.seen === snapshot) continue;
        if (listener.pace > FRAME) schedule(listener);
        else if (isFrame || listener.pace < FRAME) tell(listener);
        else areWaiting = true;
      }
      return areWaiting;
    },
    /**
     * The last change: everyone hears of it now, whatever the pace, and is let go. What a listener holds, often the very
     * object that has this store, is then free to be collected.
     */
    finish: () => {
      isFinal = true;
      for (const listener of [...listeners]) tell(listener);
      listeners.clear();
    },
  };
};
