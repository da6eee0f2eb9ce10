// One life of a run in the page: from send(), open() or retry() to its settling. It owns the snapshot, the promise and the
// iterators; RunStream is the thin thing that users hold, and the engine behind the feed decides what happens.
import { SteadyStreamError } from './errors.js';
import { EMPTY, applyDelta } from './delta.js';
import { EventQueue } from './event-queue.js';
import { createRequestId } from './request-id.js';
import { createStore } from './store.js';
import { isSettled, nextSnapshot } from './snapshot.js';
import { toRunEvent } from './events.js';
import { createTrace } from './trace.js';

const RETRYABLE = new Set(['interrupted', 'failed']);

export class Run {
  #feed;
  #begin;
  #body;
  #notify;
  #view;
  #by = 'user';           // nobody else can end a run that the engine never saw
  #queues = new Set();
  #finished;
  #settleFinished;
  #hasUnreadText = false;
  #signals = [];
  #trace;
  #canRetry;
  #onEnd;
  #onStream;
  #onState;
  #ended = null;          // the stream, until whoever waits for its end was told

  slot = 0;
  /** The RunStream, while live: a run that somebody may still open again must give the same object. */
  stream = null;
  /** The page has it in its hands: views of it may all be left without an end of it. */
  isClaimed = true;
  /** Of a message: 0 nothing of it has gone out, 1 it may have arrived, 2 the server has it. */
  sent = 0;
  /** What the outbox shows of its message. */
  outgoing = null;

