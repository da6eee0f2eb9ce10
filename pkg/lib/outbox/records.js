// Unsent messages where a reload finds them: one record for each, gone as soon as the server has the message. Who sends one holds
// its lock, so that of two tabs that find the same record one sends it, and the other takes over if that one goes away.
import { keepInDatabase } from '../persist/indexed-db.js';
import { keepInSession } from '../persist/session-storage.js';

const PREFIX = 'steadystream.send:';
const RUNS = 'steadystream.run:';
const VERSION = 1;

// What nobody could send for so long is nobody's wish any more.
const FORGOTTEN_AFTER_MS = 24 * 60 * 60 * 1000;

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

const parse = (record) => {
  try {
    const { v, at, n, sessionId, requestId, message, parts, isTried } = JSON.parse(record);
    const age = Date.now() - at;
    const isWhole = v === VERSION && age >= 0 && age < FORGOTTEN_AFTER_MS && typeof n === 'number' && typeof isTried === 'boolean'
      && [sessionId, requestId].every((id) => typeof id === 'string' && id !== '')
      && (typeof message === 'string' || isObject(message)) && (parts === undefined || Array.isArray(parts));
    return isWhole ? { at, n, sessionId, requestId, message, parts, isTried } : null;
  } catch {
    return null;
  }
};

export class Records {
  #storage;
  #scope;
  #isShared;
  #held = new Map();       // requestId -> what lets its lock go
  #isClosed = false;

  /** `kind`: the option `persist`. `scope`: what tells these records from others'. */
  constructor(kind, scope) {
    // A full session lets go of answers before it loses a message.
    this.#storage = kind === 'session' ? keepInSession(RUNS) : keepInDatabase('steadystream-sends');
    this.#scope = `${PREFIX}${scope}|`;
    this.#isShared = kind !== 'session';
  }

  /** All of them, in the order in which they were sent; a promise where that takes a moment. */
  load() {
    const list = (records) => records.map(parse).filter(Boolean).sort((a, b) => a.at - b.at || a.n - b.n);
    const records = this.#storage.list(this.#scope);
    return Array.isArray(records) ? list(records) : records.then(list);
  }

  /** Calls `send(record)` for each as soon as nobody else sends it, and unless it is gone by then; a promise where that takes a moment. */
  claim(records, send) {
    if (this.#isShared) return this.#claimInTurn(records, send);
    records.forEach(send);
    return null;
  }

  async #claimInTurn(records, send) {
    for (const { requestId, isTried } of records) {
      await this.hold(requestId);
      const record = parse(await this.#storage.read(this.#scope + requestId));
      // Who names it anew has written it anew, and knows nothing of that.
      if (record && !this.#isClosed) send({ ...record, isTried: record.isTried || isTried });
      else this.release(requestId);
    }
  }

  /** This tab sends it, from now on or as soon as nobody else does. */
  hold(requestId) {
    const { locks } = globalThis.navigator ?? {};
    if (!this.#isShared || !locks || this.#held.has(requestId)) return null;
    return new Promise((resolve) => {
      const isOver = new Promise((release) => this.#held.set(requestId, release));
      locks.request(this.#scope + requestId, () => {
        resolve();
        return isOver;
      }).catch(resolve);       // not in a page like this
    });
  }

  release(requestId) {
    this.#held.get(requestId)?.();
    this.#held.delete(requestId);
  }

  write({ n, parts, isTried, shown: { sessionId, requestId, message, createdAt } }) {
    const record = { v: VERSION, at: createdAt, n, sessionId, requestId, message, parts, isTried };
    this.#storage.write(this.#scope + requestId, JSON.stringify(record));
  }

  async remove(requestId) {
    await this.#storage.remove(this.#scope + requestId);
    this.release(requestId);
  }

  /** Those of a session, or all. */
  async forget(sessionId) {
    const records = await this.load();
    const gone = records.filter((record) => sessionId === undefined || record.sessionId === sessionId);
    await Promise.all(gone.map(({ requestId }) => this.remove(requestId)));
  }

  /** The page is through with all: others may have them. */
  close() {
    this.#isClosed = true;
    for (const requestId of [...this.#held.keys()]) this.release(requestId);
  }
}
