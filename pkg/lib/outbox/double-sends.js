// A click that came twice: the same message to the same session, while nobody can want it twice yet.
import { clock } from '../browser/driver.js';

export class DoubleSends {
  #spanMs;
  #sends = new Map();      // what is sent -> { outgoing, stream, at }

  /** 0 takes every send for meant. */
  constructor(spanMs) {
    this.#spanMs = spanMs;
  }

  #isOpen({ outgoing, at }) {
    const { status } = outgoing.shown;
    return status === 'pending' || (status !== 'failed' && status !== 'gone' && clock() - at < this.#spanMs);
  }

  /** The stream of the first one. */
  find(sessionId, message, parts) {
    for (const [key, send] of this.#sends) if (!this.#isOpen(send)) this.#sends.delete(key);
    return this.#sends.get(JSON.stringify([sessionId, message, parts]))?.stream.deref();
  }

  add(sessionId, message, parts, outgoing, stream) {
    if (this.#spanMs === 0) return;
    // A stream that nobody wants is nobody's second click, either.
    this.#sends.set(JSON.stringify([sessionId, message, parts]), { outgoing, stream: new WeakRef(stream), at: clock() });
  }
}
