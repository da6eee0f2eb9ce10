// A message that its client writes, from its first chunk to its finish: batches, the terminal chunk, the finish, in this order (S-FIN-1),
// and each of them bounded in time (S-FIN-6). What is tried again, and when, the engine says.
import { SteadyStreamError, invalid } from '../errors.js';
import { ChunkBatcher } from './chunk-batcher.js';
import { coalesce, isControl } from './deltas.js';
import { post } from './post.js';
import { Progress } from './progress.js';
import { segmenter } from './segments.js';
import { RENEWED } from './verdict.js';

// Of the terminal chunk and of the finish: three attempts each (PROTOCOLS 3.2).
const FINAL_RETRIES = 2;
const FINAL_BASE_MS = 150;

// How often somebody else's generation is looked at, while ours waits for its end.
const BUSY_POLL_MS = 500;

const MISSING = /^session[_ ]not[_ ]found$/i;

const pause = (ms, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, ms);
  signal.addEventListener('abort', () => {
    clearTimeout(timer);
    resolve();
  });
});

// S-RQ-3
const isSessionMissing = ({ status, serverCode }) => (serverCode === undefined ? status === 404 : MISSING.test(serverCode));

const isMismatch = ({ status, serverCode }) => status === 409 && serverCode === 'GENERATION_MISMATCH';

// A batch that failed because somebody else writes says so itself.
const reasonOf = (error) => (error.cause?.code === 'generation-mismatch' ? error.cause : error);

const TERMINALS = {
  completed: () => ({ type: 'message-end' }),
  aborted: () => ({ type: 'stop', reason: 'aborted' }),
  failed: ({ code, message }) => ({ type: 'RUN_ERROR', error: { code, message } }),
};

/** One request until it succeeds: so many attempts, and at most so long. */
const insist = async (send, timeoutMs) => {
  const batcher = new ChunkBatcher({
    lingerMs: 0, maxBatchSize: 1, maxBufferSize: 2, maxRetries: FINAL_RETRIES, baseDelayMs: FINAL_BASE_MS, abortFlushMs: 0,
    onDrop: () => {},
    send: async (_, { signal }) => send(signal),
  });
  const timer = setTimeout(() => batcher.abort(), timeoutMs);
  try {
    batcher.push(null);
    await batcher.drain();
  } catch (error) {
    throw error.code === 'aborted' ? new SteadyStreamError('request-timeout', { cause: error, retryable: true }) : error.cause ?? error;
  } finally {
    clearTimeout(timer);
    void batcher.abort();
  }
};

export class Generation {
  #server;
  #options;
  #batcher;
  #segment;
  #path;
  #previous;
  #next = 0;                // the number of the chunk behind the last one that is known to have arrived
  #hasPosted = false;
  #isOurs = true;           // the server's active generation is ours, as far as is known
  #isAborted = false;
  #end = null;              // how it ends, once that is decided: 'completed', 'aborted' or 'failed'
  #failure = null;
  #settle;
  #outcome = null;
  #progress;

