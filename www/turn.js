// A question and its answer. The answer is a RunStream while this page knows one; what is left of it after a reload is a
// picture of how it ended. Whoever shows a turn reads `snapshot` and does not care which.

const LIVE = new Set(['pending', 'streaming', 'waiting']);
/** Where nothing runs. */
export const NO_CONNECTION = Object.freeze({
  state: 'closed', attempt: 0, retryAt: null, transport: null, latency: null, error: null,
});
const NOTHING_YET = Object.freeze({
  status: 'pending', runId: null, cursor: null, text: '', parts: Object.freeze([]), usage: null, error: null,
  connection: NO_CONNECTION, startedAt: null, updatedAt: null,
});

// Runs that nobody looks at still tell the sidebar how they are, four times a second.
const NOTHING_HAPPENED = Object.freeze([]);
const UNSEEN_MS = 250;

export const isLive = ({ status }) => LIVE.has(status);

export class Turn {
  #onChange;
  #unsubscribe = () => {};
  #untrace = () => {};
  #stream = null;
  #isSeen = false;
  #drops = 0;

  snapshot = NOTHING_YET;
  /** What happened to the connection, the latest last: the library's own account (see trace-words.js), of this page only. */
  trace = NOTHING_HAPPENED;
  /** What the server says of the complete answer (see proof.js); null before it was asked. */
  proof = null;

  /** `onChange(turn, before)` hears of every new snapshot. */
  constructor({ question, requestId, via }, onChange) {
    this.question = question;
    this.requestId = requestId;
    /** The id of its ladder. */
    this.via = via;
    this.#onChange = onChange;
  }

  /** How often the connection was lost while the answer came. */
  get drops() {
    return this.#drops;
  }

  get isLive() {
    return isLive(this.snapshot);
  }

  /** Takes a stream as this turn's answer. */
  follow(stream) {
    this.#stream = stream;
    this.#subscribe();
    this.#untrace();
    this.#untrace = stream.trace.subscribe((trace) => this.#note(trace), { notify: 'idle' });
  }

  /** A turn on the screen is told once a frame. */
  see(isSeen) {
    if (isSeen === this.#isSeen) return;
    this.#isSeen = isSeen;
    if (this.#stream && this.isLive) this.#subscribe();
  }

  #subscribe() {
    this.#unsubscribe();
    const notify = this.#isSeen ? 'frame' : UNSEEN_MS;
    this.#unsubscribe = this.#stream.subscribe((snapshot) => this.#set(snapshot), { notify });
  }

  #set(snapshot) {
    const before = this.snapshot;
    if (snapshot === before) return;
    this.snapshot = snapshot;
    if (snapshot.connection !== before.connection) this.#count(snapshot.connection, before.connection);
    this.#onChange(this, before);
  }

  #count({ state }, { state: before }) {
    if (before === 'open' && (state === 'reconnecting' || state === 'offline')) this.#drops += 1;
  }

  #note(trace) {
    this.trace = trace;
    this.#onChange(this, this.snapshot);
  }

  stop() {
    return this.#stream?.stop();
  }

  /** True if the stream could go on; otherwise the run has to be opened or sent again. */
  retry() {
    if (!this.#stream) return false;
    let next;
    try {
      next = this.#stream.retry();
    } catch (error) {
      if (error.code !== 'invalid-state') throw error;
      return false;
    }
    this.follow(next);
    return true;
  }

  /** Back to the beginning, before another attempt at starting it. */
  begin() {
    this.#set(NOTHING_YET);
  }

  /** It never came to a stream: `error` says why. */
  fail(error) {
    this.#set(Object.freeze({ ...this.snapshot, status: 'failed', error }));
  }

  toJSON() {
    const { question, requestId, via, snapshot, drops, proof } = this;
    const { status, runId, parts, usage, error, startedAt, updatedAt } = snapshot;
    const kept = { question, requestId, via, drops, runId };
    if (this.isLive) return kept;
    // An Error is not what JSON keeps of it.
    const reason = error && { code: error.code, message: error.message };
    return { ...kept, proof, status, parts, usage, startedAt, updatedAt, error: reason };
  }

  static fromJSON({ drops = 0, proof = null, status, runId, ...saved }, onChange) {
    const turn = new Turn(saved, onChange);
    turn.#drops = drops;
    turn.proof = proof === 'unknown' ? null : proof;
    if (status) {
      const text = saved.parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
      const { parts, usage, error, startedAt, updatedAt } = saved;
      turn.snapshot = Object.freeze({ ...NOTHING_YET, status, runId, parts, text, usage, error, startedAt, updatedAt });
    } else {
      turn.snapshot = Object.freeze({ ...NOTHING_YET, runId });
    }
    return turn;
  }
}