  /**
   * `begin(raw, now)` starts it in the engine and gives the slot. `body`: the request's, when it was a send. `canRetry`: whether a
   * run that ended so may go on. `key`: what the driver knows its stream by, when somebody else opens it. `onEnd(stream,
   * snapshot, bytes)`: it has settled, and its listeners know; text that nobody has read is not in the snapshot, but so many bytes
   * in the engine. `onStream(run)`: it begins, and has its stream. `onState(run)`: its state is another.
   */
  constructor(feed, snapshot, { begin, body, notify, view = EMPTY, canRetry = (status) => RETRYABLE.has(status), key = null, onEnd, onStream, onState }) {
    this.#feed = feed;
    this.#begin = begin;
    this.#body = body;
    this.#notify = notify;
    this.#canRetry = canRetry;
    this.key = key;
    this.#onEnd = onEnd;
    this.#onStream = onStream;
    this.#onState = onState;
    this.#view = view;
    this.store = createStore(snapshot, {
      onPace: (pace) => {
        if (!this.isLive || !this.slot) return;
        feed.tell((raw) => raw.watch(this.slot, pace));
        feed.read(this);
      },
      onRead: () => this.#refresh(),
    }, notify);
    this.#trace = createTrace({
      setTracing: (on) => {
        if (!this.slot) return;
        feed.tell((raw, now) => raw.trace(this.slot, on, now));
        feed.read(this);
      },
      refresh: () => {
        if (!this.slot) return;
        feed.tell((raw, now) => raw.trace(this.slot, true, now));
        feed.read(this);
        feed.tell((raw, now) => raw.trace(this.slot, false, now));
      },
    });
    this.trace = this.#trace.store;
  }

  get isLive() {
    return !isSettled(this.store.peek().status);
  }

  get sessionId() {
    return this.store.peek().sessionId;
  }

  get connection() {
    return this.store.peek().connection;
  }

  start(signal) {
    // B-SEND-9b: nothing is sent for a caller who has already given up.
    if (signal?.aborted) {
      this.#end({ status: 'interrupted', error: new SteadyStreamError('aborted') });
      return;
    }
    this.#feed.open(this, this.#begin);
    this.follow(signal);
  }

  /** Those who name it, and have no stream of it, hear that it is there. */
  announce() {
    if (this.stream) this.#onStream?.(this);
  }

  /** One more caller's signal: any of them ends our watching, as close() does. */
  follow(signal) {
    if (!signal || signal.aborted || !this.isLive) return;
    this.#signals.push(signal);
    signal.addEventListener('abort', this.#onAbort);
  }

  #onAbort = () => this.close();

  // Nobody watches: the text has stayed in the engine until now.
  #refresh() {
    if (this.slot && (this.isLive ? !this.store.isWatched() : this.#hasUnreadText)) this.#feed.read(this);
  }

  /** A delta of this slot. The caller delivers later. */
  apply(delta, take) {
    this.#view = applyDelta(this.#view, delta, take);
    this.#by = delta.state?.by ?? this.#by;
    this.sent = delta.state?.sent ?? this.sent;
    this.store.set(nextSnapshot(this.store.peek(), this.#view, delta.state, this.#feed.toUnix));
    if (delta.trace) this.#trace.apply(delta.trace, this.#feed.toUnix);
    if (delta.events && this.#queues.size > 0) {
      // A lost connection is none of the server's events.
      const events = delta.events.filter(({ flap }) => !flap).map(toRunEvent);
      for (const queue of [...this.#queues]) queue.push(events);
    }
    if (delta.end) this.#settled();
    if (delta.state) {
      this.outgoing?.note(this);
      this.#onState?.(this);
    }
  }

  /** True if listeners wait for a frame. */
  deliver(isFrame) {
    const areWaiting = this.trace.deliver(isFrame);
    if (this.isLive) return this.store.deliver(isFrame) || areWaiting;
    this.store.finish();
    const stream = this.#ended;
    this.#ended = null;
    if (stream) this.#onEnd?.(this, stream);
    return areWaiting;
  }

  /** The engine has read out this settled run's text to us. */
  handleRead() {
    if (this.isLive) return;
    this.#hasUnreadText = false;
    // The others keep their slot for retry().
    if (!this.#canRetry(this.store.peek().status)) this.#feed.release(this);
  }

  #settled(error = null) {
    for (const signal of this.#signals.splice(0)) signal.removeEventListener('abort', this.#onAbort);   // B-ES-6
    this.#ended = this.stream;
    this.stream = null;
    for (const queue of [...this.#queues]) queue.end(error);
    this.#hasUnreadText = !error && !this.store.isWatched();
    if (!this.#hasUnreadText) this.handleRead();
    this.#settleFinished?.(error);
  }

  // Ends it from here, without the engine: nothing was ever started, or the engine is gone.
  #end(change, error = null) {
    this.store.set(Object.freeze({ ...this.store.peek(), ...change }));
    this.#settled(error);
    this.outgoing?.note(this);
  }

  crash(error) {
    if (this.isLive) {
      const connection = Object.freeze({ ...this.connection, state: 'failed', retryAt: null, error });
      this.#end({ status: 'failed', error, connection }, error);
    }
    this.slot = 0;
  }

  #outcome() {
    const { status, error, text, sessionId, runId, requestId } = this.store.getSnapshot();
    return Object.freeze({ status, by: this.#by, error, text, sessionId, runId, requestId });
  }

  // Made when first asked for: a promise nobody wants must not make the engine hand out the text of a run nobody watches.
  get finished() {
    this.#finished ??= new Promise((resolve, reject) => {
      const settle = (error) => (error ? reject(error) : resolve(this.#outcome()));
      const { error } = this.store.peek();
      if (this.isLive) this.#settleFinished = settle;
      else settle(error?.code === 'engine-crashed' ? error : null);
    });
    // Asking for the promise is not a duty to catch it: the snapshot has the error too.
    this.#finished.catch(() => {});
    return this.#finished;
  }

  events() {
    const queue = new EventQueue((ended) => {
      if (!this.#queues.delete(ended) || this.#queues.size > 0 || !this.isLive) return;
      this.#feed.tell((raw, now) => raw.listen(this.slot, false, now));
    });
    if (!this.isLive) {
      const { error } = this.store.peek();
      queue.end(error?.code === 'engine-crashed' ? error : null);
      return queue;
    }
    this.#queues.add(queue);
    if (this.#queues.size === 1) this.#feed.tell((raw, now) => raw.listen(this.slot, true, now));
    return queue;
  }

  // What names a send, as its protocol spells it.
  #protocolIds(requestId) {
    return 'request_id' in JSON.parse(this.#body ?? '{}') ? { request_id: requestId } : { requestId };
  }

  /** The run that goes on where this one ended: same slot, same transcript, a new settling. */
  retry() {
    const { status, error, ...rest } = this.store.getSnapshot();
    const isCrashed = error?.code === 'engine-crashed';
    if (!this.#canRetry(status) || isCrashed || (!this.slot && this.#begin === null)) {
      throw new SteadyStreamError('invalid-state', {
        got: `retry() of a run that ${!this.#canRetry(status) ? `is ${status}` : 'was released or retried before'}`,
        expected: 'an interrupted or failed run, once',
      });
    }
    const { slot } = this;
    const again = (raw, now) => {
      // The old stream's listeners do not watch this one.
      raw.watch(slot, -1);
      raw.listen(slot, false, now);
      raw.trace(slot, false, now);
      const requestId = createRequestId();
      const ids = this.#protocolIds(requestId);
      raw.retry(slot, requestId, this.#body && JSON.stringify({ ...JSON.parse(this.#body), ...ids }), now);
      return slot;
    };
    const next = new Run(this.#feed, Object.freeze({ ...rest, status: 'pending', error: null }), {
      begin: slot ? again : this.#begin, body: this.#body, notify: this.#notify, view: this.#view,
      canRetry: this.#canRetry, key: this.key, onEnd: this.#onEnd, onStream: this.#onStream, onState: this.#onState,
    });
    next.isClaimed = this.isClaimed;
    next.outgoing = this.outgoing;
    next.start();
    this.slot = 0;
    this.#begin = null;
    return next;
  }

  /** Goes on as a message that another page has left, if nothing of this one has gone out and it waits for such; says whether. */
  takeOver(requestId, body, isTried) {
    let isTaken = false;
    this.#feed.act((raw, now) => { isTaken = raw.takeOver(this.slot, requestId, body, isTried, now); });
    if (isTaken) this.#body = body;
    return isTaken;
  }

  /** Ends a message of which nothing has gone out, and says so; the server need not be told. */
  withdraw() {
    let isUnsent = false;
    this.#feed.act((raw, now) => { isUnsent = raw.withdraw(this.slot, now); });
    return isUnsent;
  }

  /** Live: we stop watching, and the run goes on at the server. Settled: the engine forgets it. */
  close() {
    if (this.isLive) this.#feed.act((raw, now) => raw.close(this.slot, now));
    else this.detach();
  }

  /** Takes what the engine still has for us, and lets it go. */
  detach() {
    this.#refresh();
    this.forget();
  }

  /** Frees the engine's side of a settled run, read or not. */
  forget() {
    this.#begin = null;
    this.#feed.release(this);
  }
}