  /** `server`: see post.js. `previous`: the promise of our own older generation's end, in this session. */
  constructor(server, sessionId, options, previous) {
    if (!options) throw new SteadyStreamError('invalid-state', { got: 'new Generation()', expected: 'client.generation()' });
    const { messageId, gathering, watchdog, segments, signal, onDrop } = options;
    this.sessionId = sessionId;
    this.messageId = messageId;
    this.#server = server;
    this.#options = options;
    this.#previous = previous;
    this.#path = `/sessions/${encodeURIComponent(sessionId)}`;
    this.#segment = segments ? segmenter(messageId) : (chunk) => chunk;
    this.finished = new Promise((resolve) => { this.#settle = resolve; });
    this.#batcher = new ChunkBatcher({
      ...gathering, isControl, coalesce, onDrop,
      send: (batch, about) => this.#send(batch, about),
      onFatalError: (error) => this.#fail(reasonOf(error)),
    }, {
      limits: watchdog,
      // S-WD-3
      onSilent: (code) => this.#fail(new SteadyStreamError(code, { retryable: true })),
      onChange: () => this.#progress?.note(),
    });
    this.#progress = new Progress(() => this.#look());
    this.#progress.lend(this);
    if (signal?.aborted) void this.abort();
    else signal?.addEventListener('abort', this.#onAbort);
  }

  get pending() {
    return this.#batcher.pending;
  }

  get droppedCount() {
    return this.#batcher.droppedCount;
  }

  get isHealthy() {
    return this.#end === null && this.#batcher.isHealthy;
  }

  write(chunk) {
    if (typeof chunk !== 'object' || chunk === null || typeof chunk.type !== 'string') {
      throw invalid('chunk', chunk, 'an object with a type');
    }
    if (this.#end !== null) return false;
    this.#batcher.push(this.#segment(chunk));
    return true;
  }

  finish() {
    this.#finalize('completed');
    return this.finished;
  }

  abort() {
    this.#isAborted = true;
    this.#finalize('aborted');
    return this.finished;
  }

  /** A newer one waits for its turn: this one ends, and has the time that its finish takes if it is at that. */
  giveWay() {
    return this.#end === null ? this.abort() : this.finished;
  }

  #onAbort = () => {
    void this.abort();
  };

  #fail(error) {
    // What comes behind a decided end is that end's own.
    if (this.#end !== null) return;
    this.#failure = error;
    this.#finalize('failed');
  }

  #look() {
    const { pending, inFlight, droppedCount } = this.#batcher.getSnapshot();
    const { status = this.#end === null ? 'open' : 'finishing', error = this.#failure, cleanupError = null } = this.#outcome ?? {};
    const { sessionId, messageId, isHealthy } = this;
    return { sessionId, messageId, status, pending, inFlight, droppedCount, isHealthy, error, cleanupError };
  }

  // ---- batches ----

  async #send(batch, { batchId, firstSeq, signal }) {
    // S-RUN-3: the server takes one at a time, and our own older one is on its way to its end, in bounded time.
    await this.#previous;
    const chunks = batch.map((chunk) => this.#written(chunk));
    for (let waited = 0; ; waited += BUSY_POLL_MS) {
      try {
        await this.#post('/chunks/batch', { chunks, batchId, firstSeq }, signal);
        this.#next = firstSeq + batch.length;
        return;
      } catch (error) {
        const isBusy = isMismatch(error) && firstSeq === 0;
        if (!isBusy || this.#options.whenBusy !== 'wait' || waited >= this.#options.waitMs) throw await this.#judge(error, signal);
      }
      await pause(BUSY_POLL_MS, signal);
    }
  }

  #written(chunk) {
    const { messageId, actorId, role } = this.#options;
    return { messageId, actorId, role, chunk };
  }

  async #post(call, body, signal) {
    const began = () => { this.#hasPosted = true; };
    const reply = await post(this.#server, 'POST', this.#path + call, { body, signal, began });
    // A proxy's page is no receipt.
    if (reply?.ok !== true) throw new SteadyStreamError('request-failed', { retryable: true });
  }

  // Gives the error as the batcher is to have it.
  async #judge(error, signal) {
    if (isMismatch(error)) {
      this.#isOurs = false;
      const { status, serverCode, reply } = error;
      const detail = typeof reply?.activeMessageId === 'string' ? reply.activeMessageId : undefined;
      return new SteadyStreamError('generation-mismatch', { status, serverCode, detail, cause: error });
    }
    if (!isSessionMissing(error)) return error;
    // S-RQ-4
    if (this.#isAborted) {
      this.#isOurs = false;
      return error;
    }
    await post(this.#server, 'PUT', this.#path, { signal });
    return Object.assign(error, { [RENEWED]: true });
  }

  // ---- the end ----

  #finalize(end) {
    if (this.#end !== null) {
      // Whoever aborts does not wait for the rest of a finish.
      if (end === 'aborted') void this.#batcher.abort();
      return;
    }
    this.#end = end;
    this.#progress.note();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    // S-WD-4
    this.#batcher.calm();
    void this.#conclude();
  }

  async #conclude() {
    const { finishTimeoutMs } = this.#options;
    await this.#empty(finishTimeoutMs);
    let cleanupError = null;
    // S-FIN-5: of what never went out there is nothing to end; nor of what is somebody else's.
    if (this.#hasPosted && this.#isOurs) {
      try {
        await this.#terminate(finishTimeoutMs);
        cleanupError = await this.#cleanUp(finishTimeoutMs);
      } catch (cause) {
        // S-FIN-3: who reads it must not take it for over.
        this.#end = 'failed';
        const { status, serverCode } = cause;
        this.#failure ??= new SteadyStreamError('end-not-sent', { status, serverCode, cause, retryable: true });
      }
    }
    void this.#batcher.abort();
    const { sessionId, messageId } = this;
    const error = this.#failure;
    this.#outcome = Object.freeze({ status: this.#end, sessionId, messageId, error, cleanupError, droppedCount: this.droppedCount });
    this.#progress.end();
    this.#settle(this.#outcome);
  }

  /** Everything that was written goes out: after an abort within the time for that (S-CB-13), else within the time for a finish. */
  async #empty(timeoutMs) {
    const timer = setTimeout(() => this.#batcher.abort(), timeoutMs);
    try {
      const drained = this.#batcher.drain();
      if (this.#end === 'aborted') void this.#batcher.abort();
      await drained;
    } catch (error) {
      // How much of it has arrived is not known: what follows has no number.
      this.#next = undefined;
      this.#end = this.#isAborted ? 'aborted' : 'failed';
      if (!this.#isAborted) {
        this.#failure ??= error.code === 'aborted' ? new SteadyStreamError('request-timeout', { cause: error.cause, retryable: true }) : reasonOf(error);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  // S-FIN-2: one by one, and then as a batch.
  async #terminate(timeoutMs) {
    const written = this.#written(TERMINALS[this.#end](this.#failure ?? {}));
    const numbers = this.#next === undefined ? {} : { firstSeq: this.#next };
    try {
      await insist((signal) => this.#post('/chunks', { ...written, ...numbers }, signal), timeoutMs);
    } catch (error) {
      if (isMismatch(error)) throw error;
      await insist((signal) => this.#post('/chunks/batch', { chunks: [written], ...numbers }, signal), timeoutMs);
    }
  }

  // S-FIN-4: told, and not thrown.
  async #cleanUp(timeoutMs) {
    const body = { messageId: this.messageId };
    try {
      await insist((signal) => this.#post('/generations/finish', body, signal), timeoutMs);
      return null;
    } catch (error) {
      return error;
    }
  }
}
