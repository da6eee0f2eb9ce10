// The engine's input window, seen from outside: where every network chunk enters wasm memory, once.
import { memory } from './instance.js';

export class Window {
  #pointer;
  #view;

  /** `raw`: what has `chunk_ptr()` and `chunk_size()`. */
  constructor(raw) {
    this.#pointer = raw.chunk_ptr();
    this.size = raw.chunk_size();
    this.#view = new Uint8Array(memory().buffer, this.#pointer, this.size);
  }

  /** The window's bytes. Growing memory detaches every view of it: ask again after each call into the engine. */
  get bytes() {
    if (this.#view.length === 0) this.#view = new Uint8Array(memory().buffer, this.#pointer, this.size);
    return this.#view;
  }

  /** Copies `bytes` in, a windowful at a time, and calls `take(length)` for each. `isOver()`: whether to leave the rest. */
  feed(bytes, take, isOver) {
    const { size } = this;
    // At the window's start and in one piece: that copy is aligned, and many times faster than one which is not.
    if (bytes.length <= size) {
      this.bytes.set(bytes);
      take(bytes.length);
      return;
    }
    for (let at = 0; at < bytes.length && !isOver(); at += size) {
      const piece = bytes.subarray(at, at + size);
      this.bytes.set(piece);
      take(piece.length);
    }
  }
}
