// A run by its name, for components: they name what they show and do not own it. The first listener opens it, the last one's
// leaving closes it after a grace, in which whoever comes back (StrictMode's second mount, a quick switch of chats) finds it as it was.
// What the page itself began goes on unwatched (K-3), and nobody opens a second connection to a run (PROTOCOLS 6.1, 9).
import { SteadyStreamError, invalid } from './errors.js';
import { requireFunction } from './options.js';
import { callGuarded } from './report.js';
import { CLOSED, initialSnapshot, isSettled } from './snapshot.js';
import { requirePolicy } from './store.js';

// It is not known yet whether anything runs; nothing does.
const IDLE = 'idle';
const NONE = 'none';

export const requireGrace = (graceMs) => {
  if (typeof graceMs === 'number' && graceMs >= 0) return graceMs;
  throw invalid('graceMs', graceMs, 'milliseconds >= 0');
};

export class RunView {
  #graceMs;
  #notify;
  #client;
  #listeners = new Set();     // { fn, options, leave }
  #stream = null;
  #rest;                      // what is shown while there is no stream
  #asking = null;             // whoever waits for the server to say what runs
  #hint = null;               // the run that was last said to go on
  #isHinted = false;          // while it was asked, and not about that
  #grace = 0;

  /**
   * `client`: what a view needs of it: `find(key)`, the stream that is here already; `open(key)`, `takeUp(run)` and
   * `resume(sessionId, signal, runId)`, which tell no other view; `close(stream)`, true if it was nobody else's; `stop(sessionId)`,
   * `enlist(view)`, `onMount()`.
   */
  constructor(key, { graceMs, notify }, client) {
    this.key = key;
    this.#graceMs = graceMs;
    this.#notify = notify;
    this.#client = client;
    const { sessionId, runId } = key;
    const status = runId === undefined ? IDLE : 'pending';
    const initial = Object.freeze({ ...initialSnapshot(sessionId, runId ?? null, null), status });
    this.#rest = initial;
    /** What the page gets of it. */
    this.store = Object.freeze({
      subscribe: this.#subscribe,
      getSnapshot: this.#getSnapshot,
      getServerSnapshot: () => initial,
      stop: this.#stop,
      retry: this.#retry,
    });
  }

  /** Nobody listens, and nobody did a moment ago. */
  get isIdle() {
    return this.#listeners.size === 0 && this.#grace === 0;
  }

  /** Somebody looks, and what it shows, if anything, has ended. */
  get isWaiting() {
    return this.#listeners.size > 0 && this.key.runId === undefined && (this.#stream === null || isSettled(this.#stream.getSnapshot().status));
  }

