// The runs that have ended a moment ago. Whoever comes back to one finds all of it, without a request (K-5, K-6); and a click that
// comes too late sends nothing a second time, though the server has forgotten the first (B-SEND-4).

export class EndedRuns {
  #ttlMs;
  #maxBytes;
  #held = new Map();      // stream -> { timer, snapshot, bytes }, the oldest first

  constructor({ ttlMs, maxBytes }) {
    this.#ttlMs = ttlMs;
    this.#maxBytes = maxBytes;
  }

  /** Bytes of each. */
  get bytes() {
    return [...this.#held.values()].map(({ bytes }) => bytes);
  }

  /** The stream whose last snapshot fits. */
  find(fits) {
    for (const [stream, { snapshot }] of this.#held) if (fits(snapshot)) return stream;
    return undefined;
  }

  add(stream, snapshot, bytes) {
    if (this.#ttlMs === 0) return;
    const timer = setTimeout(() => this.#held.delete(stream), this.#ttlMs);
    // A process has nothing to wait for here.
    timer.unref?.();
    this.#held.set(stream, { timer, snapshot, bytes });
    let sum = this.bytes.reduce((all, each) => all + each, 0);
    for (const [oldest, held] of this.#held) {
      if (sum <= this.#maxBytes) return;
      sum -= held.bytes;
      clearTimeout(held.timer);
      this.#held.delete(oldest);
    }
  }

  /** Those of a session are no more. */
  drop(fits) {
    for (const [stream, { timer, snapshot }] of this.#held) {
      if (!fits(snapshot)) continue;
      clearTimeout(timer);
      this.#held.delete(stream);
    }
  }

  clear() {
    for (const { timer } of this.#held.values()) clearTimeout(timer);
    this.#held.clear();
  }
}
