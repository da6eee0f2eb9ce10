// The run of one chat, from the request for it until it is forgotten: one reader of the engine's events, any number of readers of
// ours, and what it means when one of them aborts.
import { SteadyStreamError } from './errors.js';
import { cursorOf } from './events.js';
import { Replay } from './replay.js';

// There is no such run, or not any more.
const IS_NONE = new Set(['run-not-found', 'run-ended', 'aborted']);
const ENDS = new Set(['completed', 'cancelled', 'failed', 'interrupted']);

/** The AI SDK knows aborts by this name. */
export const aborted = (cause) => {
  const error = new SteadyStreamError('aborted', { cause });
  error.name = 'AbortError';
  return error;
};

// What readers are thrown at the end. The server's own error is among the chunks.
const errorOf = ({ status, error }, hasToldError) => {
  if (error?.code === 'aborted') return aborted(error);
  return status === 'completed' || status === 'cancelled' || hasToldError ? null : error;
};

// Whether there is such a run; rejects when that could not be found out.
const isThere = (run) => new Promise((resolve, reject) => {
  const leave = run.subscribe(({ connection, status, error }) => {
    if (connection.state !== 'open' && !ENDS.has(status)) return;
    // It is called before subscribe() returns.
    queueMicrotask(() => leave());
    if (error && IS_NONE.has(error.code)) resolve(false);
    else if (!error || !ENDS.has(status) || error.code === 'server-error') resolve(true);
    else reject(error);
  }, { notify: 'sync' });
});

export class ChatRun {
  #onAbort;
  #onEnd;
  #replay = new Replay();
  #run = null;
  #isThere = null;
  #isRead = false;
  #finders = 0;
  #letGo;                     // the timer of an abort that has not been taken for one yet
  #stopping = null;
  #over = new AbortController();
  #cursor = null;
  #stored = null;             // the cursor of what was stored last
  /** Whether the engine has nothing more to do with it. */
  isSettled = false;

  /** `onAbort`: `'stop'` or `'detach'`. `onEnd(error)` is called when no more will come. */
  constructor(onAbort, onEnd) {
    this.#onAbort = onAbort;
    this.#onEnd = onEnd;
  }

  get isOver() {
    return this.#replay.isOver;
  }

  /** What is held of it, roughly, in characters. */
  get size() {
    return this.#replay.size;
  }

  /** Follows this run from its beginning, or from behind these chunks of it, the last of which has this cursor. */
  begin(run, chunks = [], cursor = null) {
    for (const chunk of chunks) this.#replay.append(chunk);
    this.#cursor = cursor;
    if (chunks.length === 0 && run.getSnapshot().parts.length > 0) {
      const got = 'a run of this chat that somebody else has opened';
      throw new SteadyStreamError('invalid-state', { got, expected: 'the transport to open it' });
    }
    this.#run = run;
    this.#pump(run[Symbol.asyncIterator]());
  }

  /** What it has said, with the cursor to go on from; '' where there is none, or nothing is new. */
  store() {
    if (this.isOver || this.#cursor === null || this.#cursor === this.#stored) return '';
    this.#stored = this.#cursor;
    return JSON.stringify({ cursor: this.#cursor, chunks: this.#replay.chunks });
  }

  /** It never began. */
  fail(error) {
    this.#end(error);
  }

  /** All that it says, from its beginning. */
  read(signal) {
    this.#isRead = true;
    this.#claim(signal);
    return this.#replay.read(signal);
  }

  /** The same as soon as the server has shown that there is something, or `null`. */
  async find(signal) {
    if (this.#isRead) return this.read(signal);
    this.#claim(signal);
    this.#isThere ??= isThere(this.#run);
    this.#finders += 1;
    try {
      const isLeft = new Promise((resolve) => this.#onceAborted(signal, () => resolve(false)));
      if (!await Promise.race([this.#isThere, isLeft])) return null;
    } finally {
      this.#finders -= 1;
    }
    this.#isRead = true;
    return this.#replay.read(signal);
  }

  /** Ends it, here at once and then at the server: what may still come is not what its user has seen. */
  stop() {
    clearTimeout(this.#letGo);
    this.#letGo = undefined;
    if (this.#run) {
      this.#stopping ??= this.#run.stop();
      this.#end(null);
    } else {
      this.fail(aborted());
    }
    return this.#stopping;
  }

  /** Makes room for another run of this chat: a stop that is under way must not hit that one. */
  async replace() {
    const isLeft = this.#letGo !== undefined && this.#isStop();
    if (isLeft) this.stop();
    await this.#stopping?.catch(() => {});
    this.close();
  }

  close() {
    clearTimeout(this.#letGo);
    if (this.#run) this.#run.close();
    else this.fail(aborted());
  }

  async #pump(events) {
    let error = null;
    let hasToldError = false;
    try {
      for await (const event of events) {
        if (this.isOver || event.code === 'malformed-event') continue;
        hasToldError ||= event.type === 'error';
        this.#cursor = cursorOf(event);
        this.#replay.append(event);
      }
      error = errorOf(await this.#run.finished, hasToldError);
    } catch (thrown) {
      error = thrown;
    }
    this.isSettled = true;
    this.#run.close();
    this.#end(error);
  }

  #end(error) {
    if (this.isOver) return;
    this.#over.abort();
    this.#replay.end(error);
    this.#onEnd(error);
  }

  #onceAborted(signal, act) {
    signal?.addEventListener('abort', act, { once: true, signal: this.#over.signal });
  }

  #claim(signal) {
    clearTimeout(this.#letGo);
    this.#letGo = undefined;
    // A chat that resumes aborts what it reads and asks again in the same breath, and so does a component that React mounts twice:
    // only what nobody claims by the next turn has been let go.
    this.#onceAborted(signal, () => { this.#letGo ??= setTimeout(() => this.#letItGo()); });
  }

  #letItGo() {
    this.#letGo = undefined;
    if (this.isOver) return;
    if (this.#isStop()) this.stop()?.catch(() => {});      // it is over here, whatever the server says
    else if (!this.#isRead && this.#finders === 0) this.#run.close();
  }

  #isStop() {
    return this.#isRead && this.#onAbort === 'stop';
  }
}