  #getSnapshot = () => {
    // What began before anybody listened is in the first frame all the same.
    if (this.isIdle) this.#stream = this.#client.find(this.key) ?? this.#stream;
    return this.#stream ? this.#stream.getSnapshot() : this.#rest;
  };

  #subscribe = (fn, { notify = this.#notify } = {}) => {
    requireFunction('subscribe', fn);
    requirePolicy(notify);
    if (this.isIdle) this.#begin();
    this.#endGrace();
    const listener = { fn, options: { notify }, leave: null };
    this.#listeners.add(listener);
    this.#attach(listener);
    return () => {
      if (!this.#listeners.delete(listener)) return;
      listener.leave?.();
      this.#startGrace();
    };
  };

  #stop = async () => {
    const { status, sessionId } = this.#getSnapshot();
    if (status === IDLE || status === NONE || isSettled(status)) return;
    await (this.#stream ? this.#stream.stop() : this.#client.stop(sessionId));
  };

  #retry = () => {
    if (this.#stream) this.#show(this.#stream.retry());
    else if (this.#rest.error) this.#begin();
    else throw new SteadyStreamError('invalid-state', { got: 'retry() where nothing failed', expected: 'an interrupted or failed run' });
    this.#startGrace();
  };

  holds(stream) {
    return this.#stream === stream && !this.isIdle;
  }

  /** The client has begun a run of ours. */
  follow(stream) {
    if (!this.isIdle) this.#show(stream);
  }

  /** A run of another tab goes on in our session: { sessionId, runId, requestId }. */
  takeUp(run) {
    if (!this.isWaiting) return;
    try {
      this.#show(this.#client.takeUp(run));
    } catch (error) {
      this.#fail(error, true);
    }
  }

  /** This one is said to go on: if the server says so too, it is shown. Of each it is asked once. */
  look(runId) {
    if (!this.isWaiting || runId === this.#hint) return;
    this.#hint = runId;
    // It may be what the server is about to say.
    if (this.#asking) this.#isHinted = true;
    else this.#ask(this.key.sessionId, runId);
  }

  /** Nobody came back. */
  rest() {
    this.#endGrace();
    this.#endAsking();
    if (!this.#stream) return;
    const snapshot = this.#stream.getSnapshot();
    if (isSettled(snapshot.status) || !this.#client.close(this.#stream)) return;
    this.#rest = Object.freeze({ ...snapshot, connection: CLOSED });
    this.#stream = null;
  }

  #begin() {
    this.#client.onMount();
    this.#client.enlist(this);
    const { sessionId, runId } = this.key;
    const here = this.#client.find(this.key);
    if (here) {
      this.#show(here);
      return;
    }
    const { status, runId: heldId, cursor, parts } = this.#getSnapshot();
    const isOver = isSettled(status) && status !== 'interrupted';
    try {
      if (parts.length > 0 && !isOver) {
        // It goes on where it was left, and if it has ended meanwhile, that is told, too.
        this.#show(this.#client.open({ sessionId, runId: heldId ?? runId, cursor: cursor ?? undefined, parts }));
      } else if (runId === undefined) {
        this.#ask(sessionId);
      } else if (!isOver) {
        this.#show(this.#client.open({ sessionId, runId }));
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  async #ask(sessionId, runId) {
    this.#endAsking();
    const asking = new AbortController();
    this.#asking = asking;
    this.#isHinted = false;
    try {
      const stream = await this.#client.resume(sessionId, asking.signal, runId);
      if (this.#asking !== asking) {
        if (stream && stream !== this.#stream) this.#client.close(stream);
      } else if (stream) {
        this.#show(stream);
      } else {
        this.#asking = null;
        // What has ended is shown as it ended.
        if (!this.#stream) this.#setRest({ status: NONE, error: null });
        if (this.#isHinted) this.#ask(sessionId, this.#hint);
      }
    } catch (error) {
      if (this.#asking === asking) this.#fail(error, runId !== undefined);
    }
  }

  #show(stream) {
    this.#endAsking();
    const before = this.#stream;
    if (stream === before) return;
    this.#stream = stream;
    this.#attachAll();
    if (before) this.#client.close(before);
  }

  #fail(error, isUnasked = false) {
    if (!(error instanceof SteadyStreamError)) throw error;
    this.#endAsking();
    // What nobody asked for has no failure.
    if (!isUnasked) this.#setRest({ ...this.#getSnapshot(), error });
  }

  #setRest(change) {
    this.#rest = Object.freeze({ ...this.#rest, ...change });
    this.#stream = null;
    this.#attachAll();
  }

  #attachAll() {
    for (const listener of [...this.#listeners]) if (this.#listeners.has(listener)) this.#attach(listener);
  }

  // What a stream shows, it tells its listeners itself, each at its own pace. They are told at once, and may leave or begin another run.
  #attach(listener) {
    listener.leave?.();
    listener.leave = null;
    const stream = this.#stream;
    if (!stream) {
      callGuarded(listener.fn, this.#rest);
      return;
    }
    const leave = stream.subscribe(listener.fn, listener.options);
    if (stream === this.#stream && this.#listeners.has(listener)) listener.leave = leave;
    else leave();
  }

  #endAsking() {
    this.#asking?.abort();
    this.#asking = null;
  }

  #startGrace() {
    if (this.#listeners.size > 0) return;
    this.#endGrace();
    // Longer than a timer can wait is for ever.
    if (this.#graceMs > 0x7fffffff) return;
    this.#grace = setTimeout(() => this.rest(), this.#graceMs);
    this.#grace.unref?.();
  }

  #endGrace() {
    clearTimeout(this.#grace);
    this.#grace = 0;
  }
}
