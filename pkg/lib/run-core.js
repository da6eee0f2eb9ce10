// The engine without transports: bytes in, snapshots out. For workers, Node, and streams that somebody else opened.
import { EMPTY, applyDelta, readFlush } from './delta.js';
import { SteadyStreamError } from './errors.js';
import { engine, guard } from './instance.js';
import { Intake } from './intake.js';
import { PROTOCOLS, requireNumber, requireOneOf } from './options.js';
import { nextSnapshot } from './snapshot.js';

const INITIAL = Object.freeze({ runId: null, status: 'pending', ...EMPTY, cursor: null, error: null });

const toNull = () => null;

class RunCore {
  #raw;
  #intake;
  #view = EMPTY;
  #snapshot = INITIAL;

  constructor(protocol, maxEventBytes) {
    const { RawRunCore } = engine();
    guard(() => {
      this.#raw = new RawRunCore(protocol, maxEventBytes);
      this.#intake = new Intake(this.#raw);
    });
  }

  #alive() {
    if (this.#raw) return this.#raw;
    throw new SteadyStreamError('invalid-state', { got: 'a call after free()', expected: 'a RunCore in use' });
  }

  push(bytes) {
    this.#alive();
    this.#intake.push(bytes);
  }

  end() {
    this.#alive();
    this.#intake.drain();
    guard(() => this.#raw.end());
  }

  snapshot() {
    this.#alive();
    this.#intake.drain();
    guard(() => {
      const { deltas, take } = readFlush(this.#raw.flush());
      for (const delta of deltas) {
        this.#view = applyDelta(this.#view, delta, take);
        this.#snapshot = nextSnapshot(this.#snapshot, this.#view, delta.state, toNull);
      }
    });
    return this.#snapshot;
  }

  free() {
    const raw = this.#raw;
    this.#raw = undefined;
    if (raw) guard(() => raw.free());
  }
}

export const createRunCore = ({ protocol = 'bichat', maxEventBytes = 16777216 } = {}) => {
  requireOneOf('protocol', protocol, PROTOCOLS);
  return new RunCore(protocol, requireNumber('maxEventBytes', maxEventBytes));
};
