// Bytes for an engine without transports. Small chunks gather in the engine's own window, and one call takes them all: a call per
// 200 B would be most of the cost.
import { invalid } from './errors.js';
import { guard } from './instance.js';
import { Window } from './window.js';

// From here on a chunk is worth a call of its own: at the window's start its copy is aligned, and that is many times faster
// than behind the remainder of earlier chunks.
const LARGE = 8192;

export class Intake {
  #raw;
  #window;
  #filled = 0;
  #encoder;

  /** `raw`: what has `push(length)` beside a window. */
  constructor(raw) {
    this.#raw = raw;
    this.#window = new Window(raw);
  }

  /** The engine has everything after this. */
  drain() {
    const length = this.#filled;
    if (length === 0) return;
    this.#filled = 0;
    guard(() => this.#raw.push(length));
  }

  push(bytes) {
    if (typeof bytes === 'string') bytes = (this.#encoder ??= new TextEncoder()).encode(bytes);
    else if (!(bytes instanceof Uint8Array)) throw invalid('bytes', bytes, 'a Uint8Array or a string');
    const { size } = this.#window;
    if (bytes.length >= LARGE || this.#filled + bytes.length > size) this.drain();
    let start = 0;
    while (bytes.length - start > size) {
      this.#window.bytes.set(bytes.subarray(start, start + size));
      this.#filled = size;
      start += size;
      this.drain();
    }
    this.#window.bytes.set(start === 0 ? bytes : bytes.subarray(start), this.#filled);
    this.#filled += bytes.length - start;
  }
}
