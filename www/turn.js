// A question and its answer. The answer is a RunStream while this page knows one; what is left of it after a reload is a
// picture of how it ended. Whoever shows a turn reads `snapshot` and does not care which.

const LIVE = new Set(['pending', 'streaming', 'waiting']);
const NO_CONNECTION = Object.freeze({ state: 'closed', attempt: 0, retryAt: null, transport: null, error: null });
const NOTHING_YET = Object.freeze({
  status: 'pending', runId: null, cursor: null, text: '', parts: Object.freeze([]), usage: null, error: null,
  connection: NO_CONNECTION, startedAt: null, updatedAt: null,
});

// Runs that nobody looks at still tell the sidebar how they are, four times a second.
const UNSEEN_MS = 250;
const LONGEST_LOG = 60;

export const isLive = ({ status }) => LIVE.has(status);

export class Turn {
  #onChange;
  #unsubscribe = () => {};
  #stream = null;
  #isSeen = false;
  #drops = 0;

  snapshot = NOTHING_YET;
  /** What became of the connection, the latest last: `{ at, connection }`. */
  log = [];
  /** What the server says of the complete answer (see proof.js); null before it was asked. */
  proof = null;

  /** `onChange(turn, before)` hears of every new snapshot. */
  constructor({ question, requestId, transport }, onChange) {
    this.question = question;
    this.requestId = requestId;
    this.transport = transport;
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
    if (snapshot.connection !== before.connection) this.#note(snapshot.connection, before.connection);
    this.#onChange(this, before);
  }

  #note(connection, { state: before }) {
    const { state } = connection;
    if (before === 'open' && (state === 'reconnecting' || state === 'offline')) this.#drops += 1;
    if (this.log.length === 0 && state === 'closed') return;
    this.log = [...this.log.slice(1 - LONGEST_LOG), { at: Date.now(), connection }];
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
    const { question, requestId, transport, snapshot, drops, proof } = this;
    const { status, runId, parts, usage, error, startedAt, updatedAt } = snapshot;
    const kept = { question, requestId, transport, drops, runId };
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
