// Keeps what is there of each live run where a reload finds it: transcript and cursor in one record, so that neither is ever
// ahead of the other. One record for a session: the run that is written last.
import { watchPage } from '../browser/signals.js';
import { keepInDatabase } from './indexed-db.js';
import { keepInSession } from './session-storage.js';

const PREFIX = 'steadystream.run:';
const VERSION = 1;

// How often while a run goes on, and how little of the page's time that may take, if it takes long.
const EVERY_MS = 2000;
const SHARE = 50;

// No server keeps a run for longer.
const FORGOTTEN_AFTER_MS = 24 * 60 * 60 * 1000;

// A reload of this tab finds all of it in its session, and at once; who comes later finds it in the database.
const STORAGES = { session: [], indexeddb: [keepInDatabase] };

const isText = (value) => value === null || typeof value === 'string';

// A record is a line about the run, and the run.
const parse = (record) => {
  try {
    const end = record.indexOf('\n');
    const { v, at, runId, requestId } = JSON.parse(record.slice(0, end));
    const age = Date.now() - at;
    return v === VERSION && age >= 0 && age < FORGOTTEN_AFTER_MS && isText(runId) && isText(requestId)
      ? { runId, requestId, held: record.slice(end + 1) } : null;
  } catch {
    return null;
  }
};

export class Keeper {
  #session = keepInSession(PREFIX);
  #others;
  #prefix;
  #runs;
  #describe;
  #store;
  #timer = null;
  #stopWatching;
  #hasSwept = false;
  #writers = new Map();      // sessionId -> the run that wrote last

  /**
   * `kind`: the option. `scope`: what tells these records from others'. `runs()`: the live ones. `describe(run)`: `{ sessionId, runId,
   * requestId }`. `store(run)`: what is to be kept of it, or '' if that is kept already.
   */
  constructor(kind, scope, { runs, describe, store }) {
    this.#others = STORAGES[kind].map((make) => make());
    this.#prefix = `${PREFIX}${scope}|`;
    this.#runs = runs;
    this.#describe = describe;
    this.#store = store;
  }

  /** What was kept for a session, if it can be had at once: `{ runId, requestId, held }`, or null. */
  glance(sessionId) {
    return parse(this.#session.read(this.#prefix + sessionId));
  }

  async find(sessionId) {
    for (const other of this.#others) {
      const kept = parse(await other.read(this.#prefix + sessionId));
      if (kept) return kept;
    }
    return null;
  }

  #everywhere(act) {
    return Promise.all([this.#session, ...this.#others].map(act));
  }

  /** A run has begun: from now on it is kept. */
  start() {
    if (this.#timer !== null) return;
    if (!this.#hasSwept) for (const other of this.#others) other.sweep((record) => parse(record) === null);
    this.#hasSwept = true;
    this.#stopWatching = watchPage(this.save);
    this.#arm(EVERY_MS);
  }

  #arm(ms) {
    this.#timer = setTimeout(() => {
      if (this.#runs().length === 0) this.stop();
      else this.#arm(Math.max(EVERY_MS, this.save() * SHARE));
    }, ms);
    // A process has nothing to wait for here.
    this.#timer.unref?.();
  }

  /** Writes what has changed; gives the ms that it took. */
  save = () => {
    const before = performance.now();
    for (const run of this.#runs()) this.keep(run);
    return performance.now() - before;
  };

  keep(run) {
    const held = this.#store(run);
    if (held === '') return;
    const { sessionId, runId, requestId } = this.#describe(run);
    this.#writers.set(sessionId, run);
    const about = JSON.stringify({ v: VERSION, at: Date.now(), runId, requestId });
    this.#everywhere((storage) => storage.write(this.#prefix + sessionId, `${about}\n${held}`));
  }

  /** The run has ended. `canGoOn`: whether anybody can take it up again. A later one of its session has the record by now. */
  settle(run, canGoOn) {
    const { sessionId } = this.#describe(run);
    if ((this.#writers.get(sessionId) ?? run) !== run) return;
    if (canGoOn) this.keep(run);
    else this.forget(sessionId);
    this.#writers.delete(sessionId);
  }

  async forget(sessionId) {
    if (sessionId === undefined) this.#writers.clear();
    else this.#writers.delete(sessionId);
    const key = this.#prefix + (sessionId ?? '');
    await this.#everywhere((storage) => (sessionId === undefined ? storage.clear(key) : storage.remove(key)));
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#stopWatching?.();
  }
}
