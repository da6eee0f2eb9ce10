// The sidebar's engine without transports: the bytes of a feed in, what runs out.
import { readFlush } from '../delta.js';
import { SteadyStreamError, toError } from '../errors.js';
import { engine, guard } from '../instance.js';
import { Intake } from '../intake.js';
import { requireNumber } from '../options.js';
import { Rows } from './rows.js';

class ActiveRunsCore {
  #raw;
  #intake;
  #rows = new Rows();
  #snapshot = Object.freeze({ ready: false, supported: true, runs: this.#rows.list, error: null });

  constructor(maxEventBytes) {
    const { RawActiveRuns } = engine();
    guard(() => {
      this.#raw = new RawActiveRuns(maxEventBytes, Math.random());
      this.#intake = new Intake(this.#raw);
    });
  }

  #alive() {
    if (this.#raw) return this.#raw;
    throw new SteadyStreamError('invalid-state', { got: 'a call after free()', expected: 'an ActiveRunsCore in use' });
  }

  push(bytes) {
    this.#alive();
    this.#intake.push(bytes);
  }

  restart() {
    this.#alive();
    this.#intake.drain();
    guard(() => this.#raw.restart());
  }

  snapshot() {
    this.#alive();
    this.#intake.drain();
    guard(() => {
      for (const { rows, since, names, ready, error } of readFlush(this.#raw.flush()).deltas) {
        if (rows) this.#rows.apply({ since, rows, names });
        const old = this.#snapshot;
        this.#snapshot = Object.freeze({
          ready: old.ready || ready === true,
          supported: true,
          runs: this.#rows.list,
          error: error === undefined ? old.error : toError(error),
        });
      }
    });
    return this.#snapshot;
  }

  status(sessionId) {
    this.snapshot();
    return this.#rows.status(sessionId);
  }

  free() {
    const raw = this.#raw;
    this.#raw = undefined;
    if (raw) guard(() => raw.free());
  }
}

export const createActiveRunsCore = ({ maxEventBytes = 16777216 } = {}) =>
  new ActiveRunsCore(requireNumber('maxEventBytes', maxEventBytes));
