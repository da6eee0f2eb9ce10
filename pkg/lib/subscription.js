// One subscribeRunEvents() call: wire events in, callbacks out, one settling (B-ES). No transcript is kept.
import { skipText } from './delta.js';
import { RunEventsConnectError, toError } from './errors.js';
import { toRunEvent } from './events.js';
import { callGuarded } from './report.js';
import { CLOSED, nextConnection } from './snapshot.js';

export class Subscription {
  #feed;
  #onChunk;
  #onError;
  #signal;
  #resolve;
  #reject;
  #state = {};
  #events = [];
  #hasEnded = false;

  slot = 0;
  isLive = true;
  connection = CLOSED;

  constructor(feed, { onChunk, onError, signal }) {
    this.#feed = feed;
    this.#onChunk = onChunk;
    this.#onError = onError;
    this.#signal = signal;
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  start(begin) {
    this.#feed.open(this, begin);
    this.#signal?.addEventListener('abort', this.#onAbort);
  }

  // B-ES-6: an abort resolves, and nothing is forwarded after it.
  #onAbort = () => {
    this.#feed.tell((raw, now) => raw.close(this.slot, now));
    this.#settle(this.#resolve);
  };

  apply(delta, take) {
    skipText(delta, take);
    const { state } = delta;
    Object.assign(this.#state, state);
    if (state?.connection) this.connection = nextConnection(state.connection, this.connection, this.#feed.toUnix);
    for (const event of delta.events ?? []) this.#events.push(event);
    this.#hasEnded ||= delta.end === true;
  }

  // The settling depends on what the engine said, never on how the callbacks fared (B-ES-5).
  deliver() {
    const events = this.#events;
    this.#events = [];
    for (const raw of events) {
      if (!this.isLive) return;
      if (!raw.flap) callGuarded(this.#onChunk, toRunEvent(raw), raw.id ?? null);
      else if (this.#onError) callGuarded(this.#onError, toError(raw.flap));
    }
    if (!this.#hasEnded || !this.isLive) return;
    const { status, error } = this.#state;
    const isEnd = status === 'completed' || status === 'cancelled' || error?.code === 'server-error' || error?.code === 'aborted';
    if (isEnd) this.#settle(this.#resolve);
    // Only the grace fails this way (B-ES-7): afterwards every failure but the last is a flap.
    else this.#settle(this.#reject, error.code === 'connect-failed' ? new RunEventsConnectError(error) : toError(error));
  }

  #settle(settle, value) {
    if (!this.isLive) return;
    this.isLive = false;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#feed.release(this);
    settle(value);
  }

  // The client is closing: the last events are about to be delivered, and that settles it.
  detach() {}

  crash(error) {
    this.#settle(this.#reject, error);
  }
}
