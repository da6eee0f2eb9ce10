// What tabs tell each other of what they do: which messages they send, which runs they have, and which of these have ended. A tab that
// has told something holds a lock until it leaves: whoever gets that lock knows that the tab is gone, however it went.
import { SteadyStreamError, toError } from '../errors.js';
import { Newest } from '../newest.js';
import { createRequestId } from '../request-id.js';
import { Channel, VERSION } from './channel.js';
import { canShare } from './shared-streams.js';

/** So many messages of the others are known, so many of their runs, and so many tabs. */
const MOST = 100;
// In UTF-16 units: of an id, and of what a message says. One that says more is not told of.
const [MOST_OF_ID, MOST_OF_BODY] = [512, 1 << 16];

const isId = (value) => typeof value === 'string' && value.length <= MOST_OF_ID;
const isIdOrNull = (value) => value === null || isId(value);
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;

// Of all of them `stream` is the session. As in channel.js.
const shaped = (shape) => ({ from: isId, stream: isId, ...shape });
const SHAPES = {
  /** Who is new here: what is there to know? */
  ask: shaped({}),
  /** It is being sent, or has been. `body`: JSON of { message, error }. */
  message: shaped({
    requestId: isId, runId: isIdOrNull, status: (value) => ['pending', 'sent', 'confirmed', 'failed'].includes(value),
    attempts: isCount, createdAt: isCount, body: (value) => typeof value === 'string' && value.length <= MOST_OF_BODY,
  }),
  /** It is not to be shown any more. */
  gone: shaped({ requestId: isId }),
  /** It goes on, and this tab has it. */
  run: shaped({ runId: isIdOrNull, requestId: isIdOrNull }),
  /** This tab has it no more; `isEnd`: because it has ended. */
  over: shaped({ runId: isIdOrNull, requestId: isIdOrNull, isEnd: (value) => typeof value === 'boolean' }),
};

const refuse = (verb) => () => {
  throw new SteadyStreamError('invalid-state', { got: `${verb}() of a message that another tab sends`, expected: 'one of this tab' });
};
const [retry, discard] = [refuse('retry'), refuse('discard')];

/** As the outbox of the tab that sends it shows it, or null. */
const read = ({ stream: sessionId, requestId, runId, status, attempts, createdAt, body }) => {
  try {
    const { message, error } = JSON.parse(body);
    if (typeof message !== 'string' && (typeof message !== 'object' || message === null || Array.isArray(message))) return null;
    return Object.freeze({
      requestId, sessionId, message: Object.freeze(message), status, runId, error: toError(error), attempts, createdAt, retry, discard,
    });
  } catch {
    return null;
  }
};

/** Calls `onHeld` once the lock is ours, `onRefused` where there are none. Gives what gives it back, or waits for it no more. */
const hold = (name, onHeld, onRefused) => {
  const waiting = new AbortController();
  const { signal } = waiting;
  let release;
  const isOver = new Promise((resolve) => { release = resolve; });
  navigator.locks.request(name, { signal }, () => {
    if (signal.aborted) return undefined;
    onHeld();
    return isOver;
  }).catch(() => {
    if (!signal.aborted) onRefused?.();
  });
  return () => {
    waiting.abort();
    release();
  };
};

/** What a run is known by among tabs. */
export const nameOf = ({ runId, requestId }) => runId ?? requestId;

export class News {
  #scope;
  #page;
  #from;
  #channel = null;
  #isAsleep = false;
  #isOver = false;
  #told = new Map();                  // request id -> what our outbox shows of it
  #heldBack = [];                     // what is said when our lock is held; null once it is
  #release = null;

  #tabs = new Map();                  // tab -> what waits for its lock no more
  #messages = new Newest(MOST);       // request id -> { from, shown: null once our history has it }
  #runs = new Newest(MOST);           // name -> { from, run }
  #begun = new Newest(MOST);          // names of those that all have heard of
  #listeners = new Set();
  #isTelling = false;

  /**
   * `scope`: what tabs have to agree on. `page`: { runs(): ours that others may have as well, onSend(sessionId): another tab sends there,
   * onRun(run), onEnd(run) }. A run: { sessionId, runId, requestId }, `runId` where others open it by that.
   */
  static create(scope, page) {
    return canShare() ? new News(scope, page) : null;
  }

  constructor(scope, page) {
    this.#scope = scope;
    this.#page = page;
  }

