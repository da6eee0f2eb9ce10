// What another page has left unsent: taken up once, each session's messages in their order. Where finding them takes a moment, what
// is sent in a session meanwhile waits behind them in the engine's line, and the engine says for how long at the most.

export class Kept {
  #records;
  #feed;
  #send;
  #hasBegun = false;
  #sought = null;          // sessions whose line waits, while it is not known which have any
  #pending = 0;
  #dropped = new Set();    // sessions that are to have none of it

  /** `send(record)`: it is this tab's now, and its turn. */
  constructor(records, feed, send) {
    this.#records = records;
    this.#feed = feed;
    this.#send = send;
  }

  /** Unless that is done or under way. */
  takeUp() {
    if (this.#hasBegun || this.#feed.isOver) return;
    this.#hasBegun = true;
    const records = this.#records.load();
    if (Array.isArray(records)) {
      this.#sendAll(records);
      return;
    }
    this.#sought = new Set();
    void this.#during(records.then((found) => this.#sendAll(found)));
  }

  /** A message is about to be sent. */
  precede(sessionId) {
    this.#sought?.add(sessionId);
    if (this.#sought) this.#expect(sessionId);
  }

  /** The session's user wants no more of what was there before. */
  drop(sessionId) {
    if (this.#pending > 0) this.#dropped.add(sessionId);
  }

  #sendAll(records) {
    const sought = this.#sought ?? [];
    this.#sought = null;
    if (this.#feed.isOver) return;
    if (records.length > 0 && !this.#feed.isReady()) {
      this.#hasBegun = false;
      return;
    }
    const sessions = new Map([...sought].map((sessionId) => [sessionId, []]));
    for (const record of records) sessions.set(record.sessionId, [...(sessions.get(record.sessionId) ?? []), record]);
    for (const [sessionId, kept] of sessions) void this.#claim(sessionId, kept);
  }

  // Those of one session; none waits for another one's.
  #claim(sessionId, records) {
    const claimed = this.#records.claim(records, (record) => {
      if (this.#dropped.has(sessionId)) this.#records.remove(record.requestId);
      else this.#send(record);
    });
    if (!claimed) return;
    this.#expect(sessionId);
    void this.#during(claimed.finally(() => this.#feed.act((raw, now) => raw.stopExpecting(sessionId, now))));
  }

  #expect(sessionId) {
    if (this.#feed.isReady()) this.#feed.tell((raw, now) => raw.expect(sessionId, now));
  }

  async #during(promise) {
    this.#pending += 1;
    try {
      await promise;
    } finally {
      this.#pending -= 1;
      if (this.#pending === 0) this.#dropped.clear();
    }
  }
}
