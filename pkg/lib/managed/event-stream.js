// The stream behind a ManagedEventSource: attempts, what they bring, and what becomes of them. What the source shall dispatch is
// told in turns of its own, in order, and not any more once it is closed.
import { BEAT, BYTES, Dialer, NEWS } from './dialer.js';
import { EventBytes } from './event-bytes.js';
import { mayPass, request } from './event-request.js';
import { lossOf } from './loss.js';
import { isEventStream } from './mime.js';
import { linkNumbers } from './options.js';
import { inTurn } from './turns.js';

// With any other, `fetch` fails at once and for ever, and says no more than of a lost network.
const isFetchable = ({ protocol, username, password }) =>
  /^(https?|data|blob):$/.test(protocol) && username === '' && password === '';

/** So many events may wait for their turn before the next bytes are read. */
const MANY = 100;

export class EventStream {
  #url;
  #current;
  #options;
  #tell;
  #dialer;
  #bytes;
  #abort = null;
  #lastEventId;
  #born = performance.now();
  #isOpen = false;
  #hasEvents = false;
  #waiting = 0;
  #isOver = false;

  /** `tell`: { opened(), event(init), lost(error, isFinal) }. */
  constructor(url, options, tell) {
    this.#url = url;
    this.#current = url;
    this.#options = options;
    this.#tell = tell;
    this.#lastEventId = options.lastEventId;
    const { retry, liveness, maxEventBytes } = options;
    this.#bytes = new EventBytes(maxEventBytes);
    this.#dialer = new Dialer(linkNumbers(retry.baseMs, retry, liveness, options), {
      connect: () => this.#connect(),
      lose: (code) => this.#lose(code, { isByUs: true }),
      drop: () => this.#drop(),
      crash: (error) => this.#crash(error),
    }, true);
    this.#dialer.connect();
  }

  close() {
    if (this.#isOver) return;
    this.#end();
    this.#dialer.close();
    this.#bytes.free();
  }

  #end() {
    this.#isOver = true;
    this.#abort?.abort();
    this.#abort = null;
  }

  async #connect() {
    const abort = this.#abort = new AbortController();
    const isCurrent = () => this.#abort === abort;
    try {
      if (!isFetchable(new URL(this.#url))) {
        this.#refuse('connect-failed', {});
        return;
      }
      const response = await request(this.#current, this.#options, this.#lastEventId, abort.signal);
      if (isCurrent()) await this.#take(response, isCurrent);
    } catch (cause) {
      // Where a redirect had led to, nobody may be any more.
      this.#current = this.#url;
      if (isCurrent()) this.#lose(this.#isOpen ? 'disconnected' : 'connect-failed', { cause });
    }
  }

  async #take(response, isCurrent) {
    const { status, headers, body, redirected, url } = response;
    const isStream = status === 200 && isEventStream(headers.get('content-type'));
    if (!isStream) {
      const passing = this.#options.onStatus && status !== 200 ? mayPass(response) : undefined;
      this.#current = this.#url;
      if (passing) this.#lose('http-status', { status, ...passing });
      else this.#refuse(status === 401 ? 'unauthorized' : status === 200 ? 'content-type' : 'http-status', { status });
      return;
    }
    // Chromium asks again where a redirect has led to, and so does this; but what the page says in headers or a body is for whom it
    // said it to.
    if (redirected && this.#isPlain) this.#current = url;
    const { origin } = new URL(url || this.#current);
    this.#isOpen = true;
    this.#dialer.opened();
    this.#bytes.restart();
    this.#turn(isCurrent, () => this.#tell.opened());
    await this.#read(body, origin, isCurrent);
    if (isCurrent()) this.#lose('disconnected', {});
  }

  async #read(body, origin, isCurrent) {
    // What was known when this connection was asked for is no news.
    const known = this.#lastEventId;
    const reader = body?.getReader();
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true };
      if (done || !isCurrent()) return;
      const items = this.#bytes.read(value);
      this.#dialer.heard(this.#newsOf(items, known));
      for (const { retry } of items) if (retry !== undefined) this.#dialer.hint(retry);
      const told = this.#dispatch(items, origin, isCurrent);
      if (items.at(-1)?.over) this.#lose('event-too-large', { isByUs: true });
      // The next bytes are read at once, because a body that fails takes along what was not read; but a page that is slow slows
      // the server.
      if (this.#waiting > MANY) await told;
      if (!isCurrent()) return;
    }
  }

  get #isPlain() {
    const { method, headers } = this.#options;
    return method === 'GET' && headers === undefined;
  }

  #newsOf(items, known) {
    if (items.some(({ data, id }) => data !== undefined && (id === undefined || id === '' || id !== known))) return NEWS;
    return items.some(({ beat }) => beat) ? BEAT : BYTES;
  }

  #dispatch(items, origin, isCurrent) {
    return new Promise((resolve) => {
      for (const { type, data, id } of items) {
        if (data === undefined && id === undefined) continue;
        this.#waiting += 1;
        inTurn(() => {
          this.#waiting -= 1;
          if (!isCurrent()) return;
          if (id !== undefined) this.#lastEventId = id;
          if (data === undefined) return;
          this.#hasEvents = true;
          this.#tell.event(type, { data, origin, lastEventId: this.#lastEventId });
        });
      }
      inTurn(resolve);
    });
  }

  #turn(isCurrent, fn) {
    inTurn(() => {
      if (isCurrent()) fn();
    });
  }

  // The connection is lost: whether it is for good the engine says, in the turn in which it is told.
  #lose(code, { isByUs = false, floorMs, ...fields }) {
    const abort = this.#abort;
    this.#turn(() => this.#abort === abort && abort !== null, () => {
      abort.abort();
      this.#abort = null;
      this.#isOpen = false;
      const { connectGraceMs, retry } = this.#options;
      if (!this.#hasEvents && performance.now() - this.#born < connectGraceMs) {
        this.#finish('connect-failed', fields);
        return;
      }
      const attempts = this.#dialer.attempt;
      const fate = this.#dialer.lost(isByUs, floorMs);
      if (fate) {
        this.#tell.lost(lossOf(code, { ...fields, attempts, retryable: true, ...fate }), false);
      } else if (retry.maxAttempts === 0) {
        this.#finish(code, fields);
      } else {
        const cause = lossOf(code, fields);
        this.#finish('gave-up', { ...fields, attempts, retryable: true, cause });
      }
    });
  }

  // The page goes away. Where it goes on, the engine connects anew.
  #drop() {
    this.#abort?.abort();
    this.#abort = null;
    this.#isOpen = false;
    inTurn(() => {
      if (!this.#isOver) this.#tell.lost(lossOf('disconnected', { retryable: true }), false);
    });
  }

  #refuse(code, fields) {
    const abort = this.#abort;
    this.#turn(() => this.#abort === abort && abort !== null, () => this.#finish(code, fields));
  }

  #finish(code, fields) {
    this.close();
    this.#tell.lost(lossOf(code, fields), true);
  }

  #crash(error) {
    this.#end();
    inTurn(() => this.#tell.lost(error, true));
  }
}
