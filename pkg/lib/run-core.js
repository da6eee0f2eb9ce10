// The engine without transports: bytes in, snapshots out. For workers, Node, and streams that somebody else opened.
import { EMPTY, applyDelta, readFlush } from './delta.js';
import { SteadyStreamError, invalid } from './errors.js';
import { engine, guard } from './instance.js';
import { PROTOCOLS, requireNumber, requireOneOf } from './options.js';
import { nextSnapshot } from './snapshot.js';
import { Window } from './window.js';

// From here on a chunk is worth a call of its own: at the window's start its copy is aligned, and that is many times faster
// than behind the remainder of earlier chunks.
const LARGE = 8192;

const INITIAL = Object.freeze({ runId: null, status: 'pending', ...EMPTY, cursor: null, error: null });

const toNull = () => null;

class RunCore {
  #raw;
  #window;
  #filled = 0;
  #view = EMPTY;
  #snapshot = INITIAL;
  #encoder;

  constructor(protocol, maxEventBytes) {
    const { RawRunCore } = engine();
    guard(() => {
      this.#raw = new RawRunCore(protocol, maxEventBytes);
      this.#window = new Window(this.#raw);
    });
  }

  #alive() {
    if (this.#raw) return this.#raw;
    throw new SteadyStreamError('invalid-state', { got: 'a call after free()', expected: 'a RunCore in use' });
  }

  // Small chunks gather in the engine's own window, and one call takes them all: a call per 200 B would be most of the cost.
  #drain() {
    const length = this.#filled;
    if (length === 0) return;
    this.#filled = 0;
    guard(() => this.#raw.push(length));
  }

  push(bytes) {
    this.#alive();
    if (typeof bytes === 'string') bytes = (this.#encoder ??= new TextEncoder()).encode(bytes);
    else if (!(bytes instanceof Uint8Array)) throw invalid('bytes', bytes, 'a Uint8Array or a string');
    const { size } = this.#window;
    if (bytes.length >= LARGE || this.#filled + bytes.length > size) this.#drain();
    let start = 0;
    while (bytes.length - start > size) {
      this.#window.bytes.set(bytes.subarray(start, start + size));
      this.#filled = size;
      start += size;
      this.#drain();
    }
    this.#window.bytes.set(start === 0 ? bytes : bytes.subarray(start), this.#filled);
    this.#filled += bytes.length - start;
  }

  end() {
    this.#alive();
    this.#drain();
    guard(() => this.#raw.end());
  }

  snapshot() {
    this.#alive();
    this.#drain();
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
