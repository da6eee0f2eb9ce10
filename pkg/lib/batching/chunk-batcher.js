// Chunks upstream. The engine decides when a batch goes out, how often, and what gives way; here are the chunks, in the places that
// it knows them by.
import { Alarm } from '../browser/alarm.js';
import { SteadyStreamError } from '../errors.js';
import { engine, guard, lives } from '../instance.js';
import { callGuarded, report } from '../report.js';
import { createRequestId } from '../request-id.js';
import { readBatcher } from './options.js';
import { Progress } from './progress.js';
import { verdictOf } from './verdict.js';

const [SEND, CANCEL, OVER, NO_FIRST, NO_OTHER] = [1, 2, 3, 4, 5];
const [OVERFULL, NEVER] = [1, 2];
const [ENOUGH, REFUSE] = [-1, -2];
const SILENCES = { [NO_FIRST]: 'first-event-timeout', [NO_OTHER]: 'inactivity-timeout' };

const clock = () => performance.now();

export class ChunkBatcher {
  #raw;
  #options;
  #onSilent;
  #onChange;
  #progress;
  #alarm = new Alarm(() => this.#enter(() => {}));
  #id = createRequestId();
  #waiting = [];
  #flying = [];
  #attempt = null;          // the AbortController of the attempt that is under way
  #failure = null;          // of the last attempt: { error, verdict, attempt }
  #error = null;
  #drains = [];             // { until, resolve, reject }
  #dropped = 0;
  #isAsking = false;        // the page's own `coalesce` runs
  #isAborted = false;
  #over = null;             // a promise of the end, and what settles it

