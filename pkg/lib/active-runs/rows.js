// The rows of active runs as the engine tells them: numbers that stay with their sessions, strings once. What is not spoken of
// stays the same object, and the list is copied once a flush.

const STATUSES = ['queued', 'streaming', 'completed', 'cancelled', 'failed'];
// Of a row's code, see the engine's `board`.
const STATUS = 7;
const GONE = 5;
const NEW_RUN = 8;
const NEW_SESSION = 16;

// So many numbers share a block: its rows are gathered anew where one of them has changed, and blocks are joined many times faster
// than rows are looked at.
const BLOCK_BITS = 7;

const NOTHING = Object.freeze([]);

export class Rows {
  #sessions = [];           // number -> session's id, also while it has no row
  #held = [];               // number -> its row, or null
  #blocks = [];             // the rows of so many numbers each
  #numbers = null;          // session's id -> number, from the first question on

  /** All rows, in the order in which their sessions were first heard of. */
  list = NOTHING;

  reset() {
    this.#sessions = [];
    this.#held = [];
    this.#blocks = [];
    this.#numbers = null;
    this.list = NOTHING;
  }

  apply({ since, rows, names }) {
    const held = this.#held;
    const stale = new Set();
    let name = 0;
    for (let i = 0; i < rows.length; i += 3) {
      const number = rows[i];
      const code = rows[i + 1];
      const old = held[number];
      stale.add(number >> BLOCK_BITS);
      if ((code & STATUS) === GONE) {
        held[number] = null;
        continue;
      }
      if (code & NEW_SESSION) this.#name(number, names[name++]);
      held[number] = Object.freeze({
        sessionId: this.#sessions[number],
        runId: code & NEW_RUN ? names[name++] : old.runId,
        status: STATUSES[code & STATUS],
        updatedAt: since + rows[i + 2],
      });
    }
    for (const block of stale) {
      while (this.#blocks.length < block) this.#blocks.push(NOTHING);
      this.#blocks[block] = held.slice(block << BLOCK_BITS, (block + 1) << BLOCK_BITS).filter((row) => row);
    }
    this.list = Object.freeze([].concat(...this.#blocks));
  }

  find(sessionId) {
    if (this.#numbers === null) {
      this.#numbers = new Map();
      this.#sessions.forEach((id, number) => this.#numbers.set(id, number));
    }
    return this.#held[this.#numbers.get(sessionId)] ?? undefined;
  }

  status(sessionId) {
    return this.find(sessionId)?.status;
  }

  #name(number, sessionId) {
    this.#numbers?.delete(this.#sessions[number]);
    this.#numbers?.set(sessionId, number);
    this.#sessions[number] = sessionId;
  }
}
