// What users hold of a run. Everything is decided in the engine and kept in Run; this is the contract.
import { Run } from './run.js';
import { SteadyStreamError } from './errors.js';
import { dispose } from './dispose.js';

// A settled run that nobody holds any more frees its pages in the engine. A live one is held by its client.
const forgotten = new FinalizationRegistry((run) => run.forget());

export class RunStream {
  #run;
  #stop;

  constructor(run, stop) {
    if (!(run instanceof Run)) {
      throw new SteadyStreamError('invalid-state', { got: 'new RunStream()', expected: 'RunClient.send() or open()' });
    }
    this.#run = run;
    this.#stop = stop;
    this.subscribe = run.store.subscribe;
    this.getSnapshot = run.store.getSnapshot;
    this.getServerSnapshot = run.store.getServerSnapshot;
    const { subscribe, getSnapshot, getServerSnapshot } = run.trace;
    this.trace = Object.freeze({ subscribe, getSnapshot, getServerSnapshot });
    if (run.isLive) run.stream = this;
    forgotten.register(this, run);
  }

  get finished() {
    return this.#run.finished;
  }

  async stop() {
    // The server stops whatever runs in the session; once ours is over, that would be somebody else's run.
    // Of a message that has not gone out it would be an earlier one's.
    if (this.#run.isLive && !this.#run.withdraw()) await this.#stop(this.#run.sessionId);
  }

  retry() {
    const next = this.#run.retry();
    const stream = new RunStream(next, this.#stop);
    next.announce();
    return stream;
  }

  close() {
    this.#run.close();
  }

  [Symbol.asyncIterator]() {
    return this.#run.events();
  }

  [dispose]() {
    this.close();
  }
}