  /** `inner`: { limits, onSilent(code), onChange() }, of a generation, whose model is watched. */
  constructor(options, { limits = [0, 0], onSilent, onChange } = {}) {
    const read = this.#options = readBatcher(options);
    this.#onSilent = onSilent;
    this.#onChange = onChange;
    const { lingerMs, maxBatchSize, maxBufferSize, maxRetries, baseDelayMs, signal } = read;
    const { RawBatcher } = engine();
    const numbers = Float64Array.of(lingerMs, maxBatchSize, maxBufferSize, maxRetries, baseDelayMs, ...limits);
    this.#raw = guard(() => new RawBatcher(numbers, Math.random(), clock()));
    const over = {};
    over.promise = new Promise((resolve) => { over.resolve = resolve; });
    this.#over = over;
    this.#progress = new Progress(() => this.#look());
    this.#progress.lend(this);
    if (signal?.aborted) void this.abort();
    else signal?.addEventListener('abort', this.#onAbort);
    if (this.#raw) this.#enter(() => {});
  }

  get pending() {
    return this.#waiting.length + this.#flying.length;
  }

  get droppedCount() {
    return this.#dropped;
  }

  get isHealthy() {
    try {
      return this.#raw !== undefined && guard(() => this.#raw.healthy());
    } catch {
      return false;
    }
  }

  push(chunk) {
    if (this.#isAsking) throw new SteadyStreamError('invalid-state', { got: 'a push inside of coalesce', expected: 'it to return' });
    const isControl = this.#options.isControl?.(chunk) ?? false;
    const taken = this.#raw ? guard(() => this.#raw.push(isControl, clock())) : NEVER;
    if (taken === NEVER) {
      this.#drop([chunk], this.#isAborted ? 'aborted' : 'failed');
      return;
    }
    this.#waiting.push(chunk);
    const gone = taken === OVERFULL ? this.#makeRoom() : [];
    this.#enter(() => {});
    if (gone === null) throw fullError();
    this.#drop(gone, 'full');
  }

  flush() {
    this.#enter((raw) => raw.flush());
  }

  drain() {
    if (this.#error) return Promise.reject(this.#error);
    if (!this.#raw) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#drains.push({ until: guard(() => this.#raw.pushed()), resolve, reject });
      this.flush();
    });
  }

  abort() {
    if (this.#isAsking) queueMicrotask(this.#onAbort);
    else if (this.#raw) {
      this.#isAborted = true;
      this.#enter((raw) => raw.abort(this.#options.abortFlushMs, clock()));
    }
    return this.#over.promise;
  }

  /** No more is expected to be pushed for now. */
  calm() {
    this.#enter((raw) => raw.calm());
  }

  #look() {
    const status = this.#raw ? (this.#isAborted ? 'aborting' : 'open') : this.#isAborted ? 'aborted' : 'failed';
    const { pending, droppedCount, isHealthy } = this;
    return { status, pending, inFlight: this.#flying.length, droppedCount, isHealthy, error: this.#error };
  }

  #note() {
    this.#progress.note();
    this.#onChange?.();
  }

  // The instance is dead, and its memory with it.
  crash(error) {
    this.#raw = undefined;
    this.#error = error;
    this.#alarm.clear();
    // Not within the call that trapped: the page's own code hears of it.
    queueMicrotask(() => {
      this.#cancel();
      this.#close('failed');
    });
  }

  #onAbort = () => {
    void this.abort();
  };

  // ---- room ----

  // Gives what is dropped, or null if the newest chunk cannot be kept, and nothing else may go for it.
  #makeRoom() {
    const gone = [];
    for (;;) {
      const step = guard(() => this.#raw.room());
      if (step === ENOUGH) return gone;
      if (step === REFUSE) {
        this.#waiting.pop();
        return null;
      }
      const at = step >> 1;
      if (step & 1) {
        gone.push(...this.#waiting.splice(at, 1));
        continue;
      }
      const one = this.#coalesce(this.#waiting[at], this.#waiting[at + 1]);
      guard(() => this.#raw.tried(at, one !== null));
      if (one !== null) this.#waiting.splice(at, 2, one);
    }
  }

  #coalesce(one, other) {
    this.#isAsking = true;
    try {
      return this.#options.coalesce?.(one, other) ?? null;
    } catch (error) {
      report(error);
      return null;
    } finally {
      this.#isAsking = false;
    }
  }

  #drop(chunks, reason) {
    if (chunks.length === 0) return;
    const before = this.#dropped;
    this.#dropped += chunks.length;
    this.#note();
    const { onDrop } = this.#options;
    if (onDrop) callGuarded(onDrop, chunks, { reason, droppedCount: this.#dropped });
    // S-CB-7
    else if (before === 0 || Math.floor(before / 100) < Math.floor(this.#dropped / 100)) {
      console.warn(`steadystream: ${this.#dropped} chunk(s) dropped, the last for this reason: ${reason}`);
    }
  }

  // ---- what the engine decides ----

  #enter(fn) {
    if (!this.#raw) return;
    try {
      guard(() => fn(this.#raw));
      // The chunks stay in their places until it returns.
      if (!this.#isAsking) this.#act();
    } catch (error) {
      // A trap, here or before. Whoever watches the page for errors hears of it, too.
      if (this.#raw) this.crash(error);
      report(error);
    }
  }

  #act() {
    for (;;) {
      const due = guard(() => this.#raw.due(clock()));
      if (due === 0) break;
      if (due === SEND) this.#send();
      else if (due === CANCEL) this.#cancel();
      else if (due === OVER) this.#end();
      else this.#onSilent?.(SILENCES[due]);
      // The page's own code may have ended it.
      if (!this.#raw) return;
    }
    const settled = guard(() => this.#raw.settled());
    const isDone = ({ until }) => until <= settled;
    for (const { resolve } of this.#drains.filter(isDone)) resolve();
    this.#drains = this.#drains.filter((drain) => !isDone(drain));
    const deadline = guard(() => this.#raw.deadline());
    this.#alarm.set(deadline, clock());
    this.#note();
    // Whoever has work is not collected; a page may hold nothing of it but a promise.
    if (this.pending > 0 || deadline < Infinity) lives.add(this);
    else lives.delete(this);
  }

  #send() {
    const [length, firstSeq, attempt] = guard(() => [this.#raw.length(), this.#raw.firstSeq(), this.#raw.attempt()]);
    if (this.#flying.length === 0) this.#flying = Object.freeze(this.#waiting.splice(0, length));
    const { signal } = this.#attempt = new AbortController();
    const finish = (fn) => {
      this.#attempt = null;
      this.#enter(fn);
    };
    const made = async () => this.#options.send(this.#flying, { batchId: `${this.#id}:${firstSeq}`, firstSeq, attempt, signal });
    made().then(() => finish((raw) => {
      this.#flying = [];
      this.#failure = null;
      raw.sent();
    }), (error) => {
      let verdict = NaN;
      try {
        verdict = verdictOf(error);
      } catch (cause) {
        report(cause);
      }
      finish((raw) => {
        this.#failure = { error, verdict, attempts: attempt };
        raw.failed(verdict, clock());
      });
    });
  }

  #cancel() {
    const attempt = this.#attempt;
    this.#attempt = null;
    attempt?.abort();
  }

  #end() {
    const { error: cause, verdict, attempts } = this.#failure ?? {};
    const raw = this.#raw;
    this.#raw = undefined;
    guard(() => raw.free());
    if (this.#isAborted) {
      if (this.pending > 0) this.#error = new SteadyStreamError('aborted', { cause });
    } else if (cause?.name === 'AbortError' || cause?.code === 'aborted') {
      this.#error = new SteadyStreamError('aborted', { cause });
    } else {
      const { status, serverCode } = cause ?? {};
      const fields = { cause, attempts, status, serverCode, got: this.#flying.length, retryable: verdict >= 0 };
      this.#error = new SteadyStreamError('batch-failed', fields);
    }
    this.#close(this.#isAborted ? 'aborted' : 'failed');
  }

  #close(reason) {
    this.#alarm.clear();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    lives.delete(this);
    const left = [...this.#flying, ...this.#waiting];
    this.#flying = [];
    this.#waiting = [];
    const drains = this.#drains;
    this.#drains = [];
    for (const { resolve, reject } of drains) {
      if (this.#error) reject(this.#error);
      else resolve();
    }
    this.#drop(left, reason);
    this.#progress.end();
    this.#onChange?.();
    this.#over.resolve();
    const { onFatalError } = this.#options;
    if (this.#error && !this.#isAborted && onFatalError) callGuarded(onFatalError, this.#error);
  }
}

const fullError = () => {
  const error = new SteadyStreamError('queue-full', { retryable: true });
  error.message = 'The buffer is full of chunks that must not be dropped; expected the server to take some first.';
  return error;
};
