// The messages that the history need not have yet, as a store: what was sent is there at once, and stays until the history has it,
// which only its ids can tell (W4-6). What is unsent is kept over a reload, if the client keeps anything.
import { createStore } from '../store.js';
import { DoubleSends } from './double-sends.js';
import { Outgoing } from './outgoing.js';

// So many are shown that the server has; the history has them, too, or nobody asks it.
const MOST_TAKEN = 100;

const EMPTY = Object.freeze({ messages: Object.freeze([]), unsent: 0 });

// What the server may not have, and would take: the next page tries again what this one had to give up.
const mayGoOut = ({ status, error }) => status === 'pending' || (status === 'failed' && error?.retryable);

const isTaken = ({ status }) => status === 'sent' || status === 'confirmed';

export class Outbox {
  #records;
  #news;
  #twins;
  #outgoing = new Set();
  #count = 0;
  #isStale = false;
  #isScheduled = false;

  /** Whatever ends now is not over for whoever comes next. */
  isClosed = false;

  #store = createStore(EMPTY, { onRead: () => this.#refresh() });

  /** `records`: where unsent messages are kept, or null. `news`: what other tabs send, or null. */
  constructor(records, doubleSendMs, news = null) {
    this.#records = records;
    this.#news = news;
    this.#twins = new DoubleSends(doubleSendMs);
    const { subscribe, getSnapshot, getServerSnapshot } = this.#store;
    /** What the page gets of it. */
    this.store = Object.freeze({ subscribe, getSnapshot, getServerSnapshot });
    if (news) subscribe(({ messages }) => news.tellMessages(messages), { notify: 'sync' });
  }

  /** The stream of the same message, if this can only be the same click. */
  findTwin(sessionId, message, parts) {
    return this.#twins.find(sessionId, message, parts);
  }

  /** A message that is about to be sent: `begin` or `abandon` is next. */
  add({ sessionId, requestId, message, parts, at }) {
    // As it is now, whatever the page does with its object.
    const copy = typeof message === 'string' ? message : Object.freeze(JSON.parse(JSON.stringify(message)));
    for (const other of this.#outgoing) if (other.shown.requestId === requestId) this.#outgoing.delete(other);
    const outgoing = new Outgoing(this, {
      sessionId, requestId, message: copy, parts, at: at ?? Date.now(), wasLeft: at !== undefined,
    });
    outgoing.n = ++this.#count;
    this.#outgoing.add(outgoing);
    this.#records?.hold(requestId);
    return outgoing;
  }

  /** It could not be. */
  abandon(outgoing) {
    this.#outgoing.delete(outgoing);
    this.#records?.release(outgoing.shown.requestId);
  }

  /** Its run is there. `isOwn`: its request id is none of the page's, and a double click has the same run. */
  begin(outgoing, run, stream, isOwn) {
    outgoing.follow(run, stream);
    const { status, sessionId, message, requestId, error } = outgoing.shown;
    if (isOwn) this.#twins.add(sessionId, message, outgoing.parts, outgoing, stream);
    if (status === 'pending') this.#records?.write(outgoing);
    else if (error?.code === 'outbox-full') this.#records?.release(requestId);
    this.#announce();
  }

  // ---- for whoever shows a session's messages ----

  /**
   * What the history of a session shows of it besides its own: see Live. The stored message is known by its request id, or where that
   * is its own id; and where its answer is stored, which is known by the run's id, the message is, too. By nothing else (W4-6).
   */
  overlay(sessionId) {
    const entryOf = (shown, outgoing) => {
      const { requestId, runId } = shown;
      const resolve = () => {
        if (outgoing) this.remove(outgoing);
        this.#news?.resolve(requestId);
      };
      return {
        names: [`user:${requestId}`, requestId], answer: runId, turn: requestId, send: shown, isHeld: isTaken(shown),
        arrive: resolve, forget: resolve,
      };
    };
    const list = () => {
      const mine = [...this.#outgoing].filter(({ shown }) => shown.sessionId === sessionId);
      // What we have taken up from another tab stands once.
      const ids = new Set(mine.map(({ shown }) => shown.requestId));
      const theirs = this.#news?.messages(sessionId).filter(({ requestId }) => !ids.has(requestId)) ?? [];
      return [...mine.map((outgoing) => entryOf(outgoing.shown, outgoing)), ...theirs.map((shown) => entryOf(shown))];
    };
    return {
      get: list,
      subscribe: (fn) => {
        const leave = [this.#store.subscribe(fn, { notify: 'sync' }), this.#news?.subscribe(fn)];
        return () => leave.forEach((each) => each?.());
      },
    };
  }

  // ---- what becomes of them ----

  change(outgoing, before) {
    const { status, requestId, error } = outgoing.shown;
    const isAnew = requestId !== before.requestId;
    if (!this.#outgoing.has(outgoing)) {
      // The history has the message as it was sent the first time.
      if (!isAnew) return;
      this.#outgoing.add(outgoing);
    }
    if (isAnew) this.#records?.remove(before.requestId);
    if (status === 'gone') this.remove(outgoing);
    else if (!mayGoOut({ status, error })) this.#records?.remove(requestId);
    else if (isAnew || before.status !== status) this.keep(outgoing);
    if (status !== before.status && isTaken(outgoing.shown)) this.#dropOldest();
    this.#announce();
  }

  /** Over a reload, while the server may not have it. */
  keep(outgoing) {
    const { requestId } = outgoing.shown;
    if (!mayGoOut(outgoing.shown) || !this.#outgoing.has(outgoing)) return;
    this.#records?.hold(requestId);
    this.#records?.write(outgoing);
  }

  remove(outgoing) {
    if (!this.#outgoing.delete(outgoing)) return;
    this.#records?.remove(outgoing.shown.requestId);
    this.#announce();
  }

  #dropOldest() {
    const taken = [...this.#outgoing].filter(({ shown }) => isTaken(shown));
    for (const outgoing of taken.slice(0, -MOST_TAKEN)) this.#outgoing.delete(outgoing);
  }

  /** The session is gone, and all that was of it. */
  drop(sessionId) {
    for (const outgoing of this.#outgoing) if (outgoing.shown.sessionId === sessionId && !outgoing.isLive) this.remove(outgoing);
  }

  /** Nothing is kept of what a session, or any, has not sent. */
  async forget(sessionId) {
    await this.#records?.forget(sessionId);
  }

  /** Others may have what is kept. */
  release() {
    this.#records?.close();
  }

  #refresh() {
    if (!this.#isStale) return;
    this.#isStale = false;
    const messages = Object.freeze([...this.#outgoing].map(({ shown }) => shown));
    this.#store.set(Object.freeze({ messages, unsent: messages.filter(({ status }) => status === 'pending').length }));
  }

  // In a microtask: a change may come from inside the engine.
  #announce() {
    this.#isStale = true;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#refresh();
      this.#store.deliver(true);
    });
  }
}