  /** From here on we hear the others; those who have something to tell are asked for it. */
  join() {
    if (this.#channel || this.#isOver) return;
    // Another name each time: nobody may be the one that others have seen go.
    this.#from = createRequestId();
    this.#channel = new Channel(`news|${this.#scope}`, this.#from, (message) => this.#hear(message), SHAPES);
    globalThis.addEventListener?.('pagehide', this.#sleep);
    globalThis.addEventListener?.('pageshow', this.#wake);
    this.#post('', 'ask');
  }

  // ---- what we tell ----

  /** What our outbox shows now. */
  tellMessages(messages) {
    const now = new Map(messages.slice(-MOST).map((shown) => [shown.requestId, shown]));
    const before = this.#told;
    this.#told = now;
    for (const requestId of before.keys()) if (!now.has(requestId)) this.#say('', 'gone', { requestId });
    for (const [requestId, shown] of now) if (before.get(requestId) !== shown) this.#sayMessage(shown);
  }

  /** One of ours has begun, or is named. */
  tellRun(run) {
    if (this.#begun.has(nameOf(run))) return;
    this.#begun.set(nameOf(run));
    this.#sayRun(run);
  }

  /** It is none of ours any more. */
  tellEnd({ sessionId, runId, requestId }, isEnd) {
    this.#say(sessionId, 'over', { runId, requestId, isEnd });
  }

  close() {
    this.#leave();
    this.#isOver = true;
    globalThis.removeEventListener?.('pagehide', this.#sleep);
    globalThis.removeEventListener?.('pageshow', this.#wake);
  }

  // ---- what the others told ----

  /** What they send in a session, each once. */
  messages(sessionId) {
    return [...this.#messages.values()].map(({ shown }) => shown).filter((shown) => shown?.sessionId === sessionId);
  }

  /** Our history has it. */
  resolve(requestId) {
    const held = this.#messages.get(requestId);
    if (held) held.shown = null;
  }

  /** Their runs in a session that go on. */
  runs(sessionId) {
    return [...this.#runs.values()].map(({ run }) => run).filter((run) => run.sessionId === sessionId);
  }

  /** `fn` hears of changes of `messages`. */
  subscribe(fn) {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  // ---- saying ----

  #post(sessionId, kind, message) {
    this.#channel?.post(sessionId, kind, message);
  }

  // A tab that nobody could miss says nothing.
  #say(sessionId, kind, message) {
    if (this.#isOver || this.#isAsleep) return;
    this.join();
    const post = () => this.#post(sessionId, kind, message);
    if (this.#heldBack === null) {
      post();
      return;
    }
    this.#heldBack.push(post);
    this.#release ??= hold(this.#lockOf(this.#from), () => {
      const due = this.#heldBack;
      this.#heldBack = null;
      for (const each of due) each();
      // Nobody would ever know that we are gone.
    }, () => this.close());
  }

  #sayMessage({ sessionId, requestId, runId, status, attempts, createdAt, message, error }, to) {
    const body = JSON.stringify({ message, error });
    if (body.length <= MOST_OF_BODY) this.#say(sessionId, 'message', { to, requestId, runId, status, attempts, createdAt, body });
  }

  #sayRun({ sessionId, runId, requestId }, to) {
    this.#say(sessionId, 'run', { to, runId, requestId });
  }

  #sayAll(to) {
    for (const shown of this.#told.values()) this.#sayMessage(shown, to);
    for (const run of this.#page.runs()) this.#sayRun(run, to);
  }

  // ---- hearing ----

  #hear(message) {
    const { kind, from, stream: sessionId, to, requestId, runId } = message;
    const run = { sessionId, runId, requestId };
    if (kind === 'ask') {
      this.#sayAll(from);
    } else if (kind === 'gone') {
      if (this.#messages.get(requestId)?.from === from) this.#drop(requestId);
    } else if (kind === 'over') {
      if (message.isEnd || this.#runs.get(nameOf(run))?.from === from) this.#runs.delete(nameOf(run));
      if (message.isEnd && nameOf(run)) this.#page.onEnd(run);
    } else if (this.#isKnown(from)) {
      if (kind === 'message') this.#take(message, to === undefined);
      else if (nameOf(run)) this.#takeRun(run, from);
    }
  }

  #take(message, isNews) {
    const { from, requestId, stream: sessionId } = message;
    const held = this.#messages.get(requestId);
    const shown = read(message);
    if (held?.shown === null || !shown) return;
    this.#messages.set(requestId, { from, shown });
    this.#tell();
    if (isNews && !held) this.#page.onSend(sessionId);
  }

  #takeRun(run, from) {
    this.#begun.set(nameOf(run));
    this.#runs.set(nameOf(run), { from, run });
    this.#page.onRun(run);
  }

  #drop(requestId) {
    this.#messages.delete(requestId);
    this.#tell();
  }

  // In a microtask: what our history has, it says while it looks at what is here.
  #tell() {
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      for (const fn of [...this.#listeners]) fn();
    });
  }

  // ---- who is there ----

  #lockOf(tab) {
    // Not among those of the streams, which say who has a connection.
    return `steadystream.tab/${VERSION}/${this.#scope}/${tab}`;
  }

  // A name without a tab behind it has no lock either: it is gone as soon as it was heard.
  #isKnown(from) {
    if (this.#tabs.has(from)) return true;
    if (this.#tabs.size >= MOST) return false;
    this.#tabs.set(from, hold(this.#lockOf(from), () => this.#forget(from)));
    return true;
  }

  #forget(from) {
    this.#tabs.get(from)?.();
    this.#tabs.delete(from);
    for (const held of [this.#messages, this.#runs]) {
      // What our history has stays known.
      for (const [name, { from: whose, shown }] of held) if (whose === from && shown !== null) held.delete(name);
    }
    this.#tell();
  }

  // An open channel, or a lock, may keep a page out of the back/forward cache.
  #sleep = () => {
    this.#isAsleep = true;
    this.#leave();
  };

  #wake = () => {
    if (!this.#isAsleep) return;
    this.#isAsleep = false;
    this.join();
    this.#sayAll();
  };

  #leave() {
    if (!this.#channel) return;
    this.#channel.close();
    this.#channel = null;
    this.#release?.();
    [this.#release, this.#heldBack] = [null, []];
    for (const tab of [...this.#tabs.keys()]) this.#forget(tab);
  }
}
