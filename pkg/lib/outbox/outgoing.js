// What the outbox shows of one message: a frozen object that stays the same until something of it has changed. It follows the run
// of its message through every retry.
import { SteadyStreamError } from '../errors.js';
import { isSettled } from '../snapshot.js';

const statusOf = ({ status, error }, sent) => {
  // The whole answer may be the first that is heard of it.
  const isTaken = sent === 2 || status === 'completed' || error?.code === 'server-error';
  if (!isSettled(status)) return isTaken ? 'sent' : 'pending';
  if (isTaken) return status === 'interrupted' ? 'sent' : 'confirmed';
  // Its user wants it no more.
  return status === 'cancelled' || error?.code === 'aborted' ? 'gone' : 'failed';
};

export class Outgoing {
  #outbox;
  #run = null;
  #stream = null;

  /** `at`: unix ms. `wasLeft`: by another page. `outbox.change(this)`: what it shows has changed, or it is not to be shown any more. */
  constructor(outbox, { sessionId, requestId, message, parts, at, wasLeft }) {
    this.#outbox = outbox;
    this.parts = parts;
    this.wasLeft = wasLeft;
    this.isTried = false;
    this.shown = Object.freeze({
      requestId, sessionId, message, status: 'pending', runId: null, error: null, attempts: 0, createdAt: at,
      retry: this.#retry, discard: this.#discard,
    });
  }

  get isLive() {
    return this.#run?.isLive ?? false;
  }

  follow(run, stream) {
    this.#run = run;
    this.#stream = stream;
    run.outgoing = this;
    this.note(run);
  }

  /** Nothing of it has gone out: it is what another page has left, and kept in that one's place. False where it is not. */
  takeOver(run, { requestId, at, n, isTried }, body) {
    if (this.wasLeft || !run.takeOver(requestId, body, isTried)) return false;
    this.wasLeft = true;
    this.n = n;
    this.#show({ createdAt: at });
    this.#outbox.keep(this);
    return true;
  }

  /** Something of its run has changed. */
  note(run) {
    if (this.#outbox.isClosed) return;
    this.#run = run;
    this.#stream = run.stream ?? this.#stream;
    const snapshot = run.store.peek();
    const { runId, requestId, error, connection } = snapshot;
    const wasTried = this.isTried;
    this.isTried = run.sent > 0;
    const status = statusOf(snapshot, run.sent);
    // The stream of what the server has is nobody's here: it would never be let go.
    if (status === 'sent' || status === 'confirmed') this.#stream = null;
    this.#show({ status, runId, requestId: requestId ?? this.shown.requestId, error: status === 'failed' ? error : null, attempts: connection.attempt });
    if (this.isTried !== wasTried) this.#outbox.keep(this);
  }

  #show(change) {
    const before = this.shown;
    if (Object.keys(change).every((key) => change[key] === before[key])) return;
    this.shown = Object.freeze({ ...before, ...change });
    this.#outbox.change(this, before);
  }

  #retry = () => {
    if (this.shown.status !== 'failed' || !this.#stream) {
      throw new SteadyStreamError('invalid-state', { got: `retry() of a message that is ${this.shown.status}`, expected: 'one that has failed' });
    }
    this.#stream = this.#stream.retry();
    return this.#stream;
  };

  #discard = () => {
    const [stream, isLive] = [this.#stream, this.isLive];
    this.#outbox.remove(this);
    // What may be on its way is stopped like any other run.
    if (isLive && stream) stream.stop().catch(() => {});
    else if (stream) stream.close();
  };
}
