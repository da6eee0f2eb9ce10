// One subscribeActiveRuns() call: rows in, callbacks out, one settling (B-AR-1, B-AR-7). Nothing is kept.
import { toError } from '../errors.js';
import { callGuarded } from '../report.js';
import { CLOSED, nextConnection } from '../snapshot.js';

export class ActiveRunsSubscription {
  #feed;
  #onEvent;
  #onError;
  #signal;
  #resolve;
  #reject;
  #events = [];
  #end = null;

  slot = 0;
  isLive = true;
  connection = CLOSED;

  constructor(feed, { onEvent, onError, signal }) {
    this.#feed = feed;
    this.#onEvent = onEvent;
    this.#onError = onError;
    this.#signal = signal;
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  start() {
    this.#feed.open(this, (raw, now) => raw.subscribeActiveRuns(now));
    this.#signal?.addEventListener('abort', this.#onAbort);
  }

  // Whoever aborts hears nothing more (B-AR-8).
  #onAbort = () => this.#settle(this.#resolve);

  apply({ events, state, end }) {
    if (state) this.connection = nextConnection(state.connection, this.connection, this.#feed.toUnix);
    for (const event of events ?? []) this.#events.push(event);
    this.#end ??= end ?? null;
  }

  deliver() {
    for (const told of this.#events.splice(0)) {
      if (!this.isLive) return;
      if (told.flap) {
        if (this.#onError) callGuarded(this.#onError, toError(told.flap));
      } else {
        const [event, sessionId, runId, status, updatedAt] = told;
        callGuarded(this.#onEvent, Object.freeze({ event, sessionId, runId, status, updatedAt }));
      }
    }
    if (this.#end) this.#settle(this.#reject, toError(this.#end.error));
  }

  #settle(settle, value) {
    if (!this.isLive) return;
    this.isLive = false;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#feed.release(this);
    settle(value);
  }

  // The client is closing: as if aborted.
  detach() {
    this.#settle(this.#resolve);
  }

  crash(error) {
    this.#settle(this.#reject, error);
  }
}
