// Between a flush, which brings events in batches, and one `for await`, which takes them one by one at its own speed.
import { SteadyStreamError } from './errors.js';

// A reader this far behind is not reading. Dropping events would be a lie, waiting for it would stall the run, so it is told.
export const MAX_QUEUED = 65536;

const DONE = Object.freeze({ value: undefined, done: true });

export class EventQueue {
  #events = [];
  #next = 0;
  #waiting = [];
  #isEnded = false;
  #error = null;
  #onClose;

  constructor(onClose) {
    this.#onClose = onClose;
  }

  push(events) {
    if (this.#isEnded) return;
    let i = 0;
    while (this.#waiting.length > 0 && i < events.length) this.#waiting.shift().resolve({ value: events[i++], done: false });
    const behind = this.#events.length - this.#next + events.length - i;
    if (behind > MAX_QUEUED) {
      this.end(new SteadyStreamError('queue-full', { got: behind }));
      return;
    }
    this.#events = this.#events.slice(this.#next);
    this.#next = 0;
    for (; i < events.length; i++) this.#events.push(events[i]);
  }

  end(error = null) {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#error = error;
    this.#onClose(this);
    for (const waiting of this.#waiting.splice(0)) this.#finish(waiting.resolve, waiting.reject);
  }

  // The error is given once; after it, as after the last event, the iterator is simply done.
  #finish(resolve, reject) {
    const error = this.#error;
    this.#error = null;
    if (error) reject(error);
    else resolve(DONE);
  }

  next() {
    return new Promise((resolve, reject) => {
      if (this.#next < this.#events.length) resolve({ value: this.#events[this.#next++], done: false });
      else if (this.#isEnded) this.#finish(resolve, reject);
      else this.#waiting.push({ resolve, reject });
    });
  }

  return() {
    this.#events = [];
    this.#next = 0;
    this.#error = null;
    this.end();
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}
